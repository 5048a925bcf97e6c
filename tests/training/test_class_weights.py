"""Class weights make rare classes count as much as common ones; stages hold layers through the real loop."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from mer_tf.config import Train
from mer_tf.datasets.windows import Window
from mer_tf.inputs.batches import FeatureStore
from mer_tf.models.attention_lstm import Attention, AttentionLstm
from mer_tf.training.trainer import FoldTrainer

LABELS = {f"c{k}": int(k == 9) for k in range(10)}
PLAN = [Window(name, 0) for name in LABELS]


def blind():
    """A model that sees nothing but the share of the classes."""
    frames = keras.Input((None, 2), name="frames")
    logits = keras.layers.Dense(2, kernel_initializer="zeros")(keras.layers.GlobalAveragePooling1D()(frames))
    return keras.Model({"frames": frames}, logits)


@pytest.mark.parametrize(("weighed", "expected"), [(False, 0.1), (True, 0.5)])
def test_without_any_knowledge_the_rare_class_gets_its_share_or_an_equal_one(weighed, expected):
    store = FeatureStore({name: np.ones((3, 2), "float32") for name in LABELS}, {})
    descent = Train(optimizer="sgd", momentum=0.0, learning_rate=1.0, jit_compile=False)
    train = replace(descent, epochs=20, batch_size=10, class_weights=weighed)
    trainer = FoldTrainer(blind, train)
    trainer.fit(store, PLAN, LABELS, 3, 0)
    logits = trainer.model.predict_on_batch({"frames": np.ones((1, 3, 2), "float32")})
    assert float(keras.ops.softmax(logits)[0, 1]) == pytest.approx(expected, abs=0.03)


@pytest.mark.slow
def test_attention_is_trained_in_stages_by_the_loop_of_all_models():
    rng = np.random.default_rng(0)
    store = FeatureStore({name: rng.normal(size=(3, 2, 2, 4)).astype("float32") for name in LABELS}, {})
    config = AttentionLstm(lstm_units=4, lstm_layers=1, attention=Attention(units=3, staged=True, spread=0.0))
    seen = []

    class Weights(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            layer = trainer.model.get_layer
            seen.append((np.array(layer("lstm1").cell.attend.score), np.array(layer("when").of_seen)))

    train = Train(epochs=1, stream_epochs=1, batch_size=10, learning_rate=0.1, jit_compile=False)
    trainer = FoldTrainer(lambda: config.build((2, 2, 4), 2), train, config.stages)
    for stage in trainer.stages:
        stage.model.run_eagerly = True  # one step takes less time than tracing it
    history = trainer.fit(store, PLAN, LABELS, 3, 0, callbacks=[Weights()])
    assert history["stage"].tolist() == ["temporal", "spatial", "joint"]
    moved = [(bool(where.any()), bool(when.any())) for where, when in seen]
    assert moved[0] == (False, True)  # the spatial scores begin at zero and are held there
    assert moved[1] == (True, True)
    assert (seen[1][1] == seen[0][1]).all()
    assert (seen[2][1] != seen[1][1]).any()
    assert (seen[2][0] != seen[1][0]).any()
