"""Optical strain of deformations whose strain is known, and flow as images."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.preprocessing.normalise import as_pixels, stretched
from mer_tf.preprocessing.stacks import flow_stack, min_max, quantised
from mer_tf.preprocessing.strain import optical_strain

Y, X = np.mgrid[0:12, 0:10].astype(float)


def field(xx: float, xy: float, yx: float, yy: float) -> NDArray[np.float64]:
    """u = xx x + xy y, v = yx x + yy y, plus a shift."""
    return np.stack([xx * X + xy * Y + 3, yx * X + yy * Y - 2], axis=-1)


@pytest.mark.parametrize(
    ("gradient", "strain"),
    [
        ((0.0, 0.0, 0.0, 0.0), 0.0),
        ((0.1, 0.0, 0.0, 0.0), 0.1),
        ((0.0, 0.0, 0.0, -0.2), 0.2),
        ((0.0, 0.1, 0.1, 0.0), np.sqrt(2) * 0.1),  # pure shear: both off-diagonal terms count
        ((0.0, 0.1, 0.0, 0.0), np.sqrt(2) * 0.05),
        ((0.0, -0.1, 0.1, 0.0), 0.0),  # a turn does not strain
        ((0.1, 0.03, 0.05, 0.2), np.sqrt(0.1**2 + 0.2**2 + 2 * 0.04**2)),
    ],
)
def test_strain_of_linear_fields(gradient: tuple[float, ...], strain: float) -> None:
    found = optical_strain(np.stack([field(*gradient)] * 2))
    assert found.shape == (2, 12, 10)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, strain, atol=1e-6)


def test_strain_is_transposed_with_the_image() -> None:
    flow = np.random.default_rng(0).normal(size=(12, 10, 2))
    swapped = flow.transpose(1, 0, 2)[..., ::-1]
    np.testing.assert_allclose(optical_strain(swapped), optical_strain(flow).T, rtol=1e-6)


def test_third_channels() -> None:
    flow = np.zeros((2, 3, 3, 2))
    flow[..., 0], flow[..., 1] = 3, -4
    assert flow_stack(flow)[0, 0, 0].tolist() == [3, -4, 5]
    assert flow_stack(flow, "sqrt_abs_product")[1, 2, 2, 2] == pytest.approx(np.sqrt(12))
    assert flow_stack(flow, "strain")[..., 2].max() == 0
    with pytest.raises(MerError, match="magnitude"):
        flow_stack(flow, "norm")  # type: ignore[arg-type]


def test_quantised_flow_has_one_unit_and_is_cut_at_the_bound() -> None:
    flow = np.array([[[0.0, 0.0]], [[3.0, -3.0]], [[30.0, -1.5]]])
    image = quantised(flow_stack(flow), 3)
    assert image.tolist() == [[[128, 128, 0]], [[255, 0, 255]], [[255, 64, 255]]]
    step = np.random.default_rng(0).uniform(-3, 3, (20, 20, 2))
    back = quantised(flow_stack(step), 3)[..., :2] / 255 * 6 - 3
    assert np.abs(back - step).max() <= 3 / 255 + 1e-9
    with pytest.raises(MerError, match="positive"):
        quantised(flow_stack(flow), 0)


def test_min_max_is_by_image_and_channel_and_forgets_the_amplitude() -> None:
    flow = np.random.default_rng(0).normal(size=(2, 8, 8, 2))
    images = min_max(flow_stack(flow))
    assert images.min(axis=(1, 2)).tolist() == [[0, 0, 0]] * 2
    assert images.max(axis=(1, 2)).tolist() == [[255, 255, 255]] * 2
    assert np.abs(min_max(flow_stack(5 * flow)).astype(int) - images).max() <= 1  # rounding of float32
    assert min_max(np.ones((4, 4, 3))).max() == 0


def test_grey_levels_share_one_map_over_the_clip() -> None:
    clip = np.array([10, 20, 60], np.uint8).reshape(3, 1, 1, 1) * np.ones((1, 2, 2, 3), np.uint8)
    assert as_pixels(stretched(clip))[:, 0, 0, 0].tolist() == [0, 51, 255]
    assert stretched(np.full((2, 2, 2, 3), 7, np.uint8)).max() == 0
    assert as_pixels(np.array([-3.0, 0.49, 254.6, 300.0])).tolist() == [0, 0, 255, 255]
