"""A manifest beside the published counts and beside another list of the same clips."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mer_tf.config import MerError
from mer_tf.datasets.adapters.listing import Listing
from mer_tf.datasets.doubts import doubts
from mer_tf.datasets.labels import LabelProtocol, normalise_label
from mer_tf.datasets.manifest import ClipRow, read_manifest
from mer_tf.files import facts
from mer_tf.table_files import cell_text, read_table

ALL = "*"
"""Class name of the rows of expected_counts.csv that count all classes of a protocol."""
LEFT_OUT = "(left out)"


@dataclass(frozen=True)
class Expected:
    """Published number of clips (and of subjects, where known) of one class of one data set under a protocol."""

    class_name: str
    clips: int
    subjects: int | None
    source: str
    certainty: str


def expected_counts(protocol: str, dataset: str) -> list[Expected]:
    """What is published of a data set under a protocol; empty where nothing is."""
    table = facts("expected_counts.csv")
    rows = table[(table["protocol"] == protocol) & (table["dataset"] == dataset)]
    return [
        Expected(
            r["class_name"], int(r["clips"]), int(r["subjects"]) if r["subjects"] else None, r["source"], r["certainty"]
        )
        for _, r in rows.iterrows()
    ]


def counts_table(rows: Sequence[ClipRow], class_of: Callable[[ClipRow], str | None]) -> pd.DataFrame:
    """Clips by subject and class, with sums; clips without a class are counted as left out."""
    named = [(r.subject, class_of(r) or LEFT_OUT) for r in rows]
    frame = pd.DataFrame(named, columns=["subject", "class"])
    return pd.crosstab(frame["subject"], frame["class"], margins=True, margins_name="all")


def manifest_report(
    listing: Listing, protocol: LabelProtocol | None, reference: Path | None = None
) -> tuple[str, bool]:
    """What `mer-tf manifest` prints, and whether there is neither a problem nor a difference.

    Without a protocol (a data set without classes) the raw labels are counted. `reference` is another list of the same
    clips, see `read_reference`.
    """
    class_of = protocol.class_name if protocol else (lambda r: r.label_raw or "(no label)")
    parts = [counts_table(listing.rows, class_of).to_string()]
    differences: list[str] = []
    if protocol:
        lines = compare_counts(listing, protocol)
        differences = [line for line in lines if line.startswith(" ")]
        parts += lines
        if reference:
            clips = compare_clips(class_names(listing.rows, protocol), read_reference(reference, protocol))
            differences += clips
            parts += [f"{reference}: {'differs' if clips else 'equal'}", *(f"  {clip}" for clip in clips)]
    elif reference:
        raise MerError(f"{reference}: no label protocol knows this data set, so there are no classes to compare")
    parts += [f"{len(listing.problems)} problem(s)", *(f"  {problem}" for problem in listing.problems)]
    if listing.notes:
        parts += [f"{len(listing.notes)} note(s)", *(f"  {note}" for note in listing.notes)]
    if unsure := doubts(listing.rows):
        parts += [f"{len(unsure)} doubtful annotation(s), --doubtful says what becomes of them"]
        parts += [f"  clip {clip}: {said}" for clip, said in unsure.items()]
    return "\n".join(parts), not (differences or listing.problems)


def compare_counts(listing: Listing, protocol: LabelProtocol) -> list[str]:
    """One line a data set: `equal`, or how its counts differ from the published ones and which clips are known lost."""
    lines: list[str] = []
    for dataset in sorted({r.dataset for r in (*listing.rows, *listing.left_out)}):
        rows = [r for r in listing.rows if r.dataset == dataset]
        expected = expected_counts(protocol.name, dataset)
        if not expected:
            lines.append(f"{dataset}, {protocol.name}: no published counts are known")
            continue
        faults = [fault for known in expected if (fault := _difference(rows, protocol, known))]
        faults += [
            f"missing: {r.clip_id} ({protocol.class_name(r)}), see the problems"
            for r in listing.left_out
            if r.dataset == dataset and protocol.class_name(r)
        ]
        memory = " (published counts from memory)" if any(e.certainty == "memory" for e in expected) else ""
        lines.append(f"{dataset}, {protocol.name}: {'differs' if faults else 'equal'}{memory}")
        lines += [f"  {fault}" for fault in faults]
    return lines


def compare_clips(found: Mapping[str, str], reference: Mapping[str, str]) -> list[str]:
    """Missing, extra and relabelled clips by id; `found` and `reference` map clip ids to classes."""
    missing = [f"missing: {c} ({reference[c]})" for c in sorted(reference.keys() - found.keys())]
    extra = [f"extra: {c} ({found[c]})" for c in sorted(found.keys() - reference.keys())]
    both = sorted(found.keys() & reference.keys())
    changed = [f"relabelled: {c} is {found[c]}, not {reference[c]}" for c in both if found[c] != reference[c]]
    return missing + extra + changed


def read_reference(path: Path, protocol: LabelProtocol) -> dict[str, str]:
    """clip_id -> class of a manifest, or of a CSV file with clip_id and class; clips without a class are not listed."""
    frame = read_table(path, ["clip_id"], "give a manifest, or a CSV with clip_id and class").frame
    if "class" in frame.columns:
        names = {normalise_label(c): c for c in protocol.classes}
        listed = zip(frame["clip_id"].map(cell_text), frame["class"].map(cell_text), strict=True)
        return {clip: names.get(normalise_label(label), label) for clip, label in listed}
    return class_names(read_manifest(path), protocol)


def class_names(rows: Sequence[ClipRow], protocol: LabelProtocol) -> dict[str, str]:
    """clip_id -> class name, without the clips that the protocol leaves out."""
    return {r.clip_id: name for r in rows if (name := protocol.class_name(r)) is not None}


def protocol_differences(a: LabelProtocol, b: LabelProtocol, rows: Sequence[ClipRow]) -> list[str]:
    """How two protocols differ: each raw label whose class name changes or vanishes, then each such clip of `rows`.

    Labels of data sets that only one of them knows are not compared. `MerError` when they have no data set in common.
    """
    common = {d for d, _, _ in a.mapping} & {d for d, _, _ in b.mapping}
    if not common:
        raise MerError(f"label protocols {a.name} and {b.name} have no data set in common, so nothing to compare")
    lines = []
    for key in sorted(k for k in a.mapping.keys() | b.mapping.keys() if k[0] in common):
        before, after = (p.classes[p.mapping[key]] if key in p.mapping else LEFT_OUT for p in (a, b))
        if before != after:
            lines.append(f"{key[0]} {key[2]}: {before} -> {after}")
    clips = [(r, a.class_name(r) or LEFT_OUT, b.class_name(r) or LEFT_OUT) for r in rows]
    lines += [f"{r.clip_id} ({a.label(r)}): {x} -> {y}" for r, x, y in clips if x != y]
    return lines


def _difference(rows: Sequence[ClipRow], protocol: LabelProtocol, known: Expected) -> str:
    """What differs from one published count; empty when nothing does."""
    names = [(r.subject, protocol.class_name(r)) for r in rows]
    subjects = [s for s, name in names if name and known.class_name in (ALL, name)]
    what = "all classes" if known.class_name == ALL else known.class_name
    if len(subjects) != known.clips:
        return f"{what}: {len(subjects)} clips, published {known.clips} ({known.source})"
    if known.subjects is not None and len(set(subjects)) != known.subjects:
        return f"{what}: {len(set(subjects))} subjects, published {known.subjects} ({known.source})"
    return ""
