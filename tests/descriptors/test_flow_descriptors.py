"""HOOF, Bi-WOOF, FDM and MDMO on flow whose answer is known."""

import numpy as np
import pytest

from mer_tf.config import MerError
from mer_tf.descriptors.base import steps, strongest
from mer_tf.descriptors.bi_woof import BiWoof
from mer_tf.descriptors.fdm import Fdm, dynamics
from mer_tf.descriptors.flow_image import FlowImage, OnsetFrame
from mer_tf.descriptors.hoof import Hoof, direction_bins
from mer_tf.descriptors.mdmo import Mdmo, main_vectors, region_pixels, region_polygons, without_head
from mer_tf.preprocessing.landmarks import canonical_landmarks


def still(frames=6, side=40):
    return np.zeros((frames - 1, side, side, 2), np.float32)


def growing(frames=6, side=48, direction=(1.0, 0.0), rows=slice(None), columns=slice(None)):
    """Motion since the onset that grows evenly to `direction` in a part of the image."""
    flow = still(frames, side)
    flow[:, rows, columns] = np.linspace(0, 1, frames)[1:, None, None, None] * np.array(direction)
    return flow


def test_bins_are_centred_and_turn_from_x_to_y():
    directions = np.array([[1, 0], [1, 0.3], [1, -0.3], [1, 1], [0, 1], [-1, 0], [0, -1]])
    assert direction_bins(directions, 8).tolist() == [0, 0, 0, 1, 2, 4, 6]


def test_steps_are_differences_at_any_number_of_frames():
    flow = growing(11)
    np.testing.assert_allclose(steps(flow, 0)[..., 0], 0.1, rtol=1e-5)
    assert steps(flow, 5).shape == (4, 48, 48, 2)
    np.testing.assert_allclose(steps(flow, 5).sum(axis=0), flow[-1], atol=1e-5)


def test_hoof_finds_the_direction_of_each_block():
    flow = growing(direction=(0, -2), columns=slice(24, None))
    found = Hoof(blocks=(1, 2, 1)).transform([flow])[0].reshape(2, 8)
    np.testing.assert_allclose(found, [np.zeros(8), np.eye(8)[6]], atol=1e-6)


def test_the_strongest_entry_is_judged_without_the_common_motion():
    flow = still(5)
    flow[1, 10:20, 10:20] = 2
    flow[3] += 9  # the head moves
    np.testing.assert_array_equal(strongest(flow), flow[1])


def test_bi_woof_weighs_by_strain_and_forgets_the_amplitude():
    flow = growing(side=50, direction=(1, 0), rows=slice(20, 30), columns=slice(20, 30))
    found = BiWoof().transform([flow])[0].reshape(25, 8)
    assert np.flatnonzero(found.sum(axis=1)).tolist() == [12]
    assert found[12].argmax() == 0
    np.testing.assert_allclose(BiWoof().transform([flow * 3])[0].reshape(25, 8), found, atol=1e-6)
    assert BiWoof().transform([still()]).sum() == 0


def plain_dynamics(vectors):
    """One cuboid, step by step."""
    direction = vectors.sum(axis=0) / np.linalg.norm(vectors.sum(axis=0))
    for _ in range(100):
        total = sum(v for v in vectors if v @ direction > 0)
        direction = total / np.linalg.norm(total)
    return sum(v @ direction for v in vectors if v @ direction > 0) / len(vectors) * direction


def test_fdm_iterates_to_the_principal_direction_of_each_cuboid():
    rng = np.random.default_rng(0)
    vectors, cuboid = rng.normal([0.3, 0.1], size=(300, 2)), np.arange(300) % 3
    wanted = [plain_dynamics(vectors[cuboid == k]) for k in range(3)]
    np.testing.assert_allclose(dynamics(vectors, cuboid, 3), wanted, rtol=1e-6)


def test_fdm_takes_the_common_motion_off():
    flow = growing(direction=(0, 3), rows=slice(0, 12), columns=slice(0, 12))
    found = Fdm(blocks=(4, 4, 1), frames=0).transform([flow + growing(direction=(2, 2))])[0].reshape(16, 2)
    np.testing.assert_allclose(found[0], [0, 0.6], atol=1e-5)
    np.testing.assert_allclose(found[1:], 0, atol=1e-5)


def test_mdmo_regions_are_where_the_face_is():
    corners = region_polygons(canonical_landmarks() * 96)
    centres = corners.mean(axis=1)
    assert corners.shape == (36, 4, 2)
    assert (corners[:6, 1:3, 1] < canonical_landmarks()[17:27, 1].min() * 96).all()  # above the brows
    mirror = np.sort((96 - centres[:, 0]).round(1))
    np.testing.assert_allclose(np.sort(centres[:, 0].round(1)), mirror, atol=8)


def test_mdmo_finds_the_main_direction_against_a_minority():
    where = region_pixels(canonical_landmarks() * 96, (96, 96))
    flow = np.zeros((2, 96, 96, 2), np.float32)
    flow[..., 1] = 2
    flow[:, ::3, :, 1] = -5
    np.testing.assert_allclose(main_vectors(flow, where), np.broadcast_to([0, 2.0], (2, 36, 2)), atol=1e-6)


def test_mdmo_is_72_numbers_that_forget_an_affine_motion_of_the_head():
    y, x = np.mgrid[:96, :96].astype(np.float32)
    head = np.stack([0.02 * x - 0.01 * y + 1, 0.01 * x + 0.03 * y - 2], axis=-1)[None]
    points = canonical_landmarks() * 96 - 0.5
    np.testing.assert_allclose(without_head(head, points), 0, atol=1e-3)
    smile = np.zeros((1, 96, 96, 2), np.float32)
    smile[:, 62:80, 20:50, 1] = -1
    found = Mdmo().transform([smile])[0]
    assert found.shape == (72,)
    assert found[:36].max() == pytest.approx(0.8)
    moved = smile + head
    np.testing.assert_allclose(Mdmo().transform([moved])[0][:36], found[:36], atol=0.1)
    strongest_region = int(found[:36].argmax())
    assert found[36 + strongest_region] == pytest.approx(-0.2 * np.pi / 2, abs=0.02)


def test_landmarks_outside_the_image_and_wrong_shapes_are_refused():
    with pytest.raises(MerError, match="MDMO: regions"):
        region_pixels(canonical_landmarks() * 96 * 40, (40, 40))
    with pytest.raises(MerError, match="Fdm takes flow"):
        Fdm().transform([np.zeros((4, 30, 30), np.uint8)])


def test_the_onset_frame_sees_nothing_that_moves_and_the_flow_image_is_8_bits():
    clip = np.random.default_rng(0).integers(0, 256, (5, 30, 30), dtype=np.uint8)
    moved = clip.copy()
    moved[1:] = 0
    np.testing.assert_array_equal(*OnsetFrame().transform([clip, moved]))
    image = FlowImage().transform([growing(rows=slice(5, 20))])[0]
    assert image.shape == (28 * 28 * 3,)
    assert (image.min(), image.max()) == (0, 255)
