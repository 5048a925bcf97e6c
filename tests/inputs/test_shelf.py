"""Arrays beyond the budget lie in a file, equal bit for bit, and no training needs memory for all of them."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mer_tf.config import MerError
from mer_tf.inputs import shelf
from mer_tf.inputs.shelf import Shelf, room

TESTS = Path(__file__).parents[1]
ITEMS = {f"c{k}": np.random.default_rng(k).integers(0, 256, (k, 5, 3), np.uint8) for k in (3, 0, 4, 1)}


@pytest.mark.parametrize("budget", [0, 50, 10**6])
def test_arrays_come_back_whatever_memory_holds(monkeypatch, tmp_path, budget):
    monkeypatch.setattr(shelf, "IN_MEMORY", budget)
    kept = Shelf(ITEMS.items(), tmp_path / "cache")
    assert sorted(kept) == sorted(ITEMS)
    assert len(kept) == 4
    for name, values in ITEMS.items():
        assert kept[name].dtype == np.uint8
        assert np.array_equal(kept[name], values)
    on_disk = [name for name in ITEMS if isinstance(kept[name], np.memmap)]
    assert on_disk == {0: ["c3", "c4", "c1"], 50: ["c4", "c1"], 10**6: []}[budget]
    with pytest.raises(KeyError):
        kept["c9"]
    assert not [f for _, _, files in os.walk(tmp_path) for f in files], "the file has no name"


def test_a_full_disk_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(shelf, "IN_MEMORY", 0)

    class Full:
        def seek(self, *_):
            return 0

        def write(self, _):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(shelf, "nameless", lambda _: Full())
    with pytest.raises(MerError, match="holds no more arrays .*No space left"):
        Shelf(ITEMS.items(), tmp_path)


def test_a_big_room_is_a_file(monkeypatch):
    small = room((4, 5), "float32")
    monkeypatch.setattr(shelf, "IN_MEMORY", 79)
    big = room((4, 5), "float32")
    assert (type(small), type(big)) == (np.ndarray, np.memmap)
    big[:] = 3
    assert big.sum() == 60


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux how much memory the process has")
def test_training_from_records_takes_a_part_of_the_memory_of_their_images(tmp_path):
    """With 8 MiB for them; a tenth of what they are is kept, the rest of the growth is what decoding and steps hold."""
    environment = os.environ | {"PYTHONPATH": f"{TESTS.parent}{os.pathsep}{TESTS}"}
    command = [sys.executable, "-m", "helpers.much_data", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stderr
    images, grown = map(int, done.stdout.split()[-2:])
    assert images > 300 * 10**6
    assert grown < images / 3
