"""LBP-TOP as its definition reads, one voxel after the other: slow, and obviously right."""

import itertools
import math
from functools import cache

import numpy as np

from mer_tf.descriptors.blocks import block_edges


def changes(code, points):
    bits = [code >> p & 1 for p in range(points)]
    return sum(bits[p] != bits[p - 1] for p in range(points))


@cache
def plain_bin(code, points, mapping):
    if mapping == "raw":
        return code
    uniform = [c for c in range(2**points) if changes(c, points) <= 2]
    return uniform.index(code) if code in uniform else len(uniform)


def plain_value(clip, t, y, x, interpolation):
    """The value at a place of which at most two coordinates are no integers."""
    if interpolation == "rounded":
        return int(clip[math.floor(t + 0.5), math.floor(y + 0.5), math.floor(x + 0.5)])
    total = 0.0
    for corner in itertools.product((0, 1), repeat=3):
        share, index = 1.0, []
        for place, up in zip((t, y, x), corner, strict=True):
            low = math.floor(place)
            share *= place - low if up else 1 - (place - low)
            index.append(low + up)
        if share > 0:
            total += share * int(clip[tuple(index)])
    return total


def plain_lbp_top(clip, d):
    """One voxel after the other, as the definition reads: raw counts (parts, rows, columns, 3, bins)."""
    rx, ry, rt = d.radii
    rows, columns, parts = d.blocks
    frames, height, width = clip.shape
    bins = 2**d.points if d.mapping == "raw" else d.points * (d.points - 1) + 3
    counts = np.zeros((parts, rows, columns, 3, bins))
    lengths = [frames - 2 * rt, height - 2 * ry, width - 2 * rx]
    edges = [block_edges(n, k, d.overlap).tolist() for n, k in zip(lengths, (parts, rows, columns), strict=True)]
    for t, y, x in itertools.product(range(rt, frames - rt), range(ry, height - ry), range(rx, width - rx)):
        place = (t - rt, y - ry, x - rx)
        owners = [[k for k, (a, b) in enumerate(e) if a <= at < b] for e, at in zip(edges, place, strict=True)]
        for plane in range(3):
            code = 0
            for p in range(d.points):
                across, along = math.cos(2 * math.pi * p / d.points), -math.sin(2 * math.pi * p / d.points)
                dt, dy, dx = [(0, ry * along, rx * across), (rt * along, 0, rx * across), (rt * along, ry * across, 0)][
                    plane
                ]
                at = (t + round(dt, 5), y + round(dy, 5), x + round(dx, 5))
                if plain_value(clip, *at, d.interpolation) >= int(clip[t, y, x]) - 1e-10:
                    code += 2**p
            for owner in itertools.product(*owners):
                counts[(*owner, plane, plain_bin(code, d.points, d.mapping))] += 1
    return counts
