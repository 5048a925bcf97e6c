"""What must hold before a recogniser is asked about two frames of a face; where it fails, the reason is the answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mer_tf.video.decide import CLEAR, LONGEST
from mer_tf.video.signals import FLOOR

Five = NDArray[np.float64]
ASIDE = 0.15
"""Eye distances by which the nose of a frontal face may lie beside the line from between the eyes to the mouth."""
NARROW = 0.65
"""Least distance of the eyes, in distances from them to the mouth."""
WIDTH = 2.1
"""Width of a face in distances of its eyes."""
MOVED = 0.12
"""Face widths by which a face may move from onset to apex: further, and the crop of the onset holds something else."""
SEEN = 0.3
"""Pixels on a face 96 pixels wide: below it nothing can be known."""


@dataclass(frozen=True, eq=False)
class Moment:
    """What is known of an onset and an apex before anything is recognised; faces are five points, None for none."""

    onset: Five | None
    apex: Five | None
    seconds: float
    """From the one to the other."""
    size: float
    """Greatest motion of a region, pixels on a face 96 pixels wide."""
    noise: float
    """Of a region, in the same."""


def face_refusal(onset: Five | None, apex: Five | None) -> str:
    """Why these two faces are none to compare; "" where they are."""
    for name, five in (("onset", onset), ("apex", apex)):
        if five is None:
            return f"no face is found in the {name} frame"
        if not frontal(five):
            return f"the head is turned away in the {name} frame; a recogniser knows frontal faces"
    assert onset is not None
    assert apex is not None
    if (moved := shift(onset, apex)) > MOVED:
        return f"the face moves by {moved:.2f} of its width from onset to apex, so a crop does not follow it"
    return ""


def shift(onset: Five, apex: Five) -> float:
    """How far a face moves, in its widths."""
    width = WIDTH * float(np.linalg.norm(onset[1] - onset[0]))
    return float(np.linalg.norm((apex - onset).mean(0))) / max(width, 1.0)


def refusal(moment: Moment) -> str:
    """Why nothing can be said of a moment; "" where a recogniser may be asked."""
    if moment.seconds > LONGEST:
        return f"onset and apex lie {moment.seconds:.1f} s apart, and an expression rises within {LONGEST:g} s"
    if found := face_refusal(moment.onset, moment.apex):
        return found
    least = max(SEEN, CLEAR * max(moment.noise, FLOOR))
    if moment.size < least:
        return (
            f"the greatest motion of {moment.size:.2f} px (of a face 96 pixels wide) does not stand out: "
            f"it takes {least:.2f} px here"
        )
    return ""


def frontal(five: Five) -> bool:
    """Whether a face looks into the camera, by its eyes, nose and corners of the mouth."""
    eyes, mouth = five[:2].mean(0), five[3:].mean(0)
    apart, down = float(np.linalg.norm(five[1] - five[0])), float(np.linalg.norm(mouth - eyes))
    if down < 1e-6 or apart < NARROW * down:
        return False
    way, nose = (mouth - eyes) / down, five[2] - eyes
    return abs(float(way[0] * nose[1] - way[1] * nose[0])) < ASIDE * apart
