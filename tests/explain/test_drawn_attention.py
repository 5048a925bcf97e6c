"""On drawn clips whose mouth and brows both move, attention comes to lie on the part that tells the class.

The clips are the same for every model and only the labels differ; an untrained model looks everywhere alike.
"""

import keras
import numpy as np
import pytest
from helpers.drawn_clips import SHOWN, SIZE, TESTED

from mer_tf.explain.regions import aligned_landmarks, region_masks
from mer_tf.explain.upsampling import cell_grid, upsample
from mer_tf.models.attention_lstm import Attention, AttentionLstm, attention_maps
from mer_tf.models.encoders.build import build_encoder
from mer_tf.models.encoders.parts import encoder_parts, map_layer


def inputs(maps):
    return {"frames": maps, "onset": maps[:, :1], "mask": np.ones(maps.shape[:2], bool)}


def trained(maps, labels, epochs):
    keras.utils.set_random_seed(1)
    config = AttentionLstm(
        lstm_units=32,
        lstm_layers=1,
        center="onset",
        bn_momentum=0.9,
        dropout=0.2,
        attention=Attention(units=32),
    )
    model = config.build(maps.shape[2:], 2)
    model.compile(keras.optimizers.Adam(3e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(inputs(maps), labels, epochs=epochs, batch_size=16, verbose=0)
    return model


@pytest.mark.slow
def test_attention_lies_on_the_part_that_tells_the_class(drawn):
    pytest.importorskip("mtcnn", reason="its ONet is the encoder")
    masks = region_masks(aligned_landmarks(SIZE), SIZE)
    masks["brows"] |= masks["eyes"]  # the skin between brow and upper lid moves with the brow
    frames, classes, subjects = drawn
    tested = np.isin(subjects, np.unique(subjects)[:TESTED])
    encoder = build_encoder(AttentionLstm(encoder="mtcnn-onet", features_at="conv4"), input_size=SIZE).model
    maps = encoder_parts(encoder, None, "conv4")[0].predict(frames.reshape(-1, SIZE, SIZE, 3), verbose=0)
    maps = maps.reshape(*frames.shape[:2], *maps.shape[1:])
    grid, lift = cell_grid(encoder, map_layer(encoder, "conv4")), {}
    for part, labels in classes.items():
        for epochs in (0, 20):
            model = trained(maps[~tested], labels[~tested], epochs)
            alpha = attention_maps(model).predict(inputs(maps[tested]), verbose=0)["alpha"].mean(axis=(0, 1))
            heat = upsample(alpha.reshape(maps.shape[2:4]), SIZE, grid)
            for region in SHOWN:
                lift[part, epochs, region] = heat[masks[region]].mean() / heat.mean()
        assert (model.predict(inputs(maps[tested]), verbose=0).argmax(-1) == labels[tested]).mean() > 0.75
    for part, other in (("mouth", "brows"), ("brows", "mouth")):
        assert lift[part, 0, part] == pytest.approx(1, abs=0.05)
        assert lift[part, 20, part] > 1.2
        assert lift[part, 20, part] > lift[part, 20, other]
        assert lift[part, 20, part] > lift[other, 20, part]
