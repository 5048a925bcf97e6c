"""Look-alikes of SAMM and of its long videos, their headers below a dozen lines of text."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from mer_tf.synthetic.layouts.files import Frames, Tab, Tree, header
from mer_tf.synthetic.layouts.plan import PlannedClip, Population, deal, in_one_video, published, timed

MICRO_SUBJECTS = ("006", "007", *(f"{n:03d}" for n in range(9, 27)), "028", *(f"{n:03d}" for n in range(30, 38)))
LONG_SUBJECTS = tuple(f"{n:03d}" for n in range(6, 38))
MICRO_HEADER = header(
    "Subject | Filename | Inducement Code | Onset Frame | Apex Frame | Offset Frame | Duration | Micro | Action Units"
    "| Estimated Emotion | Objective Classes | Notes"
)
LONG_HEADER = header(
    "Subject | Filename | Inducement Code | Onset | Apex | Offset | Duration | Type | Action Units | Notes"
)
OBJECTIVE = {"I": 24, "II": 13, "III": 20, "IV": 8, "V": 3, "VI": 7, "VII": 84}
"""Clips of each objective class in the published sheet (v2)."""
TEXT = """SAMM: codes of the micro-movements (look-alike, no person was recorded)
Subject numbers have three digits

Frames are counted at 200 per second
Onset, apex and offset are
the numbers in the file names

Duration: offset - onset + 1
Micro: 1/2 when up to half a second long
Action units after FACS
Emotion: estimated
Objective class: from the action units
""".splitlines()
MICRO_SHEET = "SAMM_Micro_FACS_Codes_v2.xlsx"
VIDEOS = 147
MICRO = "Micro - 1/2"


def samm_tree(small: bool, rng: np.random.Generator) -> Tree:
    """`SAMM/006/006_1_2/006_05562.jpg` and a sheet whose header is its 14th row."""
    clips = samm_clips(small, rng)
    frames = [_numbered(f"SAMM/{c.subject}/{c.name}", c.subject, c.frames, digits=5) for c in clips]
    objective = rng.permutation([name for name, n in OBJECTIVE.items() for _ in range(n)]).tolist()
    return Tree(frames, {MICRO_SHEET: [micro_tab(clips, objective)]}, shape=(8, 8))


def micro_tab(clips: Sequence[PlannedClip], objective: Iterable[str | None]) -> Tab:
    """The sheet of micro-movements with the objective class of each."""
    rows = [
        (*_named_span(clip), "1/2", "R12 or R15" if clip.aus == "R10" else clip.aus, clip.label, code, None)
        for clip, code in zip(clips, objective, strict=False)
    ]
    return Tab("MICRO ONLY", [*_text(12), (), MICRO_HEADER], rows)


def samm_clips(small: bool, rng: np.random.Generator) -> list[PlannedClip]:
    """Clips of the micro-movement sheet, by subject.

    One subject has only `Other` (28 of 29 take part in MEGC2019), two have neither of the five largest classes (27).
    """
    known = published("samm", MICRO_SUBJECTS)
    rare = ("Disgust", "Fear", "Sadness")
    people = Population(
        known.classes,
        dict(known.subjects) | {"025": 2, "023": 3, "024": 3},
        confined={"025": ("Other",), "023": rare, "024": rare},
        shown=("Anger", "Happiness", "Surprise", "Contempt"),
    )
    people = people.small(MICRO_SUBJECTS[:3]) if small else people
    length = (30, 40) if small else (30, 101)
    counts: Counter[str] = Counter()
    clips = []
    for subject, label in deal(people, rng):
        video, number = 1 + counts[subject] % 7, 1 + counts[subject] // 7
        counts[subject] += 1
        clips.append(timed(subject, f"{subject}_{video}_{number}", label, rng, length=length, first=(100, 9000)))
    return clips


def samm_lv_tree(small: bool, rng: np.random.Generator) -> Tree:
    """`SAMM_longvideos/006_1/006_1_0001.jpg`, frames of the expressions only, header on the 10th row."""
    videos: dict[str, list[PlannedClip]] = defaultdict(list)
    have: Counter[str] = Counter()
    for subject, kind in deal(published("samm-lv", LONG_SUBJECTS, small), rng):
        count = 1 + have[subject] % _videos_of(subject)
        have[subject] += 1
        home = videos[f"{subject}_{count}"]
        length = (30, 101) if kind == MICRO else (102, 110)
        home.append(timed(subject, f"{subject}_{count}_{len(home) + 1}", kind, rng, length=length, first=(1, 900)))
    placed = {video: in_one_video(clips) for video, clips in videos.items()}
    frames = [_numbered(f"SAMM_longvideos/{v}", v, c.frames, digits=4) for v, clips in placed.items() for c in clips]
    return Tree(frames, samm_lv_sheets([c for clips in placed.values() for c in clips]), shape=(8, 8))


def samm_lv_sheets(clips: Sequence[PlannedClip]) -> dict[str, list[Tab]]:
    """The sheet of clips of long videos by its name."""
    rows = [(*_named_span(clip), clip.label, clip.aus, None) for clip in clips]
    return {"SAMM_LongVideos_V2_Release.xlsx": [Tab("Sheet1", [*_text(9), LONG_HEADER], rows)]}


def _videos_of(subject: str) -> int:
    """Long videos of a subject: 147 over 32 subjects."""
    share, more = divmod(VIDEOS, len(LONG_SUBJECTS))
    return share + (LONG_SUBJECTS.index(subject) < more)


def _text(lines: int) -> Iterator[Sequence[str]]:
    return ((line,) for line in TEXT[:lines])


def _numbered(folder: str, stem: str, numbers: range, digits: int) -> Frames:
    return Frames(folder, [f"{stem}_{n:0{digits}d}.jpg" for n in numbers])


def _named_span(clip: PlannedClip) -> Sequence[object]:
    """The cells with which a row of either sheet begins, up to the duration."""
    code, length = int(clip.name.split("_")[1]), clip.offset - clip.onset + 1
    return (clip.subject, clip.name, code, clip.onset, clip.apex, clip.offset, length)
