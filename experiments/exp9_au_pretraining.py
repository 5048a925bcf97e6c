"""A recogniser that needs no licensed data: a small network trained on drawn action units alone; writes its weights.

The networks that ship with the package (`mer_tf.models.load_pretrained`) are made by this command. Kinds of drawing
(renderer, portrait, flow method) are kept out in turn; selecting on images like those of training says nothing.

python experiments/exp9_au_pretraining.py                          # minutes on two cores
python experiments/exp9_au_pretraining.py --train.seed 1           # another training
python experiments/exp9_au_pretraining.py --train.epochs 1 --train.direct 300 --train.rendered 48 --no-kept-out
"""

from mer_tf.protocols.pretrain import Options, main
from mer_tf.training.pretraining import Pretraining

PRETRAINING = Options(train=Pretraining(epochs=8, direct=6000, rendered=2400, kept_out_epochs=3))

if __name__ == "__main__":
    main(PRETRAINING)
