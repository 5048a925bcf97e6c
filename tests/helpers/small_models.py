"""Every model, tiny, with drawn clips it can learn: what one step on two backends, or on two devices, is tried on.

A new model is found by itself and tried in its least size (`Model.least`).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from typing import Any

import keras
import numpy as np
import pytest

from mer_tf.config import Clip
from mer_tf.datasets.windows import cut_windows
from mer_tf.inputs.batches import FeatureStore, Store
from mer_tf.inputs.blocks import BlockStore
from mer_tf.inputs.flow_images import FlowImageStore
from mer_tf.inputs.images import ImageStore
from mer_tf.model import models
from mer_tf.models.kinds import FlowImageModel, ImageModel, Network

CLASSES = ("still", "moving")
CLIPS = 8
LENGTH, STEPS = 6, 4
"""Frames of a clip of images, and of one of features."""


@dataclass(frozen=True)
class Small:
    """Settings of a model without chance in training (no dropout), and the clips it takes: c0, c1, ..."""

    config: Network
    clip: Clip
    store: Callable[[], Store]
    length: int = LENGTH
    depth: Mapping[str, Any] = field(default_factory=dict)
    """Constants of the model's file that make it shallow: layers that only repeat others take their time alone."""

    def model(self) -> keras.Model:
        """The model, with weights as they begin."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.depth.items():
                patch.setattr(import_module(type(self.config).__module__), name, value)
            return self.config.build(self.store().shape, len(CLASSES))

    def clips(self) -> dict[str, int]:
        """Class indices: every second clip moves."""
        return {f"c{k}": k % 2 for k in range(CLIPS)}

    def batch(self, size: int, names: tuple[str, ...]) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Inputs of `size` windows and their class indices (size,)."""
        labels = self.clips()
        windows = cut_windows(labels, lambda _: self.length, self.clip, CLASSES)[:size]
        return self.store().inputs(windows, self.clip.frames, names), np.array([labels[w.clip_id] for w in windows])


def features() -> FeatureStore:
    """Features of a frozen encoder, (4, 5) a clip, which run away where the clip moves."""
    rng = np.random.default_rng(0)
    drift = np.linspace(0, 2, STEPS)[:, None] * np.ones(5)
    clips = {f"c{k}": (rng.normal(size=(STEPS, 5)) + k % 2 * drift).astype("float32") for k in range(CLIPS)}
    return FeatureStore(clips, {})


def images(length: int = LENGTH) -> ImageStore:
    """Frames and flow images of 32 pixels; dx stands off its rest where the clip moves."""
    rng = np.random.default_rng(0)
    frames = {f"c{k}": rng.integers(0, 256, (length, 32, 32, 3), np.uint8) for k in range(CLIPS)}
    flow = {name: np.full((length - 1, 32, 32, 3), (128, 128, 0), np.uint8) for name in frames}
    for k, name in enumerate(flow):
        flow[name][..., 0] += np.uint8(k % 2 * 60)
    return ImageStore(frames, flow, images=length - 1)


def maps() -> FeatureStore:
    """Maps of a frozen encoder, (4, 4, 4, 5) a clip, which run away in one corner where the clip moves."""
    rng = np.random.default_rng(0)
    clips = {f"c{k}": rng.normal(size=(STEPS, 4, 4, 5)).astype("float32") for k in range(CLIPS)}
    for k, clip in enumerate(clips.values()):
        clip[:, :2, :2] += k % 2 * np.linspace(0, 2, STEPS, dtype="float32")[:, None, None, None]
    return FeatureStore(clips, {})


def blocks() -> BlockStore:
    """The same with two blocks of the face, of which one moves."""
    centres = {name: np.array([(1, 1), (3, 3)], "float32") for name in maps().plain}
    return BlockStore(maps(), (centres,), dict.fromkeys(centres, STEPS // 2), (0.0, 8.0))


def flow_images() -> FlowImageStore:
    """One flow image of 28 pixels a clip, brighter in one corner where it moves."""
    rng = np.random.default_rng(0)
    clips = {f"c{k}": rng.integers(96, 128, (28, 28, 3), np.uint8) for k in range(CLIPS)}
    for k, image in enumerate(clips.values()):
        image[:14, :14] += np.uint8(k % 2 * 100)
    return FlowImageStore(clips)


SINGLE = Clip(frames=1, mirror=False, balance=False, test="windows")
WINDOWS = Clip(frames=STEPS, mirror=False, balance=False)
SEGMENTS = Clip(frames=LENGTH, mirror=False, balance=False, segments="center", test="windows")

LONG = 18
long_images = partial(images, LONG)
LONG_SEGMENTS = replace(SEGMENTS, frames=LONG)


def small(name: str, **settings: Any) -> Small:
    """The least size of a model, and what it takes."""
    model = replace(models()[name](), **settings).small()
    assert isinstance(model, Network)
    if isinstance(model, FlowImageModel):
        return Small(model, SINGLE, flow_images, 1)
    if isinstance(model, ImageModel):
        long = model.fewest > LENGTH
        return Small(model, LONG_SEGMENTS, long_images, LONG) if long else Small(model, SEGMENTS, images)
    if name == "vggface_frames":
        return Small(model, SINGLE, features, STEPS)
    fed = {"attention": maps, "block weights": blocks, "heat maps": features}
    return Small(model, WINDOWS, fed[model.shows], STEPS)


MOVED = {
    "attention_lstm": {"center": "onset"},
    "gia_bia_bilstm": {"center": "onset", "bn_momentum": 0.9},
    "vggface_lstm": {"center": "onset", "bn_momentum": 0.9},
}
SHALLOW = {
    **{name: {"VGG16": ((64, 1), (128, 2))} for name in ("elrcn_se", "elrcn_te")},
    "htnet": {"REPEATS": (1, 1, 2)},
    "strcn_a": {"POOLS": (2,), "DEPTH": 2, "HEIGHT": 12, "WIDTH": 16},
    "strcn_g": {"POOLS": (2,), "DEPTH": 2},
}
TWINS = ("elrcn_te", "frame_cnn", "micro_exp_fusenet_late", "strcn_a", "vggface_frames")
"""Models of the layers of another one: what holds of every model slow tests try on them."""
SMALL: dict[str, Small] = {
    name: replace(small(name, **MOVED.get(name, {})), depth=SHALLOW.get(name, {}))
    for name, kind in models().items()
    if issubclass(kind, Network)
}


def tried(names: Iterable[str]) -> list[Any]:
    """Names of models as parameters of a test, those of twins for the slow tests."""
    return [pytest.param(name, marks=[pytest.mark.slow] * (name in TWINS)) for name in names]
