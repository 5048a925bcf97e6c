"""The fused network of paper A: AlexNet-like CNN on frames, CNN + LSTM on flow, a fusion layer after FC7; 3 classes.

A paper in Chinese, of which the text without its title page could be read: title, authors and DOI are not known here
(docs/papers.md, which also says what of these settings it prints). Section 4, Table 3.

python experiments/exp4_cnn_lstm_fusion.py                          # synthetic SMIC look-alike, a narrow network
python experiments/exp4_cnn_lstm_fusion.py --data.root /data/SMIC   # the licensed data, as docs/papers.md says
python experiments/exp4_cnn_lstm_fusion.py --clip.segments sliding  # many segments of a clip, not the middle one alone
python experiments/exp4_cnn_lstm_fusion.py --model.lstm peephole    # or coupled: what "improved" may mean
python experiments/exp4_cnn_lstm_fusion.py sweep                    # clips of X = 2 to 30 frames
python experiments/exp4_cnn_lstm_fusion.py tables                   # Tables 1 to 4, on look-alikes of both data sets
python experiments/exp4_cnn_lstm_fusion.py tables --root.SMIC /data/SMIC --root.CASMEII /data/CASME2
"""

from mer_tf.changes import changed
from mer_tf.config import Clip, Data, Evaluation, Experiment, Preprocess, Tables, Train
from mer_tf.models.cnn_lstm_fusion import CnnLstmFusion

# Printed: 96 x 96 x 3, X = 20 frames, batch 50, learning rate 5e-4, at most 6000 epochs. Not printed, so ours or
# inferred: the middle segment alone, where the text first cuts many; AlexNet's widths; what is improved in the LSTM;
# what trained fusion is; the optimiser, folds and classes.
EXPERIMENT = Experiment(
    name="exp4_cnn_lstm_fusion",
    data=Data(dataset="smic-hs", label_protocol="smic-3"),
    preprocess=Preprocess(face="align", size=96, grey_level="clip", flow="tvl1", recipe="paper-a"),
    clip=Clip(frames=20, stride=10, segments="center", test="windows", mirror=False, balance=False),
    model=CnnLstmFusion(lstm_units=512, dropout=0.5),
    train=Train(epochs=6000, stream_epochs=6000, batch_size=50, learning_rate=5e-4, optimizer="sgd"),
    evaluation=Evaluation(split="loso"),
    published=("A/T3/fused/SMIC", "A/T3/temporal/SMIC", "A/T3/spatial/SMIC"),
)

# Minutes on two cores: half the side, a quarter of the width, mirrors, Adam.
EMBEDDED = changed(
    EXPERIMENT,
    {
        "preprocess.flow": "dis",
        "preprocess.recipe": "paper-a+",
        "clip.mirror": True,
        "clip.side": 48,
        "clip.flow_bound": 1.0,
        "model.lstm_units": 64,
        "model.dropout": 0.2,
        "model.fusion.finetune_streams": False,
        "model.fusion.channels": (24, 64, 96, 96, 64),
        "model.fusion.stem_stride": 2,
        "model.fusion.fc_units": 256,
        "model.fusion.fc8_units": 64,
        "train.epochs": 8,
        "train.batch_size": 16,
        "train.optimizer": "adam",
        "train.stream_epochs": 8,
        "train.jit_compile": False,
        "evaluation.split": "group",
    },
)

SWEEP = {"clip.frames": tuple(range(2, 31))}
"""Grid of `sweep`: the paper prints that X was searched in 2 to 30."""

_OTHERS = ("A/T4/LBP-TOP", "A/T4/FDM", "A/T4/MDMO")
_TUNED = {"model.tune": True, "clip.test": "whole"}
_FIXED = {"model.fusion.finetune_streams": False}
TABLES = Tables(
    rows={
        "A/T1/trained": _FIXED,
        "A/T1/untrained": {**_FIXED, "model.fusion.mode": "untrained"},
        "A/T1/streams trained too": {"model.fusion.finetune_streams": True},
        "A/T1/drawn layer": {**_FIXED, "model.fusion.mode": "random"},
        "A/T2/FC7": {},
        "A/T2/FC6": {"model.fusion.after": "fc6"},
        "A/T3/fused": {},
        "A/T3/temporal": {"model.fusion.streams": "temporal"},
        "A/T3/spatial": {"model.fusion.streams": "spatial"},
        "A/T4/new": {},
        "A/T4/LBP-TOP": {"model.name": "lbp_top", **_TUNED},
        "A/T4/FDM": {"model.name": "fdm", **_TUNED},
        "A/T4/MDMO": {"model.name": "mdmo", **_TUNED},
    },
    columns={
        "SMIC": {"data.dataset": "smic-hs", "data.label_protocol": "smic-3"},
        "CASMEII": {"data.dataset": "casme2", "data.label_protocol": "casme2-5"},
    },
    cells={
        "A/T4/LBP-TOP/CASMEII": {
            "model.blocks": (5, 5, 1),
            "model.radii": (1, 1, 4),
            "model.points": 4,
            "model.frames": 0,
        }
    },
    orderings=(
        ("A/T1/trained", "A/T1/untrained"),
        ("A/T1/trained", "A/T1/drawn layer"),
        ("A/T1/streams trained too", "A/T1/untrained"),
        ("A/T2/FC7", "A/T2/FC6"),
        ("A/T3/fused", "A/T3/temporal"),
        ("A/T3/fused", "A/T3/spatial"),
        *(("A/T4/new", other) for other in _OTHERS),
    ),
    across=tuple((row, "CASMEII", "SMIC") for row in ("A/T4/new", *_OTHERS)),
    small={row: {"model.tune": False} for row in _OTHERS},
    readings={"A/T1/streams trained too": "A/T1/trained", "A/T1/drawn layer": "A/T1/untrained"},
)
"""Tables of `tables` and what the paper claims of them; its best model stands in all four under three values.

Table 1's rows differ in the fusion layer alone, the streams fixed in both. Other readings stand beside: streams that
are trained on with the layer, and against the trained layer one that stays as drawn. That CASME II is recognised better
than SMIC is claimed of all methods of Table 4. There LBP-TOP sees CASME II by the settings of Yan et al. 2014, in clips
as they were recorded: at ten frames a radius in time of 4 would leave two.
"""

if __name__ == "__main__":
    from mer_tf.cli.script import main
    from mer_tf.study import Study

    main(Study(EXPERIMENT, EMBEDDED, sweep=SWEEP, tables=TABLES))
