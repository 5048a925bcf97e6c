"""What the code does to numbers, counted by hand: CONTRIBUTING.md says when to raise which. Loads nothing."""

from __future__ import annotations

PIXELS = 1
"""Of drawing and preprocessing: raised when the same settings give other frames or another flow than before."""
FRAMES = 2
"""Of decoding single pictures: 2 since their EXIF turns them upright, and 16 bits are scaled by what a clip holds. Both
are rare, so that PIXELS stands: records from before are refused where a picture of theirs is of that kind."""
TRAINING = 1
"""Of models and training: raised when the same pixels, settings and seed give other predictions than before."""
CODE = {"pixels": PIXELS, "training": TRAINING}


def counted(version: int) -> tuple[int, ...]:
    """What a version adds to the digest that names a folder: nothing where it is 1, as before there were versions."""
    return (version,) if version > 1 else ()
