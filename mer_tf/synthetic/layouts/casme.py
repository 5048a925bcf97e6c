"""Look-alikes of CASME, CAS(ME)^2 and CAS(ME)^3 (parts A and C)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from mer_tf.synthetic.layouts.files import Frames, Tab, Tree, header
from mer_tf.synthetic.layouts.plan import PlannedClip, deal, in_one_video, published, timed

CASME_TREES = {"Cropped": "reg_img{}.jpg", "CASME_raw_selected": "img{}.jpg"}
CASME_SUBJECTS = tuple(f"{n:02d}" for n in range(1, 20))
CASME_HEADER = header("Subject | Filename | | OnsetF | ApexF1 | ApexF2 | OffsetF | | AU | Emotion")

SQ_TREES = ("rawpic", "cropped")
SQ_SUBJECTS = (15, 16, *range(19, 28), *range(29, 39), 40)
"""Numbers in the folder names; the sheet counts the participants from 1."""
SQ_VIDEOS = {
    "disgust1": ("0101", "disgustingteeth"),
    "disgust2": ("0102", "eatingworms"),
    "anger1": ("0401", "girlcrashing"),
    "anger2": ("0402", "beatingpregnantwoman"),
    "happy2": ("0502", "funnyerrors"),
    "happy3": ("0503", "unnyfarting"),
    "happy4": ("0505", "funnyinnovations"),
    "happy5": ("0507", "climbingthewall"),
    "happy6": ("0508", "funnydunkey"),
}
"""Name of a video in the sheet -> its code and title in the folder name (the names of the videos are from memory)."""

A_SUBJECTS = tuple(f"spNO.{n}" for n in range(1, 95))
A_HEADER = header("Subject | Filename | Onset | Apex | Offset | AU | Objective class | emotion")
C_SUBJECTS = tuple(str(n) for n in range(1, 32))
C_HEADER = header("sub | count | onset | offset | au | emotion")


def casme_tree(layout: str, small: bool, rng: np.random.Generator) -> Tree:
    """`Cropped/sub01/<clip>/reg_img<n>.jpg` or `CASME_raw_selected/...`; two blank columns in the sheet."""
    clips = []
    for number, (subject, label) in enumerate(deal(published("casme", CASME_SUBJECTS, small), rng)):
        name = f"EP{1 + number % 19:02d}_{1 + number // 19}"
        clips.append(timed(subject, name, label, rng, length=(8, 30), first=(1, 200)))
    frames = [
        Frames(f"{layout}/sub{c.subject}/{c.name}", [CASME_TREES[layout].format(n) for n in c.frames]) for c in clips
    ]
    rows = [
        (int(c.subject), c.name, None, c.onset, c.apex, c.apex, c.offset, None, c.aus, c.label)
        for c in sorted(clips, key=lambda clip: clip.subject)
    ]
    return Tree(frames, {"CASME-coding.xlsx": [Tab("Sheet1", [CASME_HEADER], rows)]})


def casme_sq_tree(layout: str, small: bool, rng: np.random.Generator) -> Tree:
    """`rawpic/s15/15_0101disgustingteeth/img001.jpg`; three tabs without headers, two of them naming rules.

    A few macro-expressions have offset 0, which stands for "ends at the apex".
    """
    people = published("casme-sq", [str(n) for n in SQ_SUBJECTS], small)
    videos: dict[tuple[str, str], list[PlannedClip]] = defaultdict(list)
    names = list(SQ_VIDEOS)
    for number, (subject, label) in enumerate(deal(people, rng)):
        video = names[number % len(names)]
        home = videos[subject, video]
        length = (6, 15) if label.startswith("micro") else (17, 60)
        home.append(timed(subject, f"{video}_{len(home) + 1}", label, rng, length=length, first=(1, 900)))
    placed = {key: in_one_video(clips) for key, clips in videos.items()}
    frames = [
        Frames(f"{layout}/s{subject}/{subject}_{''.join(SQ_VIDEOS[video])}", [f"img{n:03d}.jpg" for n in c.frames])
        for (subject, video), clips in placed.items()
        for c in clips
    ]
    return Tree(frames, casme_sq_sheets([c for clips in placed.values() for c in clips], uncoded=True))


def casme_sq_sheets(clips: Sequence[PlannedClip], uncoded: bool = False) -> dict[str, list[Tab]]:
    """The sheet of clips by its name: their rows, and the rules by which subjects and videos are named.

    uncoded: some macro-expressions have offset 0, as in the published sheet.
    """
    tabs = [Tab("CASMEcode_final", [], _sq_lines(clips, uncoded))]
    tabs.append(Tab("naming rule1", [], [(n, f"s{n}", i) for i, n in enumerate(SQ_SUBJECTS, start=1)]))
    tabs.append(Tab("naming rule2", [], [(code, name) for name, (code, _) in SQ_VIDEOS.items()]))
    return {"CAS(ME)^2code_final(Updated).xlsx": tabs}


def _sq_lines(clips: Sequence[PlannedClip], uncoded: bool) -> list[Sequence[object]]:
    lines: list[Sequence[object]] = []
    for number, clip in enumerate(clips):
        kind, _, emotion = clip.label.partition("/")
        apex, offset = clip.apex, clip.offset
        if uncoded and kind.startswith("macro") and number % 29 == 0:
            apex, offset = clip.offset, 0
        participant = 1 + SQ_SUBJECTS.index(int(clip.subject))
        felt = clip.name.rstrip("_0123456789")
        lines.append((participant, clip.name, clip.onset, apex, offset, clip.aus, emotion, kind, felt))
    return lines


def casme3_a_tree(small: bool, rng: np.random.Generator) -> Tree:
    """`part_A/spNO.1/a/color/<n>.jpg` and `depth/<n>.png`; a Filename repeats for each expression of its video."""
    videos: dict[tuple[str, str], list[PlannedClip]] = defaultdict(list)
    for number, (subject, label) in enumerate(deal(published("casme3-a", A_SUBJECTS, small), rng)):
        video = "abcdefghijklm"[number % 13 if number % 4 else 0]
        videos[subject, video].append(timed(subject, video, label, rng, length=(4, 15), first=(1, 3000)))
    clips = [clip for same in videos.values() for clip in in_one_video(same)]
    frames = []
    for c in clips:
        home = f"part_A/{c.subject}/{c.name}"
        frames.append(Frames(f"{home}/color", [f"{n}.jpg" for n in c.frames]))
        frames.append(Frames(f"{home}/depth", [f"{n}.png" for n in c.frames]))
    rows = [(c.subject, c.name, c.onset, c.apex, c.offset, c.aus, "I", c.label) for c in clips]
    return Tree(frames, {"cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx": [Tab("label", [A_HEADER], rows)]})


def casme3_c_tree(small: bool, rng: np.random.Generator) -> Tree:
    """`part_C/01/<count>/color/<n>.jpg` (this tree is from memory); a sheet without apex."""
    counts: Counter[str] = Counter()
    clips = []
    for subject, label in deal(published("casme3-c", C_SUBJECTS, small), rng):
        counts[subject] += 1
        clips.append(timed(subject, str(counts[subject]), label, rng, length=(4, 15), first=(1, 3000)))
    frames = [Frames(f"part_C/{int(c.subject):02d}/{c.name}/color", [f"{n}.jpg" for n in c.frames]) for c in clips]
    rows = [(int(c.subject), int(c.name), c.onset, c.offset, c.aus.replace("+", ","), c.label) for c in clips]
    return Tree(frames, {"CAS(ME)3_part_C_ME.xlsx": [Tab("Sheet1", [C_HEADER], rows)]})
