"""Exp-II of paper C: VGGFace2 ResNet-50 + 3-layer LSTM, SMIC-HS, 4 classes, 5 folds.

Bai & Goecke, Investigating LSTM for micro-expression recognition, ICMI 2020 Companion, section 4.4, Tables 3 and 4.

python experiments/exp2_vggface_lstm.py                          # synthetic SMIC look-alike, small LSTM
python experiments/exp2_vggface_lstm.py --data.root /data/SMIC   # the licensed data, the paper's settings
python experiments/exp2_vggface_lstm.py sweep                    # N = 11 to 17, batches of 10 to 40
python experiments/exp2_vggface_lstm.py tables                   # Table 4, with --root.SMIC DIR on the licensed data
"""

from mer_tf.changes import changed
from mer_tf.config import Clip, Data, Evaluation, Experiment, Preprocess, Tables, Train
from mer_tf.models.vggface_lstm import VggFaceLstm

# As the paper says: whole frames at 224 px, retrained from conv4_3, N = 13, Adam 2.6e-3, 20 epochs. Subjects are kept
# apart, which the paper's folds did not do; --evaluation.split clip repeats those.
EXPERIMENT = Experiment(
    name="exp2_vggface_lstm",
    data=Data(dataset="smic-hs", label_protocol="smic-4"),
    preprocess=Preprocess(face="none", size=224, flow="farneback"),
    clip=Clip(frames=13, stride=1, non_micro_stride=4),
    model=VggFaceLstm(encoder="vggface2-resnet50", retrain_from="conv4_3", lstm_units=512, lstm_layers=3),
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
"""Grid of `sweep`; the paper searched N in 11 to 17, its code these batches."""

TABLES = Tables(
    rows={
        "C/T4/VGGFace2": {
            "model.name": "vggface_frames",
            "clip.frames": 1,
            "clip.mirror": True,
            "clip.test": "windows",
        },
        "C/T4/LSTM": {},
        "C/T4/BiLSTM": {"model.bidirectional": True, "model.lstm_layers": 1, "train.learning_rate": 1e-3},
        "C/T4/STLBP-IP": {"model.name": "stlbp_ip", "preprocess.face": "align"},
        "C/T4/STCLQP": {"model.name": "stclqp", "preprocess.face": "align"},
    },
    columns={"SMIC": {"data.dataset": "smic-hs"}},
    orderings=(("C/T4/BiLSTM", "C/T4/LSTM"), ("C/T4/LSTM", "C/T4/STLBP-IP"), ("C/T4/LSTM", "C/T4/STCLQP")),
    heat={"C/text/Figure4": ("C/T4/VGGFace2", "C/T4/LSTM", "C/T4/BiLSTM")},
)
"""Rows of `tables`, on the same folds and the same four classes; the paper quotes the last two from others."""

if __name__ == "__main__":
    from mer_tf.cli.script import main
    from mer_tf.study import Study

    main(Study(EXPERIMENT, EMBEDDED, sweep=SWEEP, tables=TABLES))
