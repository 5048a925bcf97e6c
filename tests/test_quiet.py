"""TensorFlow's own lines stay away from the answers, unless the user asks for them or the import fails."""

import os
import subprocess
import sys

import pytest

CODE = (
    "from mer_tf.cli.quiet import quiet_tensorflow; quiet_tensorflow(); import tensorflow; print(tensorflow.__name__)"
)


@pytest.fixture
def imported(tmp_path):
    """imported(end, level) -> what a process says that imports a noisy package of the name tensorflow."""

    def run(end="", level=None):
        package = tmp_path / "tensorflow"
        package.mkdir()
        (package / "__init__.py").write_text(f"import os\nos.write(2, b'no CUDA')\n{end}\n")
        kept = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
        path = os.pathsep.join([str(tmp_path), *sys.path])
        given = kept | {"PYTHONPATH": path} | ({"TF_CPP_MIN_LOG_LEVEL": level} if level else {})
        return subprocess.run([sys.executable, "-c", CODE], env=given, capture_output=True, text=True)

    return run


def test_an_import_writes_nothing(imported):
    said = imported()
    assert (said.stdout, said.stderr) == ("tensorflow\n", "")


def test_who_asks_for_the_lines_sees_them(imported):
    assert imported(level="0").stderr == "no CUDA"


def test_an_import_that_fails_shows_what_was_written(imported):
    said = imported("raise ImportError('a library is missing')")
    assert said.returncode == 1
    assert said.stderr.startswith("no CUDA")
    assert "a library is missing" in said.stderr
