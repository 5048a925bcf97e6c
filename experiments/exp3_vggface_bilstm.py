"""Exp-III of paper C: VGGFace2 ResNet-50 + Bi-LSTM, SMIC-HS, 4 classes, 5 folds.

Bai & Goecke, Investigating LSTM for micro-expression recognition, ICMI 2020 Companion,
doi 10.1145/3395035.3425248, section 4.5, Tables 3 and 4. docs/papers.md says what of these settings the paper prints.

python experiments/exp3_vggface_bilstm.py                          # synthetic SMIC look-alike, small Bi-LSTM
python experiments/exp3_vggface_bilstm.py --data.root /data/SMIC   # the licensed data, as docs/papers.md says
python experiments/exp3_vggface_bilstm.py sweep                    # N = 11 to 17, batches of 10 to 40
"""

from mer_tf.changes import changed
from mer_tf.config import Clip, Data, Evaluation, Experiment, Preprocess, Train
from mer_tf.models.vggface_lstm import VggFaceLstm

# Printed: whole frames, retrained from the layer that Grad-CAM chooses, sliding windows of N = 13, one layer of
# Bi-LSTM, five folds. Released code: 224 px, mirrors, 512 units a direction, Adam 1e-3, 20 epochs. Ours: subjects are
# kept apart.
EXPERIMENT = Experiment(
    name="exp3_vggface_bilstm",
    data=Data(dataset="smic-hs", label_protocol="smic-4"),
    preprocess=Preprocess(face="none", size=224, flow="farneback"),
    clip=Clip(frames=13, stride=1, non_micro_stride=4),
    model=VggFaceLstm(encoder="vggface2-resnet50", retrain_from="gradcam", bidirectional=True, lstm_layers=1),
    train=Train(epochs=20, batch_size=20, learning_rate=1e-3),
    evaluation=Evaluation(split="group", folds=5),
    published=("C/T3/BiLSTM/N13", "C/T4/BiLSTM"),
)

# Minutes on two cores: aligned faces, the onset's embedding subtracted, a narrower Bi-LSTM, fewer windows.
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
        "model.merge": "last_of_each_direction",
        "model.head_units": 64,
        "train.epochs": 10,
        "train.batch_size": 32,
    },
)

SWEEP = {
    "clip.frames": (11, 12, 13, 14, 15, 16, 17),
    "train.batch_size": (10, 20, 30, 40),
}
"""Grid of `sweep`: the paper prints N in 11 to 17, its released code has these batches."""

if __name__ == "__main__":
    from mer_tf.cli.script import main
    from mer_tf.study import Study

    main(Study(EXPERIMENT, EMBEDDED, sweep=SWEEP))
