"""What a recogniser says of onset and apex: asked only where the preconditions hold, and "uncertain" is an answer.

`--run` names a run of exp8, whose flow is read as the shipped recogniser reads it, or any other run or bundle, which
is given the frames of the face and takes of them what it was trained on.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mer_tf.au_flow.recogniser import CROP, Recogniser, of_drawn, of_run, uncertain
from mer_tf.au_flow.use import flow_in
from mer_tf.datasets.adapters.own_folders import folders_listing
from mer_tf.datasets.manifest import write_manifest
from mer_tf.files import write_csv
from mer_tf.models.kernel_model import UNCERTAIN
from mer_tf.preprocessing.flow import Method
from mer_tf.preprocessing.frames import Frame
from mer_tf.preprocessing.pictures import write_picture
from mer_tf.run_directory import METHODS
from mer_tf.synthetic.action_units.fields import flow_images
from mer_tf.synthetic.action_units.geometry import crop_of_landmarks

NO_RECORD = "nobody has measured how often that is right on people"


@dataclass(frozen=True, eq=False)
class Shown:
    """A movement of a face that the preconditions let pass."""

    onset: Frame
    apex: Frame
    """Whole RGB pictures."""
    five: NDArray[np.float64]
    """The face in the onset."""
    fps: float
    part: Sequence[Frame] = ()
    """The face from onset to offset, cut out of the pictures."""
    apex_place: int = 0
    """Which of `part` is the apex."""


@dataclass(frozen=True)
class Answer:
    """What was said, or why nothing was."""

    probabilities: Mapping[str, float] = field(default_factory=dict)
    record: str = ""
    """How often such an answer was right."""
    refused: str = ""

    @property
    def uncertain(self) -> bool:
        """Whether being wrong is as likely as being right."""
        return bool(self.probabilities) and uncertain(np.array(list(self.probabilities.values())))

    @property
    def best(self) -> str:
        """The most probable class; "uncertain" where no class has half; "" where nothing was said."""
        if not self.probabilities:
            return ""
        return "uncertain" if self.uncertain else max(self.probabilities, key=lambda k: self.probabilities[k])

    def told(self) -> dict[str, Any]:
        """As events.json has it."""
        shown = {k: round(p, 4) for k, p in self.probabilities.items()}
        return {"answer": self.best, "probabilities": shown, "record": self.record, "refused": self.refused}

    def words(self) -> dict[str, str]:
        """As the page has it: `text` for a cell, `long` for a line."""
        if not self.probabilities:
            return {"text": "none", "long": f"No answer: {self.refused}."}
        shares = ", ".join(f"{k} {p:.2f}" for k, p in sorted(self.probabilities.items(), key=lambda kp: -kp[1]))
        top = max(self.probabilities.values())
        text = self.best if self.uncertain else f"{self.best} {top:.2f}"
        said = f"uncertain, no class has {UNCERTAIN:.0%}" if self.uncertain else self.best
        long = f"Recognised: {said} ({shares}); {self.record}."
        return {"text": text, "long": long}


class Asked(Protocol):
    """Something that recognises."""

    parts: bool
    """Whether it takes the frames of the face rather than onset and apex alone."""

    @property
    def limits(self) -> Sequence[str]:
        """What must be said beside its answers."""
        ...

    def __call__(self, shown: Sequence[Shown]) -> list[Answer]:
        """An answer for each."""
        ...


class ByFlow:
    """The shipped recogniser of onset-apex flow, or that of a run of exp8; trained when it is first asked."""

    parts = False

    def __init__(self, run: Path | None = None, flow: Method = "dis") -> None:
        self.run, self.flow = run, flow

    @property
    def known(self) -> Recogniser:
        """What answers."""
        return of_drawn() if self.run is None else of_run(self.run)

    @property
    def limits(self) -> Sequence[str]:
        """What must be said beside its answers."""
        return (f"It was trained on {self.known.trained_on}.", *self.known.limits)

    def __call__(self, shown: Sequence[Shown]) -> list[Answer]:
        """By the flow in a crop of the face."""
        if not shown:
            return []
        images = np.stack([flow_images(field_of(one.onset, one.apex, one.five, self.flow)) for one in shown])
        rows = self.known.probabilities(images)
        return [Answer(_named(self.known.classes, row), NO_RECORD) for row in rows]


class ByRun:
    """Any finished run, or a bundle: it takes of the frames what it was trained on."""

    parts = True

    def __init__(self, run: Path) -> None:
        self.run = run
        self.limits: Sequence[str] = (f"The answers are those of {run.name}, on frames cut out round each face.",)

    def __call__(self, shown: Sequence[Shown]) -> list[Answer]:
        """By the clip from onset to offset; of one that it cannot use the reason."""
        from mer_tf.serving.answers import predict_paths  # brings Keras
        from mer_tf.serving.opened import opened

        if not shown:
            return []
        with tempfile.TemporaryDirectory(prefix="mer_tf-") as home, opened(self.run) as trained:
            self.limits = (*self.limits[:1], trained.said)
            manifest = _as_clips(shown, Path(home))
            table = predict_paths(trained, [manifest], pictures=False)
            rows = {row["clip_id"].split("/")[-1]: row for row in table.to_dict("records")}
            lost = Answer(refused="its frames cannot be used by this run")
            found = [rows.get(_name(k)) for k in range(len(shown))]
            return [
                lost if row is None else Answer({c: float(row[f"p_{c}"]) for c in trained.classes}, row["record"])
                for row in found
            ]


def asked_of(run: Path | None) -> Asked:
    """The shipped recogniser; of a run with the recommended one that; else the run itself."""
    if run is None or (run.is_dir() and (run / METHODS).is_file()):
        return ByFlow(run)
    return ByRun(run)


def field_of(onset: Frame, apex: Frame, five: NDArray[np.float64], flow: Method) -> NDArray[np.float32]:
    """Flow (28, 28, 2) in the crop of the face that the recommended recogniser knows."""
    return flow_in((onset, apex), crop_of_landmarks(five, CROP), flow)


def _named(classes: Sequence[str], row: NDArray[np.floating]) -> dict[str, float]:
    return {name: float(p) for name, p in zip(classes, row, strict=True)}


def _name(number: int) -> str:
    return f"event-{number:04d}"


def _as_clips(shown: Sequence[Shown], home: Path) -> Path:
    """A folder of pictures for each, and a manifest of them."""
    rows = []
    for number, one in enumerate(shown):
        folder = home / _name(number)
        folder.mkdir()
        for k, frame in enumerate(one.part):
            write_picture(folder / f"img{k:04d}.png", frame)
        span = {"onset": 0, "apex": one.apex_place, "offset": len(one.part) - 1, "fps": one.fps}
        rows.append({"clip": _name(number), "subject": _name(number), "label": "unknown", **span})
    sheet = write_csv(pd.DataFrame(rows), home / "events.csv")
    listing = folders_listing(home, sheet)
    write_manifest(listing.rows, home / "manifest.csv")
    return home / "manifest.csv"
