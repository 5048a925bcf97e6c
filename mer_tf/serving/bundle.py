"""model.mertf: one zip file with all that a trained model needs to predict, and nothing that runs when it is read.

chain.keras: the whole as one graph, for plain Keras. networks/*.keras and encoder.keras: its parts, which `predict`
uses. config.json, card, confusion.csv, and in seen.csv digests, not names, of clips and people it was trained on.
"""

from __future__ import annotations

import dataclasses
import re
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import pandas as pd

from mer_tf.changes import read_experiment
from mer_tf.config import Data, Experiment, MerError
from mer_tf.files import atomic, read_mapping, sha256, write_csv, write_json, write_text
from mer_tf.models.kinds import FeatureModel
from mer_tf.reporting.card import CARD, card_text
from mer_tf.serving.chain import encoder_of, whole_chain
from mer_tf.serving.trained import SEEN, Member, Trained

SUFFIX = ".mertf"
HASHES = "hashes.json"
CHAIN = "chain.keras"
ENCODER = "encoder.keras"
VERSION = 1
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


def write_bundle(trained: Trained, out: Path) -> Path:
    """Write the trained model as one file; the same model gives the same parts."""
    with TemporaryDirectory(prefix="mer_tf-") as home:
        _write_parts(trained, Path(home))
        names = sorted(p.relative_to(home).as_posix() for p in Path(home).rglob("*") if p.is_file())
        write_json(Path(home) / HASHES, {name: sha256(Path(home) / name) for name in names})
        with atomic(out) as part, zipfile.ZipFile(part, "w") as file:
            for name in [HASHES, *names]:
                file.writestr(zipfile.ZipInfo(name), (Path(home) / name).read_bytes())
    return out


def read_bundle(path: Path, home: Path) -> Trained:
    """Unpack a bundle into `home`; `MerError` when it is none, is damaged, or holds what no bundle does."""
    try:
        with zipfile.ZipFile(path) as file:
            names = file.namelist()
            if HASHES not in names or not all(_NAME.fullmatch(name) for name in names):
                raise MerError(
                    f"{path}: is no bundle of mer_tf; write one with `mer-tf export RUN --out model{SUFFIX}`"
                )
            file.extractall(home)
    except (OSError, zipfile.BadZipFile) as error:
        raise MerError(f"{path}: cannot be read as a bundle ({error}); copy or export it again") from error
    expected = read_mapping(home / HASHES)
    if sorted([HASHES, *expected]) != sorted(names):
        raise MerError(f"{path}: holds other files than {HASHES} names; copy or export it again")
    if broken := [name for name, digest in expected.items() if sha256(home / name) != digest]:
        raise MerError(f"{path}: {broken[0]} is not as it was exported; copy or export it again")
    return _trained(path, home)


def _trained(path: Path, home: Path) -> Trained:
    config = read_mapping(home / "config.json")
    if config.get("bundle") != VERSION:
        raise MerError(f"{path}: is a bundle of version {config.get('bundle')}, not {VERSION}; install another mer_tf")
    experiment = read_experiment(home / "config.json")
    if isinstance(experiment.model, FeatureModel):
        model = dataclasses.replace(experiment.model, encoder=str(home / ENCODER))
        experiment = dataclasses.replace(experiment, model=model)
    return Trained(
        home=home,
        name=experiment.name,
        experiment=experiment,
        resolved=config["resolved"],
        classes=tuple(config["classes"]),
        members=tuple(Member(m["name"], home / m["file"], m["block"]) for m in config["members"]),
        seen=pd.read_csv(home / "seen.csv", dtype=str, keep_default_na=False),
        confusion=pd.read_csv(home / "confusion.csv", index_col=0, keep_default_na=False),
        card=read_mapping(home / f"{CARD}.json"),
    )


def _write_parts(trained: Trained, home: Path) -> None:
    chain = whole_chain(trained)  # first: it refuses what cannot be exported
    chain.save(home / CHAIN)
    resolved = dict(trained.resolved)
    encoder, at = encoder_of(trained)
    if encoder is not None:
        _plain(encoder).save(home / ENCODER)
        resolved["weights"] = {
            "source": Path(str(resolved["weights"]["source"])).name,
            "sha256": sha256(home / ENCODER),
        }
    resolved.pop("records", None)
    members = []
    (home / "networks").mkdir()
    for k, member in enumerate(trained.members):
        file = f"networks/{k}.keras"
        (home / file).write_bytes(member.path.read_bytes())
        members.append({"name": member.name, "file": file, "block": member.block})
    values: dict[str, Any] = {"bundle": VERSION, "experiment": dataclasses.asdict(_portable(trained.experiment, at))}
    write_json(home / "config.json", values | {"resolved": resolved, "classes": trained.classes, "members": members})
    write_csv(trained.seen[SEEN], home / "seen.csv")
    write_csv(trained.confusion, home / "confusion.csv", index=True)
    card = dict(trained.card) | {"weights": resolved["weights"]}
    write_json(home / f"{CARD}.json", card)
    write_text(home / f"{CARD}.md", card_text(card))


def _portable(experiment: Experiment, at: str | None) -> Experiment:
    """The settings without this machine's paths; the encoder is the file in the bundle, which scales images itself."""
    kept = Data(dataset=experiment.data.dataset, apex=experiment.data.apex)
    model = experiment.model
    if isinstance(model, FeatureModel):
        changes: dict[str, Any] = {"encoder": ENCODER, "weights": None, "preproc": "raw", "features_at": at}
        model = dataclasses.replace(model, **changes)
    return dataclasses.replace(experiment, data=kept, model=model, out="runs")


def _plain(encoder: keras.Model) -> keras.Model:
    """A copy whose first layers have names of their own, so that an encoder can be built around it."""

    def renamed(layer: Any) -> Any:
        config = layer.get_config()
        own = layer.name in ("resize", "preprocess", "images")
        return layer.__class__.from_config(config | {"name": f"own_{layer.name}"} if own else config)

    copy = keras.models.clone_model(encoder, clone_function=renamed)
    copy.set_weights(encoder.get_weights())
    return copy
