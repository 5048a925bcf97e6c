import numpy as np
import pytest

from mer_tf.config import MerError
from mer_tf.explain.regions import (
    FACE_BOX,
    REGIONS,
    aligned_landmarks,
    face_mask,
    features_mask,
    landmarks_from_box,
    lift,
    named_masks,
    region_masks,
)
from mer_tf.preprocessing.faces import ALIGNED_BY, TEMPLATE, similarity
from mer_tf.preprocessing.landmarks import canonical_landmarks
from mer_tf.synthetic.trees.smic import smic_clips

NAMED = {
    "brow_outer_left": 17,
    "brow_inner_right": 22,
    "eye_outer_left": 36,
    "eye_inner_left": 39,
    "eye_outer_right": 45,
    "nose_tip": 30,
    "nose_wing_right": 35,
    "mouth_corner_left": 48,
    "mouth_corner_right": 54,
    "mouth_top": 51,
    "mouth_bottom": 57,
}


def middle(mask):
    return np.argwhere(mask).mean(0)


def test_canonical_face_lies_on_drawn_faces():
    faces = {clip.subject: clip.neutral.points for clip in smic_clips(subjects=4, clips_per_class=1)}
    for points in faces.values():
        eyes = [(points[f"eye_outer_{s}"] + points[f"eye_inner_{s}"]) / 2 for s in ("left", "right")]
        known = np.array([*eyes, points["mouth_corner_left"], points["mouth_corner_right"]])
        matrix = similarity(known, TEMPLATE[list(ALIGNED_BY)])
        placed = np.array([points[name] for name in NAMED]) @ matrix[:, :2].T + matrix[:, 2]
        assert np.abs(placed - canonical_landmarks()[list(NAMED.values())]).max() < 0.08


def test_canonical_face_is_symmetric():
    mirrored = canonical_landmarks()[[16, 26, 27, 45, 54]] * (-1, 1) + (1, 0)
    np.testing.assert_allclose(mirrored, canonical_landmarks()[[0, 17, 27, 36, 48]], atol=2e-4)


@pytest.mark.parametrize("size", [48, 224])
def test_regions_are_apart_and_in_place(size):
    masks = region_masks(aligned_landmarks(size), size)
    assert tuple(masks) == REGIONS
    assert np.sum(list(masks.values()), axis=0).max() == 1
    heights = [middle(masks[name])[0] for name in ("brows", "eyes", "nose", "mouth", "chin")]
    assert heights == sorted(heights)
    for name, mask in masks.items():
        assert 0.03 < mask.mean() < 0.2, name
        assert middle(mask)[1] == pytest.approx((size - 1) / 2, abs=0.02 * size)


def test_features_hold_their_parts_and_the_face_holds_them():
    points = aligned_landmarks(96)
    masks, features = region_masks(points, 96), features_mask(points, 96)
    for name in ("brows", "eyes", "nose", "mouth"):
        assert (masks[name] & features).sum() > 0.97 * masks[name].sum(), name
    assert not (features & (masks["chin"] | masks["cheeks"])).sum() > 0.1 * features.sum()
    assert not (features & ~face_mask(points, 96)).any()


def test_named_features_lie_in_place_and_within_the_features():
    points = aligned_landmarks(96)
    masks, whole = named_masks(points, 96), region_masks(points, 96)
    assert tuple(masks) == ("eyes", "brows", "nose_wings", "mouth_corners")
    for name, home in (("eyes", "eyes"), ("brows", "brows"), ("nose_wings", "nose"), ("mouth_corners", "mouth")):
        assert 0.008 < masks[name].mean() < 1.3 * whole[home].mean(), name
        assert (masks[name] & features_mask(points, 96)).sum() > 0.95 * masks[name].sum(), name
        assert middle(masks[name])[1] == pytest.approx(47.5, abs=2)
    assert not masks["mouth_corners"][:, 46:50].any()
    assert not masks["nose_wings"][:, 46:50].any()


def test_lift_is_the_share_of_heat_over_the_share_of_pixels():
    mask = np.zeros((4, 4), bool)
    mask[0] = True
    heat = np.zeros((2, 4, 4), "float32")
    assert np.isnan(lift(heat, mask))
    heat[0, 0] = 1
    assert lift(heat, mask) == 4
    heat[1, 1] = 1
    assert lift(heat, mask) == 2
    assert lift(np.ones((4, 4), "float32"), mask) == 1


def test_dilation_is_a_tenth_of_the_distance_between_the_eyes():
    points = aligned_landmarks(400)
    distance = points[42:48, 0].mean() - points[36:42, 0].mean()
    top = np.argwhere(features_mask(points, 400))[:, 0].min()
    assert points[17:27, 1].min() - top == pytest.approx(0.1 * distance, abs=1.5)


def test_a_box_is_filled_as_mtcnn_fills_it():
    (left, top), (right, bottom) = FACE_BOX * 96
    box = np.array([left, top, right - left, bottom - top])
    np.testing.assert_allclose(landmarks_from_box(box), canonical_landmarks() * 96)
    np.testing.assert_allclose(landmarks_from_box(box * 2 + (10, 0, 0, 0)), canonical_landmarks() * 192 + (10, 0))


@pytest.mark.parametrize(
    ("points", "said"),
    [
        (np.zeros((5, 2)), r"68, 2\), got \(5, 2\)"),
        (np.full((68, 2), np.nan), "68 finite"),
        (canonical_landmarks(), "must be in pixels"),
    ],
)
def test_bad_landmarks_are_named(points, said):
    with pytest.raises(MerError, match=said):
        region_masks(points, 96)
