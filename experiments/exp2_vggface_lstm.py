"""Exp-II of paper C: VGGFace2 ResNet-50 + 3-layer LSTM, SMIC-HS, 4 classes, 5 folds.

Bai & Goecke, Investigating LSTM for micro-expression recognition, ICMI 2020 Companion,
doi 10.1145/3395035.3425248, section 4.4, Tables 3 and 4. docs/papers.md says what of these settings the paper prints.

python experiments/exp2_vggface_lstm.py                          # synthetic SMIC look-alike, small LSTM
python experiments/exp2_vggface_lstm.py --data.root /data/SMIC   # the licensed data, as docs/papers.md says
python experiments/exp2_vggface_lstm.py sweep                    # N = 11 to 17, batches of 10 to 40
python experiments/exp2_vggface_lstm.py tables                   # Table 4, with --root.SMIC DIR on the licensed data
python experiments/exp2_vggface_lstm.py counts                   # Table 1, frames and windows by class: printed, ours
"""

from typing import Any

from mer_tf.changes import changed
from mer_tf.config import Clip, Data, Evaluation, Experiment, Preprocess, Tables, Train
from mer_tf.models.presets import PUBLISHED
from mer_tf.models.vggface_lstm import VggFaceLstm

# Printed: whole frames, retrained from the layer that Grad-CAM chooses, sliding windows of N = 13, a 3-layer LSTM, five
# folds. Released code: 224 px, mirrors, widths, Adam 2.6e-3, batch 20, 20 epochs; its folds are of clips, and subjects
# leak (--evaluation.split clip). Ours: subjects are kept apart.
EXPERIMENT = Experiment(
    name="exp2_vggface_lstm",
    data=Data(dataset="smic-hs", label_protocol="smic-4"),
    preprocess=Preprocess(face="none", size=224, flow="farneback"),
    clip=Clip(frames=13, stride=1, non_micro_stride=4),
    model=VggFaceLstm(encoder="vggface2-resnet50", retrain_from="gradcam", lstm_units=512, lstm_layers=3),
    train=Train(epochs=20, batch_size=20, learning_rate=2.6e-3),
    evaluation=Evaluation(split="group", folds=5),
    published=("C/T3/LSTM/N13", "C/T4/LSTM"),
)

# Minutes on two cores: aligned faces, the onset's embedding subtracted, a narrower LSTM, fewer windows.
EMBEDDED = changed(
    EXPERIMENT,
    {
        "preprocess.face": "align",
        "preprocess.size": 96,
        "clip.stride": 2,
        "clip.non_micro_stride": 2,
        "clip.mirror": False,
        "model.encoder": "auto",
        "model.retrain_from": None,
        "model.center": "onset",
        "model.embedding": (256, 192, 128),
        "model.bn_momentum": 0.9,
        "model.lstm_units": 128,
        "model.head_units": 64,
        "train.epochs": 10,
        "train.batch_size": 32,
        "train.learning_rate": 1e-3,
    },
)

SWEEP = {
    "clip.frames": (11, 12, 13, 14, 15, 16, 17),
    "train.batch_size": (10, 20, 30, 40),
}
"""Grid of `sweep`: the paper prints N in 11 to 17, its released code has these batches."""

# Exp-I as exp1_vggface_frames.py declares it.
FRAMES = {
    "model.name": "vggface_frames",
    "model.center": "none",
    "clip.frames": 1,
    "clip.stride": 1,
    "clip.non_micro_stride": 1,
    "clip.mirror": False,
    "clip.multiply": (7, 8, 11, 3),
    "clip.balance": False,
    "clip.test": "windows",
    "train.batch_size": 8,
    "train.learning_rate": 1e-3,
}
TABLES = Tables(
    rows={
        "C/T4/VGGFace2": FRAMES,
        "C/T4/LSTM": {},
        "C/T4/BiLSTM": {"model.bidirectional": True, "model.lstm_layers": 1, "train.learning_rate": 1e-3},
        "C/T4/STLBP-IP": {"model.name": "stlbp_ip", "preprocess.face": "align"},
        "C/T4/STCLQP": {"model.name": "stclqp", "preprocess.face": "align"},
        "C/T4/3D-FCNN": {"model.name": "fcnn3d", "preprocess.face": "align", **PUBLISHED["fcnn3d"]},
    },
    columns={"SMIC": {"data.dataset": "smic-hs"}},
    orderings=(
        ("C/T4/BiLSTM", "C/T4/STLBP-IP"),
        ("C/T4/STLBP-IP", "C/T4/LSTM"),
        ("C/T4/LSTM", "C/T4/STCLQP"),
        ("C/T4/STCLQP", "C/T4/3D-FCNN"),
        ("C/T4/3D-FCNN", "C/T4/VGGFace2"),
        ("C/T4/BiLSTM", "C/T4/LSTM"),
    ),
    small={
        "C/T4/VGGFace2": {"clip.stride": 3, "clip.non_micro_stride": 3, "train.batch_size": 64},
        "C/T4/3D-FCNN": {"train.epochs": 20, "train.jit_compile": False, "model.width": 0.5, "clip.side": 32},
    },
    heat={"C/text/Figure4": ("C/T4/VGGFace2", "C/T4/LSTM", "C/T4/BiLSTM")},
)
"""Rows of `tables`, on the same folds and the same four classes. Claimed are the order of the printed figures and, in
section 4.5, the last one. The paper quotes the last three rows from others, with three classes or other data."""

COUNTS: dict[str, dict[str, Any]] = {
    "C/T1/*/Original": FRAMES | {"clip.multiply": ()},
    "C/T1/*/Aug.-I": FRAMES,
    "C/T1/*/Aug.-II": {"clip.mirror": False},
    "C/T3/LSTM/N13/data": {},
    "C/T3/LSTM/N15/data": {"clip.frames": 15},
}
"""Of `counts`: Table 1, and the data number of Table 3, which is the same for the Bi-LSTM."""

if __name__ == "__main__":
    from mer_tf.cli.script import main
    from mer_tf.study import Study

    main(Study(EXPERIMENT, EMBEDDED, sweep=SWEEP, tables=TABLES, counts=COUNTS))
