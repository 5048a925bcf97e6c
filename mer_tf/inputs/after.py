"""Which models are not the published ones exactly, and why (data_manifests/after.csv)."""

from __future__ import annotations

from typing import Any

from mer_tf.files import facts
from mer_tf.notices import Notice, note


def published_system(model: str) -> str:
    """What a model is only after, as `Khor et al. 2018 (ELRCN)`; empty where it is as it was published, or a trial."""
    return next((row["source"] for row in _after(model)), "")


def after_notice(model: str) -> tuple[Notice, ...]:
    """That a model is not the published one exactly, and why."""
    return tuple(note("after", f"{model} is after {row['source']}, not it: {row['reason']}") for row in _after(model))


def _after(model: str) -> list[dict[str, Any]]:
    rows: list[Any] = facts("after.csv").to_dict("records")
    return [row for row in rows if row["model"] == model]
