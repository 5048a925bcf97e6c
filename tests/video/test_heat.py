"""Where an answer comes from: the motion that it hangs on is the hot place, and what hangs on none has no map."""

import numpy as np

from mer_tf.video.heat import PLACES, SIDE, heat_of_flow, occluded

APEX = np.random.default_rng(0).integers(0, 256, (80, 80, 3), np.uint8)
BOX = np.array([10.0, 10, 56, 56])


def moved():
    """Flow of a head that shifts, and of a corner of the mouth that rises."""
    field = np.full((28, 28, 2), 0.4)
    field[18:24, 4:10, 1] -= 1.5
    return field


def by_the_mouth(images):
    """A recogniser that looks at the vertical flow about one place alone."""
    inside, outside = images[:, 18:24, 4:10, 1].mean(axis=(1, 2)), images[:, :10, :, 1].mean(axis=(1, 2))
    return (outside - inside.astype(float)) / 255


def test_the_place_that_an_answer_hangs_on_is_the_hottest():
    share, falls = occluded(moved(), by_the_mouth)
    assert share > 0.9
    assert np.unravel_index(falls.argmax(), falls.shape) == (4, 1)
    assert falls.max() > 0.4
    assert abs(falls[0, PLACES - 1]) < 0.05
    heat = heat_of_flow(moved(), by_the_mouth, "positive", APEX, BOX)
    assert heat.picture.shape == (SIDE, SIDE, 3)
    assert "how far “positive” 1.00 falls without the motion there" in heat.said
    colour = np.ptp(heat.picture.astype(int), axis=-1)
    assert colour[123:165, 27:69].mean() > 60  # where the corner of the mouth lies
    assert colour[:96].mean() < 5


def test_an_answer_that_hangs_on_no_place_has_no_map():
    heat = heat_of_flow(moved(), lambda images: np.full(len(images), 0.7), "positive", APEX, BOX)
    assert heat.picture is None
    assert heat.said.startswith("No heat map: wherever the motion is taken out")
