"""Apexes estimated on drawn clips whose apex is known, on curves, and on manifest rows."""

import dataclasses

import numpy as np
import pytest
from helpers.rows import made_row
from skimage.io import imsave

from mer_tf.config import MerError
from mer_tf.datasets.apex import difference_curve, divide_and_conquer, estimate_apexes, midpoint, peak
from mer_tf.synthetic.faces import clip as synthetic_clip
from mer_tf.synthetic.trees.smic import draw, smic_clips


@pytest.fixture(scope="module")
def drawn():
    """(frames, apex) of the clips with an expression of three subjects, about 10 frames long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synthetic_clip, "FRAMES", (6, 16))
        clips = [c for c in smic_clips(subjects=3, clips_per_class=1, seed=4) if c.combination.course == "apex"]
    return [(np.stack(list(draw(clip))), clip.apex) for clip in clips]


@pytest.fixture(scope="module")
def curves(drawn):
    return [(difference_curve(frames), apex) for frames, apex in drawn]


def test_estimates_beat_any_frame(curves):
    """The bound is the mean error of a frame drawn at random, about a quarter of the clip."""
    bound = np.mean([np.abs(np.arange(len(curve)) - apex).mean() for curve, apex in curves])
    strongest = np.mean([abs(curve.argmax() - apex) for curve, apex in curves])
    searched = np.mean([abs(divide_and_conquer(curve) - apex) for curve, apex in curves])
    assert len(curves) == 9
    assert strongest < bound / 2
    assert searched < bound / 2


def test_the_motion_of_the_head_does_not_count(drawn):
    """A drift of 4 pixels, 2 at the size the flow is computed at, leaves less than a twentieth of itself."""
    face = drawn[0][0][0]
    drift = np.stack([np.roll(face, shift, axis=1)[:, 20:-20] for shift in range(5)])
    assert difference_curve(drift).max() < 0.1


def test_grey_and_colour_agree(drawn):
    frames, _ = drawn[1]
    grey = frames[:8, ..., :1].repeat(3, axis=-1)
    assert peak(grey) == peak(grey[..., 0])
    np.testing.assert_allclose(difference_curve(grey), difference_curve(list(grey[..., 0])))


@pytest.mark.parametrize(("onset", "offset", "apex"), [(3, 9, 6), (3, 8, 5), (7, 7, 7)])
def test_midpoint(onset, offset, apex):
    assert midpoint(onset, offset) == apex


@pytest.mark.parametrize(
    ("curve", "apex"),
    [
        ([0, 1, 3, 1, 0, 0, 0, 0], 2),
        ([0, 1, 2, 3], 3),
        ([5], 0),
        ([1, 1, 1], 0),
        ([0, 2, 2, 2, 0], 2),
        # one high peak on the left, three of a larger sum on the right: the right half is kept, then its better part
        ([0, 5, 0, 0, 0, 0, 0, 0, 0, 3, 0, 2, 0, 4, 0, 0], 9),
        ([0, 2, 0, 3, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0], 3),
        ([-9, -4, -9, -9, -9, -9], 1),
        ([0, 1, 0, 1, 0, 1, 0, 1, 0], 1),
    ],
)
def test_divide_and_conquer_keeps_the_half_with_the_larger_sum_of_peaks(curve, apex):
    assert divide_and_conquer(np.array(curve, float)) == apex


@pytest.mark.parametrize("curve", [[], [0, np.nan, 1], [[0, 1], [1, 0]]])
def test_no_curve(curve):
    with pytest.raises(MerError, match="a curve of differences"):
        divide_and_conquer(np.array(curve, float))


@pytest.fixture(scope="module")
def row(tmp_path_factory, drawn):
    """A clip on disk with frames 100, 102, 104 ... of the first drawn one, around frames of other clips."""
    frames, _ = drawn[0]
    root = tmp_path_factory.mktemp("row")
    (root / "clip").mkdir()
    for number, frame in enumerate(frames[::2]):
        imsave(root / f"clip/img{100 + 2 * number}.png", frame, check_contrast=False)
    imsave(root / "clip/img99.png", frames[0][::-1], check_contrast=False)
    imsave(root / "clip/img900.png", frames[0][::-1], check_contrast=False)
    last = 98 + 2 * len(frames[::2])
    return made_row(clip_id="x/c", root=root, onset=100, offset=last)


@pytest.mark.parametrize("method", ["peak", "divide-and-conquer"])
def test_the_apex_of_a_row_is_a_frame_number_between_onset_and_offset(row, drawn, method):
    (found,) = estimate_apexes([row], method)
    assert found == dataclasses.replace(row, apex=found.apex, apex_source=method)
    frames = drawn[0][0][::2]
    index = peak(frames) if method == "peak" else divide_and_conquer(difference_curve(frames))
    assert found.apex == 100 + 2 * index


def test_a_given_apex_stays(row):
    given = dataclasses.replace(row, clip_id="x/d", apex=104, apex_source="given")
    middle = (row.onset + row.offset) // 2
    assert [(r.apex, r.apex_source) for r in estimate_apexes([given, row], "midpoint")] == [
        (104, "given"),
        (middle, "midpoint"),
    ]
    assert estimate_apexes([given, row], "given") == [given, row]


def test_an_unreadable_clip_keeps_its_row_and_loses_no_other(row, caplog):
    gone = dataclasses.replace(row, clip_id="x/gone", frames_dir="gone")
    first, second = estimate_apexes([gone, row], "peak", on_error="skip")
    assert first == gone
    assert second.apex_source == "peak"
    assert "x/gone" in caplog.text


def test_what_cannot_be_estimated_names_the_clip(row):
    with pytest.raises(MerError, match="clip x/c: no apex by peak: .*1 frame.* between 100 and 101 .* no motion"):
        estimate_apexes([dataclasses.replace(row, offset=101)], "peak")
    with pytest.raises(MerError, match="clip x/c: no apex by peak: .*does not exist"):
        estimate_apexes([dataclasses.replace(row, frames_dir="gone")], "peak")
    with pytest.raises(MerError, match="unknown apex method 'best'; use one of given, midpoint"):
        estimate_apexes([row], "best")
    with pytest.raises(MerError, match="at least 2 frames .* not from 1 of"):
        peak(np.zeros((1, 32, 32, 3), np.uint8))
    with pytest.raises(MerError, match="at least 16 pixels, not from 3 of 8x8"):
        peak(np.zeros((3, 8, 8, 3), np.uint8))
    with pytest.raises(MerError, match="2 of 32x32, 40x32"):
        peak([np.zeros((32, 32, 3), np.uint8), np.zeros((32, 40, 3), np.uint8)])
