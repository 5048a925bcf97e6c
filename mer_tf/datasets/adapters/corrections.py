"""Known errors of the published annotations, mended by clip id. Facts live in data_manifests/corrections.csv."""

from __future__ import annotations

import dataclasses
import logging
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from mer_tf.files import facts

log = logging.getLogger(__name__)
Annotated = TypeVar("Annotated")
NUMBERS = frozenset({"onset", "apex", "offset"})


@dataclass(frozen=True)
class Correction:
    """One field of one clip: `new` replaces `old`, both as text; "" and "/" are a frame number that is not given."""

    clip_id: str
    dataset: str
    field: str
    old: str
    new: str
    reason: str
    source: str


@cache
def corrections() -> dict[str, tuple[Correction, ...]]:
    """All corrections by clip id."""
    found: dict[str, list[Correction]] = defaultdict(list)
    for line in facts("corrections.csv").to_dict("records"):
        found[line["clip_id"]].append(Correction(**line))  # type: ignore[arg-type]
    return {clip: tuple(known) for clip, known in found.items()}


def correct(annotated: Annotated) -> tuple[Annotated, list[str]]:
    """A dataclass with clip_id, dataset and frame numbers, corrected, and a sentence for each correction refused.

    A correction applies only where the field still has its `old` value: a sheet that has `new` already is left as it
    is, any other value is reported and kept.
    """
    item: Any = annotated
    refused = []
    for known in corrections().get(item.clip_id, ()):
        now = _plain(getattr(item, known.field))
        if known.dataset != item.dataset or now == known.new:
            continue
        if now != _plain(known.old):
            refused.append(
                f"clip {known.clip_id}: {known.field} is {now!r}, but the correction of data_manifests/corrections.csv "
                f"({known.reason}) is for {known.old!r}; it is not applied, check which value is right"
            )
            continue
        log.debug("clip %s: %s %r becomes %r (%s)", known.clip_id, known.field, known.old, known.new, known.reason)
        item = dataclasses.replace(item, **{known.field: _value(known)})
    return item, refused


def changes(before: Annotated, after: Annotated) -> list[str]:
    """What `correct` made of a dataclass, one sentence a field."""
    item: Any = before
    return [
        f"{known.field} {known.old or 'not given'} is read as {known.new or 'not given'}: {known.reason}"
        for known in corrections().get(item.clip_id, ())
        if getattr(before, known.field) != getattr(after, known.field)
    ]


def _plain(value: Any) -> str:
    return "" if value in (None, "/") else str(value)


def _value(known: Correction) -> int | str | None:
    if known.field not in NUMBERS:
        return known.new
    return int(known.new) if known.new else None
