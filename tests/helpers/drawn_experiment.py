"""An experiment on drawn features, without images: six subjects whose class is in the motion alone."""

import dataclasses
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from helpers.rows import made_row
from mer_tf.config import Clip, Data, Evaluation, Experiment, Train
from mer_tf.datasets.labels import load_protocol
from mer_tf.inputs.batches import FeatureStore
from mer_tf.inputs.clips import Clips, label_clips
from mer_tf.inputs.prepare import Encoded
from mer_tf.models.vggface_lstm import VggFaceLstm
from mer_tf.protocols.workbench import Bench
from mer_tf.records.index import IndexedClip

ENCODER = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(6)])
LABELS = ("negative", "positive", "surprise")
EXPERIMENT = Experiment(
    name="drawn",
    data=Data(dataset="smic-hs", label_protocol="smic-3"),
    clip=Clip(frames=4, stride=3, mirror=False),
    model=VggFaceLstm(center="onset", embedding=(12, 8), bn_momentum=0.5, lstm_units=8, lstm_layers=1, head_units=8),
    train=Train(epochs=4, batch_size=16, learning_rate=2e-2, jit_compile=False),
    evaluation=Evaluation(folds=3, bootstrap=50, permutations=50),
)


def _rows():
    for subject in range(6):
        for k, label in enumerate(LABELS * 2):
            name = f"smic-hs/s{subject}_{k}"
            span = {"onset": 0, "offset": 7}
            yield made_row(clip_id=name, subject=f"smic/s{subject}", frames_dir=name, label_raw=label, **span)


def _indexed(row):
    known = {"clip_id": row.clip_id, "dataset": row.dataset, "subject": row.subject, "content_sha256": row.clip_id}
    return IndexedClip(**(dict.fromkeys(IndexedClip.__dataclass_fields__, 0) | known | {"n_frames": 8}))


def drawn_clips_of(experiment):
    rows = tuple(_rows())
    indexed = tuple(map(_indexed, rows))
    protocol = load_protocol("smic-3")
    return Clips(label_clips(rows, indexed, protocol, experiment.data), rows, protocol, Path("records"), ())


def relabelled(clips, labels):
    """The same clips with other classes."""
    pairs = zip(clips.labelled, labels, strict=True)
    return dataclasses.replace(clips, labelled=tuple(dataclasses.replace(c, label=int(k)) for c, k in pairs))


def _store(table):
    rng, course = np.random.default_rng(0), np.sin(np.linspace(0, np.pi, 8))[:, None]
    plain = {
        clip: (rng.normal(size=(1, 6)) + 4 * course * np.eye(3, 6)[label]).astype("float32")
        for clip, label in zip(table["clip_id"], table["label"], strict=True)
    }
    return FeatureStore(plain, {})


def drawn_bench(experiment, trainers):
    """(Bench, Clips) of an experiment; `trainers`: networks that are compiled already, and will be."""
    clips = drawn_clips_of(experiment)
    resolved = {"encoder": "drawn", "weights": {"source": "none"}}
    bench = Bench(experiment, clips, Encoded(_store(clips.table), ENCODER, None, resolved, ()))
    bench.trainers = trainers
    return bench, clips


def two_thirds_right():
    """A predictions table of 36 clips, two thirds right."""
    truth = np.array(LABELS * 12, dtype=object)
    predicted = np.where(np.arange(36) % 3 == 0, np.roll(truth, 1), truth)
    people = [f"smic/s{k // 6}" for k in range(36)]
    columns = {"clip_id": [f"c{k:02d}" for k in range(36)], "dataset": "smic-hs", "subject": people}
    shares = {f"p_{c}": (predicted == c).astype(float) for c in LABELS}
    return pd.DataFrame(
        columns | {"fold": 0, "seed": 0, "window": "whole", "y_true": truth, "y_pred": predicted} | shares
    )
