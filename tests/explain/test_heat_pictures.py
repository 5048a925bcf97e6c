import json

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mer_tf.config import MerError
from mer_tf.explain.figures.layers import layers_png, sides_png
from mer_tf.explain.figures.maps import maps_npz, overlay, overlay_gif, strip_png
from mer_tf.preprocessing.pictures import INNER

RNG = np.random.default_rng(0)
FRAMES = RNG.integers(0, 256, (5, 24, 24, 3)).astype("uint8")
MAPS = RNG.uniform(0, 3, (5, 24, 24)).astype("float32")


def test_no_heat_leaves_the_grey_face_and_more_heat_is_brighter():
    face = np.full((4, 4, 3), (200, 100, 50), "uint8")
    grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
    cold = overlay(face, np.zeros((4, 4), "float32"))
    np.testing.assert_array_equal(cold, np.repeat(grey[..., None], 3, -1))
    light = [int(overlay(np.zeros_like(face), np.full((4, 4), h, "float32")).sum()) for h in np.linspace(0, 1, 11)]
    assert light == sorted(light)
    assert light[-1] > light[5] > light[0]


def test_heat_is_drawn_where_it_is():
    heat = np.zeros((24, 24), "float32")
    heat[3, 20] = 1
    differs = (overlay(FRAMES[0], heat) != overlay(FRAMES[0], np.zeros_like(heat))).any(-1)
    assert np.argwhere(differs).tolist() == [[3, 20]]


def test_a_map_of_another_size_is_refused():
    with pytest.raises(MerError, match="upsample"):
        overlay(FRAMES[0], MAPS[0, :7, :7])


def test_files_are_whole_and_alone(tmp_path):
    table = pd.DataFrame({"layer": ["a", "b"], "height": 3, "width": 3, "channels": 8, "lift": 1.0, "energy": 0.2})
    table["iou"] = np.nan
    strip_png(FRAMES, MAPS, tmp_path / "strip.png", title="clip")
    layers_png(FRAMES[:2], {"a": MAPS[:2], "b": MAPS[2:4]}, table, "b", tmp_path / "layers.png", title="encoder")
    sides = {"before": MAPS[0], "after": np.zeros_like(MAPS[0])}
    names = {side: f"{side} training" for side in sides}
    sides_png([("clip", FRAMES[0], sides)] * 2, names, tmp_path / "both.png", title="layer", note="bright")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["both.png", "layers.png", "strip.png"]
    for path in tmp_path.iterdir():
        image = cv2.imread(str(path))
        assert min(image.shape[:2]) > 100
        assert image.std() > 20


def test_the_animation_has_every_frame(tmp_path):
    path = overlay_gif(FRAMES, MAPS, tmp_path / "clip.gif", fps=5, zoom=3)
    with Image.open(path) as animation:
        assert (animation.n_frames, animation.size, animation.info["duration"]) == (5, (72, 72), 200)
        animation.seek(4)
        last = np.asarray(animation.convert("RGB"), float)[1::3, 1::3]
    drawn = overlay(FRAMES[4], MAPS[4] / MAPS.max()).astype(float)
    assert np.abs(last - drawn).mean() < 12  # 256 colours


def test_raw_maps_come_back_without_pickle(tmp_path):
    path = maps_npz({"conv4": MAPS}, tmp_path / "maps.npz", about={"clip": "s01_ne_01"})
    with np.load(path, allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["conv4"], MAPS)
        assert str(arrays["clip"]) == "s01_ne_01"


def test_a_figure_says_where_its_pictures_are(tmp_path):
    """White paper around them, and nothing of it inside."""
    strip_png(np.zeros_like(FRAMES), np.zeros_like(MAPS), tmp_path / "strip.png", title="")
    with Image.open(tmp_path / "strip.png") as figure:
        boxes = json.loads(figure.info[INNER])
        pixels = np.asarray(figure.convert("L"), float)
    assert len(boxes) == 2 * 5 + 1
    *pictures, _ = boxes
    assert all(pixels[top:bottom, left:right].max() < 128 for left, top, right, bottom in pictures)
    for left, top, right, bottom in pictures:
        pixels[top - 1 : bottom + 1, left - 1 : right + 1] = 255
    assert (pixels > 200).mean() > 0.9
