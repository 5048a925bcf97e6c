"""Look-alikes of SMIC's folders (without drawn faces), MMEW, 4DME and the flow images of the MEGC2019 clips."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from mer_tf.synthetic.faces.clip import LABELS as SMIC_LABELS
from mer_tf.synthetic.faces.clip import SMIC_NUMBERS
from mer_tf.synthetic.layouts.casme2 import casme2_clips
from mer_tf.synthetic.layouts.files import Frames, Tab, Tree, header
from mer_tf.synthetic.layouts.plan import PlannedClip, Population, deal, published, timed
from mer_tf.synthetic.layouts.samm import samm_clips

SMIC_SLOW_SUBJECTS = (11, 12, 13, 14, 15, 18, 19, 20)
"""Subjects with micro-expressions before the VIS and NIR cameras (from memory)."""
SMIC_LENGTH = {"hs": (11, 58), "vis": (6, 15), "nir": (6, 15)}

MMEW_SUBJECTS = tuple(f"{n:02d}" for n in range(1, 37))
MMEW_CODES = {"happiness": 1, "surprise": 2, "disgust": 3, "others": 4, "fear": 5, "sadness": 6, "anger": 7}
MMEW_HEADER = header(
    "Subject | Filename | OnsetFrame | ApexFrame | OffsetFrame | Action Units | Estimated Emotion | remarks"
)

FOURD_SUBJECTS = tuple(f"s{n:02d}" for n in range(1, 42))
FOURD_FLAGS = ("Positive", "Negative", "Surprise", "Repression", "Others")
FOURD_AUS = ("1", "2", "4", "7", "12")
FOURD_HEADER = ["sub_ID", "fold_name", "Emotion", *FOURD_FLAGS, "Onset", "Apex", "Offset", "AUs"]
FOURD_HEADER += [f"AU{n}" for n in FOURD_AUS]

MEGC_CLASSES = {"negative": 0, "positive": 1, "surprise": 2, "happiness": 1, "Happiness": 1, "Surprise": 2}
MEGC_CLASSES |= dict.fromkeys(("disgust", "repression", "Anger", "Contempt", "Disgust", "Fear", "Sadness"), 0)
MEGC_DROPPED = {"04/EP12_01f", "05/EP09_05f"}
"""Clips of CASME II that the composite leaves out."""


def smic_layout_tree(camera: str, layout: str, small: bool, rng: np.random.Generator) -> Tree:
    """Folders and file names of one SMIC camera (hs, vis, nir), pictures without faces; `layout` is s01 or s1."""
    frames = []
    for clip in smic_layout_clips(camera, small, rng):
        subject = f"s{int(clip.subject[1:])}" if layout == "s1" else clip.subject
        kind = "non_micro" if clip.label == "non-micro" else f"micro/{clip.label}"
        folder = f"{camera.upper()}/{subject}/{kind}/{subject}_{clip.name}"
        frames.append(Frames(folder, [f"reg_image{n}.bmp" for n in clip.frames]))
    return Tree(frames)


def smic_layout_clips(camera: str, small: bool, rng: np.random.Generator) -> list[PlannedClip]:
    """Clips by subject; their names lack the subject (`ne_01`), since it is written in two ways."""
    numbers = SMIC_NUMBERS if camera == "hs" else SMIC_SLOW_SUBJECTS
    known = published(f"smic-{camera}", [f"s{n:02d}" for n in numbers])
    micro = Population({k: n for k, n in known.classes.items() if k != "non-micro"}, known.subjects)
    others = {k: n for k, n in known.classes.items() if k == "non-micro"}
    groups = [micro, Population(others, dict.fromkeys(known.subjects))]
    pairs = [pair for group in groups for pair in deal(group.small() if small else group, rng)]
    counts: Counter[tuple[str, str]] = Counter()
    clips = []
    for subject, label in pairs:
        counts[subject, label] += 1
        name = f"{SMIC_LABELS[label]}_{counts[subject, label]:02d}"
        length = (6, 9) if small else SMIC_LENGTH[camera]
        clips.append(timed(subject, name, label, rng, length=length, first=(1000, 560_000)))
    return clips


def mmew_tree(small: bool, rng: np.random.Generator) -> Tree:
    """`Micro_Expression/<emotion>/S01-01-001/<1..>.jpg`; every clip begins with frame 1."""
    counts: Counter[tuple[str, str]] = Counter()
    clips = []
    for subject, label in deal(published("mmew", MMEW_SUBJECTS, small), rng):
        counts[subject, label] += 1
        name = f"S{subject}-{MMEW_CODES[label]:02d}-{counts[subject, label]:03d}"
        clips.append(timed(subject, name, label, rng, length=(14, 60), first=(1, 1)))
    frames = [Frames(f"Micro_Expression/{c.label}/{c.name}", [f"{n}.jpg" for n in c.frames]) for c in clips]
    rows = [(int(c.subject), c.name, c.onset, c.apex, c.offset, c.aus, c.label, None) for c in clips]
    return Tree(frames, {"MMEW_Micro_Exp.xlsx": [Tab("Sheet1", [MMEW_HEADER], rows)]})


def fourdme_tree(layout: str, small: bool, rng: np.random.Generator) -> Tree:
    """`gray_micro/<sub_ID>/<fold_name>/<n>.jpg`; emotions may be two, and an uncertain action unit ends in (k)."""
    counts: Counter[str] = Counter()
    clips = []
    for subject, label in deal(published("4dme", FOURD_SUBJECTS, small), rng):
        counts[subject] += 1
        name = f"{subject}_{counts[subject]:02d}"
        clips.append(timed(subject, name, label, rng, length=(10, 30), first=(1, 2000)))
    frames = [Frames(f"{layout}/{c.subject}/{c.name}", [f"{n}.jpg" for n in c.frames]) for c in clips]
    rows = [_fourdme_line(clip, number) for number, clip in enumerate(clips)]
    return Tree(frames, {"4DME_Labelling_Micro_release v1.xlsx": [Tab("Sheet1", [FOURD_HEADER], rows)]}, shape=(8, 8))


def _fourdme_line(clip: PlannedClip, number: int) -> Sequence[object]:
    emotions, aus = clip.label.split("+"), clip.aus.strip("LR").split("+")
    flags = [int(flag in emotions) for flag in FOURD_FLAGS]
    text = "+".join(f"AU{au}" for au in aus) + ("(k)" if number % 7 == 0 else "")
    times = (clip.onset, clip.apex, clip.offset)
    return (clip.subject, clip.name, clip.label, *flags, *times, text, *(int(au in aus) for au in FOURD_AUS))


def flow_images_tree(small: bool, rng: np.random.Generator) -> Tree:
    """`<subject>/{u_train,u_test}/<class>/<subject>_<clip> .png` of 28x28 pixels.

    One fold for each subject: every image comes once as a test image and repeats in the training folders of all other
    subjects. The blank before `.png` is in the published names.
    """
    clips = megc_names(small, rng)
    subjects = dict.fromkeys(subject for subject, _, _ in clips)
    frames = [
        Frames(
            f"{fold}/{'u_test' if fold == subject else 'u_train'}/{label}",
            [f"{subject}_{name} .png"],
            picture,
        )
        for fold in subjects
        for picture, (subject, name, label) in enumerate(clips)
    ]
    return Tree(frames, shape=(28, 28, 3))


def megc_names(small: bool, rng: np.random.Generator) -> list[tuple[str, str, int]]:
    """(subject, clip, class) of the composite's clips: 0 negative, 1 positive, 2 surprise."""
    smic = [(c.subject, f"{c.subject}_{c.name}", c.label) for c in smic_layout_clips("hs", small, rng)]
    casme2 = [
        (f"sub{c.subject}", c.name, c.label)
        for c in casme2_clips(small, rng)
        if f"{c.subject}/{c.name}" not in MEGC_DROPPED
    ]
    samm = [(c.subject, c.name, c.label) for c in samm_clips(small, rng)]
    named = [*casme2, *smic, *samm]
    return [(subject, name, MEGC_CLASSES[label]) for subject, name, label in named if label in MEGC_CLASSES]
