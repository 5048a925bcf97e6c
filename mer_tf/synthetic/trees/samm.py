"""A look-alike of SAMM drawn from portraits: its five largest classes told apart by their action units, and its sheet.

The frames are grey. The clips have the length of 100 frames a second, though the manifest says 200, as the adapter
knows of SAMM.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import Any

from mer_tf.synthetic.layouts.files import Tab
from mer_tf.synthetic.layouts.plan import PlannedClip
from mer_tf.synthetic.layouts.samm import MICRO_SHEET, micro_tab
from mer_tf.synthetic.trees.annotated import Annotated

FIRST_SUBJECT = 6
ANGER, CONTEMPT = frozenset({4}), frozenset({14, 15, 17})
"""Action units that make a negative expression one of these, the first before the second. Of contempt 14 alone is FACS'
own; 15 and 17 are dealt to it so that it has clips enough. The rest, 9 and 10, is other."""


def emotion(label: str, aus: Sequence[int]) -> str:
    """SAMM's class of a drawn expression."""
    if label != "negative":
        return {"positive": "Happiness", "surprise": "Surprise"}[label]
    return "Anger" if ANGER & set(aus) else "Contempt" if CONTEMPT & set(aus) else "Other"


def _names(subject: int, clip: int) -> dict[str, Any]:
    """Subjects 006, 007, ..., clips 006_1_1, 006_1_2, ... in SAMM's folders."""
    code = f"{subject + FIRST_SUBJECT - 1:03d}"
    name = f"{code}_1_{clip}"
    return {"subject": code, "name": name, "folder": f"SAMM/{code}/{name}", "grey": True}


def _tab(clips: Sequence[PlannedClip]) -> Tab:
    return micro_tab(clips, repeat(None))


SAMM = Annotated("samm", "{clip.subject}_{:05d}.jpg", _names, emotion, MICRO_SHEET, _tab)
"""SAMM/006/006_1_1/ ... and the sheet."""
