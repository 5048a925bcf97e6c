"""A movement of a face in numbers, from which a classifier learns what is an expression: what moves, beside what."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mer_tf.video.decide import JAW, OF, Found, Scene
from mer_tf.video.regions import GROUPS, NAMES
from mer_tf.video.signals import Array

LEAST = 0.05
"""Pixels below which motion counts as this much: a logarithm of nothing says nothing."""
AROUND = 1.0
"""Seconds before and after a movement that are looked at."""


def traits(one: Found, scene: Scene) -> NDArray[np.float32]:
    """Lengths are logarithms of pixels on a face 96 pixels wide, times of seconds."""
    a, b, fps = one.onset, one.offset + 1, scene.fps
    reach = round(AROUND * fps)
    sizes, near = scene.fast.sizes, slice(max(0, a - 2), b + 2)
    aside = np.r_[max(0, a - reach) : max(0, a - 2), min(b + 2, len(sizes)) : min(b + reach, len(sizes))].astype(int)
    head = scene.curves.head[max(0, a - reach // 10) : b + reach // 10] * 96
    light = scene.curves.light[near]
    within = [float(sizes[near][:, OF[group]].max()) for group in GROUPS]
    jaw = np.abs(scene.fast.moves[:, JAW, 1])
    syllables = sum(a - reach <= t <= one.offset + reach and not a <= t <= one.offset for t in scene.syllables)
    way = _way(one, scene)
    said = [
        *(float(group == one.groups[0]) for group in GROUPS),
        float(one.micro),
        _log(one.size),
        float(np.log(one.score)),
        float(np.log((one.offset - one.onset + 1) / fps)),
        *(_log(w) for w in within),
        *(_log(w) - _log(one.size) for w in within),
        *(_log(_high(sizes[aside][:, OF[group]])) for group in GROUPS),
        _log(float(jaw[near].max())),
        _log(_high(jaw[aside])),
        min(syllables, 8) / 4,
        _log(float(np.linalg.norm(np.ptp(head, axis=0)))),
        _log(float(np.linalg.norm(np.ptp(head, axis=0)))) - _log(one.size),
        float(np.ptp(light) / max(light.mean(), 1.0)) * 10,
        _log(scene.noise),
        *way,
        len(one.regions) / max(len(OF[one.groups[0]]), 1),
    ]
    return np.array(said, np.float32)


def _way(one: Found, scene: Scene) -> Array:
    """Unit vector of the strongest region at the apex."""
    region = NAMES.index(one.regions[0]) if one.regions else int(OF[one.groups[0]][0])
    of = scene.fast if one.micro else scene.slow
    vector = of.moves[one.apex, region]
    return np.asarray(vector / max(float(np.linalg.norm(vector)), LEAST))


def _log(pixels: float) -> float:
    return float(np.log(max(pixels, LEAST)))


def _high(sizes: Array) -> float:
    """What a fifth of the frames exceed."""
    return float(np.quantile(sizes.max(axis=-1), 0.8)) if len(sizes) else 0.0
