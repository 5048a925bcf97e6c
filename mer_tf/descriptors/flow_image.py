"""The plainest inputs there are: the onset frame, which shows no expression, and one flow image, pixel by pixel."""

from __future__ import annotations

from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_tf.descriptors.base import ClipDescriptor, Features, Takes, strongest
from mer_tf.preprocessing.stacks import flow_stack, min_max


class OnsetFrame(ClipDescriptor):
    """The first frame as 12 x 12 grey pixels: what can be known of a clip before anything moves."""

    def describe(self, clip: NDArray[Any]) -> Features:
        return _reduced(clip[0].astype(np.float32), 12).ravel()


class FlowImage(ClipDescriptor):
    """Flow from the onset to the strongest frame as 28 x 28 pixels of u, v and optical strain, flat.

    Each channel is stretched to 0 .. 255, as the images that networks of the MEGC 2019 composite take (Liong et al.,
    FG 2019). Logistic regression on them equals those networks there.
    """

    takes: ClassVar[Takes] = "apex"

    def describe(self, clip: NDArray[Any]) -> Features:
        stack = flow_stack(_reduced(strongest(clip), 28), "strain")
        return min_max(stack).ravel().astype(np.float32)


def _reduced(image: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.float32)
