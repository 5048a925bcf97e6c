"""A look-alike of SAMM drawn from portraits: its five largest classes told apart by their action units, and its sheet.

The clips are those of `write_smic`, without non-micro, grey, in SAMM's folders; their class follows from the drawn
action units. They have the length of 100 frames a second, though the manifest says 200, as the adapter knows of SAMM.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from mer_tf.datasets.lookalike_files import Tab, write_sheet
from mer_tf.datasets.lookalike_samm import MICRO_HEADER, TEXT
from mer_tf.datasets.portraits import load_portraits
from mer_tf.datasets.synthetic import draw_tree, tree_arguments
from mer_tf.datasets.synthetic_clip import SyntheticClip, plan_clips

SHEET = "SAMM_Micro_FACS_Codes_v2.xlsx"
FIRST_SUBJECT = 6
ANGER, CONTEMPT = frozenset({4}), frozenset({14, 15, 17})
"""Action units that make a negative expression one of these, the first before the second. Of contempt 14 alone is FACS'
own; 15 and 17 are dealt to it so that it has clips enough. The rest, 9 and 10, is other."""


def write_samm(
    out: Path,
    *,
    amplitude: float = 3.0,
    subjects: int = 16,
    clips_per_class: int = 2,
    seed: int = 0,
    faces: Path | None = None,
    progress: bool = True,
) -> Path:
    """Draw SAMM/006/006_1_1/ ... and the sheet under `out` and return `out`; arguments as for `write_smic`.

    Three times `clips_per_class` clips a subject, the classes as uneven as the action units are drawn.
    """
    portraits = load_portraits(faces)
    arguments = tree_arguments("hs", amplitude, subjects, clips_per_class, seed, "samm", portraits)
    clips = _renamed(clip for clip in plan_clips(arguments, portraits) if clip.label != "non-micro")
    total = subjects * clips_per_class * 3
    bar = tqdm(clips, "synthetic clips", total, disable=not progress, unit="clip")
    return draw_tree(out, arguments, bar, "{clip.subject}_{:05d}.jpg", lambda rows: _write_sheet(out / SHEET, rows))


def emotion(label: str, aus: Sequence[int]) -> str:
    """SAMM's class of a drawn expression."""
    if label != "negative":
        return {"positive": "Happiness", "surprise": "Surprise"}[label]
    return "Anger" if ANGER & set(aus) else "Contempt" if CONTEMPT & set(aus) else "Other"


def _renamed(clips: Iterator[SyntheticClip]) -> Iterator[SyntheticClip]:
    """Subjects 006, 007, ..., clips 006_1_1, 006_1_2, ... in SAMM's folders."""
    numbers: dict[str, int] = {}
    seen: Counter[str] = Counter()
    for clip in clips:
        subject = f"{numbers.setdefault(clip.subject, len(numbers) + FIRST_SUBJECT):03d}"
        seen[subject] += 1
        name, label = f"{subject}_1_{seen[subject]}", emotion(clip.label, clip.combination.aus)
        yield replace(clip, subject=subject, name=name, folder=f"SAMM/{subject}/{name}", label=label, grey=True)


def _write_sheet(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    head = [*((line,) for line in TEXT[:12]), (), MICRO_HEADER]
    write_sheet(path, [Tab("MICRO ONLY", head, [_line(row) for row in rows])])


def _line(row: dict[str, Any]) -> Sequence[object]:
    span = (row["onset"], row["apex"], row["offset"], row["offset"] - row["onset"] + 1)
    return (row["subject"], row["clip"], 1, *span, "1/2", row["aus"], row["label"], None, None)
