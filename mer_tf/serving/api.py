"""What `import mer_tf` offers in Python: a data set, its records and windows, a model, a run, a trained one at work.

Each example is run by tests/serving/test_api.py, in which ROOT is a tree of drawn clips, RUN a finished run and OUT a
folder. Bad arguments are a `MerError` that says what to give instead.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mer_tf.cached import cache_folder
from mer_tf.config import Clip, Data, Experiment, MerError, Preprocess
from mer_tf.names import unknown

if TYPE_CHECKING:
    import keras
    import numpy as np

    from mer_tf.datasets.manifest import ClipRow
    from mer_tf.serving.trained import Trained

Path_ = str | Path


def load_dataset(
    dataset: str, root: Path_ | None = None, *, sheet: Path_ | None = None, pattern: str = "", cache: Path_ = ""
) -> list[ClipRow]:
    """The clips of a data set's folder, a row each; without `root` those of a drawn look-alike, made in `cache`.

    An empty `cache` is the place of this user (`mer-tf cache` names it).

    >>> rows = mer_tf.load_dataset("folders", ROOT)
    >>> sorted({row.label_raw for row in rows})
    ['negative', 'positive', 'surprise']
    """
    from mer_tf.inputs.clips import data_rows

    data = Data(
        dataset=dataset,
        root=None if root is None else str(root),
        sheet=None if sheet is None else str(sheet),
        pattern=pattern,
    )
    return data_rows(data, cache_folder(cache))


def preprocess(rows: Sequence[ClipRow], out: Path_ = "", **settings: Any) -> Path:
    """Faces, size and flow of clips as TFRecords; the folder that holds them. Settings are those of `--preprocess`.

    An empty `out` is the place of this user's records (`mer-tf cache` names it).

    >>> records = mer_tf.preprocess(mer_tf.load_dataset("folders", ROOT), OUT, face="none", size=32)
    >>> (records / "index.json").exists()
    True
    """
    from mer_tf.records.write import write_records

    if isinstance(rows, str | Path) or not all(hasattr(row, "clip_id") for row in rows):
        raise MerError("preprocess: takes rows; give what load_dataset returns, or read_manifest of a manifest.csv")
    folder = Path(out) if out else cache_folder() / "records"
    return write_records(rows, _settings(Preprocess(), settings), folder, progress=False)


def windows(
    records: Path_,
    rows: Sequence[ClipRow],
    *,
    label_protocol: str = "data",
    batch: int = 8,
    seed: int = 0,
    flow: bool = False,
    **settings: Any,
) -> Any:
    """Windows of frames of labelled clips as batches (inputs, class index), epoch after epoch without end: tf.data.

    inputs: frames uint8 (B, T, S, S, 3), onset (B, 1, S, S, 3), mask (B, T); with `flow` frames and flow images uint8
    (B, T - 1, S, S, 3), as models of both are given them. Settings are those of `--clip`. Without TensorFlow
    (KERAS_BACKEND=jax) the same batches are a `keras.utils.PyDataset`.

    >>> rows = mer_tf.load_dataset("folders", ROOT)
    >>> records = mer_tf.preprocess(rows, OUT, face="none", size=32)
    >>> inputs, labels = next(iter(mer_tf.windows(records, rows, batch=4, frames=5, stride=5)))
    >>> tuple(inputs["frames"].shape)
    (4, 5, 32, 32, 3)
    """
    from mer_tf.datasets.labels import protocol_of
    from mer_tf.datasets.windows import plan_windows
    from mer_tf.inputs.batches import INPUTS, FeatureStore, Store, Viewed, WindowBatches
    from mer_tf.inputs.images import image_store
    from mer_tf.inputs.shelf import Shelf
    from mer_tf.inputs.stream import stream
    from mer_tf.records.index import read_index
    from mer_tf.records.stored import stored_clips

    config, protocol = _settings(Clip(), settings), protocol_of(label_protocol, rows)
    labels = {row.clip_id: number for row in rows if (number := protocol.class_index(row)) is not None}
    index = read_index(Path(records))
    stored = [clip for clip in index.clips if clip.clip_id in labels]
    if not stored:
        raise MerError(f"{records}: holds none of the {len(labels)} labelled clips; give the rows it was made of")
    labels = {clip.clip_id: labels[clip.clip_id] for clip in stored}
    read = stored_clips(Path(records), flow=flow, wanted=labels)
    store: Store
    if flow:
        arrays: Iterator[Any] = ((x.clip_id, x.frames, x.flow) for x in read)
        store = image_store(arrays, config, index.config.flow_from)
    else:
        frames = Shelf((x.clip_id, x.frames[:: config.step]) for x in read)
        store = FeatureStore(frames, Viewed(frames, lambda images: images[:, :, ::-1]))
    plan = plan_windows(labels, store.length, config, protocol.classes, seed)
    names = ("frames", "flow") if flow else INPUTS
    return stream(WindowBatches(store, plan, labels, config.frames, batch, seed, names))


def build_model(name: str, *, shape: Any, classes: int, **settings: Any) -> keras.Model:
    """The network of a model's name, untrained, for inputs of that shape; outputs logits (B, classes).

    shape: of one frame's features, as (256,), for models on features; for those on images and on flow images a mapping
    from inputs to shapes, as {"flow_image": (28, 28, 3)}.

    >>> model = mer_tf.build_model("vggface_lstm", shape=(16,), classes=3, lstm_units=8)
    >>> model.output.shape
    (None, 3)
    """
    from mer_tf.model import models
    from mer_tf.models.kinds import Network

    if name not in models():
        raise MerError(f"build_model: {unknown('model', name, models())}")
    config = models()[name]()
    if not isinstance(config, Network):
        raise MerError(f"build_model: {name} is a classical method, not a network; take a network, as vggface_lstm")
    if classes < 2:
        raise MerError(f"build_model: classes={classes}; there is nothing to tell apart, give 2 or more")
    return _settings(config, settings).build(shape, classes)


def run(experiment: Experiment | Path_, changes: Mapping[str, Any] | None = None, *, final: bool = False) -> Path:
    """Train and test an experiment from its data to its results; the run directory. A script may be named by its path.

    changes: settings by their dotted names, as {"train.epochs": 5}. final: one more model on all clips, for `predict`.

    >>> directory = mer_tf.run("exp2_vggface_lstm", {"data.root": "nowhere"})
    Traceback (most recent call last):
    mer_tf.errors.MerError: nowhere: no such folder; the root must be the SMIC folder that holds HS/
    """
    from mer_tf.changes import changed
    from mer_tf.runner import declared
    from mer_tf.runner import run as start
    from mer_tf.study import own_data

    changes = own_data(changes or {})
    if isinstance(experiment, Experiment):
        return start(changed(experiment, changes), final=final)
    return start(declared(Path(experiment), None, changes), final=final)


def load_run(directory: Path_, *, final: bool | None = None) -> Trained:
    """The trained networks of a run directory, with its classes, card and confusion.

    >>> trained = mer_tf.load_run(RUN)
    >>> trained.classes
    ('negative', 'positive', 'surprise')
    >>> trained.card["data"]["subjects"]
    2
    """
    from mer_tf.serving.trained import load_run as opened

    return opened(Path(directory), final=final)


def load(path: Path_) -> Trained:
    """The same of a bundle that `mer-tf export` wrote, or of a run directory.

    >>> mer_tf.load(RUN).said
    "mean of the 2 models of the cross-validation's folds"
    """
    if not Path(path).exists():
        raise MerError(f"{path}: no such bundle or run; write one with `mer-tf export RUN --out model.mertf`")
    from mer_tf.serving.opened import opened

    stack = ExitStack()
    trained = stack.enter_context(opened(Path(path)))
    weakref.finalize(trained, stack.close)  # a bundle is unpacked as long as it is used
    return trained


def predict(
    trained: Trained | Path_, paths: Path_ | Sequence[Path_], out: Path_ | None = None, *, subject: str = ""
) -> pd.DataFrame:
    """What a trained model answers on folders of frames, videos, folders of these or manifests: a row a clip.

    trained: what `load_run` or `load` gives, or the path of a run or bundle. out: as `mer-tf predict --out`.

    >>> table = mer_tf.predict(RUN, ROOT / "s01" / "positive")
    >>> float(table[["p_negative", "p_positive", "p_surprise"]].sum(axis=1).round(3).iloc[0])
    1.0
    >>> table["seen"].iloc[0].startswith("TRAINED ON")
    True
    """
    opened, given = _opened(trained), _paths(paths)
    from mer_tf.serving.answers import predict_paths

    return predict_paths(opened, given, None if out is None else Path(out), subject=subject)


def grad_cam(trained: Trained | Path_, paths: Path_ | Sequence[Path_]) -> dict[str, np.ndarray]:
    """Where the networks looked for their answer: clip_id -> heat (T, S, S), 0..1; see `mer-tf gradcam` for a run.

    >>> heat = mer_tf.grad_cam(RUN, ROOT / "s01" / "positive")
    >>> [maps.ndim for maps in heat.values()]
    [3]
    """
    from mer_tf.serving.answers import heat_of_paths

    return heat_of_paths(_opened(trained), _paths(paths))


def score(
    truth: Any, predicted: Any = None, *, subjects: Sequence[str] | None = None, **options: int
) -> dict[str, Any]:
    """Accuracy, UAR and UF1 with intervals over subjects, of two lists of classes or of a predictions table or file.

    >>> result = mer_tf.score(["a", "b", "a", "b"], ["a", "b", "b", "b"], subjects=["s1", "s1", "s2", "s2"])
    >>> result["accuracy"]["pooled"]
    0.75
    """
    from mer_tf.evaluation.metrics import evaluate
    from mer_tf.evaluation.predictions import read_predictions

    if predicted is not None:
        return evaluate(_pairs(truth, predicted, subjects), **options)
    if isinstance(truth, str | Path):
        return evaluate(read_predictions(Path(truth)), **options)
    lacking = {"clip_id", "y_true", "y_pred"} - set(getattr(truth, "columns", ()))
    if lacking:
        raise MerError(
            f"score: a table needs {', '.join(sorted(lacking))}; give a predictions table, its file, or two lists: "
            "score(truth, predicted, subjects=...)"
        )
    return evaluate(truth, **options)


def report(runs: Path_ | Sequence[Path_], out: Path_ = "report.html", *, faces: bool = False) -> Path:
    """One HTML page about runs. faces: pictures of people too, where the data set's licence allows it.

    >>> mer_tf.report(RUN, OUT / "report.html").name
    'report.html'
    """
    from mer_tf.reporting.report import write_report

    return Path(write_report(tuple(_paths(runs)), Path(out), faces=faces))


def _pairs(truth: Any, predicted: Any, subjects: Sequence[str] | None) -> pd.DataFrame:
    lists = {"truth": list(truth), "predicted": list(predicted)}
    lists |= {} if subjects is None else {"subjects": list(subjects)}
    if len({len(values) for values in lists.values()}) != 1 or not lists["truth"]:
        said = ", ".join(f"{len(values)} of {name}" for name, values in lists.items())
        raise MerError(f"score: {said}; give lists of one length, an entry a clip")
    table = pd.DataFrame({"y_true": map(str, lists["truth"]), "y_pred": map(str, lists["predicted"])})
    table.insert(0, "clip_id", [str(number) for number in range(len(table))])
    return table if subjects is None else table.assign(subject=[str(name) for name in lists["subjects"]])


def _settings(config: Any, settings: Mapping[str, Any]) -> Any:
    """A declaration with some of its settings changed, their types checked; `MerError` for one it has not."""
    from mer_tf.changes import typed

    known = [field.name for field in fields(config) if field.name != "name"]
    for name in settings:
        if name not in known:
            raise MerError(f"{type(config).__name__}: {unknown('setting', name, known)}")
    return replace(config, **{name: typed(config, name, value) for name, value in settings.items()})


def _opened(trained: Trained | Path_) -> Trained:
    return load(trained) if isinstance(trained, str | Path) else trained


def _paths(paths: Path_ | Sequence[Path_]) -> list[Path]:
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    if not given:
        raise MerError("no path is given; name a folder of frames, a video, or a folder of these")
    return [Path(path) for path in given]
