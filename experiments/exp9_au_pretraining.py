"""A recogniser that needs no licensed data: a small network trained on drawn action units alone; writes its weights.

The networks that ship with the package (`mer_tf.models.load_pretrained`) are made by this command. Kinds of drawing
(renderer, portrait, flow method) are kept out in turn; selecting on images like those of training says nothing.

python experiments/exp9_au_pretraining.py                          # minutes on two cores
python experiments/exp9_au_pretraining.py --train.seed 1           # another training
python experiments/exp9_au_pretraining.py --train.epochs 1 --train.direct 300 --train.rendered 48 --no-kept-out
python experiments/exp9_au_pretraining.py --train.crop published --name au-flow-4 --no-kept-out   # another crop
python experiments/exp9_au_pretraining.py --sequence               # paper A's temporal stream: labelled clips saved
python experiments/exp9_au_pretraining.py --patches                # dictionaries of the recommended recogniser
"""

from mer_tf.au_flow.settings import Options, Pretraining
from mer_tf.config import Clip, Data, Experiment, Preprocess, Train
from mer_tf.models.cnn_lstm_fusion import CnnLstmFusion, Fusion

PRETRAINING = Options(train=Pretraining(epochs=8, direct=6000, rendered=2400, kept_out_epochs=4))

# Paper A's temporal stream, small, on the drawn SMIC look-alike: what is pretrained and measured by --sequence.
SEQUENCE = Experiment(
    name="exp9_au_pretraining",
    data=Data(dataset="smic-hs", label_protocol="smic-3"),
    preprocess=Preprocess(face="align", size=96, grey_level="clip", flow="dis", recipe="paper-a+"),
    clip=Clip(frames=20, segments="center", test="windows", mirror=True, balance=False, side=48, flow_bound=1.0),
    model=CnnLstmFusion(
        lstm_units=32,
        dropout=0.2,
        fusion=Fusion(streams="temporal", channels=(12, 24, 32, 32, 32), stem_stride=2, fc_units=64, fc8_units=32),
    ),
    train=Train(epochs=8, batch_size=16, learning_rate=5e-4, jit_compile=False),
)

if __name__ == "__main__":
    from mer_tf.cli.script import pretrain_main

    pretrain_main(PRETRAINING, SEQUENCE)
