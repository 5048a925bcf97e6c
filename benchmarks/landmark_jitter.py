"""How much the middles of the eyes jump from frame to frame: MTCNN's five points against those fitted by a network.

pip install "mer_tf[mesh]"
python benchmarks/landmark_jitter.py VIDEO...     # prints a table and writes it into benchmarks/RESULTS.md

Faces are found anew in every frame. Of drawn faces nothing moves but noise, and the standard deviation is shown; people
move, and it is that of what three neighbouring frames leave of an even motion (their second difference, over the root
of 6, which is the same where the jumps of neighbours are independent). Both by the median of absolute values, since a
detector may jump to another face.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from results import keep, table

from mer_tf.preprocessing.faces import detect_face
from mer_tf.preprocessing.frames import Frame
from mer_tf.preprocessing.landmarks import load_landmark_model, mapped, mesh_file
from mer_tf.preprocessing.video import iter_video
from mer_tf.synthetic.faces.appearance import NOISE
from mer_tf.synthetic.trees.smic import draw, smic_clips

FRAMES = 16
SUBJECTS = 4
APART = 0.3436 * 96
"""Distance between the eyes of a face aligned to 96 pixels."""
Eyes = NDArray[np.float64]


def eyes(frames: Iterable[Frame]) -> dict[str, Eyes]:
    """Middles of the eyes (T, 2, 2) by each way."""
    network, found = load_landmark_model(mesh_file()), []
    for frame in frames:
        if face := detect_face(frame, 40):
            found.append((face.landmarks[:2], mapped(network(frame, face), 5)[:2]))
    return dict(zip(("mtcnn", "mesh"), np.moveaxis(np.array(found), 0, 1), strict=True))


def jitter(places: Eyes, still: bool) -> tuple[float, float]:
    """Standard deviation of an eye along x or y: in pixels of the frame, and of the face aligned to 96 pixels."""
    apart = places - np.median(places, axis=0) if still else np.diff(places, 2, axis=0) / np.sqrt(6)
    pixels = 1.4826 * float(np.median(np.abs(apart)))
    return pixels, pixels * APART / float(np.median(np.linalg.norm(places[:, 0] - places[:, 1], axis=-1)))


def drawn(subjects: int) -> Iterable[list[Frame]]:
    """Frames of faces that do not move, under sensor noise."""
    rng, seen = np.random.default_rng(5), set()
    for clip in smic_clips(subjects=subjects, clips_per_class=1, seed=3):
        if clip.subject not in seen:
            seen.add(clip.subject)
            onset = next(iter(draw(clip, noise=False))).astype(float)
            shots = (onset + rng.normal(0, NOISE, onset.shape) for _ in range(FRAMES))
            yield [np.clip(np.round(shot), 0, 255).astype(np.uint8) for shot in shots]


def measured(videos: Sequence[Path]) -> str:
    """The table: a row for all drawn faces and one a video."""
    still = [eyes(frames) for frames in drawn(SUBJECTS)]
    rows = [_row(f"{SUBJECTS} drawn faces, still", still, True)]
    for path in videos:
        frames = (frame for _, frame in islice(iter_video(path, 0, FRAMES - 1), FRAMES))
        rows.append(_row(path.name, [eyes(frames)], False))
    return table(["frames of", "mtcnn", "mesh", "mtcnn, aligned", "mesh, aligned"], rows)


def _row(name: str, found: Sequence[dict[str, Eyes]], still: bool) -> list[str]:
    of = {way: np.mean([jitter(f[way], still) for f in found], axis=0) for way in ("mtcnn", "mesh")}
    return [name, *(f"{of[way][k]:.3f}" for k in (0, 1) for way in of)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", nargs="*", type=Path)
    text = f"""## Jitter of the eyes by which faces are aligned

`python benchmarks/landmark_jitter.py VIDEO...`: {FRAMES} frames each, the face found anew in every one, pixels of the
frame and of the face aligned to 96 pixels. People move: there it is what an even motion over three frames leaves.

{measured(parser.parse_args().videos)}"""
    print(text)
    keep("landmark-jitter", text)


if __name__ == "__main__":
    main()
