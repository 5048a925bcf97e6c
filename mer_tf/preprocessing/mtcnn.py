"""MTCNN with the pyramid its smallest face asks for. Imports mtcnn, which imports TensorFlow: import this when needed.

mtcnn 1.0.0 counts the levels of its image pyramid from the image alone. When the first level already shrinks the image
by the smallest face, the last levels get smaller than the network's window of 12 px. How a convolution of such a level
fails differs between processors: `detect_faces` raises an error, or it answers "no face". With a small `min_face_size`
mtcnn stops too early and misses the largest faces. When nothing is proposed, mtcnn gives the later networks a batch of
no images, which fails on some processors too. Here no network is given an image below its window or an empty batch.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from threading import Lock
from typing import Any

import numpy as np
import tensorflow as tf
from mtcnn import MTCNN
from mtcnn.stages import StageONet, StagePNet, StageRNet
from mtcnn.utils.bboxes import generate_bounding_box, resize_to_square, smart_nms_from_bboxes
from mtcnn.utils.images import scale_images
from numpy.typing import NDArray

from mer_tf.preprocessing.faces import Face
from mer_tf.preprocessing.frames import Frame
from mer_tf.preprocessing.mtcnn_files import checked_weights

WINDOW = 12
FACTOR = 0.709


def pyramid_scales(height: int, width: int, min_face: int) -> list[float]:
    """Shrinking factors from the one that makes `min_face` 12 px wide down to the last that leaves the image 12 px."""
    scales, scale = [], WINDOW / min_face
    while int(min(height, width) * scale) >= WINDOW:
        scales.append(scale)
        scale *= FACTOR
    return scales


class ProposalStage(StagePNet):
    """mtcnn's first stage over `pyramid_scales`; all else, thresholds included, as in mtcnn 1.0.0."""

    def __call__(self, images_normalized: Any, min_face_size: int, **_: Any) -> NDArray[np.float64]:
        """Images float (N, H, W, 3) -> square proposals (M, 6): image, x1, y1, x2, y2, confidence."""
        height, width = images_normalized.shape[1:3]
        boxes = [np.empty((0, 6))]
        for scale in pyramid_scales(height, width, min_face_size):
            regression, score = self.model(scale_images(images_normalized, scale))
            found = generate_bounding_box(regression, score, 0.6)
            found[:, 1:5] /= scale
            boxes.append(smart_nms_from_bboxes(found, threshold=0.5, method="union", initial_sort=False))
        merged = smart_nms_from_bboxes(np.concatenate(boxes), threshold=0.7, method="union", initial_sort=True)
        return np.asarray(resize_to_square(merged))


def faces(frame: Frame, min_face: int) -> list[Face]:
    """Every face of a uint8 (H, W, 3) RGB frame, the small ones too."""
    rows = face_detector().detect_faces(frame, output_type="numpy", box_format="xywh", min_face_size=min_face)
    return [Face(r[1:5].astype(np.float64), float(r[5]), np.stack([r[6:11], r[11:16]], axis=1)) for r in rows]


_BUILDING = Lock()


def face_detector() -> MTCNN:
    """One detector a process, whichever thread asks first."""
    with _BUILDING:
        return _detector()


def build_detector() -> MTCNN:
    """MTCNN with the fixed first stage, each of its three networks one graph.

    The weights are named by their place in the package: by bare name mtcnn would first unpickle a file of that name
    from the working directory. `MerError` for weights that are not the published ones.
    """
    sides = {ProposalStage: ("pnet", None), StageRNet: ("rnet", 24), StageONet: ("onet", 48)}
    stages = []
    for stage, (name, side) in sides.items():
        stages.append(stage(weights=str(checked_weights(name))))
        stages[-1]._model = _graph(stages[-1].model, side)
    proposals, *later = stages
    return MTCNN(stages=[proposals, *map(if_any, later)])


_detector = lru_cache(maxsize=1)(build_detector)


def if_any(stage: Callable[..., Any]) -> Callable[..., Any]:
    """A later stage of mtcnn that hands on an empty array of proposals without asking its network."""

    def run(bboxes_batch: NDArray[np.float64], **given: Any) -> Any:
        return stage(bboxes_batch=bboxes_batch, **given) if len(bboxes_batch) else bboxes_batch

    return run


def _graph(network: Any, side: int | None) -> Any:
    """`network` for images (N, side, side, 3), or of any size: layer by layer most of its time is Python's."""
    return tf.function(network, input_signature=[tf.TensorSpec((None, side, side, 3), tf.float32)])
