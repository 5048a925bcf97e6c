"""Key frames of stored clips, chosen as they are read, so that one record directory serves every choice."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mer_tf.config import Clip
from mer_tf.datasets.windows import Window
from mer_tf.inputs.batches import INPUTS, FeatureStore, stack
from mer_tf.preprocessing.keyframes import select_keyframes


@dataclass(frozen=True)
class KeyFrameStore:
    """A `FeatureStore` of which models are given some frames of each clip, and the onset as it is.

    places: clip_id -> sorted places of those frames.
    """

    features: FeatureStore
    places: Mapping[str, np.ndarray]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.features.shape

    @property
    def longest(self) -> int:
        return max(map(len, self.places.values()))

    def length(self, clip_id: str) -> int:
        return len(self.places[clip_id])

    def vectors(self, clip_id: str, frames: slice = slice(None)) -> np.ndarray:
        """Of all frames, the onset first: baselines and probes look at the clip, not at the choice."""
        return self.features.vectors(clip_id, frames)

    def clip(self, clip_id: str, copy: int = 0) -> np.ndarray:
        """Features (K, ...) of a clip's key frames."""
        return self.features.clip(clip_id, copy)[self.places[clip_id]]

    def inputs(self, windows: Sequence[Window], frames: int, names: Collection[str] = INPUTS) -> dict[str, np.ndarray]:
        """Those of `names` among frames (B, frames, ...), onset (B, 1, ...), mask (B, frames); see `stack`."""
        values: dict[str, Any] = stack(self, windows, frames)
        values["onset"] = np.stack([self.features.clip(w.clip_id, w.copy)[:1] for w in windows])
        return {name: value for name, value in values.items() if name in names}


def key_frame_store(
    features: FeatureStore,
    clips: Iterable[tuple[str, np.ndarray, np.ndarray]],
    apexes: Mapping[str, int | None],
    config: Clip,
) -> KeyFrameStore:
    """Choose the `config.frames` key frames of each clip among every `config.step`-th frame, as `features` has them.

    clips: (clip_id, frames (T, S, S, 3), their numbers (T,)); apexes: number of the apex, None where it is unknown.
    """
    assert config.keyframes != "none"
    places = {}
    for clip_id, frames, numbers in clips:
        shown, apex = frames[:: config.step], apexes[clip_id]
        nearest = None if apex is None else int(np.abs(numbers[:: config.step] - apex).argmin())
        given = features.vectors(clip_id) if config.keyframes == "cluster" else shown
        places[clip_id] = select_keyframes(given, 0, nearest, len(shown) - 1, config.frames, config.keyframes)
    return KeyFrameStore(features, places)


def key_images(
    clips: Iterable[tuple[str, np.ndarray, int | None]], config: Clip
) -> Iterator[tuple[str, np.ndarray, None]]:
    """Of (clip_id, frames (T, S, S, 3), place of the apex or None) the `config.frames` - 1 key frames, as an image
    store wants them: with the last one twice, since it leaves one out, and without flow, which there is none between.
    """
    assert config.keyframes != "none"
    for clip_id, frames, apex in clips:
        places = select_keyframes(frames, 0, apex, len(frames) - 1, config.frames - 1, config.keyframes)
        yield clip_id, frames[[*places, places[-1]]], None
