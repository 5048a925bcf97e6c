"""Saved flow images made by a known recipe are read back as that recipe; each suspect is found when it is guilty."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from mer_tf.config import MerError
from mer_tf.preprocessing.stacks import flow_stack, min_max, quantised
from mer_tf.records.flow_matching.fit import causes, fit, likely_cause

SIDE, SMALL = 56, 28


def fields(seed: int, count: int = 4) -> list[NDArray[np.float32]]:
    """Smooth random flow of up to about 2 pixels."""
    rng = np.random.default_rng(seed)
    return [gaussian_filter(rng.normal(size=(SIDE, SIDE, 2)), (4, 4, 0)).astype(np.float32) * 20 for _ in range(count)]


def small(flow: NDArray[np.float32]) -> NDArray[np.float32]:
    planes = np.moveaxis(flow_stack(flow, "strain"), -1, 0)
    return np.dstack([cv2.resize(p, (SMALL, SMALL), interpolation=cv2.INTER_AREA) for p in planes])


def test_channels_signs_and_axis_order_are_read_back() -> None:
    flows = fields(0)
    images = [min_max((small(f) * [1, -1, 1]).swapaxes(0, 1)[..., ::-1]) for f in flows]
    found = fit(images, flows)
    assert found.orientation == "transposed"
    assert [(c.component, c.sign) for c in found.channels] == [("strain", 1), ("v", -1), ("u", 1)]
    assert found.correlation > 0.999
    assert fit(images, fields(1)).correlation < 0.5


def test_a_mirror_and_a_fixed_scale_are_read_back() -> None:
    flows = [f * s for f, s in zip(fields(0), (0.3, 0.6, 1.0, 1.5), strict=True)]
    fixed = fit([quantised(small(f)[:, ::-1] * [1, 1, 0], 8)[..., :2] for f in flows], flows)
    assert fixed.orientation == "mirrored"
    assert fixed.channels[0].gain == pytest.approx(255 / 16, rel=0.02)
    assert fixed.channels[0].gain_spread < 0.05
    each = fit([min_max(small(f))[..., :2] for f in flows], flows)
    assert each.channels[0].gain_spread > 0.5


def test_each_suspect_is_found_when_it_is_guilty() -> None:
    flows = fields(0)
    others = {"another apex frame (+1)": [f + 0.7 * g for f, g in zip(flows, fields(5), strict=True)]}
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE - 0.5
    guilty = {
        "another crop": [small(np.roll(f, (4, -2), (0, 1))) for f in flows],
        "smoother flow": [small(gaussian_filter(f, (5, 5, 0))) for f in flows],
        "head motion": [small(f + np.float32(12) * np.dstack([x - y, x + y]).astype(np.float32)) for f in flows],
        "another apex": [small(f) for f in others["another apex frame (+1)"]],
        "grey levels": [np.sign(s := small(f)[..., :2]) * np.abs(s) ** 0.2 for f in flows],
    }
    for suspect, images in guilty.items():
        scores = causes(images, flows, fit(images, flows), others)
        assert likely_cause(scores).startswith(suspect), (suspect, scores)
        assert list(scores.values()) == sorted(scores.values(), reverse=True)


def test_a_perfect_fit_and_mere_noise_have_no_cause() -> None:
    flows = fields(0)
    rng = np.random.default_rng(9)
    images = [small(f) + rng.normal(0, small(f).std((0, 1)), (SMALL, SMALL, 3)) for f in flows]
    for made in ([small(f) for f in flows], images):
        assert "none of the suspects" in likely_cause(causes(made, flows, fit(made, flows), {}))


def test_nothing_to_compare_is_said() -> None:
    with pytest.raises(MerError, match="0 reference images"):
        fit([], [])
