"""The whole of a trained model as one Keras graph: stored frames in, probabilities out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from mer_tf.config import MerError
from mer_tf.models.encoders.build import build_encoder
from mer_tf.models.encoders.parts import encoder_parts
from mer_tf.models.kinds import FeatureModel
from mer_tf.models.layers.shared import FoldTime
from mer_tf.models.stored import load_model
from mer_tf.models.vggface_lstm import IMAGES
from mer_tf.serving.trained import MEND, Trained, pinned

Inputs = dict[str, Any]


def encoder_of(trained: Trained) -> tuple[keras.Model | None, str | None]:
    """The whole image encoder, and the name of the map that models take of it; None for a model without."""
    experiment = pinned(trained)
    if not isinstance(experiment.model, FeatureModel):
        return None, None
    built = build_encoder(experiment.model, input_size=experiment.preprocess.size)
    return built.model, built.features_at


def whole_chain(trained: Trained) -> keras.Model:
    """One graph of all networks, their probabilities averaged, each before it the encoder's frozen part.

    Inputs by name, of which a model has some: frames (B, T, S, S, 3), RGB 0..255 as records hold them; onset
    (B, 1, S, S, 3), the clip's first one; mask (B, T), False behind a clip's end; flow, flow_image and blocks as the
    model takes them. Output: probabilities (B, classes) in the order of the classes. `MerError` for a classical method.
    """
    if not trained.members:
        raise MerError(
            f"{trained.name}: a classical method is no network, and nothing fitted is stored; export another"
        )
    encoder, at = encoder_of(trained)
    heads = []
    for k, member in enumerate(trained.members):
        model = load_model(member.path, MEND)
        heads.append(keras.Model({t.name: t for t in model.inputs}, model.outputs[0], name=f"network_{k}"))
    fed: dict[str | None, Inputs] = {}
    inputs = _inputs(heads[0], encoder)
    shares = []
    for member, head in zip(trained.members, heads, strict=True):
        block = member.block or getattr(trained.experiment.model, "retrain_from", None)
        if block not in fed:
            fed[block] = inputs if encoder is None else _encoded(encoder, block, at, inputs, len(fed))
        logits = head({tensor.name: fed[block][tensor.name] for tensor in head.inputs})
        shares.append(layers.Softmax(name=f"{head.name}_softmax", dtype="float32")(logits))
    mean = layers.Average(name="mean", dtype="float32")(shares) if len(shares) > 1 else shares[0]
    return keras.Model(inputs, mean, name="frames_to_probabilities")


def random_inputs(chain: keras.Model, length: int = 3) -> dict[str, np.ndarray]:
    """Two samples of any numbers for each input, `length` where time is free."""
    rng, found = np.random.default_rng(0), {}
    for tensor in chain.inputs:
        shape = (2, *(length if side is None else side for side in tensor.shape[1:]))
        found[tensor.name] = np.ones(shape, bool) if tensor.dtype == "bool" else rng.uniform(0, 255, shape)
    return {name: value if value.dtype == bool else value.astype("float32") for name, value in found.items()}


def save_as(chain: keras.Model, path: Path, kind: str) -> None:
    """Write the graph by Keras' own exporter as saved_model (a folder) or onnx; `MerError` where a package lacks."""
    chain(random_inputs(chain))  # Keras writes no ONNX of what was never called
    try:
        chain.export(path, format="onnx" if kind == "onnx" else "tf_saved_model", verbose=False)
    except ImportError as error:
        mend = 'the extra `onnx` brings it: pip install -e ".[onnx]"'
        raise MerError(f"--format {kind}: {error}; {mend}") from error


def _inputs(head: keras.Model, encoder: keras.Model | None) -> Inputs:
    """The head's, with pictures in the place of features."""
    images = {} if encoder is None else dict.fromkeys(IMAGES, encoder.input_shape[1:])
    found = {}
    for tensor in head.inputs:
        length, *rest = tensor.shape[1:]
        shape = (length, *images.get(tensor.name, rest))
        found[tensor.name] = keras.Input(shape, dtype=tensor.dtype, name=tensor.name)
    return found


def _encoded(encoder: keras.Model, block: str | None, at: str | None, inputs: Inputs, number: int) -> Inputs:
    """The inputs with what the encoder's frozen part says of pictures in their place; its weights are a copy."""
    trunk, _ = encoder_parts(encoder, block, at)
    copy = keras.models.clone_model(trunk)
    copy.set_weights(trunk.get_weights())
    copy.trainable = False
    encode = FoldTime(copy, name=f"frozen_{number}")
    return {name: encode(value) if name in IMAGES else value for name, value in inputs.items()}
