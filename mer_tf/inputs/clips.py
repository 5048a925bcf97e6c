"""From a data set to labelled clips: manifest, records, classes."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from mer_tf.cached import cache_folder, older_kept
from mer_tf.config import Data, Experiment, MerError, Preprocess
from mer_tf.datasets import FOLDERS, dataset_listing, given_listing, told
from mer_tf.datasets.adapters.listing import Listing
from mer_tf.datasets.apex import estimate_apexes
from mer_tf.datasets.doubts import decided
from mer_tf.datasets.labels import LabelProtocol, protocol_of
from mer_tf.datasets.manifest import MARKER, ClipRow, same_names, write_manifest
from mer_tf.files import read_mapping
from mer_tf.notices import LEAKY, SYNTHETIC, UNREADABLE, Notice, danger, note
from mer_tf.parallel import workers
from mer_tf.preprocessing.frames import read_frame
from mer_tf.preprocessing.recipes import named
from mer_tf.records.index import NAME, IndexedClip, read_index
from mer_tf.records.write import Engine, records_folder, write_records
from mer_tf.stage_times import stage
from mer_tf.synthetic.embedded import draw_tree

log = logging.getLogger("mer_tf")
THREADED = 500
"""Clips up to which threads write records: processes would first load TensorFlow."""
COLUMNS = ("clip_id", "dataset", "subject", "content_sha256")


@dataclass(frozen=True)
class LabelledClip:
    """One clip of an experiment: its annotation, what the index says of its record, and its class, joined once."""

    row: ClipRow
    stored: IndexedClip
    label: int
    """Class index."""


@dataclass(frozen=True)
class Clips:
    """Labelled clips of an experiment and the records that hold their frames."""

    labelled: tuple[LabelledClip, ...]
    """Sorted by clip_id, as the records are."""
    rows: tuple[ClipRow, ...]
    """The whole manifest, with the clips that the protocol leaves out: by it records are named."""
    protocol: LabelProtocol
    records: Path
    warnings: tuple[Notice, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """Their names, in the order of class indices."""
        return self.protocol.classes

    @cached_property
    def table(self) -> pd.DataFrame:
        """clip_id, dataset, subject, content_sha256, label (class index); sorted by clip_id."""
        rows = [{name: getattr(c.stored, name) for name in COLUMNS} | {"label": c.label} for c in self.labelled]
        return pd.DataFrame(rows)

    @cached_property
    def by_id(self) -> Mapping[str, LabelledClip]:
        return {clip.row.clip_id: clip for clip in self.labelled}

    @property
    def of_images(self) -> bool:
        """Whether every clip is one ready-made image, which no record holds."""
        return _of_images([clip.row for clip in self.labelled])


def prepare_clips(experiment: Experiment, directory: Path, listing: Listing | None = None) -> Clips:
    """Data set, or manifests -> manifest -> records -> labelled clips; `listing`: the data, where they were listed."""
    data, cache = experiment.data, cache_folder(experiment.data.cache)
    if kept := older_kept(cache):
        log.info(kept)
    with stage("drawing and listing"):
        rows = data_rows(data, cache, listing)
    write_manifest(rows, directory / "manifest.csv")
    log.info("manifest: %d clips of %d subjects", len(rows), len({r.subject for r in rows}))
    warnings = _data_warnings(experiment, rows)
    if _of_images(rows):
        records, indexed, lost = Path(rows[0].root), *indexed_images(rows)
        rows = [row for row in rows if row.clip_id in {clip.clip_id for clip in indexed}]
        warnings += [note("left_out", text) for text in lost]
    else:
        with stage("preprocessing"):
            records = _records(rows, experiment)
        indexed = tuple(read_index(records).clips)
        if missing := len(rows) - len(indexed):
            text = f"{missing} of {len(rows)} clips could not be read: {records / 'errors.csv'}"
            warnings.append(note(UNREADABLE, text))
    protocol = protocol_of(data.label_protocol, rows)
    return Clips(label_clips(rows, indexed, protocol, data), tuple(rows), protocol, records, tuple(warnings))


def stored_as(clips: Clips, experiment: Experiment) -> Clips:
    """The same clips in records by the experiment's `preprocess`, made where there are none.

    `MerError` names a clip that cannot be stored so.
    """
    records = _records(clips.rows, experiment)
    there = {clip.clip_id: clip for clip in read_index(records).clips}
    if lost := [name for name in clips.by_id if name not in there]:
        raise MerError(f"{records / 'errors.csv'}: {lost[0]} and {len(lost) - 1} others cannot be stored so; see why")
    again = tuple(replace(clip, stored=there[clip.row.clip_id]) for clip in clips.labelled)
    return replace(clips, records=records, labelled=again)


def _records(rows: Sequence[ClipRow], experiment: Experiment) -> Path:
    """The records of all clips that can be read, written on all cores; many clips are worth processes of their own."""
    out = cache_folder(experiment.data.cache) / "records"
    name = "joined" if experiment.data.manifests else experiment.data.dataset
    engine: Engine = "threads" if len(rows) <= THREADED else "local"
    config, number = _stored(rows, experiment, out, name), workers()
    return write_records(rows, config, out, name=name, on_error="skip", engine=engine, workers=number)


def _stored(rows: Sequence[ClipRow], experiment: Experiment, out: Path, name: str) -> Preprocess:
    """Settings of the records: without flow where the model reads none, unless records with it are there already."""
    config = experiment.preprocess
    if experiment.model.flow or config.flow == "none" or (records_folder(rows, config, out, name) / NAME).exists():
        return config
    log.info("no flow is stored: %s reads none", experiment.model.name)
    without = replace(config, flow="none", flow_from="previous")
    return named(without) if without.recipe else without


def _of_images(rows: Sequence[ClipRow]) -> bool:
    return all(row.image for row in rows)


def indexed_images(rows: Sequence[ClipRow]) -> tuple[tuple[IndexedClip, ...], list[str]]:
    """Clips of one ready-made image each, which need no records, and what is wrong with those that are left out.

    A network takes images of one size: that of most. `MerError` when no image can be read.
    """
    sizes, digests, lost = {}, {}, []
    for row in rows:
        try:
            image = read_frame(row.image_path())
        except MerError as error:
            lost.append(f"clip {row.clip_id} is left out: {error}")
            continue
        sizes[row.clip_id], digests[row.clip_id] = image.shape[:2], hashlib.sha256(image.tobytes()).hexdigest()
    if not sizes:
        raise MerError(f"none of {len(rows)} images can be used; the first: {lost[0]}")
    ((height, width), count), *_ = Counter(sizes.values()).most_common(1)
    lost += [
        f"clip {row.clip_id} is left out: {row.image} is {sizes[row.clip_id][1]}x{sizes[row.clip_id][0]}, but {count} "
        f"others are {width}x{height}; bring it to their size"
        for row in rows
        if sizes.get(row.clip_id, (height, width)) != (height, width)
    ]
    kept = [row for row in rows if sizes.get(row.clip_id) == (height, width)]
    return tuple(
        IndexedClip(row.clip_id, row.dataset, row.subject, row.label_raw, 1, row.fps, "", digests[row.clip_id])
        for row in kept
    ), lost


def data_rows(data: Data, cache: Path, listing: Listing | None = None) -> list[ClipRow]:
    """Clips of manifests, of a data set's folder, or of the look-alike that is drawn for it in `cache`."""
    listing = listing or given_listing(data) or dataset_listing(data.dataset, draw_tree(data, cache))
    if data.manifests:
        for clash in same_names(listing.rows) if len(data.manifests) > 1 else []:
            log.warning("%s: %s; write each in one way", " and ".join(data.manifests), clash)
        return listing.rows
    rows = told(listing, data.dataset)
    return estimate_apexes(decided(rows, data.doubtful, data.apex), data.apex, on_error="skip", progress=True)


def _data_warnings(experiment: Experiment, rows: Sequence[ClipRow]) -> list[Notice]:
    warnings = []
    for root in sorted({row.root for row in rows}):
        if (marker := Path(root) / MARKER).exists():
            amplitude = read_mapping(marker).get("amplitude", "unknown")
            shown = f"{amplitude:g}" if isinstance(amplitude, int | float) else amplitude
            text = f"synthetic look-alike, {shown} px at the apex: no evidence about people"
            warnings.append(note(SYNTHETIC, text))
    if experiment.evaluation.split == "clip":
        warnings.append(danger(LEAKY, "clips of one subject stand on both sides of a fold"))
    if alone := sum(row.subject == row.clip_id for row in rows if row.dataset == FOLDERS):
        text = f"of {alone} clips no subject is known; if one person is in several, folds share people"
        warnings.append(danger("unknown_subjects", text))
    if experiment.data.shuffle_labels:
        warnings.append(danger("negative_control", "labels were shuffled, nothing above chance can be learned"))
    return warnings


def label_clips(
    rows: Sequence[ClipRow], stored: Sequence[IndexedClip], protocol: LabelProtocol, data: Data
) -> tuple[LabelledClip, ...]:
    """The stored clips that the label protocol keeps, each joined with its row and its class, sorted by clip_id."""
    known = {row.clip_id: row for row in rows}
    found = [
        LabelledClip(known[clip.clip_id], clip, label)
        for clip in sorted(stored, key=lambda clip: clip.clip_id)
        if clip.clip_id in known and (label := protocol.class_index(known[clip.clip_id])) is not None
    ]
    if not found:
        raise MerError(f"label protocol {protocol.name} knows none of the labels {sorted({r.label_raw for r in rows})}")
    if len({clip.label for clip in found}) < 2:
        only = f"{protocol.classes[found[0].label]} ({len(found)} clips)"
        raise MerError(
            f"label protocol {protocol.name} leaves one class, {only}; there is nothing to tell apart: choose another "
            "data.label_protocol, or give clips of the other classes"
        )
    if data.shuffle_labels:
        dealt = np.random.default_rng(data.seed).permutation([clip.label for clip in found])
        found = [replace(clip, label=int(label)) for clip, label in zip(found, dealt, strict=True)]
    return tuple(found)
