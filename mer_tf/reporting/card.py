"""The model card of a run (Mitchell et al. 2019): data, protocol, figures with intervals, limits, intended use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mer_tf.changes import read_experiment
from mer_tf.config import Experiment
from mer_tf.evaluation.metrics import SCORES, class_names
from mer_tf.evaluation.predictions import read_predictions
from mer_tf.files import read_mapping, write_json, write_text
from mer_tf.notices import LEAKY, danger

CARD = "model_card"
CONTENT = "content.csv"
"""Of a run: clip_id, subject and content_sha256 of every clip, by which a clip is known again."""
FINAL = "final"
"""Folder of the model that is trained on all data, once the cross-validation is done."""
USE = (
    "Research on micro-expression recognition: to compare methods, and to look at what a trained model answers on new "
    "clips of the same kind (camera, frame rate, cut from onset to offset)."
)
NOT_FOR = (
    "decisions about a person, lie detection, diagnosis, surveillance. An answer is a class of movement as this data "
    "set names it, not what somebody feels."
)
LIMITS = (
    "The figures are of people who were not trained on, from the same data set; other cameras, frame rates, lighting "
    "and people were not tried, and figures fall there.",
    "Each clip was cut from onset to offset by people or by the drawing; a clip that shows no micro-expression gets an "
    "answer too.",
    "Probabilities p_<class> are a softmax and are not calibrated; calibrated_<class> are tempered by the "
    "cross-validation's predictions, so by the same data set.",
)
FINAL_SAID = (
    "The model in final/ was trained once on all clips after the cross-validation. No figure was or can be measured "
    "on it with these data: the cross-validated figures are its only claim."
)


def model_card(run: Path) -> dict[str, Any]:
    experiment, config = read_experiment(run / "config.json"), read_mapping(run / "config.json")
    metrics = read_mapping(run / "metrics.json") if (run / "metrics.json").is_file() else {}
    frame = read_predictions(run / "predictions.csv")
    counts = frame.drop_duplicates("clip_id")["y_true"].value_counts()
    subjects = int(frame["subject"].nunique()) if "subject" in frame else None
    result = metrics.get("results", {}).get(experiment.name, {})
    warnings = [w["text"] if isinstance(w, Mapping) else str(w) for w in metrics.get("warnings", [])]
    environment = read_mapping(run / "env.json") if (run / "env.json").is_file() else {}
    return {
        "name": experiment.name,
        "model": experiment.model.name,
        "encoder": config["resolved"].get("encoder"),
        "weights": config["resolved"].get("weights"),
        "classes": class_names(frame),
        "data": {
            "datasets": sorted(set(frame["dataset"])) if "dataset" in frame else [],
            "label_protocol": Path(experiment.data.label_protocol).name,
            "clips": int(frame["clip_id"].nunique()),
            "subjects": subjects,
            "clips_of_each_class": {name: int(counts.get(name, 0)) for name in class_names(frame)},
        },
        "protocol": {
            "split": experiment.evaluation.split,
            "folds": int(frame["fold"].nunique()) if "fold" in frame else None,
            "seeds": experiment.evaluation.seeds,
        },
        "figures": {name: result[name] for name in SCORES if name in result}
        | {k: result[k] for k in ("majority_rate", "chance_UAR", "permutation_p_UAR") if k in result},
        "final": FINAL_SAID if (run / FINAL / "model.keras").is_file() else None,
        "intended_use": USE,
        "not_for": NOT_FOR,
        "limits": [*_limits(experiment), *warnings, *LIMITS],
        "made_by": {k: environment.get(k) for k in ("mer_tf", "code", "git_commit")},
    }


def write_card(run: Path) -> Path:
    """model_card.json and model_card.md of a finished run; the latter's path."""
    card = model_card(run)
    write_json(run / f"{CARD}.json", card)
    return write_text(run / f"{CARD}.md", card_text(card))


def card_text(card: Mapping[str, Any]) -> str:
    return "\n".join(_lines(card)) + "\n"


def _limits(experiment: Experiment) -> Iterator[str]:
    if experiment.evaluation.split == "clip":
        text = "clips of one subject stand on both sides of a fold, so the figures are of known people."
        yield str(danger(LEAKY, text))
    if experiment.data.shuffle_labels:
        yield str(danger("negative_control", "labels were shuffled; nothing can be learned from them."))


def _lines(card: Mapping[str, Any]) -> Iterator[str]:
    data, protocol = card["data"], card["protocol"]
    each = ", ".join(f"{name} {count}" for name, count in data["clips_of_each_class"].items())
    yield from (f"# Model card: {card['name']}", "", card["intended_use"], "", f"**Not for:** {card['not_for']}", "")
    yield f"- model: {card['model']}; encoder: {card['encoder']}"
    yield f"- classes: {', '.join(card['classes'])} (label protocol {data['label_protocol']})"
    yield f"- data: {', '.join(data['datasets'])}; {data['clips']} clips of {data['subjects']} subjects: {each}"
    yield f"- protocol: split {protocol['split']}, {protocol['folds']} folds, {protocol['seeds']} seed(s)"
    for name in SCORES:
        if value := card["figures"].get(name):
            low, high = value["ci95"]
            yield f"- {name}: {value['pooled']:.1%}, 95 % interval over subjects {low:.1%} to {high:.1%}"
    if "majority_rate" in card["figures"]:
        rate, chance = card["figures"]["majority_rate"], card["figures"]["chance_UAR"]
        yield f"- without skill: accuracy {rate:.1%} (always the majority class), UAR {chance:.1%}"
    if card["final"]:
        yield f"- final model: {card['final']}"
    yield from ("", "## Limits", "", *(f"- {text}" for text in card["limits"]))
