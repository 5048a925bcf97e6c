"""Caches of arrays: what is cut, changed, swapped or of another name is never used, and is made again."""

import logging

import numpy as np
import pytest
from helpers.running import mer_tf
from hypothesis import given, settings
from hypothesis import strategies as st

from mer_tf.arrays import array_faults, is_whole, load_array, save_array
from mer_tf.config import MerError
from mer_tf.synthetic.action_units.rendered import rendered_fields

VALUES = np.arange(60, dtype=np.float32).reshape(3, 4, 5)


def test_an_array_is_read_back_and_by_numpy_too(tmp_path):
    path = save_array(tmp_path / "a.npy", VALUES)
    assert (load_array(path) == VALUES).all()
    assert isinstance(load_array(path, "r"), np.memmap)
    assert (np.load(path) == VALUES).all()
    assert array_faults(tmp_path) == (1, [])


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 10_000), st.integers(1, 255), st.booleans())
def test_any_other_byte_is_seen(tmp_path_factory, place, bits, cut):
    path = save_array(tmp_path_factory.mktemp("any") / "any.npy", VALUES)
    data = bytearray(path.read_bytes())
    place %= len(data)
    data[place] ^= bits
    path.write_bytes(data[:place] if cut else data)
    assert not is_whole(path)
    with pytest.raises(MerError, match=r"any\.npy: is cut or changed; delete it"):
        load_array(path)


def test_swapped_plain_and_absent_files_are_not_whole(tmp_path):
    one, other = save_array(tmp_path / "a.npy", VALUES), save_array(tmp_path / "b.npy", VALUES + 1)
    one.rename(tmp_path / "x")
    other.rename(one)
    (tmp_path / "x").rename(other)
    assert not is_whole(one)
    assert not is_whole(other)
    np.save(tmp_path / "plain.npy", VALUES)
    assert not is_whole(tmp_path / "plain.npy")
    assert not is_whole(tmp_path / "none.npy")


def test_inspect_checks_a_folder_of_features(tmp_path, capsys):
    for name in "abc":
        save_array(tmp_path / f"{name}.npy", VALUES)

    def inspect(*options):
        with pytest.raises(SystemExit) as end:
            mer_tf("inspect", tmp_path, *options)
        return end.value.code, capsys.readouterr().out

    assert inspect("--check") == (0, f"{tmp_path}: 3 arrays\n")
    (tmp_path / "b.npy").write_bytes((tmp_path / "b.npy").read_bytes()[:-5])
    assert inspect()[0] == 0
    code, shown = inspect("--check")
    assert code == 1
    assert "b.npy: is cut or changed; delete it, and the next run makes it again" in shown


@pytest.mark.parametrize(
    "harm", [lambda d: d[:50], lambda d: d[: len(d) // 2] + b"\x00" + d[len(d) // 2 + 1 :], lambda d: b""]
)
def test_damaged_drawings_are_drawn_again(harm, tmp_path, caplog):
    first = rendered_fields("painted-dis", 3, 0, cache_dir=tmp_path)
    (path,) = tmp_path.rglob("*.npz")
    path.write_bytes(harm(path.read_bytes()))
    with caplog.at_level(logging.WARNING):
        again = rendered_fields("painted-dis", 3, 0, cache_dir=tmp_path)
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert "is drawn again" in caplog.text
    assert all(
        (a == b).all() for a, b in zip(first, rendered_fields("painted-dis", 3, 0, cache_dir=tmp_path), strict=True)
    )
