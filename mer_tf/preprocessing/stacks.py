"""Flow fields as the images that networks eat: (dx, dy, dz), as numbers, or as 8 bits a channel."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.preprocessing.strain import optical_strain

Third = Literal["magnitude", "sqrt_abs_product", "strain"]


def flow_stack(flow: NDArray[np.floating], third: Third = "magnitude") -> NDArray[np.float32]:
    """(dx, dy, dz) of flow (..., H, W, 2) in pixels: float32 (..., H, W, 3), dz in pixels (strain has no unit).

    magnitude: sqrt(dx^2 + dy^2) (Gkioxari & Malik, CVPR 2015). sqrt_abs_product: sqrt(|dx dy|), the other reading of
    one reading of "the square root of dx and dy" in paper A. strain: `optical_strain` (Liong et al., FG 2019).
    """
    dx, dy = (np.asarray(flow[..., i], np.float32) for i in (0, 1))
    if third == "magnitude":
        dz = np.hypot(dx, dy)
    elif third == "sqrt_abs_product":
        dz = np.sqrt(np.abs(dx * dy))
    elif third == "strain":
        dz = optical_strain(flow)
    else:
        raise MerError(f"third channel {third!r} is unknown; use magnitude, sqrt_abs_product or strain")
    return np.stack([dx, dy, dz], axis=-1)


def quantised(stack: NDArray[np.floating], bound: float) -> NDArray[np.uint8]:
    """A (dx, dy, dz) stack (..., 3) in fixed units: uint8. What exceeds `bound` pixels is cut off.

    dx and dy: -bound .. bound to 0 .. 255, so that 127.5 is rest; dz: 0 .. bound sqrt 2 to 0 .. 255. One unit for all
    clips keeps strong motion stronger than weak motion, which `min_max` forgets.
    """
    if not bound > 0:
        raise MerError(f"the bound of quantised flow must be a positive number of pixels, not {bound}")
    low, span = np.array([-bound, -bound, 0.0]), np.array([2 * bound, 2 * bound, bound * np.sqrt(2)])
    return np.round(255 * np.clip((stack - low) / span, 0, 1)).astype(np.uint8)


def min_max(stack: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Each channel of each image (..., H, W, C) stretched to 0 .. 255: uint8; a flat channel becomes 0.

    As the published u, v and strain images of the MEGC 2019 composite are (Liong et al., FG 2019): amplitude is lost,
    and zero motion falls on another grey level in every image.
    """
    low, high = (edge(stack, axis=(-3, -2), keepdims=True) for edge in (np.min, np.max))
    span = np.where(high > low, high - low, 1)
    return np.round(255.0 * (stack - low) / span).astype(np.uint8)
