"""Flow against motion that is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates
from skimage.data import astronaut

from mer_tf.config import MerError
from mer_tf.preprocessing.flow import Method, flow_clip, flow_pair

SIDE = 96
FACE = gaussian_filter(astronaut()[:220, 110:330].astype(float), (0.87, 0.87, 0))
METHODS: list[Method] = ["farneback", "dis", "tvl1"]


def moved(dx: NDArray[np.float64] | float, dy: NDArray[np.float64] | float) -> NDArray[np.uint8]:
    """The textured face, sampled at half its resolution after each pixel went by (dx, dy)."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(float)
    places = [2 * (y - dy) + 12, 2 * (x - dx) + 12]
    planes = [map_coordinates(FACE[..., c], places, order=3, mode="nearest") for c in range(3)]
    return np.clip(np.round(np.stack(planes, -1)), 0, 255).astype(np.uint8)


def endpoint_error(
    flow: NDArray[np.floating], dx: NDArray[np.float64] | float, dy: NDArray[np.float64] | float
) -> float:
    return float(np.hypot(flow[..., 0] - dx, flow[..., 1] - dy)[8:-8, 8:-8].mean())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shift", [(0.1, 0.0), (0.3, -0.2), (-0.75, 0.5), (2.3, -1.4)])
def test_a_shift_below_and_above_a_pixel(method: Method, shift: tuple[float, float]) -> None:
    flow = flow_pair(moved(0, 0), moved(*shift), method)
    assert flow.dtype == np.float32
    assert endpoint_error(flow, *shift) < 0.06


def test_a_smooth_warp_of_half_a_pixel() -> None:
    field = gaussian_filter(np.random.default_rng(0).normal(size=(2, SIDE, SIDE)), (0, 8, 8))
    dx, dy = 0.5 * field / np.abs(field).max()
    errors = {m: endpoint_error(flow_pair(moved(0, 0), moved(dx, dy), m), dx, dy) for m in METHODS}
    assert errors["farneback"] < 0.10
    assert errors["dis"] < 0.06
    assert errors["tvl1"] < 0.10
    assert errors["dis"] < 0.5 * np.hypot(dx, dy).mean()


@pytest.mark.parametrize("method", METHODS)
def test_a_clip_is_float16_and_still_frames_do_not_move(method: Method) -> None:
    frames = np.stack([moved(0, 0), moved(0, 0), moved(0.5, 0)])
    flow = flow_clip(frames, method)
    assert flow.dtype == np.float16
    assert flow.shape == (2, SIDE, SIDE, 2)
    assert np.abs(flow[0, 8:-8, 8:-8]).max() < 5e-3  # Farnebäck strays by .1 px at the very border
    assert np.median(flow[1, 8:-8, 8:-8, 0]) == pytest.approx(0.5, abs=0.05)


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(MerError, match="farneback, dis or tvl1"):
        flow_pair(moved(0, 0), moved(0, 0), "tv-l1")  # type: ignore[arg-type]
