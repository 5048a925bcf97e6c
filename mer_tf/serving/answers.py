"""From new clips to answers: predictions.csv, what the run's own errors say of each answer, and a picture a clip."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mer_tf.config import USUAL_FPS, MerError
from mer_tf.datasets.manifest import ClipRow
from mer_tf.files import file_name, write_csv, write_json
from mer_tf.names import few
from mer_tf.notices import danger
from mer_tf.serving.new_clips import Lost, NewClips, lost_clips, predict_members, prepare
from mer_tf.serving.pictures import Heat, clip_heat, clip_picture
from mer_tf.serving.sources import rows_of
from mer_tf.serving.trained import CALIBRATED, Trained, believed, how_believed, subject_key

log = logging.getLogger("mer_tf")
GROUP = 16
"""Clips that are predicted together."""


@dataclass(frozen=True)
class Answered:
    """What came of a group of clips."""

    rows: Sequence[Mapping[str, Any]]
    """Of the table of `predict_paths`."""
    lost: Sequence[Lost]
    refused: str = ""
    """Why there is no row at all."""


Engine = Callable[[Trained, Sequence[Sequence[ClipRow]], Path | None], Iterable[Answered]]
"""Answers of a trained run on groups of clips, in order; with a path, their pictures there."""


def predict_paths(
    trained: Trained,
    paths: Sequence[Path],
    out: Path | None = None,
    *,
    subject: str = "",
    fps: float = USUAL_FPS,
    pictures: bool = True,
    engine: Engine | None = None,
) -> pd.DataFrame:
    """A row a clip: clip_id, subject, answer, p_<class>, calibrated_<class>, record, seen.

    calibrated_<class>: p_<class> as the tests of the run temper it, where they are known (`evaluation.calibration`).
    record: how often the run was right with this answer.

    With `out`, written there as predictions.csv, with model_card.json, errors.csv and, where `pictures` says so, a
    picture a clip. `MerError` when nothing can be predicted; single clips that cannot be used are left out, and the log
    and errors.csv say why. engine: who predicts the groups; None: this process, one after the other.
    """
    rows, problems = rows_of(paths, subject, fps)
    shown = Path(out) if out is not None and pictures else None
    found = list((engine or _one_by_one)(trained, groups(trained, rows), shown))
    lost = [{"clip_id": "", "source": "", "reason": problem} for problem in problems]
    lost += [dict(one) for group in found for one in group.lost]
    for one in lost:
        log.warning("%s", one["reason"])
    table = pd.DataFrame([row for group in found for row in group.rows])
    if not len(table):
        raise MerError(found[0].refused)
    if out is not None:
        write_csv(table, Path(out) / "predictions.csv")
        write_csv(pd.DataFrame(lost, columns=["clip_id", "source", "reason"]), Path(out) / "errors.csv")
        write_json(Path(out) / "model_card.json", dict(trained.card) | {"answers": trained.said})
    return table


def groups(trained: Trained, rows: Sequence[ClipRow]) -> list[tuple[ClipRow, ...]]:
    """Clips that are predicted together: what comes out hangs, in its last digits, on who shares a batch.

    Images, whose size is that of most, and clips of a method that is fitted anew are one group.
    """
    ordered = sorted(
        (replace(row, root=Path(row.root).resolve().as_posix()) for row in rows), key=lambda row: row.clip_id
    )
    size = GROUP if trained.members and not all(row.image for row in rows) else len(rows)
    return [tuple(ordered[start : start + size]) for start in range(0, len(ordered), size)]


def answered(trained: Trained, rows: Sequence[ClipRow], out: Path | None) -> Answered:
    """The answers of a group; with `out`, pictures of them in `out`/pictures."""
    with tempfile.TemporaryDirectory(prefix="mer_tf-") as cache:
        try:
            clips = prepare(trained, rows, Path(cache))
        except MerError as error:
            if any(Path(cache).glob("records/*/errors.csv")) and len(lost := lost_clips(Path(cache))) == len(rows):
                return Answered([], lost, str(error))
            raise
        table = answers(trained, clips, predict_members(trained, clips))
        if out is not None:
            _draw(trained, clips, table, out)
    rows_found = [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]
    return Answered(rows_found, clips.lost)


def _one_by_one(trained: Trained, groups: Sequence[Sequence[ClipRow]], out: Path | None) -> Iterator[Answered]:
    return (answered(trained, rows, out) for rows in groups)


def explained_paths(
    trained: Trained, paths: Sequence[Path], fps: float = USUAL_FPS
) -> tuple[pd.DataFrame, dict[str, Heat], str]:
    """The same table, the heat of each clip for its answer, and what the heat is, or why there is none."""
    rows, problems = rows_of(paths, fps=fps)
    with tempfile.TemporaryDirectory(prefix="mer_tf-") as cache:
        clips = prepare(trained, rows, Path(cache))
        for problem in (*problems, *(one["reason"] for one in clips.lost)):
            log.warning("%s", problem)
        table = answers(trained, clips, predict_members(trained, clips))
        return table, *clip_heat(trained, clips, table)


def heat_of_paths(trained: Trained, paths: Sequence[Path]) -> dict[str, np.ndarray]:
    """Heat (T, S, S) of each clip for its answer; `MerError` with the reason for a model that has no map."""
    _, heat, said = explained_paths(trained, paths)
    if not heat:
        raise MerError(said)
    return {clip_id: one.maps for clip_id, one in heat.items()}


def answers(trained: Trained, clips: NewClips, shares: np.ndarray) -> pd.DataFrame:
    """The table of `predict_paths` from probabilities (members, clips, classes)."""
    mean = shares.mean(axis=0)
    if not np.isfinite(mean).all():
        raise MerError(f"{trained.home}: a network gives no finite probability; was its training whole?")
    table = clips.table
    chosen = [trained.classes[k] for k in mean.argmax(axis=1)]
    agree = (shares.argmax(axis=2) == mean.argmax(axis=1)).sum(axis=0)
    return pd.DataFrame(
        {
            "clip_id": table["clip_id"],
            "subject": table["subject"],
            "answer": chosen,
            **_columns("p", mean, trained.classes),
            **({} if trained.calibration is None else _columns(CALIBRATED, trained.calibration(mean), trained.classes)),
            "models": len(shares),
            "models_that_agree": agree,
            "record": [record(trained, answer) for answer in chosen],
            "seen": [seen(trained, row) for row in table.to_dict("records")],
            "content_sha256": table["content_sha256"],
        }
    )


def _columns(kind: str, shares: np.ndarray, classes: Sequence[str]) -> dict[str, np.ndarray]:
    return {f"{kind}_{name}": shares[:, k].round(6) for k, name in enumerate(classes)}


def record(trained: Trained, answer: str) -> str:
    """What the run's confusion says about an answer."""
    said = trained.confusion.get(answer)
    if said is None or not said.sum():
        return f"the run never said {answer} of a clip it was tested on, so nothing is known of this answer"
    right = f"{said.get(answer, 0)} of {said.sum()}"
    return f"when this run says {answer}, it was right {right} times on people it was not trained on"


def seen(trained: Trained, clip: Mapping[Any, Any]) -> str:
    """Whether the networks know the clip, or its subject, from their training; empty where nothing tells so."""
    known = trained.seen[trained.seen["content_sha256"] == clip["content_sha256"]]
    if len(known):
        one = known.iloc[0]
        held = f"; tested on it, it said {one['y_pred']} (true {one['y_true']})" if "y_pred" in known else ""
        name = f" as {one['clip_id']}" if "clip_id" in known else ""
        return str(danger("trained_on", f"the same frames were among the training clips{name}{held}"))
    if subject_key(str(clip["subject"])) in set(trained.seen["subject_sha256"]):
        return str(danger("trained_on", f"{clip['subject']} is a subject of the training clips"))
    return ""


def _draw(trained: Trained, clips: NewClips, table: pd.DataFrame, out: Path) -> None:
    heat, said = clip_heat(trained, clips, table)
    for row in table.to_dict("records"):
        frames = clips.bench.frames([row["clip_id"]])[row["clip_id"]]
        name = f"{file_name(row['clip_id'])}.png"
        clip_picture(trained, row, frames, heat.get(row["clip_id"]), said, out / "pictures" / name)


def told(trained: Trained, table: pd.DataFrame) -> str:
    """The answers in words, for a terminal."""
    lines = [f"{trained.name}: {trained.said}; probabilities {how_believed(trained)}"]
    for row in table.to_dict("records"):
        shares = ", ".join(f"{name} {p:.2f}" for name, p in believed(trained, row).items())
        lines.append(f"{row['clip_id']}: {row['answer']} ({shares})")
        lines += [f"  {row['seen']}"] if row["seen"] else []
    lines += [f"- {text}" for text in dict.fromkeys(table["record"])]
    if (flagged := table.loc[table["seen"] != "", "clip_id"].tolist()) and len(flagged) > 1:
        lines.append(f"{len(flagged)} clips were trained on, their answers prove nothing: {few(flagged)}")
    return "\n".join(lines)
