"""Results can be read on a machine, and at a speed, that has no time for TensorFlow."""

import re
import subprocess
import sys

import pytest

LIGHT = ("mer_tf", "mer_tf.datasets", "mer_tf.evaluation.metrics", "mer_tf.reporting.plots")


def test_results_are_read_without_keras_and_tensorflow():
    """One module after the other, in one process: what none of them has loaded, none loads by itself."""
    code = f"""
import importlib, sys
for name in {LIGHT!r}:
    importlib.import_module(name)
    print(name, sorted({{'keras', 'tensorflow', 'mtcnn'}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"{name} []" for name in LIGHT]


def test_the_settings_of_all_models_are_known_without_what_computes():
    heavy = ["keras", "tensorflow", "mtcnn", "sklearn", "pandas", "numpy"]
    code = f"""
import sys
from mer_tf.model import models
print(len(models()) > 20, sorted(set({heavy!r}) & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True []"


def test_the_package_itself_loads_nothing_but_its_own_name():
    code = "import sys; before = set(sys.modules); import mer_tf; print(sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['mer_tf']"


@pytest.mark.parametrize("arguments", [["--help"], ["score", "--help"], ["preprocess", "--help"]])
def test_help_loads_no_more_than_it_shows(arguments):
    """What would make `mer-tf --help` slow: arrays and tables, and, by way of asyncio, tyro's look at all options."""
    heavy = ["keras", "tensorflow", "cv2", "matplotlib", "sklearn", "scipy", "pandas", "numpy"]
    heavy += ["asyncio"] if arguments == ["--help"] else []
    code = f"""
import sys
from mer_tf.cli import main
try:
    main({arguments!r})
finally:
    print("loaded:", sorted(set({heavy!r}) & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "loaded: []"
    assert "usage: mer-tf" in done.stdout


def test_an_unknown_command_is_told_the_known_ones():
    command = [sys.executable, "-c", "from mer_tf.cli import main; main()", "scor"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert re.search("\\bscore\\b.*\\bcompare\\b", done.stderr)  # argparse quotes them in some versions of Python
