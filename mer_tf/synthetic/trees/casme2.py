"""A look-alike of CASME II drawn from portraits: five classes told apart by their action units alone, and its sheet.

The clips have the length of 100 frames a second, though the manifest says 200, as the adapter knows of CASME II.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mer_tf.synthetic.layouts.casme2 import SHEET, coding_tab
from mer_tf.synthetic.trees.annotated import Annotated

DISGUST, REPRESSION = frozenset({9, 10, 7}), frozenset({14, 15, 17})
"""Action units that make a negative expression one of these (Yan et al. 2014, table of emotions); 4 alone is others."""


def emotion(label: str, aus: Sequence[int]) -> str:
    """CASME II's class of a drawn expression."""
    if label != "negative":
        return {"positive": "happiness"}.get(label, label)
    return "disgust" if DISGUST & set(aus) else "repression" if REPRESSION & set(aus) else "others"


def _names(subject: int, clip: int) -> dict[str, Any]:
    """Subjects 01, 02, ..., clips EP01_01, ... in CASME II's folders."""
    name = f"EP01_{clip:02d}"
    return {"subject": f"{subject:02d}", "name": name, "folder": f"Cropped/sub{subject:02d}/{name}"}


CASME2 = Annotated("casme2", "reg_img{}.jpg", _names, emotion, SHEET, coding_tab)
"""Cropped/subNN/ and the sheet."""
