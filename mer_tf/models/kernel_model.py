"""What kernel ridge regressions on onset-apex flow images are declared by; `kernel_ridge.py` computes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mer_tf.config import Experiment
from mer_tf.model import Model, Takes
from mer_tf.models.kinds import of_one_image
from mer_tf.ranges import Amount, Positive

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mer_tf.models.kernel_ridge import Views

UNCERTAIN = 0.5
"""A clip whose most probable class has less is called uncertain: being wrong is then as likely as being right."""


@dataclass(frozen=True)
class KernelModel(Model):
    """Kernel ridge regression on one flow image a clip."""

    blur: Amount = 0.7
    """Deviation of the Gaussian by which images are smoothed, pixels."""
    penalties: tuple[Positive, ...] = (0.1, 0.3, 1.0)
    """Of the regression; the mean over them is taken."""

    takes: ClassVar[Takes] = "flow image"

    def check(self, experiment: Experiment, of_images: bool) -> Iterator[str]:
        yield from super().check(experiment, of_images)
        yield from of_one_image(self.name, experiment, of_images)

    def views(self, images: NDArray[np.float32]) -> Views:
        """Descriptions (N, D) of prepared images (N, S, S, 3), one array a view."""
        raise NotImplementedError

    def described(self, images: NDArray[np.uint8]) -> Views:
        """Descriptions of flow images (N, S, S, 3), 0..255, and of their mirror images."""
        from mer_tf.models.kernel_ridge import both_sides

        return self.views(both_sides(images, self.blur))
