"""TensorFlow's own lines stay away from the answers, unless the user asks for them or the import fails."""

import os
import subprocess
import sys

import pytest

CODE = "from mer_tf.quiet import quiet_tensorflow; quiet_tensorflow(); import tensorflow; print(tensorflow.__name__)"


@pytest.fixture
def imported(tmp_path):
    """imported(end, level) -> what a process says that imports a noisy package of the name tensorflow."""

    def run(end="", level=None, code=CODE):
        package = tmp_path / "tensorflow"
        package.mkdir()
        (package / "__init__.py").write_text(f"import os\nos.write(2, b'no CUDA')\n{end}\n")
        kept = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
        path = os.pathsep.join([str(tmp_path), *sys.path])
        given = kept | {"PYTHONPATH": path} | ({"TF_CPP_MIN_LOG_LEVEL": level} if level else {})
        return subprocess.run([sys.executable, "-c", code], env=given, capture_output=True, text=True)

    return run


def test_an_import_writes_nothing(imported):
    said = imported()
    assert (said.stdout, said.stderr) == ("tensorflow\n", "")


def test_from_python_too_an_import_that_a_name_of_ours_brings_writes_nothing(imported):
    said = imported(code="import mer_tf; mer_tf.load; import tensorflow; mer_tf.score; print(tensorflow.__name__)")
    assert (said.stdout, said.stderr) == ("tensorflow\n", "")


def test_that_networks_are_traced_anew_is_not_said_and_other_warnings_are(imported):
    said = imported(
        "import logging\nlogging.basicConfig(format='%(message)s')\nlog = logging.getLogger('tensorflow')\n"
        "log.warning('5 out of the last 5 calls triggered tf.function retracing.')\n",
        code=CODE + "; import logging; logging.getLogger('tensorflow').warning('anything else')",
    )
    assert said.stderr == "anything else\n"


def test_who_asks_for_the_lines_sees_them(imported):
    assert imported(level="0").stderr == "no CUDA"


def test_an_import_that_fails_shows_what_was_written(imported):
    said = imported("raise ImportError('a library is missing')")
    assert said.returncode == 1
    assert said.stderr.startswith("no CUDA")
    assert "a library is missing" in said.stderr
