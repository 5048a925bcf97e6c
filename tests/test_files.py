"""Atomic writers and paths that stay inside their root."""

import pytest

from mer_tf.config import MerError
from mer_tf.files import atomic, inside, read_json, write_json


def test_a_failed_writer_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail():
        with atomic(path) as part:
            part.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_atomic_keeps_the_suffix_and_makes_the_folder(tmp_path):
    with atomic(tmp_path / "new" / "a.png") as part:
        assert part.suffix == ".png"
        part.write_bytes(b"x")
    assert (tmp_path / "new" / "a.png").read_bytes() == b"x"


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x"])
def test_paths_may_not_leave_their_root(tmp_path, path):
    with pytest.raises(MerError, match="line 3.*outside its root"):
        inside(tmp_path, path, "manifest.csv, line 3")


def test_a_link_may_not_leave_the_root_either(tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "out").symlink_to(tmp_path)
    with pytest.raises(MerError, match="outside its root"):
        inside(tmp_path / "root", "out/secret", "row")
    assert inside(tmp_path / "root", "clip", "row") == (tmp_path / "root" / "clip").resolve()


def test_broken_json_is_named(tmp_path):
    path = write_json(tmp_path / "a.json", {"k": [1, "é"]})
    assert read_json(path) == {"k": [1, "é"]}
    path.write_text('{"k": ')
    with pytest.raises(MerError, match=r"a\.json: not valid JSON"):
        read_json(path)
    with pytest.raises(MerError, match="no such file"):
        read_json(tmp_path / "b.json")
