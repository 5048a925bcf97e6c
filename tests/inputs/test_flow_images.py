"""Flow images from records: the apex that is given or the strongest frame, mirrors, what baselines see."""

import numpy as np
import pytest

from mer_tf.config import Clip
from mer_tf.datasets.windows import Window
from mer_tf.inputs.flow_images import FlowImageStore, flow_image, flow_image_store

RNG = np.random.default_rng(0)
FRAMES = RNG.integers(0, 256, (5, 24, 24, 3)).astype("uint8")
FLOW = (RNG.normal(size=(4, 24, 24, 2)) * np.array([1, 2, 5, 3])[:, None, None, None]).astype("float16")


def store(apex):
    return flow_image_store([("a", FRAMES, FLOW, apex)], Clip(frames=1, side=12))


@pytest.mark.parametrize(("apex", "entry"), [(2, 1), (4, 3), (0, 0), (None, 2)])
def test_the_image_is_the_flow_to_the_apex_or_to_the_strongest_frame(apex, entry):
    held = store(apex)
    assert held.shape == {"flow_image": (12, 12, 3)}
    np.testing.assert_array_equal(held.images["a"], flow_image(FLOW[entry], 12))
    assert held.images["a"].min(axis=(0, 1)).tolist() == [0, 0, 0]
    assert held.images["a"].max(axis=(0, 1)).tolist() == [255, 255, 255]


def test_an_apex_that_is_the_onset_is_said(caplog):
    flow_image_store([("a", FRAMES, FLOW, 2), ("b", FRAMES, FLOW, 0)], Clip(frames=1, side=4))
    (record,) = caplog.records
    assert record.getMessage().startswith("clip b: its apex is its onset, so the frame after it is taken")


def test_a_mirrored_image_is_reversed_and_so_is_its_horizontal_motion():
    plain, mirror = store(2).inputs([Window("a", 0), Window("a", 0, copy=1)], 1, ("flow_image",))["flow_image"]
    np.testing.assert_array_equal(mirror[..., 0], 255 - plain[:, ::-1, 0])
    np.testing.assert_array_equal(mirror[..., 1:], plain[:, ::-1, 1:])


def test_the_onset_baseline_sees_no_motion():
    first, second = store(2).vectors("a")
    other = FlowImageStore({"a": 255 - store(2).images["a"]}, {"a": FRAMES[0]}).vectors("a")
    np.testing.assert_array_equal(first, other[0])
    assert (second != other[1]).any()
    assert store(2).vectors("a", slice(1)).shape == (1, len(first))
    unknown = FlowImageStore(store(2).images).vectors("a")
    assert (unknown[0] == 0).all()
