"""On drawn clips whose mouth and brows both move, the blocks that tell the class weigh most, once weight has a cost.

The clips are the same for both models and only the labels differ. Blocks of nose and cheeks are left out: mouth and
brows lie within their receptive fields.
"""

import keras
import numpy as np
import pytest
from helpers.drawn_clips import SHOWN, SIZE, TESTED

from mer_tf.explain.upsampling import cell_grid
from mer_tf.models.encoders.build import build_encoder
from mer_tf.models.encoders.parts import encoder_parts
from mer_tf.models.gia_bia_bilstm import Blocks, GiaBiaBiLstm, block_weights
from mer_tf.preprocessing.face_blocks import load_blocks
from mer_tf.preprocessing.landmarks import canonical_landmarks

SETTINGS = Blocks(
    window=5, filters=16, units=16, gate_filters=16, gate_units=16, gate_cost=0.3, gia=False, over_time="mean"
)
REGION = {"mouth": "mouth", "brows": "brow"}


def inputs(trunk, frames):
    """Maps of the frames about the apex, which is the last, and the blocks of the canonical face."""
    maps = trunk.predict(frames.reshape(-1, SIZE, SIZE, 3), verbose=0)
    maps = maps.reshape(*frames.shape[:2], *maps.shape[1:])
    axis = cell_grid(trunk, trunk.layers[-1].name)[1]
    pixels = load_blocks("10").centres(canonical_landmarks()) * SIZE - 0.5
    centres = ((pixels - axis.start) / axis.step + 0.5).astype("float32")
    mask = np.ones((len(maps), 2), bool)
    return {
        "frames": maps[:, -2:],
        "onset": maps[:, :1],
        "mask": mask,
        "blocks": np.repeat(centres[None], len(maps), 0),
    }


def mean_weights(model, given):
    """Region -> mean weight of its blocks."""
    weights = block_weights(model).predict(given, verbose=0)["blocks"][..., 0].mean(axis=0)
    regions = np.array(load_blocks("10").regions)
    return {part: weights[regions == region].mean() for part, region in REGION.items()}


@pytest.mark.slow
def test_blocks_that_tell_the_class_weigh_most(drawn):
    pytest.importorskip("mtcnn", reason="its ONet is the encoder")
    encoder = build_encoder(GiaBiaBiLstm(encoder="mtcnn-onet", features_at="conv3"), input_size=SIZE)
    frames, classes, subjects = drawn
    given = inputs(encoder_parts(encoder.model, None, "conv3")[0], frames)
    tested = np.isin(subjects, np.unique(subjects)[:TESTED])
    train, test = ({k: v[rows] for k, v in given.items()} for rows in (~tested, tested))
    config, found = GiaBiaBiLstm(center="onset", bn_momentum=0.9, dropout=0.3, blocks=SETTINGS), {}
    for part in SHOWN:
        keras.utils.set_random_seed(0)
        model = config.build({"frames": given["frames"].shape[2:], "blocks": (10, 2)}, 2)
        found[part, "before"] = mean_weights(model, test)
        model.compile(keras.optimizers.Adam(1e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        model.fit(train, classes[part][~tested], epochs=15, batch_size=16, verbose=0)
        found[part, "after"] = mean_weights(model, test)
        assert (model.predict(test, verbose=0).argmax(-1) == classes[part][tested]).mean() > 0.75
    for part, other in (("mouth", "brows"), ("brows", "mouth")):
        before, after = (found[part, when][part] / found[part, when][other] for when in ("before", "after"))
        assert after > 1.3
        assert after > before
