"""Optical flow against drawn clips whose motion is known: endpoint error by method, amplitude and frame rate.

python benchmarks/flow_accuracy.py            # prints three tables and writes them into benchmarks/RESULTS.md

Faces are aligned to 96 pixels by their known points, so that no detector has a part in the error.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from results import keep

from mer_tf.preprocessing.faces import Matrix, detect_face, face_transform, similarity, warp
from mer_tf.preprocessing.flow import Method, flow_pair
from mer_tf.preprocessing.landmarks import canonical_landmarks
from mer_tf.synthetic.faces.appearance import NOISE
from mer_tf.synthetic.trees.smic import SyntheticClip, displacement, draw, smic_clips

SIZE = 96
METHODS: tuple[Method, ...] = ("farneback", "dis", "tvl1")
AMPLITUDES = (0.25, 0.5, 1.0, 2.0, 3.0)
STEPS = (1, 2, 4)
"""Every n-th frame of 100 a second."""
ANCHORS = {"eye_outer_left": 36, "eye_outer_right": 45, "mouth_corner_left": 48, "mouth_corner_right": 54}
FACE = (slice(14, 92), slice(14, 82))
"""Rows and columns of the aligned square that the face fills."""


def clips(amplitude: float, subjects: int) -> Iterator[SyntheticClip]:
    """Micro-expressions without a blink, whose motion nobody knows."""
    for clip in smic_clips(amplitude=amplitude, subjects=subjects, clips_per_class=1, seed=3):
        if clip.apex and clip.label != "non-micro" and not clip.blink.any():
            yield clip


def alignment(clip: SyntheticClip) -> Matrix:
    """From the frame to the aligned square, by known points."""
    points = np.array([clip.neutral.points[name] for name in ANCHORS])
    return similarity(points, canonical_landmarks()[list(ANCHORS.values())] * SIZE - 0.5)


def true_flow(clip: SyntheticClip, first: int, second: int, matrix: Matrix) -> NDArray[np.float64]:
    """Motion from frame `first` to frame `second` in stored pixels: (SIZE, SIZE, 2)."""
    stored = np.stack(np.meshgrid(np.arange(SIZE), np.arange(SIZE)), axis=-1).astype(float)
    inverse = np.linalg.inv(matrix[:, :2])
    place: NDArray[np.floating] = (stored - matrix[:, 2]) @ inverse.T
    onset: NDArray[np.floating] = place + sampled(displacement(clip, first, "backward"), place)
    target = onset + sampled(displacement(clip, second, "forward"), onset)
    return np.asarray((target - place) @ matrix[:, :2].T)


def sampled(field: NDArray[np.float32], places: NDArray[np.floating]) -> NDArray[np.float32]:
    """A field (H, W, 2) at fractional places (..., 2)."""
    x, y = (np.ascontiguousarray(places[..., i], np.float32) for i in (0, 1))
    return np.asarray(cv2.remap(field, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def errors(clip: SyntheticClip) -> Iterator[dict[str, object]]:
    """Mean endpoint error of each method: onset to apex, and in the middle of the rise at each frame rate."""
    assert clip.apex is not None
    matrix, middle = alignment(clip), clip.apex // 2
    frames = [warp(frame, matrix, SIZE) for frame, _ in zip(draw(clip), range(clip.frames), strict=False)]
    pairs = {"onset to apex": (0, clip.apex)}
    pairs |= {f"{100 // n} frames/s": (middle, middle + n) for n in STEPS if middle + n < clip.frames}
    for name, (first, second) in pairs.items():
        true = true_flow(clip, first, second, matrix)[FACE]
        row: dict[str, object] = {"pair": name, "motion": float(np.hypot(*np.moveaxis(true, -1, 0)).mean())}
        for method in METHODS:
            off = flow_pair(frames[first], frames[second], method)[FACE] - true
            row[method] = float(np.hypot(*np.moveaxis(off, -1, 0)).mean())
        yield row


def accuracy(subjects: int) -> pd.DataFrame:
    """Endpoint errors in stored pixels, mean over clips."""
    rows = [row | {"amplitude": a} for a in AMPLITUDES for clip in clips(a, subjects) for row in errors(clip)]
    table = pd.DataFrame(rows).groupby(["pair", "amplitude"], sort=False).mean().reset_index()
    order = ["onset to apex", *[f"{100 // n} frames/s" for n in STEPS]]
    return table.sort_values(["pair", "amplitude"], key=lambda c: c.map(order.index) if c.name == "pair" else c)


def jitter() -> pd.DataFrame:
    """Flow of a face that stands still under sensor noise: one map a clip against a map of its own for each frame."""
    clip = next(clips(1.0, 2))
    rng = np.random.default_rng(0)
    noisy = [clip.neutral.image + rng.normal(0, NOISE, clip.neutral.image.shape) for _ in range(8)]
    frames = [np.clip(np.round(f), 0, 255).astype(np.uint8) for f in noisy]
    maps = [face_transform(detect_face(f, 40), "align", SIZE, 0.0, f.shape[:2]) for f in frames]
    rows = []
    for name, used in (("one map a clip", [maps[0]] * len(maps)), ("a map for each frame", maps)):
        stored = [warp(f, m, SIZE) for f, m in zip(frames, used, strict=True)]
        for method in METHODS:
            flows = np.stack([flow_pair(a, b, method)[FACE] for a, b in pairwise(stored)])
            whole = np.hypot(*np.moveaxis(flows.mean(axis=(1, 2)), -1, 0)).mean()
            rows.append({"alignment": name, "method": method, "of the face": whole, "of a pixel": mean_length(flows)})
    return pd.DataFrame(rows)


def mean_length(flows: NDArray[np.floating]) -> float:
    """Mean length of the vectors of flows (..., 2)."""
    return float(np.hypot(flows[..., 0], flows[..., 1]).mean())


def speed() -> pd.DataFrame:
    """Milliseconds a pair, the best of ten runs."""
    clip = next(clips(2.0, 2))
    frames = list(draw(clip))
    shown = [frames[i][:, 40:280] for i in (0, clip.apex or -1)]
    rows = []
    for size in (SIZE, 224):
        a, b = (np.asarray(cv2.resize(f, (size, size), interpolation=cv2.INTER_AREA), np.uint8) for f in shown)
        row: dict[str, float] = {"size": size}
        for method in METHODS:
            row[method] = min(timed(partial(flow_pair, a, b, method)) for _ in range(10))
        rows.append(row)
    return pd.DataFrame(rows)


def timed(work: Callable[[], object]) -> float:
    """Milliseconds of one call."""
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


def markdown(table: pd.DataFrame, form: str) -> str:
    """A table in Markdown, numbers as `form` says."""
    cells = [[form.format(v) if isinstance(v, float) else str(v) for v in row] for row in table.itertuples(index=False)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [list(table.columns), ["-"] * table.shape[1], *cells])


def section(subjects: int) -> str:
    """What goes into RESULTS.md."""
    errors_table = accuracy(subjects)
    columns = ["pair", "amplitude", "motion", *METHODS]
    return f"""## Optical flow on drawn faces

`python benchmarks/flow_accuracy.py`. Mean endpoint error in pixels of a face aligned to {SIZE} pixels, over the face;
`motion` is the mean length of the true motion, head included, which is the error of no flow at all. `amplitude` is that
of the expression at the apex, its greatest displacement. Sensor noise of {NOISE:g} grey levels; the frame rates are
pairs of frames in the middle of the rise.

{markdown(errors_table[columns], "{:.3f}")}

A face that stands still under the same noise: mean length, in pixels, of the motion of the face as a whole and of its
pixels.

{markdown(jitter(), "{:.3f}")}

Milliseconds a pair (this machine; take the ratios).

{markdown(speed(), "{:.1f}")}"""


def main() -> None:
    """Print the section and put it into RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subjects", type=int, default=4)
    text = section(parser.parse_args().subjects)
    print(text)
    keep("flow-accuracy", text)


if __name__ == "__main__":
    main()
