"""What `scale.py` measures of training and of the page of spotted events: by the code of the commands, on little data.

Clips are 16 frames of noise of 32 x 32 pixels, in records as preprocessing writes them. Features are those of a
ResNet-50 of that size, or, where they are only trained on, as many numbers of a network that takes no time. Videos are
one drawn video of six seconds under many names, followed once.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import keras
import numpy as np

from mer_tf.changes import changed
from mer_tf.config import Clip, Data, Evaluation, Experiment, Preprocess, Train
from mer_tf.datasets.labels import protocol_of
from mer_tf.datasets.manifest import ClipRow, read_manifest
from mer_tf.files import read_mapping, sha256, write_json
from mer_tf.inputs import shelf
from mer_tf.inputs.clips import Clips, label_clips
from mer_tf.inputs.prepare import encode
from mer_tf.models.encoders.vggface import build_vggface
from mer_tf.models.vggface_lstm import VggFaceLstm
from mer_tf.protocols.workbench import Bench
from mer_tf.records.clip import ClipRecord
from mer_tf.records.index import Index, IndexedClip, write_index
from mer_tf.records.schema import encode as record_bytes
from mer_tf.records.shards import Outcome, entry_of, plan_shards, store_shard
from mer_tf.synthetic.long.write import write_long
from mer_tf.video.blocks import STATE
from mer_tf.video.page import Wishes, write_page
from mer_tf.video.recognise import asked_of
from mer_tf.video.sources import Source, open_source, open_sources
from mer_tf.video.spot import follow, home_of, settings_of, write_tables

FRAMES, SIDE, FULL = 16, 32, 224
"""Frames of a clip, their side and that of the published network, pixels."""
WIDTH = 2048
"""Numbers that ResNet-50 makes of a frame."""
Made = Callable[[], Any]


def features(rows: list[ClipRow], folder: Path, side: int = SIDE) -> Made:
    """Features of all frames by ResNet-50, as a run computes and keeps them before its first fold."""
    encoder = folder / "encoder.keras"
    build_vggface("resnet50", pooling=None, input_size=side).save(encoder)
    experiment = changed(declared(folder, encoder, side), {"model.preproc": "vggface2-mean"})
    clips = recorded(rows, folder, side)
    return lambda: encode(experiment, clips)


def epoch(rows: list[ClipRow], folder: Path, budget: int = shelf.IN_MEMORY) -> Made:
    """A fold's training for one epoch, once it is compiled: its windows are planned, shuffled and trained on.

    budget: bytes of features above which they stay on disk.
    """
    encoder = folder / "encoder.keras"
    wide_encoder().save(encoder)
    experiment, clips = declared(folder, encoder), recorded(rows, folder)
    with patch.object(shelf, "IN_MEMORY", budget):
        bench = Bench(experiment, clips, encode(experiment, clips))
    fold = bench.folds()[0]
    labels = bench.seal().training(fold)
    bench.fit(fold.train, labels, 0)
    return lambda: bench.fit(fold.train, labels, 1)


def declared(folder: Path, encoder: Path, side: int = SIDE) -> Experiment:
    """Exp-II's network with the widths of its embedded run, two windows a clip."""
    return Experiment(
        name="scale",
        data=Data(dataset="folders", root=str(folder), label_protocol="data", cache=str(folder)),
        preprocess=Preprocess(face="none", size=side, flow="none", clips_per_shard=256),
        clip=Clip(frames=13, stride=3, mirror=False),
        model=VggFaceLstm(encoder=str(encoder), center="onset", embedding=(256, 192, 128), lstm_units=128),
        train=Train(epochs=1, batch_size=32, learning_rate=1e-3, jit_compile=False),
        evaluation=Evaluation(split="clip", folds=5),
    )


def wide_encoder() -> keras.Model:
    """A network of no depth whose features are as wide as ResNet-50's."""
    image = keras.Input((SIDE, SIDE, 3))
    small = keras.layers.AveragePooling2D(8)(keras.layers.Rescaling(1 / 255)(image))
    return keras.Model(image, keras.layers.Dense(WIDTH)(keras.layers.Flatten()(small)))


def recorded(rows: list[ClipRow], folder: Path, side: int = SIDE) -> Clips:
    """Noise in the records of these rows, and the clips as experiments have them."""
    rng, config, stored = np.random.default_rng(0), Preprocess(face="none", size=side, clips_per_shard=256), []
    records, shards = folder / "records", {}
    for shard in plan_shards(rows, config, records):
        outcomes = [_outcome(row, rng.integers(0, 256, (FRAMES, side, side, 3), np.uint8)) for row in shard.rows]
        store_shard(shard, outcomes, {})
        stored += [IndexedClip(**one.entry, shard=shard.path.name) for one in outcomes]
        shards[shard.path.name] = sha256(shard.path)
    write_index(Index(records, config, "", tuple(stored), shards, 0, {}))
    protocol = protocol_of("data", rows)
    return Clips(label_clips(rows, stored, protocol, Data()), tuple(rows), protocol, records, ())


def _outcome(row: ClipRow, frames: np.ndarray) -> Outcome:
    known = row.clip_id, row.dataset, row.subject, row.label_raw, row.fps
    record = ClipRecord(*known, np.arange(FRAMES), frames, None, None, None, np.eye(2, 3))
    return Outcome(record_bytes(record, "png"), entry_of(record))


def page(videos: int, folder: Path, *, pictures: bool = True) -> Made:
    """Tables and page of videos whose curves are there; the recogniser is trained before."""
    sources = followed(videos, folder)
    wishes = Wishes(faces=pictures, asked=asked_of(None) if pictures else None)
    if wishes.asked is not None:
        _ = wishes.asked.known
    return lambda: (write_tables(sources, folder, {}), write_page(sources, folder, wishes))


def followed(videos: int, folder: Path) -> list[Source]:
    """Six seconds of a drawn face under so many names, and its curves as `folder` keeps those of each."""
    root = write_long(folder / "drawn", amplitude=3, subjects=1, seconds=6, seed=1, progress=False)
    drawn = root / read_manifest(root / "manifest.csv")[0].video
    whole = follow(open_source(drawn), folder / "once", progress=False)
    names = [folder / "videos" / f"v{k:05d}.mp4" for k in range(videos)]
    names[0].parent.mkdir()
    for name in names:
        os.link(drawn, name)
    sources, _ = open_sources(names)
    for source in sources:
        home = home_of(folder, source)
        home.mkdir(parents=True)
        for block in whole.folder.glob("*.npz"):
            os.link(block, home / block.name)
        write_json(home / STATE, {**read_mapping(whole.folder / STATE), "what": settings_of(source)})
    return sources
