"""The attention-enhanced LSTM of paper B: key frames, VGG-Face maps, spatial and temporal attention; CASME II.

Xu & Xu, Micro-expression Recognition Based on Attention-enhanced LSTM Neural Networks, ICMLC 2022,
doi 10.1145/3529836.3529898. Only its abstract could be read, which prints no figure;
docs/papers.md says what it does.

python experiments/exp5_attention_lstm.py                           # synthetic SMIC look-alike, a small LSTM
python experiments/exp5_attention_lstm.py --data.root /data/CASME2  # the licensed data, the settings below
python experiments/exp5_attention_lstm.py tables                    # parts of the attention; other methods; 4 data sets
python experiments/exp5_attention_lstm.py tables --root.CASMEII5 /data/CASME2 --root.SAMM /data/SAMM
python experiments/exp5_attention_lstm.py sweep                     # rules and numbers of key frames
"""

from mer_tf.changes import changed
from mer_tf.config import Clip, Data, Evaluation, Experiment, Preprocess, Tables, Train
from mer_tf.descriptors import METHODS, TRIVIAL
from mer_tf.models.attention_lstm import Attention, AttentionLstm
from mer_tf.models.presets import UNTUNED

# Our reading of the abstract; sizes and strengths after Song et al. 2017.
EXPERIMENT = Experiment(
    name="exp5_attention_lstm",
    data=Data(dataset="casme2", label_protocol="casme2-5"),
    preprocess=Preprocess(face="align", size=224, flow="none"),
    clip=Clip(frames=10, keyframes="cumdiff", test="windows", mirror=True, balance=False),
    model=AttentionLstm(
        encoder="vggface-vgg16",
        features_at="pool5",
        lstm_units=256,
        lstm_layers=1,
        dropout=0.5,
        attention=Attention(spread=1e-3, length=1e-4, weight_l1=5e-6),
    ),
    train=Train(epochs=50, stream_epochs=25, batch_size=16, learning_rate=1e-4, class_weights=True),
    evaluation=Evaluation(split="loso"),
)

# Minutes on two cores: the onset's map subtracted, a narrower LSTM, five folds.
EMBEDDED = changed(
    EXPERIMENT,
    {
        "data.dataset": "smic-hs",
        "data.label_protocol": "smic-3",
        "preprocess.size": 96,
        "model.encoder": "auto",
        "model.center": "onset",
        "model.bn_momentum": 0.9,
        "model.lstm_units": 64,
        "model.dropout": 0.3,
        "model.attention.units": 32,
        "model.attention.weight_l1": 0.0,
        "train.epochs": 30,
        "train.batch_size": 32,
        "train.learning_rate": 2e-3,
        "train.stream_epochs": 15,
        "train.jit_compile": False,
        "evaluation.split": "group",
    },
)

SWEEP = {
    "clip.keyframes": ("phases", "cumdiff", "peakdiff", "cluster", "tim"),
    "clip.frames": (5, 10),
}
"""Grid of `sweep`."""

TABLES = Tables(
    rows={
        "B/attention/plain": {"model.attention.use": "plain"},
        "B/attention/spatial": {"model.attention.use": "spatial"},
        "B/attention/temporal": {"model.attention.use": "temporal"},
        "B/attention/both": {"model.attention.use": "both"},
    },
    columns={
        "CASMEII5": {"data.dataset": "casme2", "data.label_protocol": "casme2-5"},
        "CASMEII3": {"data.dataset": "casme2", "data.label_protocol": "megc2019-3"},
        "SMIC": {"data.dataset": "smic-hs", "data.label_protocol": "smic-3"},
        "SAMM": {"data.dataset": "samm", "data.label_protocol": "samm-5"},
    },
    orderings=(
        ("B/attention/both", "B/attention/spatial"),
        ("B/attention/both", "B/attention/temporal"),
        ("B/attention/spatial", "B/attention/plain"),
        ("B/attention/temporal", "B/attention/plain"),
    ),
    unprinted="paper B prints none that could be read; its abstract claims that attention helps",
)
"""Each part of the attention, in the order that is inferred from the paper's claim."""

_OTHERS = [name for name in METHODS if name not in TRIVIAL]
CLAIM = Tables(
    rows={"B/methods/attention_lstm": {"model.attention.use": "both"}}
    | {
        f"B/methods/{name}": {
            "model.name": name,
            "model.tune": name not in UNTUNED,
            "preprocess.size": 128,
            "preprocess.flow": "dis",
            "preprocess.flow_from": "onset",
            "clip.keyframes": "none",
            "clip.test": "whole",
        }
        for name in _OTHERS
    },
    columns=TABLES.columns,
    cells={
        f"B/methods/lbp_top/CASMEII{k}": {
            "model.blocks": (5, 5, 1),
            "model.radii": (1, 1, 4),
            "model.points": 4,
            "model.frames": 0,
        }
        for k in (3, 5)
    },
    orderings=tuple(("B/methods/attention_lstm", f"B/methods/{name}") for name in _OTHERS),
    small={f"B/methods/{name}": {"preprocess.size": 96, "model.tune": False} for name in _OTHERS},
)
"""The paper's only claim, on CASME II: better than "several other leading methods", which its abstract does not name.
The descriptors of exp7 stand for these, by the same folds, tuned in each as there."""

if __name__ == "__main__":
    from mer_tf.cli.script import main
    from mer_tf.study import Study

    main(Study(EXPERIMENT, EMBEDDED, sweep=SWEEP, tables=TABLES | CLAIM))
