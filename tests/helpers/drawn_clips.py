"""Drawn clips in which mouth and brows move independently, aligned: two labels for the same frames."""

from dataclasses import replace

import numpy as np

from mer_tf.locks import held
from mer_tf.preprocessing.faces import ALIGNED_BY, TEMPLATE, similarity, warp
from mer_tf.synthetic.action_units.table import expression
from mer_tf.synthetic.trees.smic import draw, smic_clips

SIZE, FRAMES, SUBJECTS, TESTED = 96, 4, 20, 5
SHOWN = {"mouth": ((12,), (15,)), "brows": ((1, 2), (4,))}
"""Action units of the two classes of each part."""


def aligned(clip):
    """FRAMES aligned frames of a clip, from its onset to its apex."""
    points = clip.neutral.points
    eyes = [(points[f"eye_outer_{s}"] + points[f"eye_inner_{s}"]) / 2 for s in ("left", "right")]
    known = np.array([*eyes, points["mouth_corner_left"], points["mouth_corner_right"]])
    matrix = similarity(known, TEMPLATE[list(ALIGNED_BY)] * SIZE - 0.5)
    apex = int(clip.motion.course.argmax())
    shown = np.linspace(0, apex, FRAMES).round().astype(int)
    return np.stack([warp(frame, matrix, SIZE) for frame in draw(only(clip, shown))])


def only(clip, frames):
    """The clip with these frames alone, so that no others are drawn."""
    motion = replace(clip.motion, course=clip.motion.course[frames], head=clip.motion.head[frames])
    return replace(clip, motion=motion, blink=clip.blink[frames], light=clip.light[frames])


def drawn_clips():
    """Frames, the class of each part, and subjects, of clips in which both parts move independently."""
    rng = np.random.default_rng(70)
    frames, subjects, labels = [], [], {part: [] for part in SHOWN}
    for clip in smic_clips(subjects=SUBJECTS, clips_per_class=2, seed=7):
        if clip.label == "non-micro":
            continue
        points, width = clip.neutral.points, clip.neutral.face_width
        blobs = []
        for part, options in SHOWN.items():
            labels[part].append(int(rng.integers(0, 2)))
            shown = expression(options[labels[part][-1]], points, width, (1.0, 1.0))
            blobs.append(shown.scaled(3 * clip.intensity * width / 96))
        frames.append(aligned(replace(clip, motion=replace(clip.motion, expression=blobs[0].joined(blobs[1])))))
        subjects.append(clip.subject)
    classes = {part: np.array(found) for part, found in labels.items()}
    return np.stack(frames).astype("float32"), classes, np.array(subjects)


def drawn_once(folder):
    """`drawn_clips`, by the first process that asks for them in this folder."""
    file = folder / "drawn_clips.npz"
    with held(file, wait=600):
        if not file.exists():
            frames, classes, subjects = drawn_clips()
            np.savez(file, frames=frames, subjects=subjects, **classes)
    with np.load(file, allow_pickle=False) as kept:
        return kept["frames"], {part: kept[part] for part in SHOWN}, kept["subjects"]
