"""Global and block attention on frames, Bi-LSTM over them: paper D on CASME II, 5 classes, leave one subject out.

Zhu, Li, Liu & Zeng, Micro-Expression Recognition Based on Spatio-Temporal Feature Extraction of Key Regions, CMC 2023,
doi 10.32604/cmc.2023.037216. Only its abstract could be read, which prints the order of the parts and no figure; shapes
and training are those of gACNN (Li et al., TIP 2019) or ours, as docs/papers.md says.

python experiments/exp6_gia_bia_bilstm.py                              # synthetic SMIC look-alike, a narrow network
python experiments/exp6_gia_bia_bilstm.py --data.root /data/CASME2     # the licensed data, VGG16, widths of gACNN
python experiments/exp6_gia_bia_bilstm.py tables                       # what each part is for, on look-alikes
python experiments/exp6_gia_bia_bilstm.py tables --root.CASMEII5 /data/CASME2 --root.SMIC /data/SMIC
"""

from mer_tf.changes import changed
from mer_tf.config import Clip, Data, Evaluation, Experiment, Preprocess, Tables, Train
from mer_tf.models.gia_bia_bilstm import Blocks, GiaBiaBiLstm

# 10 frames by TIM; VGG16, frozen, to conv4_2, and on to conv5_2 for the whole face; SGD on single frames, then Adam.
EXPERIMENT = Experiment(
    name="exp6_gia_bia_bilstm",
    data=Data(dataset="casme2", label_protocol="casme2-5"),
    preprocess=Preprocess(face="align", size=224, flow="none", interpolate=10),
    clip=Clip(frames=10, mirror=True, balance=False),
    model=GiaBiaBiLstm(
        encoder="vggface-vgg16",
        features_at="conv4_2",
        lstm_units=256,
        dropout=0.5,
        bn_momentum=0.9,
        blocks=Blocks(set="10", gia_to="conv5_2"),
    ),
    train=Train(
        epochs=20,
        stream_epochs=20,
        batch_size=8,
        learning_rate=1e-4,
        stream_optimizer="sgd",
        stream_learning_rate=1e-2,
        stream_batch_size=128,
        weight_decay=5e-4,
        class_weights=True,
    ),
    evaluation=Evaluation(split="loso"),
    published=("D/abstract/blocks", "D/abstract/ordering"),
)

# Minutes on two cores: ONet's map, narrow units on what changed since the onset, frames' vectors fixed for the LSTM.
EMBEDDED = changed(
    EXPERIMENT,
    {
        "data.dataset": "smic-hs",
        "data.label_protocol": "smic-3",
        "preprocess.size": 96,
        "model.encoder": "mtcnn-onet",
        "model.features_at": "conv3",
        "model.center": "onset",
        "model.lstm_units": 64,
        "model.dropout": 0.3,
        "model.blocks.gia_to": "",
        "model.blocks.gia_units": 64,
        "model.blocks.window": 5,
        "model.blocks.filters": 16,
        "model.blocks.units": 16,
        "model.blocks.gate_filters": 16,
        "model.blocks.gate_units": 16,
        "model.blocks.gate_cost": 0.3,
        "model.blocks.reduce_units": 128,
        "model.blocks.finetune": False,
        "train.epochs": 10,
        "train.batch_size": 16,
        "train.learning_rate": 1e-3,
        "train.weight_decay": 0.0,
        "train.stream_epochs": 12,
        "train.stream_optimizer": "",
        "train.stream_learning_rate": 0.0,
        "train.stream_batch_size": 32,
        "train.jit_compile": False,
        "evaluation.split": "group",
    },
)

_PARTS: dict[str, dict[str, object]] = {
    "GIA": {"model.blocks.set": "none", "model.blocks.none_mode": "gia_only"},
    "BIA24": {"model.blocks.set": "24", "model.blocks.gia": False},
    "BIA10": {"model.blocks.set": "10", "model.blocks.gia": False},
    "GIA+BIA24": {"model.blocks.set": "24"},
    "GIA+BIA10": {"model.blocks.set": "10"},
    "GIA+none": {"model.blocks.set": "none"},
}
_TIME = {"Bi-LSTM": "bilstm", "LSTM": "lstm", "mean": "mean"}

TABLES = Tables(
    rows={
        f"D/{time}/{name}": {**changes, "model.blocks.over_time": value}
        for time, value in _TIME.items()
        for name, changes in _PARTS.items()
    },
    columns={
        "CASMEII5": {"data.dataset": "casme2", "data.label_protocol": "casme2-5"},
        "CASMEII3": {"data.dataset": "casme2", "data.label_protocol": "megc2019-3"},
        "SMIC": {"data.dataset": "smic-hs", "data.label_protocol": "smic-3"},
        "SAMM": {"data.dataset": "samm", "data.label_protocol": "samm-5"},
    },
    orderings=(
        ("D/Bi-LSTM/GIA+BIA10", "D/Bi-LSTM/GIA+BIA24"),
        ("D/Bi-LSTM/GIA+BIA10", "D/Bi-LSTM/GIA+none"),
        ("D/Bi-LSTM/GIA+BIA24", "D/Bi-LSTM/GIA+none"),
    ),
    unprinted="only the abstract could be read; it claims that 10 blocks are best of 24, 10 and none, without a number",
)
"""Every part alone and together, under each of three ways over time; the first two orders are the paper's claim, the
third is inferred from what it says of blocks as such."""

if __name__ == "__main__":
    from mer_tf.cli.script import main
    from mer_tf.study import Study

    main(Study(EXPERIMENT, EMBEDDED, tables=TABLES))
