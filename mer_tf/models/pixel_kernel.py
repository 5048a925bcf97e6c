"""Kernel ridge regression on the pixels of a flow image: nothing is learned beforehand, nothing ships."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mer_tf.models.kernel_model import KernelModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mer_tf.models.kernel_ridge import Views


@dataclass(frozen=True)
class PixelKernel(KernelModel):
    """Pixels, smoothed, each channel of each image standardised, under a Gaussian kernel; ours."""

    name: Literal["pixel_kernel"] = "pixel_kernel"

    def views(self, images: NDArray[np.float32]) -> Views:
        return (images.reshape(len(images), -1),)
