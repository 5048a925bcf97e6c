"""What the spotters find in drawn long videos of faces on which nothing was tuned, and what they report on real ones.

python benchmarks/spotting.py --work DIR                # draws, follows, scores; tables and pictures go to docs/
python benchmarks/spotting.py --work DIR --real FOLDER  # also counts false events in videos without annotation
python benchmarks/spotting.py --work DIR --only speed   # some of: curve, rules, real, kinds, speed, memory

What is drawn and followed stays in DIR, so a stopped call goes on.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import pandas as pd
from matplotlib.figure import Figure
from results import keep, processor, table

from mer_tf.datasets.manifest import read_manifest
from mer_tf.files import write_csv
from mer_tf.reporting.plots import save
from mer_tf.scoring.intervals import true_intervals
from mer_tf.synthetic.faces.painted import painted_portrait
from mer_tf.synthetic.faces.portraits import load_portraits
from mer_tf.synthetic.long.plan import DISTRACTORS
from mer_tf.synthetic.long.write import write_long
from mer_tf.video.blocks import Piece, folder_name
from mer_tf.video.decide import RULES, TOO_NOISY, by_rules, judged
from mer_tf.video.hoof_lstm import HoofLstmSpotter
from mer_tf.video.sources import open_source
from mer_tf.video.spot import follow
from mer_tf.video.spotters import FlowSpotter, Followed, Spotter, scored
from mer_tf.video.verdict import VerdictSpotter

DOCS = Path(__file__).parents[1] / "docs"
KINDS = Path(__file__).with_name("spotting_videos.csv")
"""Which kind of video is meant by a name."""
PHOTO = "photo"
"""The astronaut's portrait, on which the rules were tuned in other videos; numbers are seeds of painted portraits."""


@dataclass(frozen=True)
class Cell:
    """One drawn video."""

    face: str
    seed: int
    amplitude: float
    talk: bool = True
    fps: float = 30.0
    seconds: float = 60.0

    @property
    def name(self) -> str:
        """Of its folder."""
        talk = "all" if self.talk else "quiet"
        return f"{self.face}-{self.seed}-{self.amplitude:g}px-{talk}-{self.fps:g}fps-{self.seconds:g}s"


LEARNED = [
    Cell("4", 14, 0),
    Cell("0", 11, 1),
    Cell("2", 13, 0.5),
    Cell("3", 15, 1),
    Cell("6", 12, 2),
    Cell("9", 18, 3),
]
"""Videos that spotters learn from."""
FACES = (("40", 21), (PHOTO, 22))
AMPLITUDES = (0.0, 1.0, 2.0, 3.0)
TRIED = [
    *(Cell(face, seed, a, talk) for talk in (True, False) for face, seed in FACES for a in AMPLITUDES),
    *(Cell("40", 21, a, fps=100.0) for a in AMPLITUDES),
]
"""Videos of other people, which nothing was tuned or learned on."""


def followed(cell: Cell, work: Path) -> Followed:
    """Its curves; drawn and read once."""
    tree = work / cell.name
    portraits = load_portraits() if cell.face == PHOTO else [painted_portrait(int(cell.face))]
    wanted = [name for name in DISTRACTORS if cell.talk or name != "talk"]
    given = {"amplitude": cell.amplitude, "seconds": cell.seconds, "fps": cell.fps, "seed": cell.seed}
    write_long(tree, subjects=1, distractors=tuple(wanted), portraits=portraits, **given)
    rows = read_manifest(tree / "manifest.csv")
    pieces = _pieces(tree / rows[0].video, tree / "work")
    true = [replace(one, video=cell.name) for one in true_intervals(rows)] if cell.amplitude else []
    return Followed(cell.name, cell.name, cell.fps, pieces, true)


def _pieces(video: Path, work: Path) -> list[Piece]:
    return follow(open_source(video), work / folder_name(video.name)).pieces()


def curve(work: Path) -> pd.DataFrame:
    """Scores of every spotter by frame rate, speech and amplitude."""
    learned = [followed(cell, work) for cell in LEARNED]
    videos = {cell: followed(cell, work) for cell in TRIED}
    spotters: list[Spotter] = [FlowSpotter(), VerdictSpotter(), HoofLstmSpotter()]
    for spotter in spotters:
        spotter.fit(learned)
    groups = dict.fromkeys((c.fps, c.talk, c.amplitude) for c in TRIED)
    return pd.DataFrame(
        [
            {"fps": fps, "talking": talk, "amplitude": amplitude, "spotter": spotter.name}
            | score([videos[c] for c in TRIED if (c.fps, c.talk, c.amplitude) == (fps, talk, amplitude)], spotter)
            | _length([c for c in TRIED if (c.fps, c.talk, c.amplitude) == (fps, talk, amplitude)])
            for fps, talk, amplitude in groups
            for spotter in spotters
        ]
    )


def _length(cells: Sequence[Cell]) -> dict[str, float]:
    return {"videos": len(cells), "seconds": sum(cell.seconds for cell in cells)}


def score(videos: Sequence[Followed], spotter: Spotter) -> dict[str, float]:
    """Pooled F1 at an intersection over union of .5, and how many were true and false."""
    found = [one for video in videos for one in spotter.spot(video)]
    counts = scored(videos, found).counts
    total = counts["total"]
    said = {f"{kind} F1": round(counts[kind].f1, 3) for kind in ("micro", "macro", "total")}
    return said | {"true": total.true, "hits": total.hits, "false": total.found - total.hits}


def curve_png(rows: pd.DataFrame, path: Path) -> Path:
    """Micro F1 against amplitude, a panel for each frame rate and whether people talk."""
    figure = Figure(figsize=(9, 3.4), layout="constrained", dpi=120)
    panels = list(rows[rows["amplitude"] > 0].groupby(["fps", "talking"], sort=False))
    for axes, ((fps, talk), part) in zip(figure.subplots(1, len(panels), sharey=True), panels, strict=True):
        for name, line in part.groupby("spotter", sort=False):
            axes.plot(line["amplitude"], line["micro F1"], marker="o", ms=4, label=name)
        videos = int(part["videos"].iloc[0])
        what = "all distractors" if talk else "no talking"
        axes.set_title(f"{fps:g} fps, {what}, videos a point: {videos}", fontsize=9)
        axes.set(xlabel="amplitude, pixels", ylim=(0, 1.03))
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("micro F1 (IoU .5)")
    figure.axes[0].legend(fontsize=8, loc="lower right")
    return save(figure, path)


def rejections(work: Path, real: Sequence[Followed]) -> pd.DataFrame:
    """What every rule buys: false events a minute without it, and what it costs at 1 pixel."""
    still = [(followed(c, work), c.seconds) for c in TRIED if not c.amplitude and c.talk and c.fps == 30]
    moved = [followed(c, work) for c in TRIED if c.amplitude == 1 and c.talk and c.fps == 30]
    seconds = sum(length for _, length in still)
    rows = []
    for name, without in {"none": (), **{r: (r,) for r in RULES}, "all of them": tuple(RULES)}.items():
        judge = partial(by_rules, without=without)
        found = {"0 px": sum(len(video.found(judge)) for video, _ in still) * 60 / seconds}
        if real:
            found["real"] = sum(len(v.found(judge)) for v in real) * 60 / sum(map(_seconds, real))
        counts = scored(moved, [f for v in moved for f in v.found(judge)]).counts
        rates = {f"false a minute, {kind}": round(rate, 1) for kind, rate in found.items()}
        rows.append({"left out": name} | rates | {"micro F1, 1 px": round(counts["micro"].f1, 2)})
    return pd.DataFrame(rows)


def _seconds(video: Followed) -> float:
    """For how long somebody was followed; of several people the sum."""
    return sum(len(piece.curves.light) for piece in video.pieces) / video.fps


def real_videos(folder: Path, work: Path) -> list[Followed]:
    """Videos without annotation: all that is found in them counts as false."""
    made = []
    for path in sorted(p for p in folder.iterdir() if p.suffix in (".mp4", ".mkv", ".avi", ".webm")):
        source = open_source(path)
        made.append(Followed(path.name, path.name, source.fps, _pieces(path, work / "real"), []))
    return made


def real_rows(videos: Sequence[Followed]) -> Iterator[dict[str, object]]:
    """A line a video."""
    for video in videos:
        noise = [scene.noise for _, scene, _ in video.seen]
        found = [one for _, scene, all_found in video.seen for one in judged(all_found, scene, by_rules)]
        called = [one for one in found if not one.cause]
        causes = pd.Series([one.cause for one in found if one.cause not in ("", "below the noise")], dtype=str)
        yield {
            "video": video.name,
            "seconds followed": round(_seconds(video), 1),
            "people": len({piece.track for piece in video.pieces}),
            "noise, px": "-" if not noise else f"{min(noise):.2f} to {max(noise):.2f}",
            "abstained": f"{sum(n > TOO_NOISY for n in noise)} of {len(noise)}",
            "events": len(called),
            "events a minute": round(len(called) * 60 / max(_seconds(video), 1e-9), 1) if video.pieces else 0.0,
            "rejected": ", ".join(f"{cause} {n}" for cause, n in causes.value_counts().items()) or "-",
        }


def kind_rows(videos: Sequence[Followed]) -> Iterator[dict[str, object]]:
    """A line a kind of video, as `KINDS` names them."""
    kinds = pd.read_csv(KINDS).set_index("video")["kind"]
    rows = pd.DataFrame(real_rows(videos))
    for kind, part in rows.groupby(rows["video"].map(kinds).fillna("other"), sort=False):
        silent = [tuple(map(int, cell.split(" of "))) for cell in part["abstained"]]
        seconds, events = float(part["seconds followed"].sum()), int(part["events"].sum())
        yield {
            "kind": kind,
            "videos": ", ".join(part["video"]),
            "seconds followed": round(seconds, 1),
            "tracks abstained": f"{sum(n for n, _ in silent)} of {sum(n for _, n in silent)}",
            "events": events,
            "events a minute": round(events * 60 / seconds, 1) if seconds else 0.0,
        }


MEMORY = """
import resource, sys
from mer_tf.cli import main
main(["spot", sys.argv[1], "--out", sys.argv[2]])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def memory(work: Path) -> Iterator[dict[str, object]]:
    """The whole command, from the first frame to the page, on a video of a minute and of ten."""
    for minutes in (1, 10):
        video, out = work / f"memory-{minutes}.mp4", work / f"memory-{minutes}"
        if not video.exists():
            _enlarged(_drawn(work), video, (640, 480), 60 * minutes)
        shutil.rmtree(out, ignore_errors=True)
        command = [sys.executable, "-c", MEMORY, str(video), str(out)]
        said = subprocess.run(command, capture_output=True, check=True, text=True).stdout
        verdicts = pd.read_csv(out / "events.csv")["verdict"]
        yield {
            "minutes of video": minutes,
            "expressions on the page": int((verdicts != "rejected").sum()),
            "memory at most, MiB": round(float(said.split()[-1])),
        }


MEASURE = """
import json, resource, sys, time
from pathlib import Path
from mer_tf.video.sources import open_source
from mer_tf.video.spot import follow
import numpy as np
from mer_tf.video.people import find_faces
source = open_source(Path(sys.argv[1]))
find_faces(next(source.pictures()))
clock, cpu = time.perf_counter(), time.process_time()
store = follow(source, Path(sys.argv[2]), progress=False)
clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
print(json.dumps([store.frames / source.fps, clock, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def speed(work: Path) -> Iterator[dict[str, object]]:
    """Time and memory of following one face; the detector is loaded before the clock starts."""
    for width, height, seconds in ((640, 480, 20), (640, 480, 80), (3840, 2160, 5)):
        video = work / f"speed-{width}-{seconds}.mp4"
        if not video.exists():
            _enlarged(_drawn(work), video, (width, height), seconds)
        folder = work / "speed-curves"
        shutil.rmtree(folder, ignore_errors=True)
        command = [sys.executable, "-c", MEASURE, str(video), str(folder)]
        length, clock, cpu, memory = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        yield {
            "size": f"{width} x {height}",
            "seconds of video": round(length),
            "CPU seconds a second": round(cpu / length, 2),
            "times real time, two cores kept busy": round(2 * length / cpu, 2),
            "times real time by the clock": round(length / clock, 2),
            "memory, MiB": round(memory),
        }


def _drawn(work: Path) -> Path:
    """A minute of a face that moves by a pixel among all distractors."""
    followed(TRIED[1], work)
    (path,) = (work / TRIED[1].name).rglob("rawvideo/*/*.mp4")
    return path


def _enlarged(source: Path, path: Path, size: tuple[int, int], seconds: float) -> None:
    """The video over and over, larger."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 30, size)
    left = round(seconds * 30)
    while left:
        capture = cv2.VideoCapture(str(source))
        while left and (read := capture.read())[0]:
            writer.write(cv2.resize(read[1], size, interpolation=cv2.INTER_CUBIC))
            left -= 1
    writer.release()


def _of_curve(given: argparse.Namespace, real: Sequence[Followed]) -> pd.DataFrame:
    rows = curve(given.work)
    curve_png(rows, DOCS / "spotting_curve.png")
    return _shown(rows)


def _shown(rows: pd.DataFrame) -> pd.DataFrame:
    """False events a minute beside the scores; of videos in which nothing moves these alone."""
    shown = rows.assign(**{"false a minute": (rows["false"] * 60 / rows["seconds"]).round(1)})
    shown["talking"] = shown["talking"].map({True: "yes", False: "no"})
    scores = [f"{kind} F1" for kind in ("micro", "macro", "total")]
    shown[scores] = shown[scores].where(shown["amplitude"] > 0)
    return shown.drop(columns=["false"])


SECTIONS: dict[str, tuple[str, Callable[[argparse.Namespace, Sequence[Followed]], pd.DataFrame]]] = {
    "curve": (
        "Drawn videos of a painted face on which nothing was tuned or learned and, at 30 frames a second, of the "
        "photograph of an astronaut, from another seed than those on which the rules were tuned. The learned spotters "
        "saw six videos of six other painted faces. Compressed (MPEG-4), 320 x 240. One or two videos a row, so a "
        "single event moves a score by several hundredths.\n\n![Micro F1 over amplitude](spotting_curve.png)",
        _of_curve,
    ),
    "rules": (
        "What each rule buys. False events a minute in drawn videos in which nobody moves but for distractors, and in "
        "real videos, without one rule after the other; and micro F1 at 1 pixel with all distractors.",
        lambda given, real: rejections(given.work, real),
    ),
    "real": (
        "Real faces without annotation, so every event counts as false; some may be true.",
        lambda given, real: pd.DataFrame(real_rows(real)),
    ),
    "kinds": (
        "The same by kind of video.",
        lambda given, real: pd.DataFrame(kind_rows(real)),
    ),
    "speed": (
        "Time and memory of `mer-tf spot` with one face ({processor}), the detector loaded before, nothing else "
        "running.",
        lambda given, real: pd.DataFrame(speed(given.work)),
    ),
    "memory": (
        "Memory of the whole command, from the first frame to the page with its pictures, answers and heat maps "
        "(640 x 480, 30 frames a second, one face, a minute over and over).",
        lambda given, real: pd.DataFrame(memory(given.work)),
    ),
}
"""Name -> what stands above its table, and what measures it."""


OF_REAL = ("real", "kinds")


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "-" if pd.isna(value) else f"{value:g}"
    return str(value)


def show(name: str, rows: pd.DataFrame, before: str) -> None:
    """Keep a table as CSV, and between its markers on the page."""
    write_csv(rows, Path(__file__).with_name(f"spotting_{name}.csv"))
    cells = [[_cell(value) for value in row] for row in rows.to_numpy()]
    text = f"{before}\n\n{table(list(map(str, rows.columns)), cells)}"
    print(text)
    keep(f"spotting-{name}", text, DOCS / "spotting.md")


def main() -> None:
    """Measure and put it into docs/."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--only", nargs="+", choices=list(SECTIONS), default=list(SECTIONS))
    given = parser.parse_args()
    real = real_videos(given.real, given.work) if given.real and {"rules", *OF_REAL} & {*given.only} else []
    for name in given.only:
        text, measure = SECTIONS[name]
        if name not in OF_REAL or real:
            show(name, measure(given, real), text.replace("{processor}", processor()))


if __name__ == "__main__":
    main()
