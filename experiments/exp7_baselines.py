"""Every baseline by the same folds: trivial ones, classical descriptors with support vector machines, small networks.

Each system is run by itself and scored from its predictions.csv; one table joins them, published figures beside.

python experiments/exp7_baselines.py                              # all, on drawn SMIC, CASME II and SAMM, 5 folds
python experiments/exp7_baselines.py --evaluation.split loso      # the same, leaving one subject out
python experiments/exp7_baselines.py --systems lbp_top,mdmo       # some of them
python experiments/exp7_baselines.py --model.tune True            # descriptors tuned in each fold, as with real data
python experiments/exp7_baselines.py --model.name lbp_top         # one, with its own run directory and report
python experiments/exp7_baselines.py --root.SMIC /data/SMIC --root.CASMEII /data/CASME2 --root.SAMM /data/SAMM
"""

from typing import Any

from mer_tf.changes import changed
from mer_tf.config import Clip, Data, Evaluation, Experiment, Preprocess, Tables
from mer_tf.descriptors import METHODS, LbpTop
from mer_tf.models.presets import MAGNIFIED, PUBLISHED, UNTUNED

EXPERIMENT = Experiment(
    name="exp7_baselines",
    data=Data(dataset="smic-hs", label_protocol="smic-3"),
    preprocess=Preprocess(face="align", size=128, flow="dis", flow_from="onset"),
    clip=Clip(test="whole"),
    model=LbpTop(tune=True),
    evaluation=Evaluation(split="loso"),
)

EMBEDDED = changed(
    EXPERIMENT,
    {
        "data.clips_per_class": 1,
        "preprocess.size": 96,
        "model.tune": False,
        "train.jit_compile": False,
        "evaluation.split": "group",
    },
)


COLUMNS = {
    "SMIC": {"data.dataset": "smic-hs", "data.label_protocol": "smic-3"},
    "CASMEII": {"data.dataset": "casme2", "data.label_protocol": "casme2-5"},
    "SAMM": {"data.dataset": "samm", "data.label_protocol": "samm-5"},
}

# Yan et al. 2014, in clips as they were recorded: of ten frames, as the small table has them, a radius in time of 4
# leaves two.
_YAN = {"model.blocks": (5, 5, 1), "model.radii": (1, 1, 4), "model.points": 4}
CASME2_LBP = {**_YAN, "model.frames": 0}

BASELINES = Tables(
    rows={f"E/{name}": {"model.name": name} for name in METHODS}
    | {f"E/{name}": {"model.name": name, "model.tune": False} for name in UNTUNED}
    | {f"E/{name}": settings for name, settings in MAGNIFIED.items()}
    | {f"E/{name}": {"model.name": name, **settings} for name, settings in PUBLISHED.items()},
    columns=COLUMNS,
    cells={"E/lbp_top/CASMEII": CASME2_LBP},
)
"""Settings of the authors' code, from memory or ours: mer_tf/models/presets.py says which.

Descriptors are tuned in each fold (data_manifests/descriptor_grids.csv) where a source tunes them.
"""

_FEW: dict[str, Any] = {"train.optimizer": "adam", "train.learning_rate": 1e-3, "train.batch_size": 16}
_ELRCN = {
    **_FEW,
    "train.epochs": 10,
    "train.stream_epochs": 10,
    "model.width": 0.125,
    "model.weights": "random",
    "model.random_rate": 0.0,
    "preprocess.flow": "dis",
    "preprocess.size": 64,
}
SMALL: dict[str, dict[str, Any]] = {
    "ststnet": {"train.epochs": 150, "train.batch_size": 64, "train.learning_rate": 1e-3},
    "off_apexnet": {"train.epochs": 30, "train.batch_size": 32, "train.learning_rate": 1e-3, "model.width": 0.25},
    "rcn": {"train.epochs": 40, "train.batch_size": 32, "train.learning_rate": 2e-2, "model.width": 0.25},
    "htnet": {"train.epochs": 30, "train.batch_size": 32, "train.learning_rate": 1e-3, "model.width": 0.1},
    "fcnn3d": {**_FEW, "train.epochs": 20, "model.width": 0.5},
    "micro_exp_stcnn": {**_FEW, "train.epochs": 60, "model.width": 0.25, "clip.side": 32},
    "micro_exp_fusenet_intermediate": {**_FEW, "train.epochs": 40, "model.width": 0.25},
    "micro_exp_fusenet_late": {**_FEW, "train.epochs": 40, "model.width": 0.25},
    "strcn_g": {**_FEW, "train.epochs": 40, "model.width": 0.25, "clip.side": 64},
    "strcn_a": {**_FEW, "preprocess.magnify": 2.0, "train.epochs": 40, "model.width": 0.25},
    "frame_cnn": {**_FEW, "train.epochs": 10, "model.width": 0.5, "clip.side": 48, "clip.stride": 4},
    "cnn_lstm_states": {**_FEW, "train.epochs": 40, "train.stream_epochs": 40, "model.width": 0.25},
    "elrcn_se": _ELRCN,
    "elrcn_te": _ELRCN,
}
LESS = {"preprocess.magnify": 2.0}
"""Drawn motion is larger than that of people."""
DRAWN = Tables(
    rows={f"E/{name}": {"model.name": name} for name in METHODS}
    | {f"E/{name}": {**settings, **LESS} for name, settings in MAGNIFIED.items()}
    | {f"E/{name}": {"model.name": name, **PUBLISHED[name], **changes} for name, changes in SMALL.items()},
    columns=COLUMNS,
    cells={"E/lbp_top/CASMEII": _YAN},
)
"""On look-alikes: what trains in a minute or two on two cores."""

if __name__ == "__main__":
    from mer_tf.cli.script import main
    from mer_tf.study import Study

    main(Study(EXPERIMENT, EMBEDDED, baselines={"paper": BASELINES, "embedded": DRAWN}))
