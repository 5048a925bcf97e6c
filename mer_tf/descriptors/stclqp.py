"""STCLQP: spatiotemporal completed local quantised patterns (Huang et al., Neurocomputing 2016).

Two steps of a pipeline: `CompletedPatterns` counts, `PatternCodebook` learns which patterns are one word. The paper's
text was not at hand: what follows is read from its abstract, from local quantised patterns (Hussain et al., BMVC 2012)
and completed local binary patterns (Guo et al., TIP 2010).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import KMeans
from sklearn.feature_selection import f_classif

from mer_tf.config import MerError
from mer_tf.descriptors.base import ClipDescriptor, Features, Grid, at_length
from mer_tf.descriptors.blocks import block_histograms, normalised
from mer_tf.descriptors.codes import Plane, inner, neighbours, packed, pattern_codes
from mer_tf.descriptors.lbp_top import three_planes

COMPONENTS = 9
"""Sign, magnitude and orientation of the planes XY, XT, YT."""
TURNED = np.cos(np.pi / 4)


@dataclass(kw_only=True, eq=False, repr=False)
class CompletedPatterns(ClipDescriptor):
    """Raw patterns of nine components in each block: (parts, rows, columns, 9, 2^points), flat; each sums to 1.

    Of each plane: the sign of the local differences (LBP); their magnitude, a bit where it is the plane's mean or more
    (CLBP_M); the orientation, a bit where the gradient in the plane turns by less than 45 degrees from the centre to
    the neighbour.
    """

    blocks: Grid = (5, 5, 1)
    radii: tuple[int, int, int] = (2, 2, 2)
    points: int = 8
    frames: int = 10

    def describe(self, clip: NDArray[Any]) -> Features:
        volume, (rx, ry, rt) = at_length(clip, self.frames), self.radii
        rows, columns, parts = self.blocks
        margins = (rt, ry, rx)
        found = [
            normalised(block_histograms(codes, 2**self.points, (parts, rows, columns)))
            for plane in three_planes(self.radii, self.points)
            for codes in (
                pattern_codes(volume, plane, margins),
                magnitude_codes(volume, plane, margins),
                orientation_codes(volume, plane, margins),
            )
        ]
        return np.stack(found, axis=3).ravel().astype(np.float32)


def magnitude_codes(volume: NDArray[Any], plane: Plane, margins: Sequence[int]) -> NDArray[np.unsignedinteger]:
    """Bit p is 1 where |neighbour p - centre| is the mean of all of them or more; see `pattern_codes`."""
    values = volume.astype(np.int16)
    centre = inner(values, margins)
    apart = [abs(n - centre) for n in neighbours(values, plane, margins)]
    mean = np.mean([a.mean() for a in apart])
    return packed((a >= mean for a in apart), plane.points)


def orientation_codes(volume: NDArray[Any], plane: Plane, margins: Sequence[int]) -> NDArray[np.unsignedinteger]:
    """Bit p is 1 where the gradient at neighbour p lies within 45 degrees of that of the centre; none where it is 0."""
    down, right = np.gradient(volume.astype(np.float32), axis=(plane.row_axis, plane.column_axis))
    length = np.hypot(down, right)
    down, right = (np.divide(g, length, out=np.zeros_like(g), where=length > 0) for g in (down, right))
    here, beside = inner(down, margins), inner(right, margins)
    pairs = zip(neighbours(down, plane, margins), neighbours(right, plane, margins), strict=True)
    return packed((d * here + r * beside > TURNED for d, r in pairs), plane.points)


@dataclass(kw_only=True, eq=False, repr=False)
class PatternCodebook(TransformerMixin, BaseEstimator):
    """Raw patterns (n, ...) of `CompletedPatterns` to counts of words: a codebook for each component, (n, ... size).

    Fitted on training clips: the `kept` patterns whose frequency over the whole face separates the classes best (Fisher
    ratio) are clustered by k-means on their bits, weighted by frequency; every pattern then is the word of the nearest
    centre, by a table. k-means stands for the paper's learning vector quantisation.
    """

    points: int = 8
    size: int = 50
    kept: int = 128
    seed: int = 0

    def fit(self, raw: Features, labels: Any) -> Self:
        """Learn the tables from raw patterns of training clips and their classes."""
        if not 1 <= self.size <= self.kept <= 2**self.points:
            raise MerError(f"codebook: {self.size} words of {self.kept} patterns; give size <= kept <= 2^points")
        shares = self._by_component(raw).mean(axis=1)
        self.words_ = np.stack([self._words(shares[:, c], np.asarray(labels)) for c in range(COMPONENTS)])
        return self

    def transform(self, raw: Features) -> Features:
        """Counts of words (n, blocks * 9 * size)."""
        counts = self._by_component(raw)
        table = np.eye(self.size, dtype=np.float32)[self.words_]
        return np.einsum("nbcp,cpw->nbcw", counts, table).reshape(len(counts), -1)

    def _by_component(self, raw: Features) -> Features:
        return np.asarray(raw, np.float32).reshape(len(raw), -1, COMPONENTS, 2**self.points)

    def _words(self, shares: Features, labels: NDArray[Any]) -> NDArray[np.int64]:
        """The word of each of the 2^points patterns, from their frequencies (clips, patterns) in one component."""
        bits = (np.arange(2**self.points)[:, None] >> np.arange(self.points) & 1).astype(np.float64)
        ratio = np.full(len(bits), -1.0)
        varied = np.flatnonzero(np.ptp(shares, axis=0))
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio[varied] = np.nan_to_num(f_classif(shares[:, varied], labels)[0], nan=-1.0)
        best = np.argsort(-ratio, kind="stable")[: self.kept]
        weights = shares.mean(axis=0)[best].astype(np.float64) + 1e-9
        model = KMeans(self.size, n_init=1, random_state=self.seed).fit(bits[best], sample_weight=weights)
        return np.asarray(model.predict(bits))
