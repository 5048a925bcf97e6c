"""Drawn action units as flow images: where they move, what a mirror changes, and what flow methods see of them."""

import numpy as np
import pytest

from mer_tf.config import MerError
from mer_tf.datasets import dataset_listing
from mer_tf.files import facts
from mer_tf.preprocessing.augment import mirrored_flow_image
from mer_tf.preprocessing.strain import optical_strain
from mer_tf.synthetic.action_units.fields import draw_images, flow_images
from mer_tf.synthetic.action_units.geometry import crop_of, crop_of_landmarks, geometry, geometry_of
from mer_tf.synthetic.action_units.movement import move_units
from mer_tf.synthetic.action_units.rendered import SIDE, cropped, draw_kind, frame_pair, kinds, region_flow
from mer_tf.synthetic.action_units.table import action_units
from mer_tf.synthetic.faces.appearance import draw_neutral, make_subject
from mer_tf.synthetic.faces.painted import painted_portrait
from mer_tf.synthetic.faces.portraits import load_portraits
from mer_tf.synthetic.trees.au_flow_images import write_kind

UPPER, LOWER = {1, 2, 4, 5, 7}, {10, 12, 14, 15, 17, 20, 25, 26}
SUMMED = {1: 0.045, 2: 0.07, 5: 0.21, 7: 0.07, 25: 0.06}
"""Units whose blobs lie on each other: how much more than asked they move at the most."""
ALL = [int(au) for au in action_units()["au"].unique()]


def alone(au, side=56):
    """The field (side, side, 2) of one action unit as the table has it, 2 pixels at its strongest."""
    return move_units([[au]], geometry("tight"), np.random.default_rng(0)).scaled(np.array([2 / side])).fields(side)[0]


@pytest.mark.parametrize("au", ALL)
def test_an_action_unit_moves_its_part_of_the_face_and_both_sides_alike(au):
    field = alone(au)
    size = np.linalg.norm(field, axis=-1)
    assert size.max() == pytest.approx(2, rel=SUMMED.get(au, 0.03))
    share = size[:28].sum() / size.sum()
    assert share > 0.9 if au in UPPER else share < 0.15 if au in LOWER else 0.1 < share < 0.9
    np.testing.assert_allclose(field[:, ::-1], field * [-1, 1], atol=1e-5)


def test_directions_are_those_of_facs():
    assert alone(1)[..., 1].min() < -1.9 < 1.9 < alone(4)[..., 1].max()  # y points down
    smile = alone(12)
    assert smile[41, 12, 0] < -0.5 < 0.5 < smile[41, 43, 0]
    assert smile[41, 12, 1] < -0.5 > smile[41, 43, 1]


def test_a_mirror_changes_columns_and_the_sign_of_u_and_nothing_else():
    """Field first and stretch after, or stretch first and mirror after: the same bytes."""
    rng = np.random.default_rng(3)
    fields = rng.normal(size=(20, 28, 28, 2)).astype(np.float32)
    turned = fields[:, :, ::-1] * np.float32([-1, 1])
    np.testing.assert_allclose(optical_strain(turned), optical_strain(fields)[..., ::-1], rtol=1e-5)
    images, mirrored = flow_images(fields), flow_images(turned)
    assert np.abs(mirrored.astype(int) - mirrored_flow_image(images)).max() <= 1  # strain's rounding, never more
    assert (mirrored[..., :2] == mirrored_flow_image(images)[..., :2]).all()
    assert (mirrored_flow_image(mirrored_flow_image(images)) == images).all()
    assert (mirrored_flow_image(images) != images).any()


def test_equal_seeds_draw_equal_images_and_every_channel_is_stretched():
    one, other, third = (draw_images(30, np.random.default_rng(s)) for s in (4, 4, 5))
    assert (one.images == other.images).all()
    assert (one.images != third.images).any()
    assert (one.images.min(axis=(1, 2)) == 0).all()
    assert (one.images.max(axis=(1, 2)) == 255).all()
    assert np.bincount(one.labels).tolist() == [10, 10, 10]


def correlation(one, other):
    return float(np.corrcoef(np.ravel(one), np.ravel(other))[0, 1])


@pytest.mark.parametrize("portrait", ["astronaut", "painted"])
@pytest.mark.parametrize("method", ["dis", "farneback"])
def test_frames_rendered_from_an_action_unit_give_the_flow_image_that_is_drawn(portrait, method):
    """Without noise and head motion; 3 pixels on a face about 100 wide; flow field of both channels."""
    face = load_portraits()[0] if portrait == "astronaut" else painted_portrait(1)
    rng = np.random.default_rng(1)
    neutral = draw_neutral(make_subject(face, rng), rng)
    box = crop_of(neutral.points, "tight")
    place = geometry_of(neutral.points, neutral.face_width, box)
    found = {}
    for au in (1, 2, 4, 6, 9, 10, 12, 14, 15, 17, 20, 26):
        moved = move_units([[au]], place, rng).scaled(np.array([3 / box[2]]))
        pair = frame_pair(neutral, moved.blobs(0, box), rng, None)
        seen = cropped(region_flow(*pair, box, method), np.zeros(2))
        found[au] = correlation(seen, moved.fields(SIDE)[0])
    low = 4 if (portrait, method) == ("astronaut", "farneback") else 0  # windows of 15 pixels, wider than a brow: .88
    assert min(c for au, c in found.items() if au != low) > (0.95 if method == "dis" else 0.9), found
    assert min(found.values()) > 0.85, found


def test_kinds_are_drawn_alike_in_classes_and_kept(tmp_path):
    drawn = draw_kind("painted-dis", 24, 3, cache_dir=tmp_path)
    (path,) = tmp_path.rglob("*.npz")
    written = path.stat().st_mtime_ns
    again = draw_kind("painted-dis", 24, 3, cache_dir=tmp_path)
    assert (drawn.images == again.images).all()
    assert path.stat().st_mtime_ns == written
    assert np.bincount(drawn.labels).tolist() == [8, 8, 8]
    with pytest.raises(MerError, match="no kind 'oil'"):
        draw_kind("oil", 3, 0)


def test_a_crop_lays_a_face_where_the_table_wants_it():
    points = {n: p * [90, 80] + [20, 30] for n, p in geometry("tight").points.items()}
    np.testing.assert_allclose(crop_of(points, "tight"), [20, 30, 90, 80], atol=1e-6)
    eyes = [(points[f"eye_upper_{s}"] + points[f"eye_lower_{s}"]) / 2 for s in ("left", "right")]
    five = np.array([*eyes, [0, 0], points["mouth_corner_left"], points["mouth_corner_right"]])
    np.testing.assert_allclose(crop_of_landmarks(five), [20, 30, 90, 80], atol=1e-6)
    with pytest.raises(MerError, match="it has tight, loose, aligned"):
        geometry("wide")


def test_a_folder_of_a_kind_reads_back(tmp_path):
    rows = dataset_listing("flow-images", write_kind(tmp_path / "drawn", "patch", subjects=2, clips_per_class=2)).rows
    assert len(rows) == 12
    assert {row.label_raw for row in rows} == {"negative", "positive", "surprise"}
    assert {row.subject for row in rows} == {"smic/s01", "smic/s02"}
    with pytest.raises(MerError, match="holds other files"):
        write_kind(tmp_path / "drawn", "patch")
    with pytest.raises(MerError, match="no kind"):
        write_kind(tmp_path / "other", "oil")
    assert not (tmp_path / "other").exists()


def test_every_kind_of_the_table_is_whole():
    for kind in kinds().values():
        assert kind.renderer in ("direct", "frames")
        assert bool(kind.portrait) == bool(kind.flow) == (kind.renderer == "frames")
    assert [k.kind for k in kinds().values() if not k.trained] == ["astronaut-tvl1"]


def test_the_published_face_is_the_mean_face_in_the_published_crop():
    """1.8 by 2.2 eye distances, .4 of one beside the eyes and .6 above them; by no image of the composite."""
    mean = facts("mean_landmarks.csv").set_index("index")[["x", "y"]].astype(float)
    left, right = (mean.loc[list(map(str, rows))].mean() for rows in (range(36, 42), range(42, 48)))
    apart, low = right["x"] - left["x"], (left["y"] + right["y"]) / 2
    points = geometry("published").points
    for name, row in {"eye_outer_left": "36", "mouth_corner_right": "54", "nose_wing_left": "31"}.items():
        place = mean.loc[row]
        expected = [(0.4 + (place["x"] - left["x"]) / apart) / 1.8, (0.6 + (place["y"] - low) / apart) / 2.2]
        np.testing.assert_allclose(points[name], expected, atol=0.003)
