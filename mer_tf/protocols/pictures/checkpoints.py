"""How the models of a run are opened to be explained: their layers, what they are given, and the frames that shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np

from mer_tf.config import MerError
from mer_tf.explain.upsampling import Grid, cell_grid
from mer_tf.models.encoders.parts import block_outputs, encoder_parts
from mer_tf.models.layers.shared import FoldTime
from mer_tf.models.stored import FINISH, load_model
from mer_tf.models.vggface_frames import images_to_logits
from mer_tf.models.vggface_lstm import end_to_end, frames_shape
from mer_tf.protocols.workbench import Workbench
from mer_tf.training.trainer import clip_windows


class Explained(Protocol):
    """The models of one run."""

    @property
    def blocks(self) -> Mapping[str, str]:
        """Name for users -> layer that gives a map (N, h, w, C); empty where none does."""
        ...

    def model(self, path: Path) -> keras.Model:
        """The model of a checkpoint, images in, logits out."""
        ...

    def sample(self, clip_id: str, model: keras.Model) -> tuple[np.ndarray, Any]:
        """Frames uint8 (T, S, S, 3) of a clip, and the inputs of which each frame is shown."""
        ...

    def grid(self, block: str) -> Grid:
        """Where the cells of a block's map lie in the images."""
        ...


def explained(bench: Workbench, run: Path, ids: Sequence[str]) -> Explained:
    """Of a run's clips `ids`; `MerError` for models that see no images frame by frame."""
    if bench.encoded.encoder is not None:
        return EncodedFrames(bench, ids)
    if bench.experiment.model.takes == "images" and (paths := sorted(run.glob("**/fold-*/model.keras"))):
        return Windows(bench, paths[0])
    raise MerError(f"{run}: {bench.experiment.model.name} has no layer whose map lies on a frame, or no checkpoint")


class EncodedFrames:
    """Models on features of an encoder: the encoder's frozen part is put before the trained one."""

    def __init__(self, bench: Workbench, ids: Sequence[str]) -> None:
        self.encoder = bench.encoder()
        self.blocks: Mapping[str, str] = block_outputs(self.encoder)
        self._frames, self._cut_at = bench.shown(ids), bench.encoded.resolved.get("features_at")
        self._longest = max(map(len, self._frames.values()), default=0)

    def model(self, path: Path) -> keras.Model:
        """The model of a checkpoint with the frozen part of its encoder before it."""
        head = load_model(path, FINISH)
        _, time, *shape = frames_shape(head)
        joined = images_to_logits if time == 1 else end_to_end
        for cut in [(None, self._cut_at), *((block, None) for block in self.blocks)]:
            trunk, _ = encoder_parts(self.encoder, *cut)
            if list(trunk.output_shape[1:]) == shape:
                return joined(trunk, head)
        name = self.encoder.name
        raise MerError(f"{path}: takes features {shape}, which no layer of {name} gives; was the encoder changed?")

    def sample(self, clip_id: str, model: keras.Model) -> tuple[np.ndarray, Any]:
        """A clip as one sample of one length for all, so that XLA compiles once; or each frame as one of its own."""
        frames = self._frames[clip_id]
        index = np.minimum(np.arange(self._longest), len(frames) - 1)
        padded, mask = frames[index].astype("float32"), np.arange(self._longest) < len(frames)
        if len(model.inputs) == 1:
            return frames, padded
        return frames, {"frames": padded[None], "onset": padded[None, :1], "mask": mask[None]}

    def grid(self, block: str) -> Grid:
        """Where the cells of a block's map lie in the frames."""
        return cell_grid(self.encoder, self.blocks[block])


class Windows:
    """Models of images and flow: a clip's first window, and the maps of each network that is folded over time."""

    def __init__(self, bench: Workbench, some: Path) -> None:
        self._bench, self._some = bench, load_model(some, FINISH)
        self._trunks = {
            layer.layer.name: layer.layer
            for layer in self._some.layers
            if isinstance(layer, FoldTime) and isinstance(layer.layer, keras.Model)
        }
        self.blocks: Mapping[str, str] = {
            f"{name}/{layer.name}": f"{name}/{layer.name}"
            for name, trunk in self._trunks.items()
            for layer in trunk.layers
            if isinstance(layer, keras.layers.Conv2D) and min(layer.output.shape[1:3]) > 1
        }

    def model(self, path: Path) -> keras.Model:
        """The model of a checkpoint."""
        return load_model(path, FINISH)

    def sample(self, clip_id: str, model: keras.Model) -> tuple[np.ndarray, Any]:
        """The frames of the clip's first window, and what the model is given of it."""
        store, clip = self._bench.store, self._bench.experiment.clip
        window = clip_windows(clip_id, store.length(clip_id), clip)[:1]
        inputs = store.inputs(window, clip.frames, ("frames", "flow"))
        return inputs["frames"][0], {tensor.name: inputs[tensor.name] for tensor in model.inputs}

    def grid(self, block: str) -> Grid:
        """Where the cells of a block's map lie in the images."""
        trunk, layer = block.split("/")
        return cell_grid(self._trunks[trunk], layer)
