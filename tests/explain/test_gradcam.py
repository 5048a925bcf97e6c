import keras
import numpy as np
import pytest
from helpers.grad_cam import grad_cam
from keras import layers, ops

from mer_tf.config import MerError
from mer_tf.explain.gradcam import GradCam, find_layer, normalised
from mer_tf.explain.upsampling import cell_grid


def test_hand_computed_map():
    inputs = keras.Input((2, 2, 1))
    x = layers.Conv2D(2, 1, use_bias=False, name="conv")(inputs)
    model = keras.Model(inputs, layers.Dense(2, use_bias=False)(layers.GlobalAveragePooling2D()(x)))
    model.set_weights([np.array([[[[1.0, -2.0]]]]), np.array([[4.0, 0.0], [1.0, -8.0]])])
    image = np.array([[[[1.0], [2.0]], [[3.0], [-4.0]]]], "float32")
    # Class 0: w = (4, 1) / 4 cells, A = (x, -2x): H = ReLU(x - x / 2). Class 1: w = (0, -2): H = ReLU(4x).
    np.testing.assert_allclose(grad_cam(model, image, "conv", 0), [[[0.5, 1.0], [1.5, 0.0]]])
    np.testing.assert_allclose(grad_cam(model, image, "conv", 1), [[[4.0, 8.0], [12.0, 0.0]]])
    np.testing.assert_allclose(grad_cam(model, image, "conv", 1, local=True), [[[4.0, 8.0], [12.0, 0.0]]])


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tf-keras-vis needs TensorFlow")
@pytest.mark.parametrize("layer", ["first", "branch", "sum", "last", "last_relu"])
def test_equals_tf_keras_vis(small_image_model, images, layer):
    gradcam = pytest.importorskip("tf_keras_vis.gradcam")
    classes = [0, 2, 1, 2]
    theirs = gradcam.Gradcam(small_image_model)(
        lambda output: [output[i][c] for i, c in enumerate(classes)],
        images,
        penultimate_layer=layer,
        seek_penultimate_conv_layer=False,
        expand_cam=False,
        normalize_cam=False,
    )
    ours = grad_cam(small_image_model, images, layer, classes)
    assert ours.max() > 1e-3
    np.testing.assert_allclose(ours, np.asarray(theirs), rtol=1e-4, atol=1e-7)


def test_all_layers_at_once_equal_each_alone(small_image_model, images):
    together = GradCam(small_image_model, ["first", "branch", "last"])(images, 1)
    for name, tapped in together.items():
        np.testing.assert_allclose(tapped.cam(), grad_cam(small_image_model, images, name, 1), rtol=1e-5, atol=1e-7)


def test_a_sample_does_not_depend_on_its_batch(small_image_model, images):
    whole = grad_cam(small_image_model, images, "last_relu", [0, 1, 2, 0])
    alone = grad_cam(small_image_model, images[2:3], "last_relu", 2)
    np.testing.assert_allclose(whole[2:3], alone, rtol=1e-4, atol=1e-7)


def test_targets_max_and_index_agree(small_image_model, images):
    strongest = ops.convert_to_numpy(small_image_model(images)).argmax(-1)
    by_index = grad_cam(small_image_model, images, "last_relu", strongest)
    np.testing.assert_allclose(grad_cam(small_image_model, images, "last_relu", "max"), by_index, atol=1e-7)


def test_max_reads_maps_as_well():
    inputs = keras.Input((3, 3, 1))
    conv = layers.Conv2D(1, 1, use_bias=False, name="conv")
    model = keras.Model(inputs, conv(inputs))
    conv.set_weights([np.ones((1, 1, 1, 1))])
    image = np.arange(9, dtype="float32").reshape(1, 3, 3, 1)
    np.testing.assert_allclose(grad_cam(model, image, "conv", "max"), image[..., 0] / 9, rtol=1e-6)


def test_the_model_is_left_as_it_was(small_image_model, images):
    before = ops.convert_to_numpy(small_image_model(images))
    grad_cam(small_image_model, images, "branch", 0)
    assert "call" not in vars(small_image_model.get_layer("branch"))
    np.testing.assert_array_equal(ops.convert_to_numpy(small_image_model(images)), before)


def test_gradient_through_time_equals_finite_differences(clip_parts, clips):
    encoder, head, model = clip_parts
    tapped = GradCam(model, ["conv2"])(clips, [2, 0])["conv2"]
    assert tapped.activations.shape == (8, 8, 8, 5)
    onset = ops.convert_to_numpy(encoder(clips["onset"][:, 0]))[:, None]

    def scores(activations):
        features = activations.mean((1, 2)).reshape(2, 4, -1)
        logits = ops.convert_to_numpy(head({"frames": features, "onset": onset, "mask": clips["mask"]}))
        return np.array([logits[0, 2], logits[1, 0]])

    step = 1e-4  # the head's ReLUs have kinks close by
    for frame, channel in ((1, 0), (3, 4), (4, 2), (5, 1)):
        up, down = tapped.activations.copy(), tapped.activations.copy()
        up[frame, ..., channel] += step
        down[frame, ..., channel] -= step
        slope = (scores(up) - scores(down))[frame // 4] / (2 * step)
        # All 64 cells moved together: the sum of their gradients.
        np.testing.assert_allclose(tapped.gradients[frame, ..., channel].sum(), slope, rtol=0.01)


def test_masked_frames_have_no_heat(clip_parts, clips):
    maps = grad_cam(clip_parts[2], clips, "conv1", "max", local=True)
    assert maps.shape == (2, 4, 10, 10)
    assert not maps[1, 2:].any()
    assert maps[1, :2].any()


def test_a_layer_in_the_retrained_tail_is_found(retrained_clip_model, clips):
    assert find_layer(retrained_clip_model, "conv2")[1]
    tapped = GradCam(retrained_clip_model, ["conv1", "conv2"])(clips, 1)
    assert tapped["conv1"].cam().shape == (2, 4, 10, 10)
    assert tapped["conv2"].cam().shape == (2, 4, 8, 8)
    assert tapped["conv2"].onset.shape == (2, 8, 8, 5)


def test_a_clip_that_does_not_move_has_no_heat_less_its_onset(uncentred_clip_model, clips):
    still = {**clips, "frames": np.repeat(clips["onset"], 4, axis=1)}
    tapped = GradCam(uncentred_clip_model, ["conv2"])(still, 0)["conv2"]
    np.testing.assert_allclose(tapped.cam(minus_onset=True), 0, atol=1e-6)
    assert tapped.cam().max() > 1e-5


def test_upsampled_and_normalised(small_image_model, images):
    grid = cell_grid(small_image_model, "last")
    maps = grad_cam(small_image_model, images, "last", [0, 1, 2, 0], size=30, grid=grid, normalise=True)
    assert maps.shape == (4, 30, 30)
    assert maps.dtype == np.float32
    np.testing.assert_allclose(maps.max((1, 2))[maps.any((1, 2))], 1, rtol=1e-6)


def test_normalising_zeros_leaves_zeros():
    np.testing.assert_array_equal(normalised(np.zeros((2, 3, 3), np.float32)), np.zeros((2, 3, 3)))


@pytest.mark.parametrize(
    ("layer", "target", "said"),
    [
        ("lost", 0, "0 layers 'lost'.*first, branch"),
        ("pool", 0, r"'pool' gives \(4, 6\)"),
        ("last", 3, "indices 0 to 2"),
        ("last", -1, "indices 0 to 2"),
        ("last", 0.5, "indices 0 to 2"),
    ],
)
def test_bad_requests_are_named(small_image_model, images, layer, target, said):
    with pytest.raises(MerError, match=said):
        grad_cam(small_image_model, images, layer, target)


def test_clips_of_one_frame_are_refused(clip_parts, clips):
    one = {"frames": clips["frames"][:, :1], "onset": clips["onset"], "mask": clips["mask"][:, :1]}
    with pytest.raises(MerError, match="two or more frames"):
        grad_cam(clip_parts[2], one, "conv2", 0)


def test_single_images_have_no_onset(small_image_model, images):
    with pytest.raises(MerError, match="single images"):
        grad_cam(small_image_model, images, "last", 0, minus_onset=True)


def test_a_layer_of_two_parts_of_a_model_is_named_by_its_part():
    def part(name):
        image = keras.Input((8, 8, 1))
        return keras.Model(image, keras.layers.Conv2D(2, 3, name="conv")(image), name=name)

    image, (one, two) = keras.Input((8, 8, 1)), (part("one"), part("two"))
    pooled = keras.layers.GlobalAveragePooling2D()(one(image) + 2 * two(image))
    model = keras.Model(image, keras.layers.Dense(2)(pooled))
    assert find_layer(model, "two/conv")[0] is two.get_layer("conv")
    with pytest.raises(MerError, match="2 layers 'conv'.*two/conv"):
        find_layer(model, "conv")
