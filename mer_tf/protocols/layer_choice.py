"""The layer to retrain from, chosen by Grad-CAM on a fold's training clips (Bai & Goecke 2020, section 4.3)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mer_tf.arrays import evenly
from mer_tf.config import MerError, Preprocess
from mer_tf.evaluation.folds import Fold
from mer_tf.explain.figures.layers import layers_png
from mer_tf.explain.layer_selection import choose_layer, layer_maps, layer_table
from mer_tf.explain.regions import aligned_landmarks, landmarks_from_box
from mer_tf.files import write_csv
from mer_tf.preprocessing.faces import detect_face
from mer_tf.preprocessing.landmarks import carried_landmarks
from mer_tf.protocols.workbench import Workbench
from mer_tf.records.landmarks import fitted_landmarks

CLIPS = 12
"""Training clips looked at, spread over the fold's subjects; the onset and the middle frame of each."""
SHOWN = 2


def choose_block(bench: Workbench, fold: Fold, folder: Path) -> str:
    """Encoder block whose Grad-CAM lies most on the facial features of training frames; labels are not looked at.

    Writes layers.csv (energy, lift, IoU and spill of every block) and layers.png (all blocks side by side).
    """
    ids = bench.ids(fold.train)
    sampled = [ids[k] for k in evenly(len(ids), CLIPS)]
    clips = bench.frames(sampled)
    frames = np.concatenate([clips[name][[0, len(clips[name]) // 2]] for name in sampled])
    fitted, size = _fitted(bench), frames.shape[1]
    of_clips = [fitted[name] * size - 0.5 for name in sampled for _ in range(2)] if fitted else None
    points = np.stack(of_clips) if of_clips else stored_landmarks(frames, bench.experiment.preprocess)
    encoder = bench.encoder()
    maps = layer_maps(encoder, frames)
    table = layer_table(encoder, maps, points)
    chosen = choose_layer(table)
    write_csv(table.assign(chosen=table["layer"] == chosen), folder / "layers.csv")
    some = {block: heat[:SHOWN] for block, heat in maps.items()}
    title = f"{encoder.name}, fold {fold.number}: Grad-CAM of each block on training frames"
    layers_png(frames[:SHOWN], some, table, chosen, folder / "layers.png", title=title)
    return chosen


def face_landmarks(bench: Workbench, clip_id: str, frame: np.ndarray) -> np.ndarray | None:
    """`clip_landmarks`; None where MTCNN is to find a face in the frame and finds none."""
    try:
        return clip_landmarks(bench, clip_id, frame)
    except MerError:
        return None


def clip_landmarks(bench: Workbench, clip_id: str, frame: np.ndarray) -> np.ndarray:
    """The (68, 2) in a stored frame (S, S, 3) of a clip: the clip's fitted ones, or as `stored_landmarks`."""
    if fitted := _fitted(bench):
        return np.asarray(fitted[clip_id] * frame.shape[0] - 0.5)
    return np.asarray(stored_landmarks(frame[None], bench.experiment.preprocess)[0])


def _fitted(bench: Workbench) -> Mapping[str, np.ndarray]:
    """Landmarks that clips were stored with, shares of the square; none where MTCNN's points were used."""
    return {} if bench.experiment.preprocess.landmarks == "mtcnn" else fitted_landmarks(bench.prepared.records)


def stored_landmarks(frames: np.ndarray, config: Preprocess) -> np.ndarray:
    """68 landmarks (M, 68, 2) of stored frames (M, S, S, 3), in their pixels.

    align: the canonical face, which frames were aligned to; crop: it is laid into the face box; none: MTCNN finds the
    five points in each frame, `MerError` when it finds none in the most.
    """
    size = frames.shape[1]
    if config.face == "align":
        return np.repeat(aligned_landmarks(size)[None], len(frames), axis=0)
    if config.face == "crop":
        side = size / (1 + 2 * config.margin)
        corner = (size - side) / 2
        return np.repeat(landmarks_from_box(np.array([corner, corner, side, side]))[None], len(frames), axis=0)
    found = [detect_face(frame, 20, config.detector) for frame in frames]
    known = [carried_landmarks(face.landmarks) for face in found if face]
    if len(known) * 2 < len(frames):
        raise MerError(
            f"layer selection: MTCNN finds a face in {len(known)} of {len(frames)} frames; crop or align them"
        )
    middle = np.median(known, axis=0)
    return np.stack([carried_landmarks(face.landmarks) if face else middle for face in found])
