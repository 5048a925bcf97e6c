"""What a recogniser says of onset and apex: asked only where the preconditions hold, and "uncertain" is an answer.

`--run` names a run of exp8, whose flow is read as the shipped recogniser reads it, or any other run or bundle, which
is given the frames of the face and takes of them what it was trained on.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

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
from mer_tf.video.heat import Heat, heat_of_flow, heated

if TYPE_CHECKING:
    from mer_tf.serving.pictures import Heat as ClipHeat
    from mer_tf.serving.trained import Trained

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
    explain: bool = False
    """Whether heat is wanted."""


@dataclass(frozen=True)
class Answer:
    """What was said, or why nothing was."""

    probabilities: Mapping[str, float] = field(default_factory=dict)
    """Calibrated, where it is known how often the recogniser is right."""
    record: str = ""
    """How often such an answer was right."""
    refused: str = ""
    uncalibrated: Mapping[str, float] = field(default_factory=dict)
    """What the recogniser gave before its own tests tempered it; empty where they could not."""
    heat: Heat | None = None
    """Where the answer comes from; None where nobody asked."""

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
        said = {"answer": self.best, "probabilities": rounded(self.probabilities)}
        said |= {"uncalibrated": rounded(self.uncalibrated)}
        return said | {"record": self.record, "refused": self.refused}

    def words(self) -> dict[str, str]:
        """As the page has it: `text` for a cell, `long` for a line."""
        if not self.probabilities:
            return {"text": "none", "long": f"No answer: {self.refused}."}
        shares = ", ".join(f"{k} {p:.2f}" for k, p in sorted(self.probabilities.items(), key=lambda kp: -kp[1]))
        top = max(self.probabilities.values())
        text = self.best if self.uncertain else f"{self.best} {top:.2f}"
        said = f"uncertain, no class has {UNCERTAIN:.0%}" if self.uncertain else self.best
        before = f"; before calibration {max(self.uncalibrated.values()):.2f}" if self.uncalibrated else ""
        long = f"Recognised: {said} ({shares}{before}); {self.record}."
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
        fields = [field_of(one.onset, one.apex, one.five, self.flow) for one in shown]
        rows = self.known.probabilities(np.stack([flow_images(one) for one in fields]))
        answers = [answer_of(self.known, row) for row in rows]
        return [
            replace(answer, heat=self._heat(one, answer, moves)) if one.explain else answer
            for one, answer, moves in zip(shown, answers, fields, strict=True)
        ]

    def _heat(self, one: Shown, answer: Answer, moves: NDArray[np.float32]) -> Heat:
        if (why := no_heat(answer)) is not None:
            return why
        place = self.known.classes.index(answer.best)

        def says(images: NDArray[np.uint8]) -> NDArray[np.floating]:
            return self.known.believed(self.known.probabilities(images))[:, place]

        return heat_of_flow(moves, says, answer.best, one.apex, crop_of_landmarks(one.five, CROP))


class ByRun:
    """Any finished run, or a bundle: it takes of the frames what it was trained on."""

    parts = True

    def __init__(self, run: Path) -> None:
        self.run = run
        self.limits: Sequence[str] = (f"The answers are those of {run.name}, on frames cut out round each face.",)

    def __call__(self, shown: Sequence[Shown]) -> list[Answer]:
        """By the clip from onset to offset; of one that it cannot use the reason."""
        from mer_tf.serving.answers import explained_paths, predict_paths  # brings Keras
        from mer_tf.serving.opened import opened

        if not shown:
            return []
        with tempfile.TemporaryDirectory(prefix="mer_tf-") as home, opened(self.run) as trained:
            self.limits = (*self.limits[:1], trained.said)
            manifest = _as_clips(shown, Path(home))
            explain = any(one.explain for one in shown)
            table, maps, said = (
                explained_paths(trained, [manifest])
                if explain
                else (predict_paths(trained, [manifest], pictures=False), {}, "")
            )
            rows = {row["clip_id"].split("/")[-1]: row for row in table.to_dict("records")}
            heats = {clip_id.split("/")[-1]: heat for clip_id, heat in maps.items()}
            return [
                self._answer(trained, rows.get(_name(k)), one, heats.get(_name(k)), said) for k, one in enumerate(shown)
            ]

    def _answer(
        self, trained: Trained, row: Mapping[Any, Any] | None, one: Shown, maps: ClipHeat | None, said: str
    ) -> Answer:
        from mer_tf.serving.trained import believed

        if row is None:
            return Answer(refused="its frames cannot be used by this run")
        shares = {name: float(row[f"p_{name}"]) for name in trained.classes}
        if trained.calibration is None:
            answer = Answer(shares, f"{row['record']}; not calibrated")
        else:
            answer = Answer(believed(trained, row), row["record"], uncalibrated=shares)
        if not one.explain:
            return answer
        return replace(answer, heat=no_heat(answer) or _heat_of_run(one, maps, said))


def asked_of(run: Path | None) -> Asked:
    """The shipped recogniser; of a run with the recommended one that; else the run itself."""
    if run is None or (run.is_dir() and (run / METHODS).is_file()):
        return ByFlow(run)
    return ByRun(run)


def field_of(onset: Frame, apex: Frame, five: NDArray[np.float64], flow: Method) -> NDArray[np.float32]:
    """Flow (28, 28, 2) in the crop of the face that the recommended recogniser knows."""
    return flow_in((onset, apex), crop_of_landmarks(five, CROP), flow)


def answer_of(known: Recogniser, row: NDArray[np.floating]) -> Answer:
    """What a recogniser of flow makes of its probabilities of one clip."""
    shares = known.believed(row[None])[0]
    raw = {} if known.calibration is None else _named(known.classes, row)
    return Answer(_named(known.classes, shares), known.record(known.classes[int(shares.argmax())]), uncalibrated=raw)


def no_heat(answer: Answer) -> Heat | None:
    """Why an answer has no heat; None where it names a class."""
    return Heat("No heat map: no class is named, so there is nothing to explain.") if answer.uncertain else None


def rounded(shares: Mapping[str, float]) -> dict[str, float]:
    """As files have them."""
    return {name: round(p, 4) for name, p in shares.items()}


def _heat_of_run(one: Shown, maps: ClipHeat | None, said: str) -> Heat:
    """Heat of the networks over the frame that lies nearest to the apex."""
    if maps is None:
        return Heat(f"{said[:1].upper()}{said[1:]}.")
    share = maps.places / max(int(maps.places.max()), 1)
    nearest = int(np.abs(share - one.apex_place / max(len(one.part) - 1, 1)).argmin())
    picture = heated(maps.frames[nearest], maps.maps[nearest])
    return Heat(f"apex with heat: {said}; brightest: the greatest of the clip", picture)


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
