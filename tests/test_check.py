"""What is refused before anything is loaded or written: names, ranges, contradictions, labels, missing files."""

import dataclasses
import runpy
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.rows import made_row

from mer_tf.check import check, check_all
from mer_tf.config import (
    Clip,
    Data,
    Evaluation,
    Experiment,
    MerError,
    Preprocess,
    Search,
    Train,
)
from mer_tf.datasets.manifest import write_manifest
from mer_tf.descriptors import METHODS
from mer_tf.model import models
from mer_tf.models.attention_lstm import Attention
from mer_tf.models.cnn_lstm_fusion import Fusion
from mer_tf.models.encoders.names import BLOCKS, VGG16_MAPS, VGGFACE
from mer_tf.models.gia_bia_bilstm import Blocks

ROOT = Path(__file__).parents[1]
WINDOWS = Clip(frames=4, test="windows")
ONSET = Preprocess(flow_from="onset")
IMAGE = Clip(frames=1)
VGG16 = {"encoder": "vggface-vgg16", "weights": "random", "features_at": "conv4_2"}


def model(name, **settings):
    return models()[name](**settings)


def lstm(**settings):
    return model("vggface_lstm", **settings)


def declared(**changes):
    return Experiment("demo", **changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data": Data(label_protocol="smic-44")}, "unknown label protocol 'smic-44'.*did you mean smic-4?"),
        ({"data": Data(dataset="casme-2")}, "unknown data set 'casme-2'.*did you mean casme2?"),
        (
            {"model": lstm(encoder="vggface2-resnet")},
            "unknown encoder 'vggface2-resnet'.*mean vggface2-resnet50?",
        ),
        (
            {"model": lstm(encoder="vggface2-resnet50", weights="random", retrain_from="conv4_7")},
            "did you mean conv4",
        ),
        ({"preprocess": Preprocess(recipe="stsnet")}, "'stsnet' is unknown.*did you mean ststnet?"),
        ({"model": model("gia_bia_bilstm", blocks=Blocks(set="11"))}, "blocks '11': no such set"),
    ],
)
def test_an_unknown_name_is_told_the_nearest_one(changes, said):
    with pytest.raises(MerError, match=said):
        check(declared(**changes))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"train": Train(epochs=0)}, "train.epochs=0: give 1 or more"),
        ({"train": Train(learning_rate=0)}, "train.learning_rate=0: give more than 0"),
        ({"train": Train(momentum=1)}, "train.momentum=1: give 0 or more and below 1"),
        ({"model": lstm(embedding=(8, 0))}, r"model.embedding=\(8, 0\): give 1 or more"),
        ({"search": Search(epochs=(5, 0))}, r"search.epochs=\(5, 0\): give 1 or more"),
        ({"preprocess": Preprocess(interpolate=1)}, "preprocess.interpolate=1: give 0, or 2 frames or more"),
        ({"data": Data(amplitude=9)}, "data.amplitude=9: drawn faces move by 0 to 4 pixels"),
        ({"data": Data(subjects=4)}, "evaluation.folds=5, but there are 4 subjects; choose 2 to 4 folds"),
        ({"clip": Clip(multiply=(2, 3))}, "one number from 1 upwards for each of 4 classes"),
    ],
)
def test_an_impossible_range_is_refused(changes, said):
    with pytest.raises(MerError, match=said):
        check(declared(**changes))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data": Data(root="/data", manifests=("a.csv",))}, "data.manifests and data.root were both given"),
        ({"data": Data(sheet="coding.xlsx")}, "data.sheet=coding.xlsx: .*give its folder with data.root"),
        ({"data": Data(dataset="mmew", label_protocol="mmew-6")}, "no drawn look-alike of mmew"),
        ({"data": Data(label_protocol="casme2-5")}, "casme2-5: knows no label of smic-hs; use .*smic-3 or smic-4"),
        ({"data": Data(root="/nowhere")}, "/nowhere"),
        ({"evaluation": Evaluation(test_on=("samm",))}, "test_on is for evaluation.split=cross-dataset"),
        ({"evaluation": Evaluation(split="cross-dataset")}, "nothing is left to train on for smic-hs"),
        ({"evaluation": Evaluation(split="cross-dataset", test_on=("smic-h",))}, "did you mean smic-hs?"),
        ({"preprocess": Preprocess(magnify=5, band_high=0.2)}, "give 0 < low < high"),
        ({"model": model("lbp_top"), "clip": WINDOWS}, "describes whole clips"),
        (
            {"search": Search(patience=3, epochs=(5,))},
            "search.patience=3 chooses the epochs; leave search.epochs empty",
        ),
        ({"model": model("htnet"), "search": Search(dropout=(0.1, 0.5))}, "htnet has no dropout to choose"),
        ({"model": model("fdm"), "preprocess": Preprocess(flow="none")}, "fdm takes flow"),
        ({"model": model("mdmo"), "preprocess": Preprocess(face="crop")}, "mdmo knows where landmarks are"),
        ({"model": model("cnn_lstm_fusion")}, "takes windows of one length; use clip.test=windows"),
        ({"model": model("cnn_lstm_fusion"), "clip": replace(WINDOWS, frames=1)}, "clip.frames 2 or more"),
        ({"model": model("fcnn3d"), "clip": replace(WINDOWS, keyframes="tim")}, "between neighbouring frames"),
        ({"model": model("micro_exp_stcnn"), "clip": WINDOWS}, "18 frames or more"),
        ({"model": model("elrcn_se"), "clip": replace(WINDOWS, side=16)}, "32 pixels or more"),
        ({"model": model("ststnet"), "clip": IMAGE}, "flow from the onset to the apex"),
        ({"model": model("rcn"), "preprocess": ONSET}, "use clip.frames=1, no clip.multiply"),
        ({"model": model("htnet"), "preprocess": ONSET, "clip": replace(IMAGE, side=32)}, "use clip.side=28"),
        ({"model": model("au_flow", weights="au-3"), "preprocess": ONSET, "clip": IMAGE}, "did you mean au-flow-3"),
        ({"model": model("au_flow", head="given"), "preprocess": ONSET, "clip": IMAGE}, "needs a shipped network"),
        ({"model": model("vggface_frames")}, "use clip.frames=1 and clip.test=windows"),
        ({"model": model("attention_lstm")}, "give model.features_at, such as pool5"),
        ({"clip": Clip(frames=1, keyframes="tim")}, "key frames are 2 or more"),
        ({"model": model("gia_bia_bilstm")}, "takes maps: give model.features_at"),
        ({"model": model("gia_bia_bilstm"), "clip": Clip(keyframes="tim")}, "takes neighbouring frames"),
        ({"model": model("gia_bia_bilstm"), "clip": Clip(multiply=(1, 1, 1, 1))}, "turned blocks"),
        ({"model": lstm(encoder="mtcnn-onet", weights="x.h5")}, "takes no weight file"),
        ({"model": lstm(weights="absent.h5")}, "absent.h5: no such weight file"),
        ({"model": lstm(encoder="vggface-vgg16", features_at="conv4_4")}, "did you mean conv4_3?"),
        ({"model": lstm(encoder="mtcnn-onet", features_at="fc5")}, "unknown map of mtcnn-onet 'fc5'"),
        ({"model": lstm(features_at="conv6_1")}, "unknown map of auto 'conv6_1'"),
        ({"model": model("gia_bia_bilstm", **VGG16, blocks=Blocks(gia_to="conv4_1"))}, "map behind conv4_2 'conv4_1'"),
        (
            {"model": model("cnn_lstm_fusion", fusion=Fusion(join="sum")), "clip": WINDOWS},
            "of 4096 and 512 features",
        ),
        ({"model": lstm(encoder="absent.keras")}, "absent.keras: no such .keras encoder"),
    ],
)
def test_a_contradiction_is_refused(changes, said):
    with pytest.raises(MerError, match=said):
        check(declared(**changes))


def test_missing_weights_of_a_named_encoder_are_told_where_they_go(tmp_path, monkeypatch):
    monkeypatch.setenv("MER_TF_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(MerError, match=r"Download https.*notop_resnet50.h5"):
        check(declared(model=lstm(encoder="vggface2-resnet50")))
    check(declared(model=lstm(encoder="auto")))


def test_several_cards_can_share_a_batch(monkeypatch):
    def checked(name, batch, cards, **given):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", cards)
        train = Train(data_parallel=True, batch_size=batch)
        check(declared(model=model(name, **given), train=train, clip=IMAGE, preprocess=ONSET))

    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    for cards in ("", "-1", "0"):
        checked("rcn", 7, cards)
    checked("htnet", 8, "0,1")
    checked("au_flow", 8, "0,1", weights="au-flow-3")
    with pytest.raises(MerError, match="train.batch_size=9: is no multiple of the 2 graphics cards"):
        checked("htnet", 9, "0,1")
    with pytest.raises(MerError, match="batch normalisation in rcn would see one device's share"):
        checked("rcn", 8, "0,1")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    checked("rcn", 8, "0,1")


def test_a_fold_that_there_is_not_is_named():
    check(declared(), only=(0, 4))
    with pytest.raises(MerError, match="--folds 5, 7: there are folds 0 to 4"):
        check(declared(), only=(7, 5, 1))
    check(declared(evaluation=Evaluation(split="loso")), only=(7,))


def test_all_faults_of_a_kind_are_told_at_once():
    with pytest.raises(MerError) as caught:
        check(declared(train=Train(epochs=0, batch_size=0), evaluation=Evaluation(test_on=("samm",))))
    assert len(str(caught.value).splitlines()) == 3


def row(number, label, dataset="smic-hs"):
    name = f"{dataset}/{number}"
    return made_row(clip_id=name, subject=f"{dataset}/s{number}", frames_dir=name, apex=3, offset=7, label_raw=label)


def manifest(path, *labels, dataset="smic-hs"):
    return str(write_manifest([row(k, label, dataset) for k, label in enumerate(labels)], path))


LABELS = ("negative", "positive", "surprise", "non-micro", "negative", "positive")


def test_labels_of_a_manifest_are_held_against_the_protocol(tmp_path):
    smic = manifest(tmp_path / "smic.csv", *LABELS)
    check(declared(data=Data(manifests=(smic,))))
    wrong = manifest(tmp_path / "wrong.csv", *LABELS, "suprise")
    with pytest.raises(MerError, match="smic-hs has 1 clips of 'suprise'.*did you mean 'surprise'"):
        check(declared(data=Data(manifests=(wrong,))))
    other = manifest(tmp_path / "other.csv", "happiness", "fear", dataset="casme2")
    with pytest.raises(MerError, match=r"knows no label of casme2; use .*casme2-5.*its labels: fear, happiness"):
        check(declared(data=Data(manifests=(smic, other))))
    own = manifest(tmp_path / "own.csv", *LABELS, dataset="ours")
    with pytest.raises(MerError, match="no label of ours; add its labels to data_manifests/label_protocols.csv"):
        check(declared(data=Data(manifests=(own,))))


def test_a_label_that_the_protocol_leaves_out_is_no_fault(tmp_path):
    names = ("happiness", "disgust", "surprise", "repression", "others", "fear", "sadness")
    path = manifest(tmp_path / "casme2.csv", *names, dataset="casme2")
    check(declared(data=Data(manifests=(path,), label_protocol="casme2-5")))


def test_a_clip_of_two_manifests_and_too_few_subjects_are_refused(tmp_path):
    smic = manifest(tmp_path / "smic.csv", *LABELS)
    with pytest.raises(MerError, match="clip ids occur more than once"):
        check(declared(data=Data(manifests=(smic, smic))))
    with pytest.raises(MerError, match="evaluation.folds=7, but there are 6 subjects"):
        check(declared(data=Data(manifests=(smic,)), evaluation=Evaluation(folds=7)))


def test_manifests_are_read_once_for_many_experiments(tmp_path, monkeypatch):
    import mer_tf.datasets.manifest as module

    read, whole = [], module.joined_manifests
    monkeypatch.setattr(module, "joined_manifests", lambda paths: read.append(paths) or whole(paths))
    one = declared(data=Data(manifests=(manifest(tmp_path / "smic.csv", *LABELS),)))
    check_all([one, replace(one, train=Train(epochs=3))])
    assert len(read) == 1


def test_every_embedded_experiment_passes():
    for path in sorted((ROOT / "experiments").glob("exp*.py")):
        if path.stem not in ("exp9_au_pretraining", "exp10_spotting"):
            check(runpy.run_path(str(path))["EMBEDDED"])


def test_methods_say_of_their_descriptors_whether_they_take_flow():
    for name, method in METHODS.items():
        descriptor = method().descriptor()
        assert method.flow == bool(descriptor and descriptor.takes != "frames"), name


def test_limits_are_those_of_the_networks():
    from mer_tf.inputs import flow_images as flow_image_store
    from mer_tf.models import au_flow, elrcn, htnet, kinds, micro_exp_stcnn
    from mer_tf.models.pretrained import card
    from mer_tf.synthetic.action_units.movement import CLASSES

    assert tuple(card("au-flow-3")["classes"]) == CLASSES == au_flow.SHIPPED
    assert kinds.FLOW_SIDE == htnet.SIDE == flow_image_store.FLOW_SIDE
    assert models()["micro_exp_stcnn"].fewest == micro_exp_stcnn.LENGTH + micro_exp_stcnn.POOL == 18
    assert 2 ** len(elrcn.VGG16) == models()["elrcn_te"].least_side == 32


@pytest.mark.parametrize("name", VGGFACE)
def test_blocks_of_an_encoder_are_those_it_has(name):
    from helpers.weightless import weightless

    from mer_tf.models.encoders.build import build_encoder
    from mer_tf.models.encoders.parts import encoder_blocks

    encoder = weightless(lambda: build_encoder(lstm(encoder=name, weights="random"), input_size=64)).model
    assert tuple(encoder_blocks(encoder)) == BLOCKS[name]
    maps = [layer.name for layer in encoder.layers if len(layer.output.shape) == 4]
    assert name != "vggface-vgg16" or tuple(maps[-len(VGG16_MAPS) :]) == VGG16_MAPS


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--model.name", "vgface_lstm"], "did you mean vggface_lstm?"),
        (["--model.parts_as", "x_y"], "model.parts_as: vggface_lstm has no such setting"),
        (["--model.lstm_unit", "3"], "did you mean model.lstm_units?"),
        (["--data.label_protocol", "smic-44"], "did you mean smic-4?"),
        (["--clip.keyframes", "tim", "--clip.frames", "1"], "key frames are 2 or more"),
    ],
)
def test_a_refused_start_is_quick_and_leaves_nothing(tmp_path, option, said):
    code = f"""
import runpy, sys
try:
    runpy.run_path({str(ROOT / "experiments" / "exp2_vggface_lstm.py")!r}, run_name="__main__")
finally:
    print(sorted({{"keras", "tensorflow", "sklearn"}} & set(sys.modules)))
"""
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code, *option], cwd=tmp_path, capture_output=True, text=True)
    assert time.monotonic() - began < 20  # two seconds on an idle machine
    assert done.returncode == 1
    assert said in done.stderr
    assert done.stdout.strip() == "[]"
    assert not list(tmp_path.iterdir())


def test_an_experiment_is_left_as_it_is():
    one = declared(model=model("attention_lstm", features_at="pool5", attention=Attention(use="spatial")))
    before = dataclasses.asdict(one)
    check(one)
    assert dataclasses.asdict(one) == before
