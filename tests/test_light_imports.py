"""Results can be read on a machine, and at a speed, that has no time for TensorFlow."""

import re
import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["mer_tf", "mer_tf.evaluation.metrics", "mer_tf.reporting.plots", "mer_tf.datasets"])
def test_loads_neither_keras_nor_tensorflow(module):
    code = f"import sys, {module}; print(sorted({{'keras', 'tensorflow', 'mtcnn'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


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
sys.argv = ["mer-tf", *{arguments!r}]
try:
    main()
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
