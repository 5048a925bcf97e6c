"""Heat maps of every model, in its least size, from a run's checkpoint to files that say what was drawn."""

import random
from copy import copy
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from helpers.small_models import CLASSES, LENGTH, SMALL

import mer_tf.protocols.pictures.heatmaps as pictures
import mer_tf.protocols.workbench as bench_module
from mer_tf.config import Experiment, MerError, Preprocess
from mer_tf.datasets.labels import LabelProtocol
from mer_tf.datasets.manifest import ClipRow
from mer_tf.descriptors import Majority
from mer_tf.inputs.batches import FeatureStore
from mer_tf.inputs.blocks import BlockStore
from mer_tf.inputs.clips import Clips, LabelledClip
from mer_tf.inputs.key_frames import KeyFrameStore
from mer_tf.inputs.prepare import Encoded
from mer_tf.models.encoders.parts import encoder_parts
from mer_tf.models.kinds import FeatureModel
from mer_tf.protocols.pictures.checkpoints import EncodedFrames, Wanted, explained
from mer_tf.protocols.pictures.heatmaps import export_heatmaps
from mer_tf.protocols.pictures.view import View
from mer_tf.protocols.workbench import Bench
from mer_tf.records.index import IndexedClip

SIDE, IDS = 24, ("c0", "c1")
EMPTY = {name: "" for name in ClipRow.__dataclass_fields__}
FRAMES = {
    name: np.random.default_rng(k).integers(0, 256, (LENGTH, SIDE, SIDE, 3)).astype("uint8")
    for k, name in enumerate(IDS)
}
PLACES = np.array([1, 3, 4])


def encoder():
    """conv2 and conv3 take maps of the same shape: which of them is retrained cannot be told by it."""
    images = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.Rescaling(1 / 255)(images)
    for number, (filters, stride) in enumerate(((4, 2), (4, 1), (5, 2)), start=1):
        x = keras.layers.Conv2D(filters, 3, stride, padding="same", activation="relu", name=f"conv{number}")(x)
    return keras.Model(images, keras.layers.GlobalAveragePooling2D(name="avg_pool")(x), name="small_encoder")


@dataclass
class Made:
    """A bench of two clips and a run that holds the checkpoint of its model."""

    bench: Bench
    run: Path
    model: keras.Model


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """made(name, retrain_from) -> the bench and run of a model, which no test changes."""
    return cache(lambda name, retrain_from=None: make(name, tmp_path_factory.mktemp("run"), retrain_from))


def make(name, run, retrain_from=None):
    small = SMALL[name]
    config, store, whole, resolved, tail = small.config, small.store(), None, {}, None
    if isinstance(config, FeatureModel):
        at = None if config.shows == "heat maps" else "conv3"
        config, whole = replace(config, retrain_from=retrain_from, features_at=at), encoder()
        trunk, tail = encoder_parts(whole, retrain_from, at)
        features = FeatureStore({c: trunk.predict(f.astype("float32"), verbose=0) for c, f in FRAMES.items()}, {})
        store, resolved = features, {"features_at": at} if at else {}
        if config.shows == "block weights":
            centres = {c: np.array([(1, 1), (4, 4)], "float32") for c in IDS}
            store = BlockStore(features, (centres,), dict.fromkeys(IDS, 3), (0.0, 4.0))
        elif config.shows == "attention":
            store = KeyFrameStore(features, dict.fromkeys(IDS, PLACES))
    with pytest.MonkeyPatch.context() as patch:
        for constant, value in small.depth.items():
            patch.setattr(import_module(type(config).__module__), constant, value)
        given = (store.shape, len(CLASSES))
        random.seed(3)  # Keras' initializers draw from it; `set_random_seed` drops TensorFlow's compiled kernels
        model = config.build(*given, tail) if whole else config.build(*given)
    (run / "fold-0").mkdir(parents=True)
    model.save(run / "fold-0" / "model.keras")
    rows = {"clip_id": IDS, "subject": IDS, "fold": 0, "seed": 0, "y_true": CLASSES, "y_pred": CLASSES}
    pd.DataFrame(rows | {f"p_{c}": 0.5 for c in CLASSES}).to_csv(run / "predictions.csv", index=False)
    experiment = Experiment("small", clip=small.clip, model=config, preprocess=Preprocess(face="align"))
    listed = tuple(ClipRow(**EMPTY | {"clip_id": c, "apex": None}) for c in IDS)
    counted = (IndexedClip(c, "d", c, "", LENGTH, 100.0, "", c) for c in IDS)
    labelled = tuple(map(LabelledClip, listed, counted, range(2)))
    clips = Clips(labelled, listed, LabelProtocol("small", CLASSES, {}), Path("records"), ())
    return Made(Bench(experiment, clips, Encoded(store, whole, tail, resolved, ())), run, model)


@pytest.fixture(autouse=True, scope="module")
def untraced():
    """Tracing a network takes longer than to run it once; tests/explain does it."""
    tf = pytest.importorskip("tensorflow")
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(autouse=True)
def stored(monkeypatch):
    """The frames of both clips; strips and animations, which have their own tests, are only asked for."""
    asked = {}
    monkeypatch.setattr(bench_module, "clip_frames", lambda clips, ids: iter(FRAMES.items()))
    monkeypatch.setattr(pictures, "strip_png", lambda f, h, path, **said: asked.update({path.parent.name: said}))
    monkeypatch.setattr(pictures, "overlay_gif", lambda *_: None)
    return asked


LAST = {
    "attention_lstm": ("conv3", (3, 6, 6)),
    "au_flow": ("conv3", (1, 7, 7)),
    "cnn_lstm_fusion": ("temporal_trunk/conv5", (5, 7, 7)),
    "elrcn_se": ("all_vgg/conv2_2", (5, 16, 16)),
    "elrcn_te": ("grey_vgg/conv2_2", (5, 16, 16)),
    "gia_bia_bilstm": ("conv3", (LENGTH, 6, 6)),
    "cnn_lstm_states": ("frame_network/conv3", (5, 8, 8)),
    "frame_cnn": ("frame_network/conv3", (5, 8, 8)),
    "off_apexnet": ("v2", (1, 14, 14)),
    "rcn": ("forward_conv", (1, 12, 12)),
    "strcn_g": ("block1_forward", (1, 7, 7)),
    "ststnet": ("stream8_conv", (1, 30, 30)),
    "vggface_frames": ("conv3", (LENGTH, 6, 6)),
    "vggface_lstm": ("conv3", (LENGTH, 6, 6)),
}
"""Model -> the map that is drawn when none is named, and the shape of a clip's."""
WITHOUT = {
    "fcnn3d": "several frames at once",
    "htnet": "parts that are cut out",
    "micro_exp_fusenet_intermediate": "several frames at once",
    "micro_exp_fusenet_late": "several frames at once",
    "strcn_a": "parts that are cut out",
    "micro_exp_stcnn": "several frames at once",
}


@pytest.mark.parametrize(
    ("name", "retrain_from"),
    [*((name, None) for name in LAST), ("vggface_lstm", "conv3"), ("vggface_frames", "conv3")],
)
def test_files_name_what_was_drawn(name, retrain_from, stored, made, tmp_path):
    one = made(name, retrain_from)
    layer, shape = LAST[name]
    export_heatmaps(one.bench, one.run, tmp_path)
    table = pd.read_csv(tmp_path / "regions.csv")
    assert table["clip_id"].tolist() == list(IDS)
    assert (table[["method", "reference", "layer"]] == ["gradcam", "none", layer]).all(axis=None)
    assert table["target"].tolist() == list(CLASSES)
    found = []
    for clip, target in zip(IDS, CLASSES, strict=True):
        with np.load(tmp_path / clip / "maps.npz", allow_pickle=False) as held:
            about = {key: str(held[key]) for key in ("method", "reference", "layer", "target")}
            found.append(held["maps"])
        assert about == {"method": "gradcam", "reference": "none", "layer": layer, "target": target}
        assert f"Grad-CAM of map {layer} ({shape[1]} x {shape[2]} cells), for {target}" in stored[clip]["title"]
        assert (tmp_path / clip / "overlay.png").exists()
    assert [maps.shape for maps in found] == [shape] * 2
    assert np.isfinite(found).all()
    # STRCN-G as it is drawn here speaks against both classes: of a map of what speaks for one nothing is left.
    assert np.any(found) or name == "strcn_g"


@pytest.mark.parametrize("name", WITHOUT)
def test_a_model_without_a_map_says_why(name, made, tmp_path):
    one = made(name)
    with pytest.raises(MerError, match=f"has no map to draw: .*{WITHOUT[name]}"):
        export_heatmaps(one.bench, one.run, tmp_path)


def test_every_network_is_tried():
    assert {*LAST, *WITHOUT} == set(SMALL)


def test_a_classical_method_has_no_layers(made):
    bench = copy(made("ststnet").bench)
    bench.experiment = replace(bench.experiment, model=Majority())
    with pytest.raises(MerError, match="majority: a classical method has no layers"):
        explained(bench, IDS)


def test_the_frozen_part_ends_where_the_retrained_one_begins(made):
    """Logits of frames are those of their features, though two blocks take maps of one shape."""
    one = made("vggface_lstm", "conv3")
    opened = EncodedFrames(one.bench, IDS)
    network = opened.network(one.run / "fold-0" / "model.keras")
    _, inputs = opened.sample("c1")
    features = one.bench.store.inputs([bench_module.Window("c1", 0)], LENGTH)
    expected = keras.ops.convert_to_numpy(one.model(features))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(network.model(inputs)), expected, rtol=1e-4, atol=1e-5)
    assert network.tail is not None
    assert list(network.maps) == ["conv1", "conv2", "conv3"]


def test_the_onset_of_key_frames_is_the_clips_first_frame(stored, made, tmp_path):
    one = made("attention_lstm")
    frames, inputs = EncodedFrames(one.bench, IDS).sample("c0")
    np.testing.assert_array_equal(frames, FRAMES["c0"][PLACES])
    export_heatmaps(one.bench, one.run, tmp_path)
    assert [stored[clip]["places"].tolist() for clip in IDS] == [PLACES.tolist()] * 2
    np.testing.assert_array_equal(inputs["onset"][0, 0], FRAMES["c0"][0])


def test_every_choice_is_named_and_changes_the_map(stored, made, tmp_path):
    one = made("vggface_lstm")
    opened, last = EncodedFrames(one.bench, IDS), View("hirescam", "onset", "conv1", "moving")
    network, (_, inputs) = opened.network(one.run / "fold-0" / "model.keras"), opened.sample("c0")
    views = [View(), View(method="hirescam"), View(reference="onset"), View(layer="conv2"), last]
    found = [whole(view, network, inputs, 0) for view in views]
    found.append(whole(View(), network, inputs, 1))
    assert len({maps.tobytes() for maps in found}) == len(views) + 1
    table = export_heatmaps(one.bench, one.run, tmp_path, clips=["c0"], view=last)
    assert table[["method", "reference", "layer", "target"]].to_numpy().tolist() == [[*vars(last).values()]]
    assert "HiResCAM of map conv1 less the onset frame's (12 x 12 cells), for moving" in stored["c0"]["title"]


def whole(view, network, inputs, target):
    """A clip's maps by one pass of all frames through the whole network."""
    how = {"minus_onset": view.reference == "onset", "local": view.method == "hirescam"}
    return network.heat(view.map_of(network), inputs, target, how)


@pytest.mark.parametrize(
    ("name", "retrain_from", "layer"),
    [
        ("vggface_lstm", None, "conv3"),
        pytest.param("vggface_lstm", None, "conv1", marks=pytest.mark.slow),
        pytest.param("vggface_lstm", "conv3", "conv3", marks=pytest.mark.slow),
        ("vggface_lstm", "conv3", "conv2"),
        ("vggface_frames", None, "conv3"),
        pytest.param("vggface_frames", "conv3", "conv3", marks=pytest.mark.slow),
        ("attention_lstm", None, "conv3"),
        ("gia_bia_bilstm", None, "conv2"),
    ],
)
def test_what_is_computed_once_gives_the_maps_of_the_whole_network(name, retrain_from, layer, made):
    """To 1e-4 of the greatest value: features come from the store, and sums in another order.

    The first frame less its onset is 0 up to rounding: the gradient there hangs on the last digit's sign.
    """
    one = made(name, retrain_from)
    opened = EncodedFrames(one.bench, IDS)
    network = opened.network(one.run / "fold-0" / "model.keras")
    for view in [View(layer=layer)] + [View("hirescam", "onset", layer)] * (not opened.single):
        frames, inputs = opened.sample("c1")
        expected = whole(view, network, inputs, 1)[: len(frames)]
        (found,) = view.heats(opened, network, [Wanted("c1", range(len(frames)), 1)])
        assert found.shape == expected.shape
        first = 0 if opened.single else 1
        np.testing.assert_allclose(found[first:], expected[first:], rtol=0, atol=1e-4 * max(expected.max(), 1e-6))


@pytest.mark.parametrize("name", ["vggface_frames", "ststnet"])
def test_single_pictures_have_no_onset_to_subtract(name, made, tmp_path):
    one = made(name)
    with pytest.raises(MerError, match=f"--reference onset: {name} looks at single pictures"):
        export_heatmaps(one.bench, one.run, tmp_path, view=View(reference="onset"))


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (View(layer="conv9"), "--layer conv9: .* has maps at u1, v1, u2, v2"),
        (View(target="joy"), "--target joy: give predicted, true, or a class: still, moving"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(view, said, made, tmp_path):
    one = made("off_apexnet")
    with pytest.raises(MerError, match=said):
        export_heatmaps(one.bench, one.run, tmp_path, view=view)


def test_a_checkpoint_of_another_encoder_is_named(made, tmp_path):
    opened, other = EncodedFrames(made("vggface_lstm").bench, IDS), make("vggface_lstm", tmp_path / "other", "conv3")
    other.model.get_layer("retrained").trainable = False
    other.model.save(tmp_path / "odd.keras")
    with pytest.raises(MerError, match=r"odd\.keras: takes features \(12, 12, 4\), but small_encoder gives \(5,\)"):
        opened.network(tmp_path / "odd.keras")
