"""One interval of one clip before a recogniser, by the same preconditions as a spotted event."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_tf.au_flow.recogniser import CROP
from mer_tf.au_flow.use import (
    Clip,
    crop_of_network,
    face_box,
    flow_in,
    limits_of,
    network_says,
    read_pair,
    recogniser_of,
)
from mer_tf.files import write_json
from mer_tf.preprocessing.flow import Method
from mer_tf.preprocessing.frames import list_frames
from mer_tf.preprocessing.pictures import replace_picture
from mer_tf.reporting.flow_pictures import clip_png
from mer_tf.synthetic.action_units.fields import flow_images
from mer_tf.synthetic.action_units.geometry import crop_of_landmarks
from mer_tf.synthetic.action_units.movement import CLASSES
from mer_tf.video import people
from mer_tf.video.decide import LONGEST
from mer_tf.video.page_pictures import head_of, nearest
from mer_tf.video.preconditions import Five, Moment, face_refusal, refusal
from mer_tf.video.recognise import NO_RECORD, Answer, answer_of
from mer_tf.video.sources import Picture, Source, open_source
from mer_tf.video.track import Track

LOOKS = 20
"""Frames that are looked through for a first face."""
AFTER = 8
"""Frames that are followed from the onset at least, so that there is a noise to tell."""


def classify_clip(
    path: Path,
    out: Path,
    *,
    onset: int | None,
    apex: int | None,
    network: str,
    flow: Method,
    face: Literal["find", "whole"],
    run: Path | None = None,
    fps: float | None = None,
) -> tuple[Answer, list[str]]:
    """What a clip shows, or why nothing can be said, and what must be said beside it.

    Writes classify.json and, where there is an answer, flow_image.png (as networks take it) and classify.png. network:
    RECOMMENDED or a shipped network. run: a run of exp8, on whose clips the recommended one is trained.
    """
    clip = read_pair(path, onset, apex)
    source = open_source(path, fps)
    notes, five, why = list[str](), None, ""
    if face == "whole":
        notes.append("The whole frame was taken: whether a frontal face is in it, and moves, was not asked.")
    else:
        five, why, notes = _checked(clip, source, onset is None)
    said: dict[str, Any] = {"path": str(path), "network": network, "onset": clip.onset, "apex": clip.apex, "flow": flow}
    said |= {"apex_source": clip.apex_source, "notes": notes}
    if why:
        for stale in ("classify.png", "flow_image.png"):
            (out / stale).unlink(missing_ok=True)
        write_json(out / "classify.json", {**said, "answer": "", "refused": why, "probabilities": None})
        return Answer(refused=why), notes
    return _answered(clip, five, said, path, out, network, flow, run), notes


def _answered(
    clip: Clip,
    five: Five | None,
    said: dict[str, Any],
    path: Path,
    out: Path,
    network: str,
    flow: Method,
    run: Path | None,
) -> Answer:
    known, limits = recogniser_of(network, run), limits_of(network, run)
    crop = crop_of_network(network) if known is None else CROP
    box = face_box(clip, path, "whole") if five is None else crop_of_landmarks(five, crop)
    field = flow_in(clip.frames, box, flow)
    image = flow_images(field)
    if known is None:
        found = network_says(network, image)
        answer = Answer({name: float(p) for name, p in zip(CLASSES, found, strict=True)}, NO_RECORD)
    else:
        answer = answer_of(known, known.probabilities(image[None])[0])
    said |= {} if known is None else {"trained_on": known.trained_on}
    said |= {"crop": [round(float(v), 2) for v in box], "answer": answer.best, "uncertain": answer.uncertain}
    replace_picture(out / "flow_image.png", image)
    said |= {"probabilities": dict(answer.probabilities), "uncalibrated": dict(answer.uncalibrated)}
    write_json(out / "classify.json", {**said, "record": answer.record, "limits": limits})
    text = "   ".join(f"{name} {share:.2f}" for name, share in answer.probabilities.items())
    head = f"{path.name}, frames {clip.onset} to {clip.apex} (apex {clip.apex_source}): {text}"
    clip_png(*clip.frames, box, field, [head, *limits], out / "classify.png")
    return answer


def _checked(clip: Clip, source: Source, begins: bool) -> tuple[Five | None, str, list[str]]:
    """The face of the onset, why nothing can be said of it, and notes; `begins`: the onset is just the first frame."""
    faces = [people.find_faces(Picture(0, 0.0, frame, bgr=False)) for frame in clip.frames]
    notes = []
    if len(faces[0]) > 1:
        notes.append(f"{len(faces[0])} faces are in the onset frame; the largest was taken (`mer-tf spot` takes all).")
    five = faces[0][0] if faces[0] else None
    later = None if five is None else nearest(faces[1], head_of(five), far=np.inf)
    seconds = (clip.apex - clip.onset) / source.fps
    if seconds > LONGEST or five is None or face_refusal(five, later):
        why = refusal(Moment(five, later, seconds, 0.0, 0.0))
        return five, why + (_where_first(source) if five is None and begins else ""), notes
    motion = _motion(source, clip, five)
    if motion is None:
        return five, "the crop slips off the face between onset and apex", notes
    return five, refusal(Moment(five, later, seconds, *motion)), notes


def _where_first(source: Source) -> str:
    """Where the first face is, among frames half a second apart."""
    every = max(1, round(source.fps / 2))
    for picture in islice(source.pictures(), 0, LOOKS * every, every):
        if people.find_faces(picture):
            return f"; the first face that was found is in frame {picture.number} (`--onset {picture.number}`)"
    return ""


def _motion(source: Source, clip: Clip, five: Five) -> tuple[float, float] | None:
    """Greatest motion of a region at the apex and its noise, pixels on a face 96 wide; None where the face is lost."""
    track = Track(1, five, fps=source.fps)
    apex = 0
    cv2.setNumThreads(1)
    for place, picture in enumerate(_from(source, clip.onset)):
        track.step(picture.grey)
        apex = place if picture.number <= clip.apex else apex
        if track.lost and picture.number <= clip.apex:
            return None
        if track.lost or (picture.number >= clip.apex and place >= AFTER):
            break
    positions = track.close_block(0).positions.astype(float)
    moved = np.linalg.norm(positions[apex] - positions[0], axis=-1)
    most = int(moved.argmax())
    return float(moved[most]), _jitter(positions[:, most])


def _from(source: Source, number: int) -> Iterator[Picture]:
    """Pictures from the one with a number on."""
    skip = number
    if source.path is not None and source.path.is_dir():
        skip = [f.number for f in list_frames(source.path)].index(number)
    return source.pictures(skip)


def _jitter(course: NDArray[np.float64]) -> float:
    """Noise of a position (T, 2) from its second differences, which slow motion hardly touches."""
    if len(course) < 5:
        return 0.0
    return float(1.4826 * np.median(np.abs(np.diff(course, n=2, axis=0))) / np.sqrt(6))
