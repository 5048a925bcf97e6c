"""Windows of images and flow: which frames stand beside which motion, short clips, mirrors, lower frame rates."""

import numpy as np
import pytest

from mer_tf.changes import changed
from mer_tf.config import Clip, Experiment
from mer_tf.datasets.windows import Window, cut_windows
from mer_tf.inputs.images import REST, image_store, turn
from mer_tf.preprocessing.segments import several

BOTH = ("frames", "flow")


def clip(name="a", length=6, side=8, dx=0.5):
    """Frames that carry their number; flow to frame t + 1 of dx = dx (t + 1), dy = -0.25."""
    frames = np.arange(length, dtype=np.uint8)[:, None, None, None] * np.ones((1, side, side, 3), np.uint8)
    steps = np.arange(1, length)[:, None, None]
    flow = np.stack([steps * dx * np.ones((1, side, side)), np.full((length - 1, side, side), -0.25)], axis=-1)
    return name, frames, flow.astype(np.float16)


def store(config=None, flow_from="previous", **options):
    return image_store([clip(**options)], config or Clip(), flow_from)


def seen(found):
    """Frame numbers and dx in pixels of the first window."""
    dx = found["flow"][0, :, 0, 0, 0] / 255 * 6 - 3
    return found["frames"][0, :, 0, 0, 0].tolist(), dx.round(3).tolist()


def test_a_window_of_x_frames_gives_x_minus_1_of_each():
    found = store().inputs([Window("a", 1)], 4, BOTH)
    assert {name: (v.shape, v.dtype.name) for name, v in found.items()} == {
        name: ((1, 3, 8, 8, 3), "uint8") for name in BOTH
    }
    frames, dx = seen(found)
    assert frames == [1, 2, 3]
    assert dx == pytest.approx([1.0, 1.5, 2.0], abs=0.02)


@pytest.mark.parametrize(("length", "frames", "wanted", "moves"), [
    (6, 10, [0, 0, 0, 1, 2, 3, 4, 5, 5], [0, 0, 0.5, 1, 1.5, 2, 2.5, 0, 0]),
    (6, 7, [0, 1, 2, 3, 4, 5], [0.5, 1, 1.5, 2, 2.5, 0]),
    (6, 3, [1, 2], [1, 1.5]),
])  # fmt: skip
def test_centred_windows_repeat_the_ends_and_do_not_move_there(length, frames, wanted, moves):
    config = Clip(frames=frames, segments="center")
    (window,) = cut_windows({"a": 0}, lambda _: length, config, ["x"])
    found = seen(store(config).inputs([window], frames, BOTH))
    assert found[0] == wanted
    assert found[1] == pytest.approx(moves, abs=0.02)


@pytest.mark.parametrize(("segments", "stride"), [("center", 1), ("sliding", 10)])
def test_several_first_and_last_frames_stand_beside_their_own_flow_and_do_not_move_in_between(segments, stride):
    config = Clip(frames=10, segments=segments, stride=stride, short="several")
    (window,) = cut_windows({"a": 0}, lambda _: 6, config, ["x"])
    plain, turned = (store(config).inputs([Window("a", window.start, copy)], 10, BOTH) for copy in (0, 1))
    frames, dx = seen(plain)
    assert frames == [0, 1, 0, 1, 2, 3, 4, 5, 4] == several(6, 10)[:-1].tolist()
    assert dx == pytest.approx([0.5, 0, 0.5, 1, 1.5, 2, 2.5, 0, 2.5], abs=0.02)
    assert seen(turned)[1] == pytest.approx([-value for value in dx], abs=0.03)
    onset = seen(store(config, "onset").inputs([window], 10, BOTH))[1]
    assert onset == pytest.approx([0.5, 0, 0.5, 1, 1.5, 2, 2.5, 2, 2.5], abs=0.02)


def test_long_clips_are_as_they_are_by_either_reading_of_short_ones():
    window = [Window("a", 1)]
    one, other = (store(Clip(short=short)).inputs(window, 5, BOTH) for short in ("ends", "several"))
    assert all((one[name] == other[name]).all() for name in BOTH)


@pytest.mark.parametrize(
    ("model", "segments"), [("cnn_lstm_fusion", "stride"), ("cnn_lstm_fusion", "center"), ("vggface_lstm", "center")]
)
def test_where_short_clips_cannot_be_filled_so_it_is_said(model, segments):
    settings = {"model.name": model, "clip.test": "windows", "clip.short": "several", "clip.segments": segments}
    experiment = changed(Experiment("x"), settings)
    said = [text for text in experiment.model.check(experiment, False) if "clip.short" in text]
    assert len(said) == (0 if (model, segments) == ("cnn_lstm_fusion", "center") else 1)


def test_flow_from_the_onset_stays_after_the_last_frame():
    found = seen(store(flow_from="onset").inputs([Window("a", -1)], 9, BOTH))
    assert found[1] == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5, 2.5, 2.5], abs=0.02)


def test_sliding_windows_reach_every_frame():
    config = Clip(frames=4, segments="sliding", stride=3)
    starts = [w.start for w in cut_windows({"a": 0, "b": 0}, {"a": 9, "b": 2}.__getitem__, config, ["x"])]
    assert starts == [0, 3, 5, -1]


def test_a_mirrored_window_is_mirrored_twice_itself():
    rng = np.random.default_rng(0)
    one = image_store([("a", rng.integers(0, 256, (5, 8, 8, 3)).astype("uint8"),
                        rng.normal(size=(4, 8, 8, 2)).astype("float16"))], Clip(), "previous")  # fmt: skip
    plain, turned = (one.inputs([Window("a", 0, copy)], 5, BOTH) for copy in (0, 1))
    assert (turned["frames"] == plain["frames"][:, :, :, ::-1]).all()
    assert (turned["flow"][..., 1:] == plain["flow"][:, :, :, ::-1, 1:]).all()
    dx = plain["flow"][..., 0].astype(int)
    assert (turned["flow"][:, :, :, ::-1, 0] == np.minimum(256 - dx, 255)).all()


def test_what_rests_rests_in_the_mirror_and_nothing_wraps():
    flow = np.tile(REST, (4, 1))
    flow[:, 0] = 128, 0, 1, 255
    turn(flow)
    assert flow.tolist() == [[128, 128, 0], [255, 128, 0], [255, 128, 0], [1, 128, 0]]


def test_every_second_frame_has_the_motion_of_both_steps():
    summed = seen(store(Clip(step=2), dx=0.2).inputs([Window("a", 0)], 3, BOTH))
    assert summed == ([0, 2], pytest.approx([0.6, 1.4], abs=0.02))
    onset = seen(store(Clip(step=2), "onset").inputs([Window("a", 0)], 3, BOTH))
    assert onset[1] == pytest.approx([1.0, 2.0], abs=0.02)


def test_smaller_images_keep_flow_in_stored_pixels():
    half = store(Clip(side=4, frames=3))
    assert half.shape == {"frames": (4, 4, 3), "flow": (4, 4, 3), "images": (2,)}
    assert seen(half.inputs([Window("a", 0)], 3, BOTH))[1] == pytest.approx([0.5, 1.0], abs=0.02)


def test_inputs_that_are_not_asked_for_are_not_made():
    assert list(store().inputs([Window("a", 0)], 3, ("flow",))) == ["flow"]


def test_probes_see_small_pictures():
    assert store(side=24).vectors("a").shape == (6, 144)
    assert store(side=24).vectors("a", slice(1)).tolist() == [[0.0] * 144]
