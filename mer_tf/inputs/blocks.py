"""Features of frames beside the places of face blocks: what a model that looks at blocks of a map is given."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mer_tf.config import MerError
from mer_tf.datasets.windows import Window
from mer_tf.inputs.batches import INPUTS, FeatureStore, stack

NEAR = (0, -1, 1, -2, 2)
"""Frames about the apex, in the order they are taken."""


@dataclass(frozen=True)
class BlockStore:
    """A `FeatureStore` of maps (H, W, C), with the centres of K blocks and the apex of each clip.

    centres: one mapping for each copy of a clip, as stored and mirrored: clip_id -> (K, 2) float32, x and y in cells.
    apexes: clip_id -> index of a frame.
    cell: pixel of the stored frames at the centre of the map's first cell, and pixels from cell to cell.
    """

    features: FeatureStore
    centres: tuple[Mapping[str, np.ndarray], ...]
    apexes: Mapping[str, int]
    cell: tuple[float, float]

    @property
    def shape(self) -> dict[str, tuple[int, ...]]:
        return {"frames": self.features.shape, "blocks": next(iter(self.centres[0].values())).shape}

    @property
    def longest(self) -> int:
        return self.features.longest

    def length(self, clip_id: str) -> int:
        return self.features.length(clip_id)

    def vectors(self, clip_id: str, frames: slice = slice(None)) -> np.ndarray:
        """Maps averaged over the image, (T, C)."""
        return self.features.vectors(clip_id, frames)

    def inputs(
        self, windows: Sequence[Window], frames: int, names: Collection[str] = (*INPUTS, "blocks")
    ) -> dict[str, np.ndarray]:
        """Those of `names` among frames, onset and mask (see `stack`) and blocks (B, K, 2)."""
        if turned := [w for w in windows if w.copy >= len(self.centres)]:
            raise MerError(
                f"{turned[0].clip_id}: each frame of copy {turned[0].copy} is turned by an angle of its own, its "
                "blocks are not; leave clip.multiply empty"
            )
        values = stack(self.features, windows, frames)
        values["blocks"] = np.stack([self.centres[w.copy][w.clip_id] for w in windows])
        return {name: value for name, value in values.items() if name in names}

    def near_apex(self, windows: Sequence[Window]) -> list[Window]:
        """A window of one frame for each of `windows`: of the same clip and copy, up to two frames from its apex."""
        places = [self.apexes[w.clip_id] + NEAR[k % len(NEAR)] for k, w in enumerate(windows)]
        last = [self.length(w.clip_id) - 1 for w in windows]
        return [
            Window(w.clip_id, min(max(place, 0), end), w.copy)
            for w, place, end in zip(windows, places, last, strict=True)
        ]


def nearest_frame(numbers: np.ndarray, wanted: int | None) -> int:
    """Index of the frame whose number (T,) in the source is nearest to `wanted`; the middle one where that is None."""
    return len(numbers) // 2 if wanted is None else int(np.abs(numbers - wanted).argmin())
