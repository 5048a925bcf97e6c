"""The names of `import mer_tf`: their examples, what wrong arguments are told, and what Keras knows by the import."""

import doctest
import inspect
import subprocess
import sys
from importlib import import_module

import pytest

import mer_tf
from mer_tf.config import MerError
from mer_tf.models.layers import LAYERS, OWN
from mer_tf.models.registered import PACKAGE
from mer_tf.serving import api

NAMES = [name for name in mer_tf.__all__ if name.islower() and not name.startswith("_")]
OF_RUNS = ("load_run", "load", "predict", "grad_cam", "report", "windows", "preprocess", "build_model")
"""Those whose examples train, or bring TensorFlow."""


def run_example(name, **names):
    """The examples of a docstring, which must all be right."""
    test = doctest.DocTestParser().get_doctest(getattr(api, name).__doc__, {"mer_tf": mer_tf, **names}, name, None, 0)
    assert test.examples, f"{name} has no example"
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL)
    told = []
    runner.run(test, out=told.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(told)


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(OF_RUNS)))
def test_the_example_of_a_name_is_right(name, own_tree):
    run_example(name, ROOT=own_tree)


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_RUNS)
def test_the_example_of_a_name_that_trains_is_right(name, own_tree, own_run, tmp_path):
    run_example(name, ROOT=own_tree, RUN=load_folds(own_run), OUT=tmp_path)


def load_folds(run):
    """The run without its final model, whose folds are then its answer."""
    import shutil

    copy = run.parent / "folds"
    if not copy.exists():
        shutil.copytree(run, copy, ignore=shutil.ignore_patterns("final"))
    return copy


def test_what_is_raised_can_be_caught_by_a_name_of_the_top():
    assert mer_tf.MerError is MerError
    assert "MerError" in dir(mer_tf)


def test_every_name_is_listed_and_documented():
    assert set(NAMES) <= set(dir(mer_tf))
    assert all(inspect.getdoc(getattr(mer_tf, name)) for name in NAMES)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        mer_tf.nothing  # noqa: B018


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: mer_tf.score(["a"], ["a", "b"]), "1 of truth, 2 of predicted; give lists of one length"),
        (lambda: mer_tf.score(["a", "b"]), "a table needs clip_id, y_pred, y_true"),
        (lambda: mer_tf.build_model("vggface_lst", shape=(8,), classes=3), "did you mean vggface_lstm"),
        (lambda: mer_tf.build_model("lbp_top", shape=(8,), classes=3), "classical method, not a network"),
        (lambda: mer_tf.build_model("vggface_lstm", shape=(8,), classes=3, lstm=3), "unknown setting 'lstm'"),
        (lambda: mer_tf.build_model("vggface_lstm", shape=(8,), classes=3, lstm_units="x"), "lstm_units='x': give"),
        (lambda: mer_tf.preprocess("folder"), "takes rows; give what load_dataset returns"),
        (lambda: mer_tf.load_dataset("folder", "x"), "did you mean folders"),
        (lambda: mer_tf.load("nowhere"), "no such bundle or run"),
        (lambda: mer_tf.predict("nowhere", "x"), "no such bundle or run"),
        (lambda: mer_tf.run("exp99"), "no such experiment"),
    ],
)
def test_wrong_arguments_are_told_the_mend(call, said):
    with pytest.raises(MerError, match=said):
        call()


def test_the_names_that_keras_is_told_are_those_of_all_our_layers():
    files = [import_module(name) for name in OWN]
    import keras

    named = {f"{PACKAGE}>{name}" for names in LAYERS.values() for name in names}
    assert named == {name for name in keras.saving.get_custom_objects() if name.startswith(f"{PACKAGE}>")}
    assert sorted(LAYERS) == sorted(file.__name__.rpartition(".")[2] for file in files)


@pytest.mark.slow
@pytest.mark.parametrize("first", ["mer_tf, keras", "keras, mer_tf"])
def test_plain_keras_opens_our_files_once_mer_tf_is_imported(first, tmp_path):
    """In a process of its own, whichever is imported first; importing mer_tf alone loads no Keras, in 50 ms."""
    model = mer_tf.build_model("vggface_lstm", shape=(8,), classes=3, lstm_units=2, center="onset")
    model.save(tmp_path / "model.keras")
    code = f"""
import sys, time
begun = time.perf_counter()
{"import mer_tf" if first.startswith("mer_tf") else ""}
taken = time.perf_counter() - begun
assert "keras" not in sys.modules and taken < 0.05, taken
import {first}
print(keras.saving.load_model({str(tmp_path / "model.keras")!r}, safe_mode=True).name)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "vggface_lstm"
