"""Time of each descriptor a clip, against reading the volume as often as LBP-TOP does and against a plain LBP-TOP.

python benchmarks/descriptors.py            # prints the table and writes it into benchmarks/RESULTS.md
"""

from __future__ import annotations

import runpy
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import tyro
from numpy.typing import NDArray
from results import keep

from mer_tf.descriptors import METHODS
from mer_tf.descriptors.base import ClipDescriptor
from mer_tf.descriptors.lbp_top import LbpTop

PLAIN = Path(__file__).parents[1] / "tests" / "helpers" / "plain_lbp_top.py"
RADIUS, POINTS = 3, 8


def main(frames: int = 10, size: int = 96, repeats: int = 5, write: bool = True) -> None:
    """Measure, print the table, and write it into RESULTS.md.

    Args:
        frames: Of the clip; no descriptor interpolates further.
        size: Side of the frames, pixels.
        repeats: Of each measurement, of which the fastest counts; the plain implementation runs once.
        write: Write the table into RESULTS.md too.
    """
    text = section(frames, size, repeats)
    print(text)
    if write:
        keep("descriptors", text)


def section(frames: int, size: int, repeats: int) -> str:
    """What goes into RESULTS.md."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (frames, size, size), dtype=np.uint8)
    clip = np.stack([cv2.GaussianBlur(frame, (0, 0), 1.5) for frame in noise])
    flow = rng.normal(size=(frames - 1, size, size, 2)).astype(np.float32)
    reading = seconds(lambda: read(clip), repeats)
    rows = []
    for name, descriptor in described().items():
        given = clip if descriptor.takes == "frames" else flow
        spent = seconds(lambda d=descriptor, x=given: d.transform([x]), repeats)  # type: ignore[misc]
        rows.append(f"| {name} | {spent * 1e3:.1f} | {spent / reading:.1f} |")
    top = LbpTop(frames=0)
    fast = seconds(lambda: top.transform([clip]), repeats)
    slow = seconds(lambda: runpy.run_path(str(PLAIN))["plain_lbp_top"](clip, top), 1)
    table = "\n".join(rows)
    return f"""## Classical descriptors

`python benchmarks/descriptors.py`. One clip of {frames} frames of {size} pixels, one thread; take the ratios.
`reading`: the inner voxels copied 3 x {POINTS} times from their neighbours' places, which took {reading * 1e3:.2f} ms.
Settings are the defaults, without temporal interpolation. The plain LBP-TOP of the tests, a loop over voxels, took
{slow:.1f} s: {slow / fast:.0f} times as long.

| descriptor | ms a clip | times reading |
| - | - | - |
{table}"""


def described() -> dict[str, ClipDescriptor]:
    """Every descriptor with its defaults, LBP-TOP with both kinds of neighbours."""
    named = {name: method().descriptor() for name, method in METHODS.items() if method.described_by}
    named["lbp_top, bilinear"] = LbpTop(interpolation="bilinear")
    return {name: d.set_params(frames=0) if "frames" in d.get_params() else d for name, d in sorted(named.items())}


def read(clip: NDArray[np.uint8]) -> None:
    """Copy the inner voxels once for every neighbour in every plane."""
    inner = tuple(slice(RADIUS, n - RADIUS) for n in clip.shape)
    out = np.empty_like(clip[inner])
    for axis in range(3):
        for shift in np.linspace(-RADIUS, RADIUS, POINTS).round().astype(int):
            moved = list(inner)
            moved[axis] = slice(RADIUS + shift, clip.shape[axis] - RADIUS + shift)
            np.copyto(out, clip[tuple(moved)])


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Time of the fastest of some calls."""
    spent = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        spent.append(time.perf_counter() - start)
    return min(spent)


if __name__ == "__main__":
    cv2.setNumThreads(1)
    tyro.cli(main)
