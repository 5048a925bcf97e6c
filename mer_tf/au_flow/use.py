"""What puts two frames of a clip before a shipped network: onset and apex given or found, and who is asked."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mer_tf.au_flow.recogniser import Recogniser, of_drawn, of_run
from mer_tf.config import MerError
from mer_tf.datasets.apex import peak
from mer_tf.models import load_pretrained
from mer_tf.models.pretrained import card, probabilities
from mer_tf.preprocessing.containers import is_video
from mer_tf.preprocessing.flow import Method
from mer_tf.preprocessing.frames import Frame, list_frames, read_frames
from mer_tf.preprocessing.video import SUFFIXES, iter_video, probe_video
from mer_tf.synthetic.action_units.geometry import crop_of_landmarks
from mer_tf.synthetic.action_units.rendered import cropped, region_flow

log = logging.getLogger(__name__)
RECOMMENDED = "recommended"
SMALLEST_FACE = 40
LONGEST = 500
"""Frames among which an apex is looked for; a micro-expression has fewer."""


@dataclass(frozen=True)
class Clip:
    """Two frames of one clip, their numbers, and how the apex was found."""

    onset: int
    apex: int
    frames: tuple[Frame, Frame]
    apex_source: Literal["given", "peak"]


def recogniser_of(network: str, run: Path | None) -> Recogniser | None:
    """The recommended recogniser, trained on drawn images or on a run's clips; None where a network is named."""
    if run is not None:
        if network != RECOMMENDED:
            raise MerError(f"--run {run}: is for --network {RECOMMENDED}, not {network}; leave one of them out")
        return of_run(run)
    return of_drawn() if network == RECOMMENDED else None


def limits_of(network: str, run: Path | None) -> Sequence[str]:
    """What must be said beside an answer."""
    known = recogniser_of(network, run)
    return card(network)["limits"] if known is None else known.limits


def crop_of_network(network: str) -> str:
    """Where faces lay in the training of a shipped network."""
    return str(card(network)["settings"].get("crop", "tight"))


def network_says(network: str, image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Probability of each class for one flow image, by a shipped network."""
    return probabilities(load_pretrained(network), image[None])[0]


def read_pair(path: Path, onset: int | None, apex: int | None) -> Clip:
    """Onset and apex of a folder of frames, by the numbers in their names, or of a video, counted from 0.

    Without `onset` the first frame; without `apex` the frame that moves most from there on. `MerError` for a path that
    is neither, for a frame that is not there, and for an apex that does not come after the onset.
    """
    if path.is_dir():
        files = {f.number: f.path for f in list_frames(path)}
        numbers = sorted(files)
    elif path.is_file() and (path.suffix.lower() in SUFFIXES or is_video(path)):
        info = probe_video(path)
        files, numbers = {}, list(range(info.frames))
        if info.missing:
            log.warning("%s", info.missing)
    else:
        raise MerError(f"{path}: neither a folder of frames nor a video ({', '.join(sorted(SUFFIXES))})")
    start = numbers[0] if onset is None else onset
    for name, number in (("onset", start), ("apex", apex)):
        if number is not None and number not in set(numbers):
            raise MerError(f"{path}: has no frame {number} for --{name}; its frames are {numbers[0]} to {numbers[-1]}")
    if apex is not None and apex <= start:
        raise MerError(f"{path}: --apex {apex} does not come after the onset, frame {start}")
    wanted = [start, apex] if apex is not None else [n for n in numbers if n >= start]
    if len(wanted) < 2 or len(wanted) > LONGEST:
        raise MerError(
            f"{path}: {len(wanted)} frames from {start} on; an apex is found among 2 to {LONGEST}, give "
            "--apex, or let `mer-tf spot` look through the whole"
        )
    if files:
        frames = list(read_frames([files[n] for n in wanted]))
    else:
        frames = [frame for number, frame in iter_video(path, wanted[0], wanted[-1]) if number in set(wanted)]
    if len({frame.shape for frame in frames}) > 1:
        raise MerError(f"{path}: frames differ in size; give frames of one camera")
    place = 1 if apex is not None else max(1, peak(frames))
    return Clip(start, wanted[place], (frames[0], frames[place]), "peak" if apex is None else "given")


def flow_in(pair: tuple[Frame, Frame], box: NDArray[np.float64], flow: Method) -> NDArray[np.float32]:
    """Flow (28, 28, 2) between two frames in a box of them, as recognisers take it before it is an image."""
    return cropped(region_flow(*pair, box, flow), np.zeros(2))


def face_box(clip: Clip, path: Path, face: Literal["find", "whole"], crop: str = "tight") -> NDArray[np.float64]:
    """x, y, width and height of a crop of face_geometry.csv; the whole frame for frames that are cropped already."""
    height, width = clip.frames[0].shape[:2]
    if face == "whole":
        return np.array([0.0, 0.0, width, height])
    from mer_tf.preprocessing.faces import detect_face  # brings TensorFlow

    found = detect_face(clip.frames[0], SMALLEST_FACE)
    if found is None:
        raise MerError(f"{path}: no face in frame {clip.onset}; use --face whole if its frames are cropped already")
    return crop_of_landmarks(found.landmarks, crop)
