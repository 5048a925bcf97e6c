"""Everything that `mer-tf score` says of one predictions table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from mer_tf.evaluation.metrics import evaluate
from mer_tf.evaluation.variants import metric_variants, per_subject, variant_warnings
from mer_tf.files import write_json
from mer_tf.reporting.tables import class_table, results_table, subject_table, variants_table
from mer_tf.scoring.support import check_support
from mer_tf.scoring.tables import Foreign


def scorecard(
    name: str,
    foreign: Foreign,
    expected: Mapping[str, int],
    *,
    subjects: bool = False,
    out: Path | None = None,
    bootstrap: int = 2000,
    permutations: int = 9999,
) -> tuple[str, bool]:
    """Text of the results, variants and classes, and whether the true labels have the `expected` counts (or none are).

    `subjects` adds a line a subject. `out` takes all of it as JSON: that of `evaluate`, and notes, warnings, variants,
    per_subject, support.
    """
    frame = foreign.frame
    metrics, variants = evaluate(frame, bootstrap=bootstrap, permutations=permutations), metric_variants(frame)
    warnings = variant_warnings(variants)
    people = per_subject(frame) if subjects else None
    support, passed = check_support(frame, expected) if expected else ("", True)
    parts = [
        "\n".join(foreign.notes),
        results_table({name: metrics}),
        variants_table(variants),
        "\n".join(map(str, warnings)),
        class_table(metrics),
        "" if people is None else subject_table(people),
        support,
    ]
    if out is not None:
        extra = {
            "notes": list(foreign.notes),
            "warnings": [asdict(one) for one in warnings],
            "variants": variants.to_dict("records"),
            "per_subject": [] if people is None else people.to_dict("records"),
            "support": {"passed": passed, "text": support} if expected else {},
        }
        write_json(out, metrics | extra)
    return "\n\n".join(part for part in parts if part), passed
