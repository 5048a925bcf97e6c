"""What a model asks of the other settings: known from the declaration, before Keras is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mer_tf.config import Experiment, MerError, Model
from mer_tf.datasets.labels import load_protocol
from mer_tf.descriptors import METHODS, SETTINGS, method_descriptor
from mer_tf.models import OF_BLOCKS, OF_FLOW_IMAGES, OF_IMAGES, PRETRAINED
from mer_tf.models.encoder_names import check_encoder
from mer_tf.names import unknown

FLOW_SIDE = 28
"""Side of flow images where clip.side says nothing, and the only one that htnet and shipped networks take."""
STCNN_FRAMES, ELRCN_SIDE = 18, 32
"""The fewest frames, and the smallest images, of which those networks leave anything."""


def check_model(experiment: Experiment, of_images: bool) -> None:
    """`MerError` for settings that the model cannot have; `of_images`: each clip is one ready-made flow image."""
    refuse(_faults(experiment, of_images))


def head_faults(model: Model, classes: Sequence[str]) -> Iterator[str]:
    """A shipped network that is used as it is knows its own classes and no other."""
    if model.head == "given":
        known = load_protocol("megc2019-3").classes
        if tuple(classes) != known:
            yield (
                f"model.head=given: {model.weights} knows {', '.join(known)}, not {', '.join(classes)}; use "
                "--data.label_protocol megc2019-3, or model.head=trained"
            )


def refuse(faults: Iterable[str]) -> None:
    """`MerError` with every fault on a line of its own; nothing happens without any."""
    if lines := list(faults):
        raise MerError("\n".join(lines))


def _faults(experiment: Experiment, of_images: bool) -> Iterator[str]:
    name = experiment.model.name
    if of_images and name not in OF_FLOW_IMAGES:
        yield (
            f"model.name={name}: takes frames, but each clip here is one flow image; use one of "
            f"{', '.join(sorted(OF_FLOW_IMAGES))}"
        )
    elif name in METHODS:
        yield from _of_descriptors(experiment)
    elif name in OF_FLOW_IMAGES:
        yield from _of_flow_images(experiment, of_images)
    else:
        yield from (_of_images if name in OF_IMAGES else _of_features)(experiment)


def _of_descriptors(experiment: Experiment) -> Iterator[str]:
    """What classical methods ask for."""
    name, config = experiment.model.name, experiment.preprocess
    if experiment.clip.test != "whole":
        yield f"clip.test=windows: {name} describes whole clips; use clip.test=whole"
    if METHODS[name].flow and config.flow == "none":
        yield _without_flow(name)
    if name == "mdmo" and config.face != "align":
        yield f"preprocess.face={config.face}: mdmo knows where landmarks are in aligned faces; use align"
    if any(getattr(experiment.model.classical, s) is not None for s in SETTINGS):
        method_descriptor(name, experiment.model.classical)  # refuses what the method does not have


def _of_flow_images(experiment: Experiment, of_images: bool) -> Iterator[str]:
    """What networks on one flow image a clip ask for."""
    model, config, clip = experiment.model, experiment.preprocess, experiment.clip
    if not of_images and (config.flow == "none" or config.flow_from != "onset"):
        yield (f"{model.name} takes flow from the onset to the apex; use preprocess.flow_from=onset and a flow method")
    if clip.frames != 1 or clip.multiply:
        yield f"{model.name} sees a clip as one image: use clip.frames=1, no clip.multiply"
    if not of_images and model.name == "htnet" and clip.side not in (0, FLOW_SIDE):
        yield f"clip.side={clip.side}: parts of htnet are placed on {FLOW_SIDE} pixels; use clip.side={FLOW_SIDE}"
    if model.name == "au_flow":
        yield from _of_au_flow(experiment, of_images)


def _of_au_flow(experiment: Experiment, of_images: bool) -> Iterator[str]:
    model, side = experiment.model, experiment.clip.side
    if model.weights is not None and model.weights not in PRETRAINED:
        yield f"model.weights: {unknown('shipped network', model.weights, PRETRAINED)}"
    if model.weights is None and model.head != "trained":
        yield f"model.head={model.head}: needs a shipped network; use model.weights={PRETRAINED[0]}"
    if not of_images and model.weights is not None and side not in (0, FLOW_SIDE):
        yield f"clip.side={side}: {model.weights} takes images of {FLOW_SIDE} pixels; use clip.side={FLOW_SIDE}"


def _of_images(experiment: Experiment) -> Iterator[str]:
    """What networks on windows of frames and flow ask for."""
    model, clip, name = experiment.model, experiment.clip, experiment.model.name
    if experiment.preprocess.flow == "none":
        yield _without_flow(name)
    if clip.keyframes != "none":
        yield f"clip.keyframes={clip.keyframes}: {name} takes flow between neighbouring frames; leave it at none"
    if clip.test == "whole":
        yield f"clip.test=whole: {name} takes windows of one length; use clip.test=windows"
    if clip.frames < 2 or clip.scheme != "v1" or clip.multiply:
        yield (
            f"{name} takes windows of two or more neighbouring frames, as stored or mirrored: clip.frames 2 or more, "
            "clip.scheme v1, no clip.multiply"
        )
    if model.retrain_from is not None:
        yield f"model.retrain_from={model.retrain_from}: {name} has no pretrained encoder; leave it None"
    side = clip.side or experiment.preprocess.size
    if name.startswith("elrcn") and side < ELRCN_SIDE:
        yield f"clip.side={side}: images of {name} have {ELRCN_SIDE} pixels or more; use clip.side={ELRCN_SIDE}"
    if name.startswith("micro_exp") and clip.frames < STCNN_FRAMES:
        yield f"clip.frames={clip.frames}: windows of {name} have {STCNN_FRAMES} frames or more; give so many"


def _of_features(experiment: Experiment) -> Iterator[str]:
    """What networks on features of a frozen encoder ask for."""
    model, clip, name = experiment.model, experiment.clip, experiment.model.name
    check_encoder(model)
    if clip.keyframes != "none" and clip.frames < 2:
        yield f"clip.keyframes={clip.keyframes}: key frames are 2 or more; use clip.frames=2 or more"
    if name == "vggface_frames":
        if model.bidirectional:
            yield "model.bidirectional: vggface_frames sees one frame; take --model.name vggface_lstm"
        if clip.frames != 1 or clip.test != "windows":
            yield "vggface_frames sees single frames; use clip.frames=1 and clip.test=windows"
    if name == "attention_lstm" and model.attention.pool and model.features_at is None:
        yield (
            "model.attention.pool: an embedding has no regions to pool; give model.features_at, such as pool5, or set "
            "model.attention.pool to False"
        )
    if name in OF_BLOCKS:
        yield from _of_blocks(experiment)


def _of_blocks(experiment: Experiment) -> Iterator[str]:
    """What a network on blocks of the face asks for."""
    from mer_tf.preprocessing.face_blocks import NONE, load_blocks  # brings pandas

    model, clip, name = experiment.model, experiment.clip, experiment.model.name
    load_blocks(model.blocks.set)
    if clip.keyframes != "none":
        yield f"clip.keyframes={clip.keyframes}: {name} takes neighbouring frames; leave it at none"
    if clip.multiply:
        yield f"clip.multiply: turned frames would need turned blocks, which {name} has not; leave it empty"
    if model.features_at is None:
        yield f"{name} takes maps: give model.features_at, such as conv4_2"
    if model.blocks.set == NONE and model.blocks.none_mode == "gia_only" and not model.blocks.gia:
        yield "model.blocks: set none and none_mode gia_only leave nothing without gia; take one of them"


def _without_flow(name: str) -> str:
    return f"preprocess.flow=none: {name} takes flow; use dis, farneback or tvl1"
