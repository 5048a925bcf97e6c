import cv2
import keras
import numpy as np
import pytest
from helpers.weightless import weightless
from keras import layers, ops

from mer_tf.config import MerError
from mer_tf.explain.gradients import tapped_gradients
from mer_tf.explain.upsampling import Axis, cell_grid, upsample
from mer_tf.models.encoders.build import build_encoder
from mer_tf.models.encoders.vggface import build_vggface
from mer_tf.models.layers.shared import Resize
from mer_tf.models.vggface_lstm import VggFaceLstm


def ones(layer):
    """Weights all positive and equal, so that a cell's gradient is symmetric about its receptive field."""
    layer.set_weights([np.ones(w.shape) for w in layer.weights])


@pytest.mark.parametrize(("cells", "size"), [((7, 7), 224), ((3, 5), 48), ((1, 2), 9)])
def test_stretched_is_opencv_bilinear(cells, size):
    heat = np.random.default_rng(0).uniform(size=cells).astype("float32")
    expected = cv2.resize(heat, (size, size), interpolation=cv2.INTER_LINEAR)
    stretched = (Axis(0.0, 1.0, cells[0]), Axis(0.0, 1.0, cells[1]))
    np.testing.assert_allclose(upsample(heat, size, stretched), expected, atol=1e-5)


def test_an_even_map_stays_even_on_any_grid():
    grid = (Axis(16.0, 8.0, 48), Axis(3.0, 11.0, 48))
    np.testing.assert_allclose(upsample(np.full((2, 3, 3), 0.7, "float32"), 96, grid), 0.7, rtol=1e-6)


def test_a_cell_peaks_where_its_grid_puts_it():
    heat = np.zeros((3, 3), "float32")
    heat[2, 0] = 1
    drawn = upsample(heat, 96, (Axis(16.0, 8.0, 48), Axis(16.0, 8.0, 48)))
    below, left = np.argwhere(drawn == drawn.max()).T
    assert below.min() in (64, 65)  # 32 of 48 pixels, drawn twice as large
    assert left.max() in (32, 33)


def chain(size):
    inputs = keras.Input((size, size, 1))
    x = Resize(40, name="resize")(inputs)
    x = layers.Conv2D(1, 5, use_bias=False, name="valid")(x)
    x = layers.ZeroPadding2D(((2, 1), (2, 1)), name="padded")(x)
    x = layers.Conv2D(1, 3, strides=2, padding="same", use_bias=False, name="same")(x)
    x = layers.AveragePooling2D(3, strides=2, padding="same", name="pooled")(x)
    return keras.Model(inputs, layers.Conv2D(1, 3, dilation_rate=2, padding="same", use_bias=False, name="wide")(x))


@pytest.mark.parametrize("size", [40, 80])
@pytest.mark.parametrize("name", ["valid", "padded", "same", "pooled", "wide"])
def test_cells_lie_at_the_middle_of_what_they_see(size, name):
    whole = chain(size)
    for layer in whole.layers:
        ones(layer)
    model = keras.Model(whole.input, whole.get_layer(name).output)
    cell = model.output_shape[1] // 2  # far enough from the border for its field to be whole
    picture = np.ones((1, size, size, 1), "float32")

    def score(tap, images):
        return ops.sum(model(tap(images * 1.0))[:, cell, cell])

    gradient = ops.convert_to_numpy(tapped_gradients(score, model.variables)(picture)[1][0])[0, ..., 0]
    rows = gradient.sum(1)
    middle = (rows * np.arange(size)).sum() / rows.sum()
    vertical, horizontal = cell_grid(whole, name)
    assert vertical == horizontal
    assert vertical.start + cell * vertical.step == pytest.approx(middle, abs=0.02)


def test_known_encoders():
    onet = build_encoder(VggFaceLstm(encoder="mtcnn-onet", weights="random"), input_size=48).model
    assert cell_grid(onet, "prelu4") == (Axis(16.0, 8.0, 48), Axis(16.0, 8.0, 48))
    assert cell_grid(weightless(lambda: build_vggface("resnet50")), "conv5_3")[0] == Axis(3.0, 32.0, 224)


def test_layers_that_move_cells_are_refused():
    inputs = keras.Input((8, 8, 1))
    turned = layers.Permute((2, 1, 3), name="turned")(inputs)
    model = keras.Model(inputs, layers.Reshape((4, 4, 4), name="folded")(turned))
    for name in ("turned", "folded"):
        with pytest.raises(MerError, match="'turned' .Permute. takes 8 cells to 8"):
            cell_grid(model, name)
