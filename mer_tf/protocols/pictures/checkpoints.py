"""How the networks of a run are opened to be explained: their maps, what they are given, and the frames that shows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from mer_tf.cached import cache_folder
from mer_tf.config import MerError
from mer_tf.datasets.windows import Window
from mer_tf.explain.frame_cam import FrameCam
from mer_tf.explain.gradcam import GradCam, Maps
from mer_tf.explain.upsampling import Grid, cell_grid
from mer_tf.inputs.batches import input_names
from mer_tf.inputs.shelf import Shelf
from mer_tf.models.encoders.parts import block_outputs, encoder_blocks, encoder_parts, map_layer
from mer_tf.models.kinds import FeatureModel
from mer_tf.models.layers.shared import FoldTime
from mer_tf.models.stored import FINISH, load_model
from mer_tf.models.vggface_frames import VggFaceFrames, images_to_logits
from mer_tf.models.vggface_lstm import end_to_end, frames_shape
from mer_tf.protocols.workbench import Workbench
from mer_tf.training.trainer import clip_windows

How = Mapping[str, bool]
"""Options of `explain.gradcam.Tapped.cam`."""


@dataclass(frozen=True)
class MapLayer:
    """A layer that gives a map (N, h, w, C) of pictures."""

    path: str
    """By which `find_layer` finds it in the whole model."""
    network: keras.Model
    """The flat network in which it stands, pictures in."""
    name: str

    @property
    def grid(self) -> Grid:
        """Where the map's cells lie in the pictures."""
        return cell_grid(self.network, self.name)

    def __str__(self) -> str:
        """The number of its cells, in words."""
        rows, columns = self.network.get_layer(self.name).output.shape[1:3]
        return f"{rows} x {columns} cells"


@dataclass(frozen=True, eq=False)
class Opened:
    """One network of a run, pictures in, logits out."""

    model: keras.Model
    trained: keras.Model
    """What checkpoints hold: a part of `model`, or all of it. Its weights are those of the one opened last."""
    maps: Mapping[str, MapLayer]
    """By their names for users, in order."""
    default: str
    """The last map that training changed; of a frozen encoder the last that the head reads."""
    tail: keras.Model | None = None
    """The retrained end of the encoder, within `trained`."""
    trunk: keras.Model | None = None
    """The frozen beginning of the encoder, which stands before `trained`."""
    _compiled: dict[tuple[str, bool], GradCam] = field(default_factory=dict)

    def heat(self, name: str, inputs: Any, target: int, how: How, of_features: bool = False) -> Maps:
        """Maps (T, h, w) of a clip's pictures at the map `name`, for one class.

        of_features: inputs are those of `trained`, which holds the map.
        """
        model, path, key = self.trained if of_features else self.model, self.maps[name].path, (name, of_features)
        if key not in self._compiled:
            self._compiled[key] = GradCam(model, [path])
        given = {n: inputs[n] for n in input_names(model)} if isinstance(inputs, dict) else inputs
        maps = self._compiled[key](given, target)[path].cam(**how)
        return maps.reshape(-1, *maps.shape[-2:])


@dataclass(frozen=True)
class Wanted:
    """Pictures of a clip whose maps are asked for, for the score of one class."""

    clip_id: str
    places: Sequence[int]
    """Among the pictures that `Explained.sample` gives."""
    target: int


class Explained(ABC):
    """The networks of one run, each fold's and seed's."""

    single: bool = False
    """Whether each picture is looked at alone, so that there is no onset to compare with."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self._opened: dict[str | None, Opened] = {}

    def network(self, path: Path) -> Opened:
        """The network of a checkpoint; networks of one shape share one model, so that each is traced once."""
        stored = load_model(path, FINISH)
        tail = retrained(stored)
        block = next(iter(encoder_blocks(tail))) if tail else None
        if block not in self._opened:
            self._opened[block] = self._joined(stored, block, path)
        self._opened[block].trained.set_weights(stored.get_weights())
        return self._opened[block]

    @abstractmethod
    def sample(self, clip_id: str) -> tuple[np.ndarray, Any]:
        """Pictures uint8 (T, S, S, 3) of a clip on which its maps are shown, and the inputs of a network."""

    def heats(self, network: Opened, name: str, wanted: Sequence[Wanted], how: How) -> Iterator[Maps]:
        """Of each clip the maps (len(places), h, w) at the map `name`, by the weights that `network` has now."""
        for one in wanted:
            (_, inputs), places = self.sample(one.clip_id), list(one.places)
            alone = not isinstance(inputs, dict)
            given = inputs[places] if alone else inputs
            maps = network.heat(name, given, one.target, how)
            yield maps if alone else maps[places]

    def places(self, clip_id: str) -> np.ndarray:
        """Which of a clip's stored frames the pictures are, counted from 0."""
        return self.bench.places(clip_id)

    @abstractmethod
    def _joined(self, stored: keras.Model, block: str | None, path: Path) -> Opened:
        """The network of `path` with all that belongs before it; `block`: the encoder's first retrained one."""


def explained(bench: Workbench, ids: Sequence[str]) -> Explained:
    """For a run's clips `ids`; `MerError` for a model that has no map of a picture, with the reason."""
    model = bench.experiment.model
    if isinstance(model, FeatureModel):
        return EncodedFrames(bench, ids)
    kinds = {"images": Windows, "flow image": FlowImages}
    if model.takes not in kinds:
        raise MerError(f"{model.name}: a classical method has no layers, so there is no map to draw")
    return kinds[model.takes](bench)


def retrained(stored: keras.Model) -> keras.Model | None:
    """The retrained end of the encoder within a stored network; None where the encoder is frozen, or there is none."""
    folded = (layer.layer for layer in stored.layers if isinstance(layer, FoldTime))
    tails = [x for x in folded if isinstance(x, keras.Model) and x.trainable_weights]
    return tails[0] if tails and "onset" in input_names(stored) else None


class EncodedFrames(Explained):
    """Models on features of an encoder: the encoder's frozen part is put before the trained one."""

    def __init__(self, bench: Workbench, ids: Sequence[str]) -> None:
        super().__init__(bench)
        self.encoder = bench.encoder()
        self.single = isinstance(bench.experiment.model, VggFaceFrames)
        self._frames, self._longest = bench.frames(ids), bench.store.longest
        self._cams: dict[tuple[Opened, str], FrameCam | None] = {}
        self._maps: dict[str, Shelf] = {}
        if self.single and getattr(bench.experiment.model, "center", "none") == "onset":
            raise MerError(
                "model.center=onset: single frames less their clip's onset have no map of one picture; use none"
            )

    def _joined(self, stored: keras.Model, block: str | None, path: Path) -> Opened:
        at = self.bench.encoded.resolved.get("features_at")
        trunk, _ = encoder_parts(self.encoder, block, at)
        _, time, *shape = frames_shape(stored)
        if list(trunk.output_shape[1:]) != shape:
            given = f"{self.encoder.name} gives {trunk.output_shape[1:]}"
            raise MerError(f"{path}: takes features {tuple(shape)}, but {given}; was the encoder changed?")
        model = (images_to_logits if time == 1 else end_to_end)(trunk, stored)
        tail = retrained(stored)
        layers = self._layers(trunk, tail, at)
        if not layers:
            raise MerError(f"{self.encoder.name} has no layer that gives a map, so there is none to draw")
        maps = {name: MapLayer(layer, self.encoder, layer) for name, layer in layers.items()}
        return Opened(model, stored, maps, list(maps)[-1], tail, trunk)

    def _layers(self, trunk: keras.Model, tail: keras.Model | None, at: str | None) -> dict[str, str]:
        """Map -> layer of all that lies between the pictures and what is trained behind the encoder."""
        there = {layer.name for part in (trunk, tail) if part is not None for layer in part.layers}
        found = {name: layer for name, layer in block_outputs(self.encoder).items() if layer in there}
        if at and (layer := map_layer(self.encoder, at)) not in found.values():
            found[at] = layer
        return found

    def heats(self, network: Opened, name: str, wanted: Sequence[Wanted], how: How) -> Iterator[Maps]:
        """The same, the frozen part of the encoder run once a picture, whatever weights follow.

        Where Grad-CAM chose the layer, a fold's network may take other features than those that the bench holds.
        """
        held, layer = self.bench.store.shape, network.maps[name].name
        fits = tuple(frames_shape(network.trained)[2:]) == tuple(held["frames"] if isinstance(held, dict) else held)
        if fits and (cam := self._frame_cam(network, layer)) is not None:
            yield from self._of_frozen(cam, network, wanted, how)
        elif fits and network.tail is not None and layer in {one.name for one in network.tail.layers}:
            for one in wanted:
                given, shown = self._features(network, one)
                yield network.heat(name, given, one.target, how, of_features=True)[shown]
        else:
            yield from super().heats(network, name, wanted, how)

    def _features(self, network: Opened, one: Wanted) -> tuple[Any, list[int]]:
        """Inputs of the trained part, and where the places asked for stand among its maps."""
        windows = [Window(one.clip_id, place) for place in one.places] if self.single else [Window(one.clip_id, 0)]
        given = self.bench.store.inputs(windows, 1 if self.single else self._longest, input_names(network.trained))
        return given, list(range(len(windows)) if self.single else one.places)

    def _of_frozen(self, cam: FrameCam, network: Opened, wanted: Sequence[Wanted], how: How) -> list[Maps]:
        pictures = [(one.clip_id, place, one.target) for one in wanted for place in one.places]
        names, found = input_names(network.trained), []
        for start in range(0, len(pictures), cam.batch):
            ids, places, targets = zip(*pictures[start : start + cam.batch], strict=True)
            shown = [int(self.places(clip_id)[place]) for clip_id, place in zip(ids, places, strict=True)]
            given = self.bench.store.inputs([Window(clip_id, 0) for clip_id in ids], cam.frames, names)
            onset = self._frozen(cam, ids, [0] * len(ids)) if how["minus_onset"] else None
            where = [0] * len(ids) if self.single else places
            found.append(cam(self._frozen(cam, ids, shown), where, given, targets, less=onset, local=how["local"]))
        return np.split(np.concatenate(found), np.cumsum([len(one.places) for one in wanted])[:-1])

    def _frozen(self, cam: FrameCam, ids: Sequence[str], stored: Sequence[int]) -> Maps:
        """What the encoder gives at the map for stored frames of clips, computed when first asked for."""
        held = self._maps.setdefault(cam.layer, Shelf(folder=cache_folder(self.bench.experiment.data.cache)))
        keys = [f"{place}/{clip_id}" for clip_id, place in zip(ids, stored, strict=True)]
        if new := {key: (c, k) for key, c, k in zip(keys, ids, stored, strict=True) if key not in held}:
            images = np.stack([self._frames[clip_id][place] for clip_id, place in new.values()])
            for key, values in zip(new, cam.maps(images.astype("float32")), strict=True):
                held.put(key, values)
        return np.stack([held[key] for key in keys])

    def _frame_cam(self, network: Opened, layer: str) -> FrameCam | None:
        """None for a map that training changes, and where the encoder goes past the map."""
        key = network, layer
        if key not in self._cams:
            trunk, cam = network.trunk, None
            if trunk is not None and layer in {one.name for one in trunk.layers}:
                with suppress(ValueError):
                    cam = FrameCam(trunk, network.trained, layer, 1 if self.single else self._longest)
            self._cams[key] = cam
        return self._cams[key]

    def sample(self, clip_id: str) -> tuple[np.ndarray, Any]:
        """A clip as one sample of one length for all, so that it is traced once; or each frame as one of its own."""
        stored, store = self._frames[clip_id], self.bench.store
        frames = stored[self.places(clip_id)]
        if self.single:
            return frames, frames.astype("float32")
        index = np.minimum(np.arange(self._longest), len(frames) - 1)
        given = store.inputs([Window(clip_id, 0)], self._longest, ("mask", "blocks"))
        images = {"frames": frames[index].astype("float32")[None], "onset": stored[None, :1].astype("float32")}
        return frames, images | given


class Windows(Explained):
    """Models of images and flow: a clip's first window, and the maps of each network that is folded over time."""

    def _joined(self, stored: keras.Model, block: str | None, path: Path) -> Opened:
        folded = (layer.layer for layer in stored.layers if isinstance(layer, FoldTime))
        trunks = [trunk for trunk in folded if isinstance(trunk, keras.Model)]
        every = {f"{t.name}/{layer}": MapLayer(f"{t.name}/{layer}", t, layer) for t in trunks for layer in _maps(t)}
        return _whole(stored, every)

    def sample(self, clip_id: str) -> tuple[np.ndarray, Any]:
        """The frames of the clip's first window, and what the model is given of it."""
        inputs = self.bench.store.inputs([self._window(clip_id)], self.bench.experiment.clip.frames, ("frames", "flow"))
        return inputs["frames"][0], inputs

    def places(self, clip_id: str) -> np.ndarray:
        """Those of the window; a short clip's first and last frame are repeated."""
        index = self._window(clip_id).start + np.arange(self.bench.experiment.clip.frames - 1)
        every = super().places(clip_id)
        return every[np.clip(index, 0, len(every) - 1)]

    def _window(self, clip_id: str) -> Window:
        return clip_windows(clip_id, self.bench.store.length(clip_id), self.bench.experiment.clip)[0]


class FlowImages(Explained):
    """Models of one flow image a clip, shown on the clip's first frame, or on the image where that is all there is."""

    single = True

    def _joined(self, stored: keras.Model, block: str | None, path: Path) -> Opened:
        # One that sees the image and its mirror by the same layers is looked at on the image's own side.
        core = next((layer for layer in stored.layers if isinstance(layer, keras.Model)), None)
        one = keras.Model({t.name: t for t in core.inputs}, core.outputs[0]) if core else stored
        opened = _whole(stored, {layer: MapLayer(layer, one, layer) for layer in _maps(one)})
        return replace(opened, model=one)

    def sample(self, clip_id: str) -> tuple[np.ndarray, Any]:
        store: Any = self.bench.store
        (image,) = store.inputs([Window(clip_id, 0)], 1, ("flow_image",)).values()
        inputs = dict.fromkeys(("flow_image", "image"), image.astype("float32"))  # as the whole or its core names it
        return store.onsets.get(clip_id, image[0])[None], inputs


def _whole(stored: keras.Model, maps: Mapping[str, MapLayer]) -> Opened:
    """A network that takes pictures itself; `MerError` where it has no map."""
    if maps:
        return Opened(stored, stored, maps, list(maps)[-1])
    kinds = {type(layer) for layer in stored.layers}
    why = "it has no convolution over a picture"
    if keras.layers.Conv3D in kinds:
        why = "its convolutions run over several frames at once, so that a map lies on no single one"
    elif keras.layers.Conv2D in kinds:
        why = "its maps are of parts that are cut out and put together, not of the picture"
    raise MerError(f"{stored.name} has no map to draw: {why}")


def _maps(network: keras.Model) -> list[str]:
    """Convolutions of a flat network that see the whole picture, once."""
    convolutions = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    return [layer.name for layer in convolutions if len(layer._inbound_nodes) == 1 and _on_picture(network, layer)]


def _on_picture(network: keras.Model, layer: Any) -> bool:
    if min(layer.output.shape[1:3]) < 2:
        return False
    try:
        cell_grid(network, layer.name)
    except MerError:  # cells of unknown place
        return False
    return True
