"""Annotations that can hardly be meant: an apex that is the onset, or a micro-expression of seconds.

Published sheets have some of either, so they are no problems of a listing. They are named, and the user decides.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Literal

from mer_tf.config import MerError
from mer_tf.datasets.manifest import ClipRow

Choice = Literal["keep", "skip", "estimate"]
LONGEST = 2.0
"""Seconds from which on no micro-expression lasts: half a second is the usual bound, the longest published sets that
are all micro-expressions stay near one."""
OTHERS = frozenset({"macro", "macro-expression", "non-micro"})
"""Labels and sessions of clips that are no micro-expressions."""


def doubt(row: ClipRow) -> str:
    """What is doubtful about a clip's annotation; "" when nothing is. Videos and images have none."""
    if row.video or row.image:
        return ""
    seconds = (row.offset - row.onset + 1) / row.fps
    parts = []
    if apex_is_onset(row):
        parts.append(f"its apex {row.apex} is its onset, so there is no motion from one to the other")
    if seconds >= LONGEST and not {row.label_raw, row.session} & OTHERS:
        parts.append(f"it lasts {seconds:.1f} seconds, too long for a micro-expression")
    return " and ".join(parts)


def apex_is_onset(row: ClipRow) -> bool:
    """Whether the annotated apex of a clip of several frames is its onset."""
    return row.apex is not None and row.apex <= row.onset < row.offset


def doubts(rows: Sequence[ClipRow]) -> Mapping[str, str]:
    """clip_id -> what is doubtful, of the clips of which something is."""
    return {row.clip_id: said for row in rows if (said := doubt(row))}


def decided(rows: Sequence[ClipRow], choice: Choice, method: str) -> list[ClipRow]:
    """Rows as the user decides: all kept, the doubtful left out, or an apex that is the onset taken as not given.

    `method` estimates such an apex later; `MerError` when it would not.
    """
    if choice == "skip":
        if left := [row for row in rows if not doubt(row)]:
            return left
        raise MerError("doubtful=skip: every clip is doubtful, so none is left; look at the sheet")
    if choice == "keep":
        return list(rows)
    if method == "given":
        raise MerError("doubtful=estimate: say how with apex=midpoint, peak or divide-and-conquer")
    return [dataclasses.replace(row, apex=None, apex_source="") if apex_is_onset(row) else row for row in rows]
