"""A tree of clips as a user may have it, and an experiment on it that trains in seconds."""

import cv2
import numpy as np

from mer_tf.config import Clip, Data, Evaluation, Experiment, Preprocess, Train
from mer_tf.models.vggface_lstm import VggFaceLstm

LABELS = ("negative", "positive", "surprise")
SIDE = 16


def write_tree(root, subjects=("s01", "s02"), labels=LABELS, frames=5):
    """root/subject/label/clip/: textures that shift, each class its own way."""
    for number, subject in enumerate(subjects):
        for k, label in enumerate(labels):
            write_clip(root / subject / label / f"{label}_1", (k, 1 - k), frames, seed=10 * number + k)
    return root


def write_clip(folder, shift=(0, 1), frames=5, seed=0):
    """A folder of pictures of one texture that shifts."""
    folder.mkdir(parents=True)
    texture = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    picture = cv2.resize(texture, (24, 24), interpolation=cv2.INTER_CUBIC)
    for t in range(frames):
        moved = np.roll(picture, (t * shift[0], t * shift[1]), axis=(0, 1))
        cv2.imwrite(str(folder / f"img{t:03d}.png"), moved)
    return folder


def write_encoder(path):
    """A .keras file of an untrained encoder with a map, the same whenever it is written."""
    import keras

    inputs = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.Rescaling(1 / 255)(inputs)
    kernel = keras.initializers.GlorotUniform(seed=0)
    x = keras.layers.Conv2D(
        4, 3, strides=2, padding="same", activation="relu", kernel_initializer=kernel, name="conv1"
    )(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    keras.Model(inputs, x).save(path)
    return path


def small_experiment(root, encoder, home):
    """Two folds, one epoch, on the clips below `root`."""
    return Experiment(
        name="own",
        data=Data(dataset="folders", root=str(root), label_protocol="data", cache=str(home / "cache")),
        preprocess=Preprocess(face="none", size=SIDE, flow="none"),
        clip=Clip(frames=3, stride=2, mirror=True),
        model=VggFaceLstm(encoder=str(encoder), embedding=(4,), lstm_units=3, lstm_layers=1, head_units=3),
        train=Train(epochs=1, batch_size=4, jit_compile=False),
        evaluation=Evaluation(folds=2, bootstrap=20, permutations=20),
        out=str(home / "runs"),
    )
