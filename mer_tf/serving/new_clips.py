"""New clips on the bench of a trained model: preprocessed, encoded and cut as its own were, without labels."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mer_tf.changes import changed
from mer_tf.config import MerError
from mer_tf.datasets.apex import ApexMethod, estimate_apexes
from mer_tf.datasets.labels import LabelProtocol
from mer_tf.datasets.manifest import ClipRow
from mer_tf.inputs.clips import Clips, LabelledClip, indexed_images
from mer_tf.inputs.prepare import encode
from mer_tf.models.stored import load_model
from mer_tf.protocols.benches import bench_of
from mer_tf.protocols.classical import ClassicalBench
from mer_tf.protocols.workbench import Bench, Workbench
from mer_tf.records.index import read_index
from mer_tf.records.write import write_records
from mer_tf.serving.trained import MEND, Member, Trained, pinned
from mer_tf.training.trainer import training_seed

log = logging.getLogger("mer_tf")
Lost = Mapping[str, str]
"""clip_id, source and reason of a clip that cannot be used, as errors.csv has them."""


@dataclass(frozen=True)
class NewClips:
    """Clips that can be predicted, and those that cannot."""

    bench: Workbench
    lost: tuple[Lost, ...]

    @property
    def table(self) -> pd.DataFrame:
        """clip_id, dataset, subject, content_sha256; in the order of all predictions."""
        return self.bench.clips

    def bench_for(self, member: Member) -> Workbench:
        """The bench with the features that this network takes."""
        return self.bench.retrained_from(member.block) if member.block and isinstance(self.bench, Bench) else self.bench


def prepare(trained: Trained, rows: Sequence[ClipRow], cache: Path) -> NewClips:
    """Records and features of `rows` in `cache`, by the settings of the trained model.

    `MerError` when no clip can be used, and for an encoder whose weights are others than those that were trained with.
    """
    experiment = changed(pinned(trained), {"data.cache": str(cache)})
    clips, lost = _clips(trained, _with_apexes(trained, rows), cache)
    encoded = encode(experiment, clips)
    _same_weights(trained, encoded.resolved)
    return NewClips(bench_of(experiment, clips, encoded), tuple(lost))


def predict_members(trained: Trained, clips: NewClips) -> np.ndarray:
    """Probabilities (members, clips, classes) in the order of `clips.table`."""
    rows = range(len(clips.table))
    if not trained.members:
        return _classical(trained, clips)
    found = []
    for member in trained.members:
        bench = clips.bench_for(member)
        found.append(bench.predict(load_model(member.path, MEND), rows))
    return np.stack(found)


def _with_apexes(trained: Trained, rows: Sequence[ClipRow]) -> list[ClipRow]:
    """Rows with the apex where the model asks for it: as the run estimated it, else the frame that moves most."""
    how: ApexMethod = trained.experiment.data.apex
    if how == "given" and trained.experiment.model.takes == "flow image":
        how = "peak"
    images = all(row.image for row in rows)
    return list(rows) if images else estimate_apexes(rows, how, on_error="skip")


def lost_clips(cache: Path) -> list[Lost]:
    """Those that `prepare` could not store in `cache`."""
    (table,) = [pd.read_csv(path, dtype=str, keep_default_na=False) for path in cache.glob("records/*/errors.csv")]
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _clips(trained: Trained, rows: Sequence[ClipRow], cache: Path) -> tuple[Clips, list[Lost]]:
    lost: list[Lost] = []
    if all(row.image for row in rows):
        records, (indexed, problems) = Path(rows[0].root), indexed_images(rows)
        lost = [{"clip_id": "", "source": "", "reason": problem} for problem in problems]
    else:
        config = trained.experiment.preprocess
        records = write_records(rows, config, cache / "records", name="new", on_error="skip", progress=False)
        indexed = tuple(read_index(records).clips)
        lost = lost_clips(cache)
    known, protocol = {row.clip_id: row for row in rows}, LabelProtocol("new", trained.classes, {})
    clips = sorted((LabelledClip(known[clip.clip_id], clip, 0) for clip in indexed), key=lambda c: c.row.clip_id)
    return Clips(tuple(clips), tuple(rows), protocol, records, ()), lost


def _same_weights(trained: Trained, now: Mapping[str, Any]) -> None:
    """`MerError` where the encoder is not the one that was trained with."""
    before, after = ((resolved.get("weights") or {}).get("sha256") for resolved in (trained.resolved, now))
    if before and after and before != after:
        raise MerError(
            f"{trained.home}: was trained with an encoder of SHA-256 {str(before)[:12]}..., here it is "
            f"{str(after)[:12]}...; put the same weights there, or use a bundle (`mer-tf export`), which holds them"
        )


def _classical(trained: Trained, clips: NewClips) -> np.ndarray:
    """The same of a method of which no fitted state is stored: it is fitted again on the run's own data."""
    from mer_tf.runner import open_bench

    log.info("%s: nothing fitted is stored, so each fold is fitted anew on the run's data", trained.name)
    own, _ = open_bench(trained.experiment, trained.home)
    assert isinstance(own, ClassicalBench)
    if not own.method.described_by:
        raise MerError(
            f"{trained.name}: a method that looks at no pixel has nothing to say of a new clip; take another"
        )
    seed, seal, found = trained.experiment.train.seed, own.seal(), []
    for fold in own.folds():
        model, _ = own.fit(fold.train, seal.training(fold), training_seed(seed, fold.number))
        found.append(clips.bench.predict(model, range(len(clips.table))))
    return np.stack(found)
