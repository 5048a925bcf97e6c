"""Which flow recipe made somebody's saved images? Ours is fitted to theirs over channels, signs, axis orders, scales.

Everything is compared by correlation, which no gain and no offset of grey levels can change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.stats import rankdata

from mer_tf.config import MerError
from mer_tf.preprocessing.strain import optical_strain

Image = NDArray[Any]
Flow = NDArray[np.floating]
ORIENTATIONS: Mapping[str, Callable[[Image], Image]] = {
    "as stored": lambda image: image,
    "transposed": lambda image: image.swapaxes(0, 1),
    "mirrored": lambda image: image[:, ::-1],
}
"""How a reference image may lie against ours; (row, column) for (x, y) transposes it."""
COMPONENTS = ("u", "v", "strain", "magnitude")
SHIFT = 3
"""Greatest shift tried, pixels of the reference image."""
WORTH = 0.25
"""Share of what is missing to a correlation of 1 that a suspect must take up to be called the cause."""


@dataclass(frozen=True)
class Channel:
    """One channel of the reference images, as ours explain it."""

    component: str
    sign: int
    correlation: float
    """Mean over the clips, without the sign."""
    gain: float
    """Grey levels a pixel (strain: a unit), median over the clips."""
    gain_spread: float
    """Interquartile range of the gain over its median: near 0 for a fixed scale, large where each image has its own."""


@dataclass(frozen=True)
class Fit:
    """The best reading of the reference images under one recipe."""

    orientation: str
    channels: tuple[Channel, ...]

    @property
    def correlation(self) -> float:
        """Mean correlation of the channels."""
        return float(np.mean([c.correlation for c in self.channels]))


def fit(references: Sequence[Image], flows: Sequence[Flow]) -> Fit:
    """Best orientation, channels and signs for references (h, w, C), C at most 3, and flows (H, W, 2), clip by clip.

    Channels are given different components, those whose correlations add up to the most. `MerError` when there are no
    clips, or not as many of one as of the other.
    """
    if not references or len(references) != len(flows):
        raise MerError(
            f"match-flow: {len(references)} reference images and {len(flows)} flow fields; give equal numbers"
        )
    fits = [Fit(name, _assigned(*_pairs(references, flows, name))) for name in ORIENTATIONS]
    return max(fits, key=lambda found: found.correlation)


def causes(
    references: Sequence[Image], flows: Sequence[Flow], found: Fit, other_apex: Mapping[str, Sequence[Flow]]
) -> dict[str, float]:
    """What the mean correlation becomes when one suspect is allowed for, the strongest first; "as it is" among them.

    Suspects: a shift of up to 3 pixels (another crop); the affine part of either motion taken off (head motion);
    smoother flow (more regularisation, or compression); ranks for grey levels (clipping, a curve); and the flows of
    `other_apex`, by name, each the same clips with another frame as apex.
    """
    turned, ours = _pairs(references, flows, found.orientation)
    kinds = [c.component for c in found.channels]
    stacks = [np.stack([o[k] for k in kinds], axis=-1) for o in ours]
    still = [i for i, k in enumerate(kinds) if k in ("u", "v")]
    scores = {
        "as it is": _mean(turned, stacks),
        "another crop (shift)": float(np.mean([_shifted(r, o) for r, o in zip(turned, stacks, strict=True)])),
        "smoother flow": max(_mean(turned, [_blurred(o, s) for o in stacks]) for s in (0.7, 1.5, 3.0)),
        "grey levels not linear": _mean([_ranks(r) for r in turned], [_ranks(o) for o in stacks]),
    }
    if still:
        flat = [[_without_affine(image, still) for image in side] for side in (turned, stacks)]
        scores["head motion (affine part)"] = max(_mean(*flat), _mean(turned, flat[1]))
    for name, fields in other_apex.items():
        again = [_components(f, r.shape[:2]) for f, r in zip(fields, turned, strict=True)]
        scores[name] = _mean(turned, [np.stack([o[k] for k in kinds], axis=-1) for o in again])
    return dict(sorted(scores.items(), key=lambda item: -item[1]))


def likely_cause(scores: Mapping[str, float]) -> str:
    """One line on the rest: the suspect that raises the correlation most, or that none of them does."""
    name, best = next(iter(scores.items()))
    if best - scores["as it is"] <= WORTH * (1 - scores["as it is"]):
        return "none of the suspects tested; the method, its parameters or the source frames differ, or it is noise"
    return f"{name}: the correlation rises from {scores['as it is']:.3f} to {best:.3f}"


def _pairs(
    references: Sequence[Image], flows: Sequence[Flow], orientation: str
) -> tuple[list[Image], list[dict[str, Image]]]:
    turned: list[Image] = [np.asarray(ORIENTATIONS[orientation](r), np.float64) for r in references]
    return turned, [_components(f, r.shape[:2]) for f, r in zip(flows, turned, strict=True)]


def _components(flow: Flow, shape: tuple[int, ...]) -> dict[str, Image]:
    """u, v, strain and magnitude of a flow at its own size, then brought to `shape` by averaging areas."""
    field = np.asarray(flow, np.float32)
    planes = (field[..., 0], field[..., 1], optical_strain(field), np.hypot(field[..., 0], field[..., 1]))
    size = (shape[1], shape[0])
    return {
        name: np.asarray(cv2.resize(np.ascontiguousarray(plane), size, interpolation=cv2.INTER_AREA), np.float64)
        for name, plane in zip(COMPONENTS, planes, strict=True)
    }


def _assigned(turned: Sequence[Image], ours: Sequence[dict[str, Image]]) -> tuple[Channel, ...]:
    """Components for the channels, each at most once, of the greatest sum of correlations."""
    table = np.array(
        [
            [np.mean([_r(r[..., c], o[k]) for r, o in zip(turned, ours, strict=True)]) for k in COMPONENTS]
            for c in range(turned[0].shape[-1])
        ]
    )
    table[:, 2:] = np.maximum(table[:, 2:], 0)  # strain and magnitude have no sign to be mistaken
    pairs = zip(*linear_sum_assignment(-np.abs(table)), strict=True)
    return tuple(_channel(turned, ours, c, COMPONENTS[k], float(table[c, k])) for c, k in pairs)


def _channel(
    turned: Sequence[Image], ours: Sequence[dict[str, Image]], channel: int, component: str, correlation: float
) -> Channel:
    gains = [_slope(r[..., channel], o[component]) for r, o in zip(turned, ours, strict=True)]
    low, middle, high = np.percentile(gains, [25, 50, 75])
    spread = float((high - low) / abs(middle)) if middle else float("inf")
    return Channel(component, -1 if correlation < 0 else 1, abs(correlation), float(middle), spread)


def _r(first: Image, second: Image) -> float:
    """Pearson correlation of two images; 0 when either is flat."""
    a, b = first - first.mean(), second - second.mean()
    norm = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum() / norm) if norm > 1e-12 else 0.0


def _slope(reference: Image, ours: Image) -> float:
    """Grey levels of the reference for one unit of ours, least squares."""
    centred = ours - ours.mean()
    return float((centred * reference).sum() / max(float((centred**2).sum()), 1e-12))


def _mean(references: Sequence[Image], stacks: Sequence[Image]) -> float:
    """Mean over channels of the size of the mean correlation over clips."""
    table = [[_r(r[..., c], o[..., c]) for c in range(r.shape[-1])] for r, o in zip(references, stacks, strict=True)]
    return float(np.abs(np.mean(table, axis=0)).mean())


def _shifted(reference: Image, ours: Image) -> float:
    """Best correlation over shifts, of the part that both share."""
    k = SHIFT
    inner = reference[k:-k, k:-k]
    height, width = inner.shape[:2]
    return max(
        _mean([inner], [ours[y : y + height, x : x + width]]) for y in range(2 * k + 1) for x in range(2 * k + 1)
    )


def _blurred(image: Image, sigma: float) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma)).reshape(image.shape)


def _ranks(image: Image) -> Image:
    return np.asarray(rankdata(image.reshape(-1, image.shape[-1]), axis=0)).reshape(image.shape)


def _without_affine(image: Image, channels: Sequence[int]) -> Image:
    """The image with the plane that fits best taken off the given channels."""
    height, width = image.shape[:2]
    y, x = np.mgrid[0:height, 0:width]
    basis = np.stack([np.ones(x.size), x.ravel(), y.ravel()], axis=1)
    out = image.copy()
    for c in channels:
        plane = image[..., c].ravel()
        out[..., c] = (plane - basis @ np.linalg.lstsq(basis, plane, rcond=None)[0]).reshape(height, width)
    return out
