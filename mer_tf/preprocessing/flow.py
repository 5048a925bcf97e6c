"""Dense optical flow: between neighbouring frames of a clip, or from its onset."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_tf.methods import FLOWS, FlowMethod, function_of

Method = FlowMethod
Start = Literal["previous", "onset"]
Solver = Callable[[NDArray[np.uint8], NDArray[np.uint8]], NDArray[np.float32]]


def flow_pair(first: NDArray[np.uint8], second: NDArray[np.uint8], method: Method) -> NDArray[np.float32]:
    """Flow from `first` to `second`, both uint8 (H, W, 3) RGB: float32 (H, W, 2), (dx right, dy down) in pixels.

    farneback: Farnebäck, SCIA 2003, with the usual parameters (0.5, 3, 15, 3, 5, 1.2). dis: Kroeger et al., ECCV 2016,
    medium preset carried down to full resolution: the preset stops at half of it, which doubles the error on motion
    below a pixel (mean endpoint error .054 against .029 px on a shift of (.3, -.2) px, 96 px face). tvl1: Zach et al.,
    DAGM 2007, as scikit-image has it, attachment 5 instead of 15: mean endpoint error .029 against .044 px between
    drawn frames at 100 a second, .063 against .097 from the onset to an apex of .25 px, though .198 against .150 to one
    of 3 px (OpenCV's own 0.15 is 38 in these units, and worse than 15 at 1 px). The slowest by far, and never the most
    exact: benchmarks/RESULTS.md compares all. The preprocessing job solves a clip's pairs at once (`tvl1_clip`).
    """
    return _solver(method)(_grey(first), _grey(second))


def flow_clip(frames: NDArray[np.uint8], method: Method, start: Start = "previous") -> NDArray[np.float16]:
    """Flow of frames uint8 (T, S, S, 3) RGB: float16 (T - 1, S, S, 2), (dx, dy) in pixels.

    Entry t is the flow to frame t + 1: from frame t (previous), or from frame 0 (onset). Of the latter, entry a - 1 is
    the onset-to-apex flow of a clip whose apex is frame a.
    """
    greys = [_grey(frame) for frame in frames]
    pairs = pairwise(greys) if start == "previous" else ((greys[0], grey) for grey in greys[1:])
    solver = _solver(method)
    return np.stack([solver(a, b) for a, b in pairs]).astype(np.float16)


def _grey(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)


def _solver(method: Method) -> Solver:
    """A function of two grey images; made once a clip."""
    solver: Solver = function_of("preprocess.flow", method, FLOWS)()
    return solver


def dis() -> Solver:
    """DIS, which keeps its buffers from pair to pair."""
    solver = cv2.DISOpticalFlow.create(cv2.DISOpticalFlow_PRESET_MEDIUM)
    solver.setFinestScale(0)
    return lambda a, b: np.asarray(solver.calc(a, b, np.zeros((*a.shape, 2), np.float32)), np.float32)


def farneback() -> Solver:
    """Farnebäck's, which keeps nothing."""
    return lambda a, b: np.asarray(
        cv2.calcOpticalFlowFarneback(a, b, np.zeros((*a.shape, 2), np.float32), 0.5, 3, 15, 3, 5, 1.2, 0), np.float32
    )


def tvl1() -> Solver:
    """TV-L1 of one pair, as scikit-image has it."""
    from skimage.registration import optical_flow_tvl1  # takes a second to load

    return lambda a, b: np.stack(optical_flow_tvl1(a, b, attachment=5)[::-1], axis=-1)  # it gives down, right
