"""`check(experiment)`: all that its declaration alone can tell to be wrong, before anything is loaded or written.

Names come first, since nothing else can be said of what is not known; a name is refused without pandas, so at once.
"""

from __future__ import annotations

import difflib
import logging
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from mer_tf.config import Data, Evaluation, Experiment, MerError
from mer_tf.datasets import ADAPTERS, FLOW_IMAGES, given_listing
from mer_tf.datasets.labels import (
    FROM_DATA,
    LabelProtocol,
    home_of,
    is_file,
    load_protocol,
    normalise_label,
    protocol_names,
    protocol_of,
)
from mer_tf.errors import refuse
from mer_tf.evaluation.fold_units import check_units
from mer_tf.model import check_model
from mer_tf.names import unknown
from mer_tf.preprocessing.recipes import check_recipe
from mer_tf.ranges import range_faults

if TYPE_CHECKING:
    from mer_tf.datasets.adapters.listing import Listing
    from mer_tf.datasets.manifest import ClipRow

log = logging.getLogger("mer_tf")
NEAR = 0.8
"""How like a known label an unknown one must be (difflib's ratio) to be a misspelling of it."""


def check(experiment: Experiment, only: Collection[int] | None = None) -> Listing | None:
    """`MerError` for names, ranges, contradictions, missing files and labels that make the run impossible.

    `only`: numbers of the folds that are asked for, where not all are. Returns the listing of the data that are given,
    which need not be listed again; None where a look-alike is drawn.
    """
    (listing,) = check_all([experiment]).values()
    config = experiment.evaluation
    counted = config.split in ("group", "group-plain", "clip")
    if lost := [str(number) for number in sorted(only or ()) if counted and number >= config.folds]:
        raise MerError(f"--folds {', '.join(lost)}: there are folds 0 to {config.folds - 1}")
    return listing


def check_all(experiments: Iterable[Experiment], composite: bool = False) -> dict[Data, Listing | None]:
    """The same for several, each data set and manifest being read once; `composite`: methods see pixels alone."""
    read: dict[Data, Listing | None] = {}
    for experiment in experiments:
        refuse(_names(experiment))
        refuse([*range_faults(experiment), *_contradictions(experiment)])
        if experiment.data not in read:
            read[experiment.data] = given_listing(experiment.data)
        _check_data(experiment, read[experiment.data], composite)
    return read


def _names(experiment: Experiment) -> Iterator[str]:
    data = experiment.data
    if not data.manifests and data.dataset not in ADAPTERS:
        yield f"data.dataset: {unknown('data set', data.dataset, ADAPTERS)}"
    if not is_file(data.label_protocol) and data.label_protocol not in (known := [FROM_DATA, *protocol_names()]):
        yield f"data.label_protocol: {unknown('label protocol', data.label_protocol, known)}"


def _contradictions(experiment: Experiment) -> Iterator[str]:
    data, config, evaluation = experiment.data, experiment.preprocess, experiment.evaluation
    if data.manifests and data.root:
        yield "data.manifests and data.root were both given; a manifest knows its roots, so leave root out"
    if data.sheet and not data.root:
        yield f"data.sheet={data.sheet}: a sheet belongs to a data set; give its folder with data.root"
    decided = (data.doubtful, data.apex) != ("keep", "given")
    if decided and not data.root:
        yield (
            f"data.doubtful={data.doubtful}, data.apex={data.apex}: they are for data.root; of a manifest's clips "
            "`mer-tf manifest` decides with --doubtful and --apex"
        )
    if data.doubtful == "estimate" and data.apex == "given":
        yield "data.doubtful=estimate: say how with data.apex=midpoint, peak or divide-and-conquer"
    if config.magnify and not 0 < config.band_low < config.band_high:
        yield f"preprocess.band_low={config.band_low}, band_high={config.band_high}: give 0 < low < high"
    if config.landmarks != "mtcnn" or config.landmarks_from:
        from mer_tf.records.landmark_files import settings_faults  # brings OpenCV

        yield from settings_faults(config)
    if experiment.search.patience and experiment.search.epochs:
        yield f"search.patience={experiment.search.patience} chooses the epochs; leave search.epochs empty"
    if experiment.search.dropout and not hasattr(experiment.model, "dropout"):
        yield f"search.dropout: {experiment.model.name} has no dropout to choose; leave it empty"
    if evaluation.split != "cross-dataset" and (evaluation.train_on or evaluation.test_on):
        given = "train_on" if evaluation.train_on else "test_on"
        yield f"evaluation.{given} is for evaluation.split=cross-dataset, which is {evaluation.split}; change one"


def _check_data(experiment: Experiment, listing: Listing | None, composite: bool) -> None:
    data, rows = experiment.data, None
    if listing is not None:
        from mer_tf.datasets.doubts import decided  # brings NumPy

        rows = decided(listing.rows, data.doubtful, data.apex)
    if rows is None and (data.label_protocol == FROM_DATA or is_file(data.label_protocol)):
        raise MerError(
            f"data.label_protocol={data.label_protocol}: is for data of yours; give their folder with data.root, or "
            "data.manifests"
        )
    protocol = protocol_of(data.label_protocol, rows or ())
    check_recipe(experiment.preprocess)
    of_images = data.dataset == FLOW_IMAGES if rows is None else all(row.image for row in rows)
    if not (composite and experiment.model.takes == "descriptor"):
        check_model(experiment, of_images)
    refuse(experiment.model.check_classes(protocol.classes))
    multiply, classes = experiment.clip.multiply, len(protocol.classes)
    if multiply and len(multiply) != classes:
        raise MerError(f"clip.multiply={multiply}: give one number from 1 upwards for each of {classes} classes")
    if rows is None:
        _check_drawn(experiment, protocol)
        return
    refuse(label_faults(protocol, rows))
    if experiment.preprocess.landmarks == "file":
        from mer_tf.records.landmark_files import require_landmarks

        require_landmarks(rows, experiment.preprocess)
    kept = [row for row in rows if protocol.class_index(row) is not None]
    check_people(experiment.evaluation, protocol, kept)
    check_units(experiment.evaluation, len({r.subject for r in kept}), len(kept), {r.dataset for r in kept})


def _check_drawn(experiment: Experiment, protocol: LabelProtocol) -> None:
    """The look-alike can be drawn, has labels that the protocol knows, and enough subjects."""
    from mer_tf.synthetic.embedded import drawn_faults  # brings OpenCV

    data = experiment.data
    refuse(drawn_faults(data))
    if home_of(data.dataset) not in protocol.homes:
        raise MerError(_unknown_dataset(protocol, data.dataset))
    of_each = data.subjects * data.clips_per_class
    check_units(experiment.evaluation, data.subjects, len(protocol.classes) * of_each, {data.dataset})


def check_people(config: Evaluation, protocol: LabelProtocol, kept: Sequence[ClipRow]) -> None:
    """`MerError` for clips of one class or of one person; a warning for a class of one person. Each names the mend."""
    people: dict[str, set[str]] = {}
    for row in kept:
        people.setdefault(protocol.class_name(row) or "", set()).add(row.subject)
    if len(people) == 1:
        raise MerError(
            f"all {len(kept)} clips are of one class, {next(iter(people))}; there is nothing to tell apart: give clips "
            "of another class, or another data.label_protocol"
        )
    if config.split in ("clip", "cross-dataset") or not people:
        return
    if len(everybody := set().union(*people.values())) == 1:
        raise MerError(
            f"all {len(kept)} clips are of one subject, {next(iter(everybody))}, so nobody is left to be tested on: "
            "add clips of other people, or choose evaluation.split=clip, whose figures tell nothing about other people"
        )
    for name in sorted(name for name, who in people.items() if len(who) == 1):
        log.warning(
            "class %s has clips of one subject alone (%s): the fold that tests them was never trained on the class, "
            "and gets them all wrong; add people, or leave the class out or join it to another with a label protocol "
            "of yours (a CSV: raw,class)",
            name,
            *people[name],
        )


def label_faults(protocol: LabelProtocol, rows: Sequence[ClipRow]) -> Iterator[str]:
    """Data sets of which the protocol knows no label at all, and labels that are misspelt."""
    known = {row.dataset for row in rows if protocol.label_index(row) is not None}
    found: dict[str, Counter[str]] = {}
    for row in rows:
        found.setdefault(row.dataset, Counter())[protocol.label(row)] += 1
    for dataset, labels in found.items():
        if dataset not in known:
            yield f"{_unknown_dataset(protocol, dataset)} (its labels: {', '.join(sorted(labels))})"
            continue
        for label, clips in labels.items():
            if near := _misspelt(protocol, dataset, label):
                yield (
                    f"data.label_protocol={protocol.name}: {dataset} has {clips} clips of {label!r}, which no protocol "
                    f"knows; did you mean {near!r}? Mend it in the manifest, or in the annotation sheet"
                )


def _unknown_dataset(protocol: LabelProtocol, dataset: str) -> str:
    home = home_of(dataset)
    others = [name for name in protocol_names() if home in load_protocol(name).homes]
    own = (
        f"add its labels to data_manifests/label_protocols.csv, or use {FROM_DATA}, which takes each label as a class, "
        "or a CSV of your own with the columns raw and class"
    )
    mend = f"use {' or '.join(others)}" if others else own
    return f"data.label_protocol={protocol.name}: knows no label of {dataset}; {mend}"


def _misspelt(protocol: LabelProtocol, dataset: str, label: str) -> str:
    """The label of the protocol that `label` is a misspelling of; empty where it is none."""
    home, raw = home_of(dataset), normalise_label(label)
    everywhere = {text for name in protocol_names() for where, _, text in load_protocol(name).mapping if where == home}
    ours = [text for where, _, text in protocol.mapping if where == home]
    near = [] if raw in everywhere.union(ours) else difflib.get_close_matches(raw, ours, n=1, cutoff=NEAR)
    return near[0] if near else ""
