"""Kernel ridge regression on patches of a flow image, coded by dictionaries that were learned on drawn images alone.

    image --> 7 x 7 patches --> whitened --> triangle code of 160 words --> mean in a 4 x 4 grid --> square root
          --> standardised by the statistics of drawn images          (Coates & Ng, ICML 2011)

Three dictionaries, each a view of its own. They ship with the package as arrays: weights_files/NAME.npz, and a card.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mer_tf.config import Experiment, MerError
from mer_tf.models.kernel_model import KernelModel
from mer_tf.models.kinds import FLOW_SIDE
from mer_tf.names import unknown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mer_tf.models.kernel_ridge import Views

DICTIONARIES = ("flow-patches-1",)
"""Sets of dictionaries that ship with the package."""


@dataclass(frozen=True)
class PatchKernel(KernelModel):
    """Codes of whitened patches under a Gaussian kernel: the recommended recogniser of flow images; ours."""

    name: Literal["patch_kernel"] = "patch_kernel"
    dictionary: str = DICTIONARIES[-1]
    """Dictionaries that ship with the package."""

    def check(self, experiment: Experiment, of_images: bool) -> Iterator[str]:
        yield from super().check(experiment, of_images)
        side = experiment.clip.side
        if self.dictionary not in DICTIONARIES:
            yield f"model.dictionary: {unknown('dictionary', self.dictionary, DICTIONARIES)}"
        if not of_images and side not in (0, FLOW_SIDE):
            yield f"clip.side={side}: {self.dictionary} takes images of {FLOW_SIDE} pixels; use clip.side={FLOW_SIDE}"

    def views(self, images: NDArray[np.float32]) -> Views:
        """Codes (N, 2560) by each dictionary."""
        from mer_tf.models.patch_codes import coded, load_dictionaries

        if images.shape[1:] != (FLOW_SIDE, FLOW_SIDE, 3):
            raise MerError(f"flow images of {images.shape[1:]}: {self.dictionary} takes 28 x 28 x 3; set clip.side 28")
        return tuple(coded(images, one) for one in load_dictionaries(self.dictionary))
