"""Fixtures. What brings Keras is imported by the fixture: a file without networks is collected without it."""

import atexit
import gc
import multiprocessing
import os
import shutil
import sys
import tempfile
from functools import cache

import numpy as np
import pytest
from helpers.drawn_clips import drawn_once
from helpers.made_up_runs import write_pictures, write_run
from helpers.tiny_clips import make_rows

from mer_tf.cached import VARIABLE
from mer_tf.datasets import dataset_listing
from mer_tf.parallel import use_workers
from mer_tf.synthetic.layouts import casme, casme2, others, samm
from mer_tf.synthetic.layouts.plan import timed
from mer_tf.synthetic.layouts.write import PLANS, write_lookalike

for kind in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(kind, "1")  # the suite takes a process a core, and threads that wait take CPU time
if os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow":  # a tiny program is run sooner than XLA betters it
    plain = "--xla_cpu_use_fusion_emitters=false --xla_backend_optimization_level=0"
    os.environ.setdefault("XLA_FLAGS", f"{plain} --xla_llvm_disable_expensive_passes=true")
use_workers(1)
os.environ[VARIABLE] = tempfile.mkdtemp(prefix="mer_tf-cache-")  # a user's own is neither read nor written
atexit.register(shutil.rmtree, os.environ[VARIABLE], ignore_errors=True)


LONG = ("smoke", "explain", "protocols", "training", "video", "test_documentation.py", "records", "inputs", "au_flow")
LONG += ("serving", "backends")
"""Where one slow test takes up to a minute: with --no-loadscope-reorder these begin first, and none is left alone."""


def pytest_collection_modifyitems(config, items):
    if config.getoption("loadscopereorder", True):
        return
    places = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: min((places[part] for part in item.path.parts if part in places), default=len(LONG)))


def pytest_collection_finish(session):
    """Garbage is not looked for in what was imported, and graphs of quick tests run as they are written.

    TensorFlow's optimiser of graphs takes longer than they do.
    """
    gc.freeze()
    if "tensorflow" in sys.modules and not any(item.get_closest_marker("slow") for item in session.items):
        from tensorflow import config

        config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


@pytest.fixture(scope="module")
def quick():
    """No confusion pictures, self-tests of few deals: they take longer than a tiny training, and have their tests.

    Runs of a table stay in this process, where that holds.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mer_tf.runner.in_own_process", lambda function, *arguments: function(*arguments))
        patch.setattr("mer_tf.reporting.plots.confusion_png", lambda *_: None)
        patch.setattr("mer_tf.protocols.self_test.SHUFFLES", 3)
        patch.setattr("mer_tf.evaluation.self_test.SHUFFLES", 20)
        yield


@pytest.fixture(scope="module")
def eagerly():
    """Networks run layer by layer: a few steps of training take less time than to trace them."""
    if os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow":
        yield
        return
    from tensorflow import config

    config.run_functions_eagerly(True)
    yield
    config.run_functions_eagerly(False)


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """Clips in which mouth and brows move independently (`helpers.drawn_clips`), drawn once for all processes."""
    base = tmp_path_factory.getbasetemp()
    return drawn_once(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base)


def shortest(*clip, length, **more):
    """A clip of a published tree about as short as its kind can be: a tree of all lengths has twice the files."""
    return timed(*clip, length=(length[0], length[0] + 2), **more)


@pytest.fixture(scope="session")
def tree_of(tmp_path_factory):
    """tree_of(dataset, counts, layout) -> the root of a tree that a test only reads."""
    home = tmp_path_factory.mktemp("lookalikes")

    @cache
    def write(dataset, counts, layout):
        with pytest.MonkeyPatch.context() as patch:
            for module in (casme, casme2, others, samm):
                patch.setattr(module, "timed", shortest if counts == "published" else timed)
            return write_lookalike(dataset, home / f"{dataset}-{counts}-{layout}", counts=counts, layout=layout)

    return lambda dataset, counts="small", layout=None: write(dataset, counts, layout or PLANS[dataset][1][0])


@pytest.fixture(scope="session")
def listed(tree_of):
    """listed(dataset, counts, layout) -> what the adapter lists of such a tree."""
    listing = cache(dataset_listing)
    return lambda dataset, *tree: listing(dataset, tree_of(dataset, *tree))


@pytest.fixture
def rows(tmp_path):
    """Six tiny clips on disk."""
    return make_rows(tmp_path / "source")


@pytest.fixture
def forked_workers(monkeypatch):
    """Workers come from one process that has loaded TensorFlow and run nothing of it; a job spawns each, in seconds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tensorflow"])
    monkeypatch.setattr(multiprocessing, "get_context", lambda _: context)


@pytest.fixture
def run_directory(tmp_path):
    """A finished run with pictures, made up."""
    directory = write_run(tmp_path / "run")
    write_pictures(directory)
    return directory


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory):
    """The same for those that change nothing in it."""
    directory = write_run(tmp_path_factory.mktemp("reporting") / "run")
    write_pictures(directory)
    return directory


@pytest.fixture(scope="session")
def one_cache(tmp_path_factory):
    """The option that names one cache for all experiments: what one has drawn or computed the next one finds."""
    return f"--data.cache={tmp_path_factory.mktemp('cache')}"


@pytest.fixture
def no_pictures(monkeypatch):
    """Finished runs draw no heat maps, which take as long as a tiny training; for those that nobody looks at."""
    monkeypatch.setattr("mer_tf.protocols.pictures.run.write_pictures", lambda *_: None)


@pytest.fixture(scope="session")
def make_bench():
    """make_bench(experiment) -> (Bench, Clips) on drawn features; a network is compiled once for all tests."""
    from helpers.drawn_experiment import EXPERIMENT, drawn_bench

    trainers = {}
    return lambda experiment=EXPERIMENT: drawn_bench(experiment, trainers)


@pytest.fixture(scope="session")
def experiment():
    """The declaration that make_bench takes when it is given none."""
    from helpers.drawn_experiment import EXPERIMENT

    return EXPERIMENT


@pytest.fixture(scope="session")
def frame():
    """A predictions table of 36 clips, two thirds right."""
    from helpers.drawn_experiment import two_thirds_right

    return two_thirds_right()


@pytest.fixture(scope="module")
def images():
    """Four images for `small_image_model`."""
    return np.random.default_rng(0).uniform(0, 1, (4, 12, 12, 3)).astype("float32")


@pytest.fixture(scope="module")
def clips():
    """Two clips for the clip models below; the second one is padded."""
    rng = np.random.default_rng(1)
    return {
        "frames": rng.uniform(0, 1, (2, 4, 12, 12, 3)).astype("float32"),
        "onset": rng.uniform(0, 1, (2, 1, 12, 12, 3)).astype("float32"),
        "mask": np.array([[True] * 4, [True, True, False, False]]),
    }


@pytest.fixture(scope="module")
def small_image_model():
    """An image model, which no test changes."""
    from helpers.small_networks import image_model, seeded

    return seeded(image_model)


@pytest.fixture(scope="module")
def clip_parts():
    """(frame encoder, head over its features, both as one model), which no test changes."""
    from helpers.small_networks import clip_model, seeded

    return seeded(clip_model)


@pytest.fixture(scope="module")
def uncentred_clip_model():
    """The whole of one that sees frames as they are."""
    from helpers.small_networks import clip_model, seeded

    return seeded(lambda: clip_model(center="none"))[-1]


@pytest.fixture(scope="module")
def retrained_clip_model():
    """A head with a retrained tail of the encoder inside, over a frozen trunk."""
    from helpers.small_networks import retrained_model, seeded

    return seeded(retrained_model)


@pytest.fixture(scope="session")
def own_tree(tmp_path_factory):
    """A tree of a user's own: two subjects, three classes, a clip of each; no test changes it."""
    from helpers.own_folders import write_tree

    return write_tree(tmp_path_factory.mktemp("own") / "tree")


@pytest.fixture(scope="session")
def own_run(own_tree, tmp_path_factory):
    """A finished run on it, with a final model and without pictures; no test changes it."""
    from helpers.own_folders import small_experiment, write_encoder

    from mer_tf.runner import run

    home = tmp_path_factory.mktemp("own_run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mer_tf.reporting.plots.confusion_png", lambda *_: None)
        patch.setattr("mer_tf.protocols.pictures.run.write_pictures", lambda *_: None)
        patch.setattr("mer_tf.protocols.pictures.worst.write_worst", lambda *_: None)
        return run(small_experiment(own_tree, write_encoder(home / "encoder.keras"), home), final=True)


@pytest.fixture(scope="module")
def driver():
    """Headless Chromium, one a file of tests."""
    from helpers.browser import headless

    chrome = headless()
    yield chrome
    chrome.quit()


@pytest.fixture
def show(driver):
    """Open a page at a width and theme, afresh."""
    from helpers.browser import opened

    return lambda path, width=1200, theme="light": opened(driver, path, width, theme)
