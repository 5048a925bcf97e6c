"""What a network is, and its kinds by what they are fed: an encoder's features, windows of images, one flow image."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from mer_tf.config import Experiment
from mer_tf.model import Model, Shows, Takes, without_flow
from mer_tf.models.encoders.names import check_encoder
from mer_tf.models.later import keras, own
from mer_tf.models.stages import Stage

FLOW_SIDE = 28
"""Side of flow images where clip.side says nothing."""


def graphics_cards() -> int:
    """How many this process may use, as the system says without TensorFlow; 1 where there is none."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    found = list(Path("/dev").glob("nvidia[0-9]*")) if chosen is None else chosen.replace("-1", "").split(",")
    return max(len([one for one in found if str(one).strip()]), 1)


@dataclass(frozen=True)
class Network(Model):
    """A Keras model."""

    xla_on_cpu: ClassVar[bool] = False
    """Whether XLA was measured to make its training step faster on a CPU (benchmarks/RESULTS.md)."""

    def build(self, shape: Any, classes: int) -> keras.Model:
        """The network for inputs of that shape: a dict of inputs to float32 logits (B, classes)."""
        raise NotImplementedError

    @property
    def normalises(self) -> bool:
        """Whether the network has batch normalisation that learns."""
        return hasattr(self, "bn_momentum")

    def check(self, experiment: Experiment, of_images: bool) -> Iterator[str]:
        train, cards = experiment.train, graphics_cards() if experiment.train.data_parallel else 1
        if train.batch_size % cards:
            yield f"train.batch_size={train.batch_size}: is no multiple of the {cards} graphics cards that share it"
        if cards > 1 and self.normalises and os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow":
            yield (
                f"train.data_parallel: batch normalisation in {self.name} would see one device's share of the batch on "
                "TensorFlow; set KERAS_BACKEND=jax, whose batch normalisation sees the whole batch"
            )

    @property
    def first_stages(self) -> int:
        """Stages of training before the last one."""
        return 0

    def stages(self, model: keras.Model) -> list[Stage]:
        """The parts of `model`, which `build` made, that are trained one after the other."""
        return [Stage("", model)]


@dataclass(frozen=True)
class FeatureModel(Network):
    """Fed with what a pretrained encoder says of each frame; `build` is given its shape and takes `inputs`."""

    encoder: str = "auto"
    """vggface2-resnet50 | vggface2-senet50 | vggface-vgg16 | mtcnn-onet | auto | path of a .keras image encoder."""
    weights: str | None = None
    """Weight file for a VGGFace encoder (.h5 of keras-vggface; a PyTorch state dict as .safetensors or .npz), or
    `random` for none (said in every output)."""
    weights_by: Literal["names", "order"] = "names"
    """order: an .npz state dict whose layers have other names is taken in turn, where all shapes agree."""
    preproc: Literal["own", "vggface-mean", "vggface2-mean", "imagenet", "centred", "raw", "paper_code"] = "own"
    """What the encoder is fed. own: as it was trained (a .keras encoder whose first layer scales images gets RGB 0 to
    255, any other must be told); vggface-mean, vggface2-mean: BGR minus the mean; imagenet: RGB / 255 minus the mean
    over the deviation; centred: RGB to -1 .. 1; raw: RGB 0 to 255; paper_code: RGB / 255, as C's released code does."""
    retrain_from: str | None = None
    """First retrained encoder block, e.g. conv4_3 (inferred from C's released code); gradcam: chosen by Grad-CAM (C,
    section 4.3), here on each fold's training clips; None: the encoder stays frozen (C's released code)."""
    features_at: str | None = None
    """Block or layer of the encoder whose map (H, W, C) models are given, e.g. conv4_2 or pool5; None: its embedding.
    ONet, which auto becomes without weights, gives its map after as many poolings for one it has not, and says so."""
    center: Literal["none", "onset"] = "none"
    """onset: subtract the embedding of the clip's first frame, so that identity cancels."""

    takes: ClassVar[Takes] = "features"
    flow: ClassVar[bool] = False
    xla_on_cpu: ClassVar[bool] = True
    shows: ClassVar[Shows] = "heat maps"

    @property
    def face_blocks(self) -> str | None:
        """Set of face blocks whose places it is given beside maps; None for none."""
        return None

    def build(self, shape: Any, classes: int, tail: keras.Model | None = None) -> keras.Model:
        """As `Network.build`; `tail`: the end of the encoder that the network retrains or goes on by."""
        raise NotImplementedError

    def inputs(self, shape: tuple[int, ...], steps: int | None = None) -> dict[str, Any]:
        """frames float32 (B, T, *shape), onset float32 (B, 1, *shape), mask bool (B, T), False where a clip was padded.

        Without `steps` T may differ from batch to batch.
        """
        frames, onset = (keras.Input((t, *shape), name=name) for t, name in ((steps, "frames"), (1, "onset")))
        return {"frames": frames, "onset": onset, "mask": keras.Input((steps,), dtype="bool", name="mask")}

    def per_frame(self, inputs: Mapping[str, Any], tail: keras.Model | None) -> Any:
        """What `tail` makes of every frame, or the frames as they are; less the onset's where `center` asks for it."""
        made = (lambda x: x) if tail is None else own.FoldTime(tail, name="retrained")
        x = made(inputs["frames"])
        return own.OnsetDifference(name="minus_onset")(x, made(inputs["onset"])) if self.center == "onset" else x

    def check(self, experiment: Experiment, of_images: bool) -> Iterator[str]:
        yield from super().check(experiment, of_images)
        check_encoder(self)
        clip = experiment.clip
        if clip.short != "ends":
            yield f"clip.short={clip.short}: only models of images and flow can fill clips so; leave it at ends"
        if clip.keyframes != "none" and clip.frames < 2:
            yield f"clip.keyframes={clip.keyframes}: key frames are 2 or more; use clip.frames=2 or more"


@dataclass(frozen=True)
class ImageModel(Network):
    """Fed with windows of frames and flow, all of one length.

    `build` is given {"frames": (S, S, 3), "flow": (S, S, 3), "images": (T,)} and takes those inputs it reads of frames,
    RGB 0..255, and flow, dx and dy at rest at 128, both (B, T, S, S, 3).
    """

    takes: ClassVar[Takes] = "images"
    fewest: ClassVar[int] = 2
    """Frames of the shortest window of which anything is left."""
    keyed: ClassVar[bool] = False
    """Whether it takes key frames, clip.frames - 1 of them, in place of neighbouring frames."""
    least_side: ClassVar[int] = 1
    """Side of the smallest image of which anything is left."""

    def check(self, experiment: Experiment, of_images: bool) -> Iterator[str]:
        yield from super().check(experiment, of_images)
        clip, name = experiment.clip, self.name
        if experiment.preprocess.flow == "none":
            yield without_flow(name)
        if clip.keyframes != "none" and not self.keyed:
            yield f"clip.keyframes={clip.keyframes}: {name} takes flow between neighbouring frames; leave it at none"
        if clip.test == "whole":
            yield f"clip.test=whole: {name} takes windows of one length; use clip.test=windows"
        if clip.short != "ends" and clip.segments == "stride":
            yield f"clip.short={clip.short}: fills clips on both sides; use clip.segments=center or sliding"
        if clip.frames < 2 or clip.scheme != "v1" or clip.multiply:
            yield (
                f"{name} takes windows of two or more neighbouring frames, as stored or mirrored: clip.frames 2 or "
                "more, clip.scheme v1, no clip.multiply"
            )
        if (clip.side or experiment.preprocess.size) < self.least_side:
            least = self.least_side
            yield f"clip.side={clip.side}: images of {name} have {least} pixels or more; use clip.side={least}"
        if self.fewest > 2 and clip.frames < self.fewest:
            yield f"clip.frames={clip.frames}: give {name} windows of {self.fewest} frames or more"

    def volumes(self, shape: Mapping[str, tuple[int, ...]], *names: str) -> dict[str, Any]:
        """Inputs, those of `names` among frames and flow; T is fixed, since networks flatten it."""
        return {name: keras.Input((*shape["images"], *shape[name]), name=name) for name in names}


def of_one_image(name: str, experiment: Experiment, of_images: bool) -> Iterator[str]:
    """What of all settings a model of one flow image a clip cannot have."""
    config, clip = experiment.preprocess, experiment.clip
    if not of_images and (config.flow == "none" or config.flow_from != "onset"):
        yield f"{name} takes flow from the onset to the apex; use preprocess.flow_from=onset and a flow method"
    if clip.frames != 1 or clip.multiply:
        yield f"{name} sees a clip as one image: use clip.frames=1, no clip.multiply"


@dataclass(frozen=True)
class FlowImageModel(Network):
    """Fed with one flow image a clip: u, v and optical strain, onset to apex.

    `build` is given {"flow_image": (S, S, 3)} and takes the input flow_image (B, S, S, 3), 0..255.
    """

    takes: ClassVar[Takes] = "flow image"
    all_folds: ClassVar[bool] = False
    """Whether `mer_tf.training.all_folds.folds` can train all folds of it in one program."""

    def check(self, experiment: Experiment, of_images: bool) -> Iterator[str]:
        yield from super().check(experiment, of_images)
        yield from of_one_image(self.name, experiment, of_images)

    def input(self, shape: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
        return {"flow_image": keras.Input(shape["flow_image"], name="flow_image")}
