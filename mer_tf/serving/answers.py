"""From new clips to answers: predictions.csv, what the run's own errors say of each answer, and a picture a clip."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mer_tf.config import USUAL_FPS, MerError
from mer_tf.files import file_name, write_csv, write_json
from mer_tf.names import few
from mer_tf.notices import danger
from mer_tf.serving.new_clips import NewClips, predict_members, prepare
from mer_tf.serving.pictures import Heat, clip_heat, clip_picture
from mer_tf.serving.sources import rows_of
from mer_tf.serving.trained import Trained, subject_key

log = logging.getLogger("mer_tf")


def predict_paths(
    trained: Trained,
    paths: Sequence[Path],
    out: Path | None = None,
    *,
    subject: str = "",
    fps: float = USUAL_FPS,
    pictures: bool = True,
) -> pd.DataFrame:
    """A row a clip: clip_id, subject, answer, p_<class>, record (how often the run was right with this answer), seen.

    With `out`, written there as predictions.csv, with model_card.json and, where `pictures` says so, a picture a clip.
    `MerError` when nothing can be predicted; single clips that cannot be used are left out, and the log says why.
    """
    with _answered(trained, paths, subject, fps) as (clips, table):
        if out is not None:
            _write(trained, clips, table, Path(out), pictures)
    return table


def explained_paths(
    trained: Trained, paths: Sequence[Path], fps: float = USUAL_FPS
) -> tuple[pd.DataFrame, dict[str, Heat], str]:
    """The same table, the heat of each clip for its answer, and what the heat is, or why there is none."""
    with _answered(trained, paths, "", fps) as (clips, table):
        return table, *clip_heat(trained, clips, table)


@contextmanager
def _answered(
    trained: Trained, paths: Sequence[Path], subject: str, fps: float
) -> Iterator[tuple[NewClips, pd.DataFrame]]:
    """Clips as the model takes them, as long as they are needed, and its answers."""
    rows, problems = rows_of(paths, subject, fps)
    with tempfile.TemporaryDirectory(prefix="mer_tf-") as cache:
        clips = prepare(trained, rows, Path(cache))
        for problem in (*problems, *clips.problems):
            log.warning("%s", problem)
        yield clips, answers(trained, clips, predict_members(trained, clips))


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
            **{f"p_{name}": mean[:, k].round(6) for k, name in enumerate(trained.classes)},
            "models": len(shares),
            "models_that_agree": agree,
            "record": [record(trained, answer) for answer in chosen],
            "seen": [seen(trained, row) for row in table.to_dict("records")],
            "content_sha256": table["content_sha256"],
        }
    )


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


def _write(trained: Trained, clips: NewClips, table: pd.DataFrame, out: Path, pictures: bool) -> None:
    write_csv(table, out / "predictions.csv")
    write_json(out / "model_card.json", dict(trained.card) | {"answers": trained.said})
    if not pictures:
        return
    heat, said = clip_heat(trained, clips, table)
    for row in table.to_dict("records"):
        frames = clips.bench.frames([row["clip_id"]])[row["clip_id"]]
        name = f"{file_name(row['clip_id'])}.png"
        clip_picture(trained, row, frames, heat.get(row["clip_id"]), said, out / "pictures" / name)


def told(trained: Trained, table: pd.DataFrame) -> str:
    """The answers in words, for a terminal."""
    lines = [f"{trained.name}: {trained.said}"]
    for row in table.to_dict("records"):
        shares = ", ".join(f"{name} {row[f'p_{name}']:.2f}" for name in trained.classes)
        lines.append(f"{row['clip_id']}: {row['answer']} ({shares})")
        lines += [f"  {row['seen']}"] if row["seen"] else []
    lines += [f"- {text}" for text in dict.fromkeys(table["record"])]
    if (flagged := table.loc[table["seen"] != "", "clip_id"].tolist()) and len(flagged) > 1:
        lines.append(f"{len(flagged)} clips were trained on, their answers prove nothing: {few(flagged)}")
    return "\n".join(lines)
