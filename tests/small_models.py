"""Every model, tiny, with drawn clips it can learn: what one step on two backends, or on two devices, is tried on.

A model added to `mer_tf.models.MODELS` needs a line in `SMALL`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mer_tf.config import Clip, Fusion, Model
from mer_tf.datasets.windows import LabelledClip, cut_windows
from mer_tf.training.batches import FeatureStore, Store
from mer_tf.training.image_store import ImageStore

CLASSES = ("still", "moving")
CLIPS = 8
LENGTH = 6


@dataclass(frozen=True)
class Small:
    """Settings of a model without chance in training (no dropout), and the clips it takes: c0, c1, ..."""

    config: Model
    clip: Clip
    store: Callable[[], Store]

    def clips(self) -> list[LabelledClip]:
        """Every second clip moves."""
        return [LabelledClip(f"c{k}", LENGTH, k % 2) for k in range(CLIPS)]

    def batch(self, size: int, names: tuple[str, ...]) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Inputs of `size` windows and their class indices (size,)."""
        windows = cut_windows(self.clips(), self.clip, CLASSES)[:size]
        labels = {clip.clip_id: clip.label for clip in self.clips()}
        return self.store().inputs(windows, self.clip.frames, names), np.array([labels[w.clip_id] for w in windows])


def features() -> FeatureStore:
    """Features of a frozen encoder, (6, 5) a clip, which run away where the clip moves."""
    rng = np.random.default_rng(0)
    drift = np.linspace(0, 2, LENGTH)[:, None] * np.ones(5)
    clips = {f"c{k}": (rng.normal(size=(LENGTH, 5)) + k % 2 * drift).astype("float32") for k in range(CLIPS)}
    return FeatureStore(clips, {})


def images() -> ImageStore:
    """Frames and flow images of 32 pixels; dx stands off its rest where the clip moves."""
    rng = np.random.default_rng(0)
    frames = {f"c{k}": rng.integers(0, 256, (LENGTH, 32, 32, 3), np.uint8) for k in range(CLIPS)}
    flow = {name: np.full((LENGTH - 1, 32, 32, 3), (128, 128, 0), np.uint8) for name in frames}
    for k, name in enumerate(flow):
        flow[name][..., 0] += np.uint8(k % 2 * 60)
    return ImageStore(frames, flow)


LSTM = Model(embedding=(8, 8, 8), bn_momentum=0.9, lstm_units=8, lstm_layers=2, head_units=8)
FUSION = Fusion(channels=(4, 4, 4, 4, 4), stem_stride=1, fc_units=8, fc8_units=8)
SINGLE = Clip(frames=1, mirror=False, balance=False, test="windows")
WINDOWS = Clip(frames=LENGTH, mirror=False, balance=False)
SEGMENTS = Clip(frames=LENGTH, mirror=False, balance=False, segments="center", test="windows")

SMALL: dict[str, Small] = {
    "cnn_lstm_fusion": Small(Model("cnn_lstm_fusion", lstm_units=8, fusion=FUSION), SEGMENTS, images),
    "vggface_frames": Small(Model("vggface_frames", embedding=(8, 8, 8)), SINGLE, features),
    "vggface_lstm": Small(LSTM, WINDOWS, features),
}
