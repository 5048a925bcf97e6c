"""What pip makes of the source tree: one name, with its tables, found from every folder."""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WHERE = "import mer_tf, mer_tf.files as f; print(mer_tf.__version__, f.fact_file('recipes.csv').resolve(strict=True))"


def found_from(folder, python, code=WHERE):
    """What `import mer_tf` finds in `folder`: its version, and the path of one of its tables."""
    alone = {**os.environ, "PYTHONPATH": ""}
    done = subprocess.run([python, "-c", code], cwd=folder, env=alone, capture_output=True, text=True, check=True)
    version, table = done.stdout.split()
    assert version[0].isdigit()
    return Path(table)


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A copy of the tree, in a folder that has the package's own name as a clone's has."""
    copy = tmp_path_factory.mktemp("clones") / "mer_tf"
    unwanted = shutil.ignore_patterns("__pycache__", "*.egg-info", "tests", "docs", ".*", "runs", "data", "build")
    return Path(shutil.copytree(ROOT, copy, ignore=unwanted))


def pip(*arguments, python=sys.executable):
    command = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", *arguments]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)


@pytest.mark.slow
def test_a_clone_is_found_from_the_folder_that_holds_it(clone, tmp_path):
    """There the clone's own folder is a namespace package of the same name: the installed one must come before it."""
    venv.create(tmp_path / "venv", symlinks=True)
    (python,) = tmp_path.glob("venv/*/python")
    pip("--editable", clone, python=str(python))
    assert found_from(clone.parent, python) == (clone / "data_manifests" / "recipes.csv").resolve()


@pytest.mark.slow
def test_one_name_is_installed_and_carries_its_tables(clone, tmp_path):
    pip("--target", tmp_path, clone)
    assert {p.name for p in tmp_path.iterdir() if p.suffix != ".dist-info"} == {"mer_tf", "bin"}
    shipped = {p.name for p in (tmp_path / "mer_tf" / "data_manifests").iterdir()}
    assert shipped == {p.name for p in (ROOT / "data_manifests").iterdir()}
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {WHERE}"
    assert found_from(tmp_path, sys.executable, code).is_relative_to(tmp_path.resolve())
