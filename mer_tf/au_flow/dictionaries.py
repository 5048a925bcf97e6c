"""Learn the dictionaries of `PatchKernel` on drawn images alone, and say what is recognised by them in kinds kept out.

Nothing is selected: sizes and seeds are fixed, and a kind that is kept out is looked at once, afterwards.
"""

from __future__ import annotations

import dataclasses
import logging
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.cluster import MiniBatchKMeans
from sklearn.metrics import f1_score

from mer_tf.au_flow.drawn_training import TEST_SEED, disturbed_kind, kept_out_groups, trained_kinds
from mer_tf.au_flow.recogniser import CROP, LIMITS, OF_DRAWN
from mer_tf.au_flow.settings import Dictionaries, Options
from mer_tf.au_flow.train import new_directory
from mer_tf.cached import cache_folder
from mer_tf.evaluation.calibration import Calibration, fit_calibration
from mer_tf.files import atomic, sha256, write_csv, write_json, write_text
from mer_tf.models.kernel_model import KernelModel
from mer_tf.models.kernel_ridge import Ridge, Views, both_sides, fit_ridge, kernel
from mer_tf.models.patch_codes import Dictionary, Floats, coded, patches_of, pooled
from mer_tf.models.patch_kernel import DICTIONARIES, PatchKernel
from mer_tf.synthetic.action_units.fields import Drawn, joined
from mer_tf.synthetic.action_units.movement import CLASSES
from mer_tf.synthetic.action_units.rendered import CROPS, draw_kind, kinds

log = logging.getLogger("mer_tf")
STRANGEST = "renderer direct"
"""The group of kinds that is recognised worst when it is kept out: answers there temper those about people."""
GEOMETRY = (
    "face_geometry.csv, published: mean landmarks of dlib in the crop that is published for SMIC; no image of the "
    "composite entered"
)
TUNED = (
    "Sizes of the recipe (blur, patches, words, grid, penalties) come from a study on the 442 flow images of the MEGC "
    "2019 composite, which compared about 360 configurations there: figures there are of a recipe chosen there. "
    "Dictionaries and statistics are of drawn images alone."
)


def make_dictionaries(options: Options) -> str:
    """Learn and test; writes the dictionaries, their card, kept_out.csv and results.txt."""
    config = Dictionaries(cache=options.train.cache)
    directory = new_directory(options)
    cache = cache_folder(config.cache)
    train = drawn_of(trained_kinds(), config.images, 2 * config.seed, cache)
    tests = drawn_of(list(kinds()), config.tested, 2 * config.seed + TEST_SEED, cache)
    dictionaries = learn(joined([*train.values()]).images, config)
    scores = kept_out(train, tests, [], list(kinds()), dictionaries)
    known = disturbed_images(config, cache)
    asked = drawn_of(list(kinds()), config.asked, 2 * config.seed + TEST_SEED, cache)
    rows, answers = [], dict[str, Calibration]()
    for group, names in kept_out_groups().items():
        without = learn(joined([train[name] for name in trained_kinds(names)]).images, config)
        found = {"as drawn": kept_out(train, tests, names, names, without[:1])}
        found["disturbed"] = kept_out(known, asked, names, names, without)
        rows += [{"left_out": group, "trained_on": k, **row} for k, scored in found.items() for row in _rows(scored)]
        log.info("without %s: %s", group, found)
        if group == STRANGEST:
            answers[group] = answers_kept_out(train, tests, names, without[:1])
    write_csv(pd.DataFrame(rows), directory / "kept_out.csv")
    _write(dictionaries, options, {k: round(v, 4) for k, v in scores.items()}, rows, answers[STRANGEST], directory)
    lines = [f"UF1 of new images, all trained kinds: {name} {score:.3f}" for name, score in scores.items()]
    text = "\n".join(
        [
            *lines,
            *(f"UF1 without {r['left_out']}, {r['trained_on']}: {r['kind']} {r['UF1']:.3f}" for r in rows),
            *OF_DRAWN,
            *LIMITS,
        ]
    )
    write_text(directory / "results.txt", text + "\n")
    return f"{text}\nrun directory: {directory}"


def _rows(scores: Mapping[str, float]) -> list[dict[str, Any]]:
    return [{"kind": name, "UF1": round(score, 4)} for name, score in scores.items()]


def disturbed_images(config: Dictionaries, cache: Path) -> dict[str, Drawn]:
    """Images of each trained kind as networks are trained on: rendered ones with head movement and errors of flow."""
    seed, rng = 2 * config.seed, np.random.default_rng((config.seed, 3))
    return {
        name: draw_kind(name, config.known, seed, crop=CROP)
        if kinds()[name].renderer == "direct"
        else disturbed_kind(name, config.known, seed, rng, CROP, cache)
        for name in trained_kinds()
    }


def kept_out(
    train: dict[str, Drawn],
    tests: dict[str, Drawn],
    left_out: Collection[str],
    wanted: Collection[str],
    dictionaries: Sequence[Dictionary],
) -> dict[str, float]:
    """UF1 of the kinds `wanted` by a regression on all trained kinds but those left out."""
    views, ridge = _regression(train, left_out, dictionaries)
    found = {}
    for name in wanted:
        said = (kernel(views_by(tests[name].images, dictionaries), views) @ ridge.weights).argmax(axis=1)
        found[name] = float(f1_score(tests[name].labels, said, average="macro"))
    return found


def answers_kept_out(
    train: dict[str, Drawn], tests: dict[str, Drawn], names: Collection[str], dictionaries: Sequence[Dictionary]
) -> Calibration:
    """What a regression on all trained kinds but `names`, which are rendered, answers of new images of `names`."""
    views, ridge = _regression(train, names, dictionaries, CROPS)
    asked = joined([tests[name] for name in names])
    shares = ridge.probabilities(kernel(views_by(asked.images, dictionaries), views))
    return fit_calibration(shares, asked.labels, CLASSES)


def _regression(
    train: dict[str, Drawn], left_out: Collection[str], dictionaries: Sequence[Dictionary], together: int = 1
) -> tuple[Views, Ridge]:
    """Descriptions of all trained kinds but those left out, and the regression on them.

    together: images in a row that are of one drawing, which its temperature leaves out at once.
    """
    known = joined([train[name] for name in trained_kinds(left_out)])
    views, owners = views_by(known.images, dictionaries), np.arange(len(known.labels)) // together
    return views, fit_ridge(kernel(views, views), known.labels, owners.tolist(), len(CLASSES), KernelModel().penalties)


def _write(
    dictionaries: Sequence[Dictionary],
    options: Options,
    scores: dict[str, float],
    rows: Sequence[dict[str, Any]],
    answers: Calibration,
    directory: Path,
) -> None:
    """NAME.npz, shared arrays once, and the card NAME.json."""
    name, path = DICTIONARIES[-1], directory / f"{DICTIONARIES[-1]}.npz"
    own = {key: np.stack([one[key] for one in dictionaries]) for key in ("words", "center", "spread")}
    with atomic(path) as part:
        np.savez_compressed(part, mean=dictionaries[0]["mean"], whiten=dictionaries[0]["whiten"], **own)  # type: ignore[arg-type]
    card = {
        "name": name,
        "input": "flow images (N, 28, 28, 3): u, v, optical strain of onset to apex, each stretched to 0..255",
        "output": "a description (N, 2560) by each dictionary, for kernel ridge regression",
        "sha256": sha256(path),
        "bytes": path.stat().st_size,
        "command": "python experiments/exp9_au_pretraining.py " + " ".join(sys.argv[1:]),
        "settings": dataclasses.asdict(Dictionaries()) | {"cache": "data"},
        "learned_on": trained_kinds(),
        "geometry": GEOMETRY,
        "tuned_on": TUNED,
        "UF1_drawn": scores,
        "UF1_kept_out": list(rows),
        "answers_kept_out": {"left_out": STRANGEST, "answers": answers.stored()},
        "limits": (*OF_DRAWN, *LIMITS),
    }
    write_json(directory / f"{name}.json", card)


def drawn_of(names: Sequence[str], count: int, seed: int, cache: Path) -> dict[str, Drawn]:
    return {name: draw_kind(name, count, seed, crop=CROP, cache_dir=cache) for name in names}


def learn(images: Any, config: Dictionaries) -> list[dict[str, Any]]:
    """Dictionaries of flow images uint8 (N, 28, 28, 3), drawn ones: `config.number` of them."""
    prepared = both_sides(images, PatchKernel().blur)
    rng = np.random.default_rng(config.seed)
    mean, whiten = _whitening(_some_patches(prepared, config.patches, rng), config.smallest)
    found = []
    for number in range(config.number):
        flat = (_some_patches(prepared, config.patches, rng) - mean) @ whiten
        means = MiniBatchKMeans(config.words, batch_size=4096, n_init=1, max_iter=30, random_state=config.seed + number)
        words = means.fit(flat).cluster_centers_.astype(np.float32)
        one: dict[str, Any] = {"mean": mean, "whiten": whiten, "words": words}
        raw = pooled(prepared, one)
        found.append({**one, "center": raw.mean(axis=0), "spread": np.maximum(raw.std(axis=0), 1e-3)})
    return found


def _some_patches(images: Floats, count: int, rng: np.random.Generator) -> Floats:
    each = 16
    chosen = images[rng.integers(len(images), size=-(-count // each))]
    all_of = [patches_of(one[None])[0] for one in chosen]
    return np.concatenate([one[rng.integers(len(one), size=each)] for one in all_of])


def _whitening(patches: Floats, smallest: float) -> tuple[Floats, Floats]:
    """Mean (147,) and whitening (147, 147) of patches; variances below `smallest` of their mean are not blown up."""
    mean = patches.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov((patches - mean).T))
    scale = 1 / np.sqrt(values + smallest * values.mean())
    return mean.astype(np.float32), (vectors * scale @ vectors.T).astype(np.float32)


def views_by(images: Any, dictionaries: Sequence[Dictionary]) -> Views:
    """As `PatchKernel.described`, by dictionaries that were not stored."""
    prepared = both_sides(images, PatchKernel().blur)
    return tuple(coded(prepared, one) for one in dictionaries)
