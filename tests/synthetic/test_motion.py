"""The drawn motion is what the tables and the docstrings say: exact inverse, no folding, right directions."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.parallel import products_alone
from mer_tf.synthetic.action_units import table as action_units
from mer_tf.synthetic.action_units.table import combinations, expression
from mer_tf.synthetic.faces.motion import FaceMotion, apex_course, blink_course, head_path, talk_course
from mer_tf.synthetic.faces.portraits import Portrait, astronaut_points, load_portraits
from mer_tf.synthetic.trees.smic import SyntheticClip, displacement, draw, smic_clips

POINTS = astronaut_points()
WIDTH, HEIGHT = 290, 200
"""The part of the portrait that holds the face; what lies outside hardly moves."""
EXPRESSIONS = sorted({c.aus for group in combinations().values() for c in group if c.aus})


def astronaut() -> Portrait:
    return load_portraits()[0]


def still(expression_: action_units.Blobs, size: float) -> FaceMotion:
    """The portrait's own frame, expression at full strength, head at rest."""
    return FaceMotion(WIDTH, HEIGHT, expression_.scaled(size), np.array([0.0, 1.0]), np.stack([np.eye(2, 3)] * 2))


def clip_with(wanted: Callable[[SyntheticClip], bool], **arguments: float) -> SyntheticClip:
    return next(c for c in smic_clips(subjects=8, clips_per_class=1, **arguments) if wanted(c))  # type: ignore[arg-type]


def sampled(field: NDArray[np.float32], x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.remap(field, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


@pytest.mark.parametrize("aus", EXPRESSIONS, ids=lambda aus: "+".join(map(str, aus)))
@pytest.mark.parametrize("sides", [(1.0, 1.0), (1.0, 0.15)])
def test_no_expression_folds_the_face_at_the_greatest_amplitude(
    aus: tuple[int, ...], sides: tuple[float, float]
) -> None:
    width = astronaut().face_width
    back = still(expression(aus, POINTS, width, sides), 4 * 1.25 * width / 96).backward(1).astype(float)
    (xy, xx), (yy, yx) = np.gradient(back[..., 0]), np.gradient(back[..., 1])
    assert ((1 + xx) * (1 + yy) - xy * yx).min() > 0.3


@pytest.mark.parametrize("aus", EXPRESSIONS, ids=lambda aus: "+".join(map(str, aus)))
def test_an_expression_at_unit_size_moves_one_pixel_at_most(aus: tuple[int, ...]) -> None:
    field = expression(aus, POINTS, 90.0, (1.0, 1.0)).grid(WIDTH, HEIGHT)
    assert np.linalg.norm(field, axis=-1).max() == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(
    ("aus", "point", "lateral", "down"),
    [
        ((4,), "brow_inner", -1, 1),
        ((1,), "brow_inner", 0, -1),
        ((2,), "brow_outer", 0, -1),
        ((12,), "mouth_corner", 1, -1),
        ((15,), "mouth_corner", 0, 1),
        ((9,), "nose_wing", 0, -1),
        ((26,), "chin_boss", 0, 1),
        ((17,), "chin_boss", 0, -1),
    ],
)
def test_action_units_move_the_right_part_the_right_way(
    aus: tuple[int, ...], point: str, lateral: int, down: int
) -> None:
    forward = still(expression(aus, POINTS, 90.0, (1.0, 1.0)), 3.0).forward(1)
    for side, sign in (("left", -1), ("right", 1)):
        x, y = POINTS.get(f"{point}_{side}", POINTS.get(point)).round().astype(int)  # type: ignore[union-attr]
        dx, dy = forward[y, x]
        assert dy * down > 1.5
        assert lateral == 0 or dx * sign * lateral > 0.7


def test_a_one_sided_expression_spares_the_other_side() -> None:
    forward = still(expression((12,), POINTS, 90.0, (0.15, 1.0)), 3.0).forward(1)
    left, right = (
        np.linalg.norm(forward[tuple(POINTS[f"mouth_corner_{s}"].round().astype(int)[::-1])]) for s in ("left", "right")
    )
    assert right > 2.5
    assert left < 0.7


def test_forward_and_backward_undo_each_other() -> None:
    clip = clip_with(lambda c: c.label == "surprise", amplitude=4.0)
    assert clip.apex is not None
    forward, backward = (displacement(clip, clip.apex, d) for d in ("forward", "backward"))
    assert forward.shape == backward.shape == (240, 320, 2)
    assert forward.dtype == backward.dtype == np.float32
    columns, rows = np.meshgrid(np.arange(320, dtype=np.float32), np.arange(240, dtype=np.float32))
    there = sampled(backward, columns + forward[..., 0], rows + forward[..., 1])
    assert np.abs(there + forward)[5:-5, 5:-5].max() < 0.02
    assert np.abs(forward).max() > 2


def test_the_onset_frame_does_not_move() -> None:
    for clip in smic_clips(subjects=1, clips_per_class=1, amplitude=4.0):
        assert np.abs(displacement(clip, 0)).max() < 1e-5
        assert np.abs(displacement(clip, 0, "backward")).max() < 1e-5
        assert clip.blink[0] == 0
        assert clip.light[0] == 0


def test_frames_are_the_onset_frame_moved_by_the_field() -> None:
    clip = clip_with(lambda c: c.combination.aus == (12,), amplitude=3.0)
    frames = list(itertools.islice(draw(clip, noise=False), (clip.apex or 0) + 1))
    columns, rows = np.meshgrid(np.arange(320, dtype=np.float32), np.arange(240, dtype=np.float32))
    forward = displacement(clip, len(frames) - 1)
    returned = sampled(frames[-1].astype(np.float32), columns + forward[..., 0], rows + forward[..., 1])
    face = np.s_[60:210, 105:215]
    moved = np.abs(frames[-1].astype(float) - frames[0])[face].mean()
    assert np.abs(returned - frames[0])[face].mean() < 0.35 * moved


def test_optical_flow_of_a_noise_free_clip_finds_the_true_field() -> None:
    clip = clip_with(lambda c: c.label == "positive", amplitude=3.0)
    assert clip.apex is not None
    onset, *_, apex = itertools.islice(draw(clip, noise=False), clip.apex + 1)
    grey = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (onset, apex)]
    flow = cv2.calcOpticalFlowFarneback(grey[0], grey[1], None, 0.5, 3, 15, 5, 5, 1.1, 0)  # type: ignore[call-overload]
    true = displacement(clip, clip.apex)
    texture = cv2.blur(np.abs(cv2.Laplacian(grey[0], cv2.CV_32F)), (9, 9))
    face = np.zeros(texture.shape, bool)
    face[60:210, 105:215] = True
    seen = face & (texture > np.median(texture[face]))
    for axis in (0, 1):
        assert np.corrcoef(flow[..., axis][seen], true[..., axis][seen])[0, 1] > 0.8
    assert np.linalg.norm(flow - true, axis=-1)[seen].mean() < 0.5


@pytest.mark.parametrize("frames", [4, 11, 30, 58])
def test_courses_start_at_rest_and_reach_their_peak(frames: int) -> None:
    for seed in range(50):
        rng = np.random.default_rng(seed)
        course = apex_course(frames, rng)
        assert course[0] == 0
        assert course.max() == pytest.approx(1)
        assert course.min() >= 0
        assert frames < 11 or 0.3 <= course.argmax() / (frames - 1) <= 0.7
        assert course[-1] < 0.6
        talk = talk_course(frames, rng)
        assert talk[0] == 0
        assert 0 <= talk.min() <= talk.max() <= 1
        assert frames < 11 or talk.max() > 0.6
        closure = blink_course(frames, 100.0, rng)
        assert closure[0] == 0
        assert closure.max() <= 1
        path = head_path(frames, np.array([160.0, 130.0]), 100.0, rng)
        assert np.allclose(path[0], np.eye(2, 3))
        pivot = path @ np.array([160.0, 130.0, 1.0])
        assert np.linalg.norm(pivot - pivot[0], axis=-1).max() < 1.6


def test_about_one_clip_in_six_blinks() -> None:
    blinks = np.mean([blink_course(30, 100.0, np.random.default_rng(s)).max() > 0 for s in range(2000)])
    assert 0.14 < blinks < 0.20


def test_a_table_with_an_unknown_action_unit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    short = action_units.action_units().query("au != 12")
    monkeypatch.setattr(action_units, "action_units", lambda: short)
    with pytest.raises(MerError, match=r"positive: action units \[12\]"):
        combinations.__wrapped__()


def test_mirroring_a_portrait_twice_gives_it_back() -> None:
    portrait = astronaut()
    mirrored = portrait.mirrored()
    assert mirrored.points["eye_outer_left"][0] < mirrored.points["eye_inner_left"][0]
    assert mirrored.digest() != portrait.digest()
    assert mirrored.mirrored().digest() == portrait.digest()


def test_matrix_products_in_one_thread_give_the_same_bits() -> None:
    """The pixels of a tree do not hang on how many threads NumPy has."""
    clip = next(smic_clips(subjects=1, clips_per_class=1))
    frames = range(0, clip.frames, 4)
    several = [clip.motion.backward(frame) for frame in frames]
    with products_alone():
        again = next(smic_clips(subjects=1, clips_per_class=1))
        assert np.array_equal(again.neutral.image, clip.neutral.image)
        for frame, field in zip(frames, several, strict=True):
            assert np.array_equal(again.motion.backward(frame), field)
