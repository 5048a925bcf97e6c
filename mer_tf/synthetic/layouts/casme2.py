"""Look-alike of CASME II: three trees (Cropped, RAW, RAW_selected) and the sheets of 2014 and of the update."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mer_tf.synthetic.layouts.files import Frames, Tab, Tree, header
from mer_tf.synthetic.layouts.plan import PlannedClip, Population, deal, published, timed

SUBJECTS = tuple(f"{n:02d}" for n in range(1, 27))
SMALL_SUBJECTS = ("04", "05", "24")
TREES = {"Cropped": "reg_img{}.jpg", "CASME2_RAW": "img{}.jpg", "CASME2_RAW_selected": "img{}.jpg"}
LAYOUTS = tuple(tree + sheet for sheet in ("", "+updated") for tree in TREES)
HEADER = header("Subject | Filename | | OnsetFrame | ApexFrame | OffsetFrame | | Action Units | Estimated Emotion")
OBJECTIVE = {1: 25, 2: 15, 3: 99, 4: 26, 5: 20, 6: 1, 7: 69}
"""Clips of each objective class (Davison et al. 2018; the last two, and the sheet's layout, are from memory)."""
OBJECTIVE_HEADER = header("Subject | Filename | Objective Class")
SHEET = "CASME2-coding-20140508.xlsx"
MARGIN = 5
"""Frames before the onset and after the offset in the RAW tree."""

NAMED = (
    PlannedClip("04", "EP12_01f", "disgust", 261, None, 321, "4+7"),
    PlannedClip("05", "EP09_05f", "disgust", 101, 130, 150, "4"),
    PlannedClip("05", "EP12_03f", "surprise", 86, 120, 155, "1+2"),
    PlannedClip("07", "EP06_01", "others", 41, 78, 110, "4"),
    PlannedClip("12", "EP09_02", "disgust", 31, 60, 99, "4+7"),
    PlannedClip("12", "EP09_06", "disgust", 51, 71, 100, "4+7"),
    PlannedClip("16", "EP01_08", "disgust", 21, 50, 91, "9"),
    PlannedClip("20", "EP16_01", "others", 151, 171, 201, "14"),
)
"""Clips the literature names. Only 04/EP12_01f has its published frame numbers."""
CHANGED = ("07/EP06_01", "12/EP09_02", "12/EP09_06", "16/EP01_08", "20/EP16_01")
"""Clips with other frames in the updated sheet; here they begin and peak three frames later there."""
ADDED = PlannedClip("24", "EP02_07", "disgust", 61, 91, 106, "4")
"""The 256th row of the updated sheet."""


def casme2_tree(layout: str, small: bool, rng: np.random.Generator) -> Tree:
    """Frames and sheets (coding and, of the clips of 2014, objective classes); `layout` is one of `LAYOUTS`."""
    tree, _, sheet = layout.partition("+")
    clips = casme2_clips(small, rng)
    stated = [*map(_update, clips), ADDED] if sheet else clips
    stated.sort(key=lambda clip: clip.subject)
    margin = MARGIN if tree == "CASME2_RAW" else 0
    spans = {(c.subject, c.name): c for c in stated} | {(c.subject, c.name): c for c in clips}
    frames = [_frames(clip, tree, margin) for clip in spans.values()]
    name = "CASME2-coding-updated.xlsx" if sheet else SHEET
    codes = rng.permutation([code for code, n in OBJECTIVE.items() for _ in range(n)]).tolist()
    objective = [(int(c.subject), c.name, code) for c, code in zip(clips, codes, strict=False)]
    sheets = {
        name: [coding_tab(stated)],
        "CASME2-ObjectiveClasses.xlsx": [Tab("Sheet1", [OBJECTIVE_HEADER], objective)],
    }
    return Tree(frames, sheets)


def casme2_clips(small: bool, rng: np.random.Generator) -> list[PlannedClip]:
    """Clips of the sheet of 2014, by subject."""
    known = published("casme2", SUBJECTS)
    outside = ("others", "sadness", "fear")
    people = Population(
        known.classes,
        known.subjects,
        confined={"10": outside, "18": outside},
        shown=("happiness", "surprise", "disgust", "repression"),
        named=NAMED,
    )
    people = people.small(SMALL_SUBJECTS) if small else people
    length = (24, 40) if small else (24, 110)
    clips = list(people.named)
    for number, (subject, label) in enumerate(deal(people, rng)):
        name = f"EP{20 + number % 10}_{number:02d}{'f' if number % 3 == 0 else ''}"
        clips.append(timed(subject, name, label, rng, length=length, first=(6, 300)))
    return sorted(clips, key=lambda clip: clip.subject)


def _update(clip: PlannedClip) -> PlannedClip:
    if f"{clip.subject}/{clip.name}" not in CHANGED or clip.apex is None:
        return clip
    return replace(clip, onset=clip.onset + 3, apex=clip.apex + 3)


def _frames(clip: PlannedClip, tree: str, margin: int) -> Frames:
    numbers = range(clip.onset - margin, clip.offset + margin + 1)
    return Frames(f"{tree}/sub{clip.subject}/{clip.name}", [TREES[tree].format(n) for n in numbers])


def coding_tab(clips: Sequence[PlannedClip]) -> Tab:
    """The coding sheet."""
    rows = [
        (int(c.subject), c.name, None, c.onset, "/" if c.apex is None else c.apex, c.offset, None, c.aus, c.label)
        for c in clips
    ]
    return Tab("Sheet1", [HEADER], rows)
