"""The path from frame folders to a report asks nothing of the system that Windows and macOS have not.

Tried here without such a system: the modules that Windows lacks are hidden, the source is read for calls that it lacks,
and paths and names are given as Windows writes them.
"""

from __future__ import annotations

import ast
import dataclasses
import os
import re
import subprocess
import sys
from pathlib import Path, PureWindowsPath

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from helpers.rows import made_row
from hypothesis import given

import mer_tf
from mer_tf import locks, parallel, run_directory
from mer_tf.config import MerError
from mer_tf.datasets.adapters.listing import path_below
from mer_tf.datasets.adapters.videos import videos_listing
from mer_tf.datasets.manifest import manifest_digest, read_manifest, write_manifest
from mer_tf.files import file_name, write_csv, write_text
from mer_tf.models import kinds
from mer_tf.preprocessing.pictures import write_picture
from mer_tf.synthetic.layouts.write import PLANS
from mer_tf.training import estimate

PACKAGE = Path(mer_tf.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
MODULES = ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog", "posix", "crypt")
"""That Windows has not."""
ELSEWHERE = {"mer_tf.records.beam"}
"""Modules of an extra that need not be installed."""
CALLS = re.compile(
    r"os\.(fork|forkpty|kill|killpg|mkfifo|mknod|statvfs|fstatvfs|get(e?[ug]id|resuid|loadavg|pgid|sid|groups)|set\w*id"
    r"|O_(NOFOLLOW|DIRECTORY|NONBLOCK|CLOEXEC|SYNC|DIRECT)|sched_\w+|wait\w*|WNOHANG|nice|chroot|l?chown|fchmod|fchown"
    r"|uname|sync|posix_\w+|sendfile|pread|pwrite|openpty|rename)"
    r"|signal\.(SIG(KILL|HUP|ALRM|USR[12]|CHLD|QUIT|STOP|TSTP|CONT|PIPE)|alarm|pause|setitimer|siginterrupt)"
)
PLACES = re.compile(r"/(dev|proc|sys|tmp|etc|var|usr)(/|$)")
GUARDED = {
    ("parallel.py", "os.sched_getaffinity"),
    ("parallel.py", "/dev/nvidiactl"),
    ("parallel.py", "/proc/meminfo"),
    ("run_directory.py", "/proc/cpuinfo"),
    ("models/kinds.py", "/dev"),
    ("training/estimate.py", "resource"),
}
"""Asked for only where they are; a test below runs them where they are not."""
REFUSED = re.compile(r'[<>:"\\|?*\x00-\x1f]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)', re.IGNORECASE)
"""Names of files that Windows does not take."""


@pytest.mark.slow
def test_every_module_is_imported_without_those_that_windows_lacks() -> None:
    names = [".".join(p.relative_to(PACKAGE.parent).with_suffix("").parts) for p in SOURCES]
    names = [name.removesuffix(".__init__") for name in names if name not in ELSEWHERE]
    code = f"""
import builtins, importlib
before = builtins.__import__
def hidden(name, values=None, *rest, **named):  # from our modules alone: others know what this system has
    if name in {MODULES!r} and str((values or {{}}).get("__name__")).startswith("mer_tf"):
        raise ModuleNotFoundError(name)
    return before(name, values, *rest, **named)
builtins.__import__ = hidden
for name in {names!r}:
    importlib.import_module(name)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _asked(path: Path) -> set[str]:
    """What a module asks of the system that not every one has."""
    tree, found = ast.parse(path.read_text(encoding="utf-8")), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found |= {m[0] for m in [CALLS.fullmatch(f"{node.value.id}.{node.attr}")] if m}
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and PLACES.match(node.value):
            found.add(node.value)
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names} & set(MODULES)
        if isinstance(node, ast.ImportFrom):
            found |= {str(node.module)} & set(MODULES)
            found |= {m[0] for name in node.names if (m := CALLS.fullmatch(f"{node.module}.{name.name}"))}
        if isinstance(node, ast.Call) and any(isinstance(a, ast.Constant) and a.value == "fork" for a in node.args):
            found.add("fork")
    return found


def test_nothing_is_asked_of_the_system_that_only_some_have() -> None:
    asked = {(path.relative_to(PACKAGE).as_posix(), what) for path in SOURCES for what in _asked(path)}
    assert asked == GUARDED


WANTED = {"read_text": "encoding", "write_text": "newline", "FileHandler": "encoding", "to_csv": "lineterminator"}


def test_text_files_are_opened_in_a_stated_encoding() -> None:
    """Windows' own is another in each country, and its line ends are two signs."""
    bare = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name)):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
            given = {keyword.arg for keyword in node.keywords}
            method = name if isinstance(node.func, ast.Attribute) else ""
            mode = "".join(str(a.value) for a in node.args if isinstance(a, ast.Constant))
            wanted = WANTED.get(name) if method else None
            if name == "open" and "b" not in mode and not _is_no_file(node):
                wanted = "encoding"
            if wanted and wanted not in given:
                bare.append(f"{path.name}:{node.lineno} {ast.unparse(node)}")
    assert bare == []


def _is_no_file(call: ast.Call) -> bool:
    """`Image.open`, `os.open` and the like, which read bytes."""
    return isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) in ("Image", "os", "webbrowser")


def test_the_machine_is_described_where_it_says_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(Path, "exists", lambda self: False)
    assert run_directory.threads()["usable"] == os.cpu_count()
    assert parallel.free_memory() is None
    assert parallel.processes_at_once(2**40) == parallel.workers()
    assert run_directory.processor()
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(Path, "glob", lambda *_: iter(()))
    assert kinds.graphics_cards() == 1
    monkeypatch.setitem(sys.modules, "resource", None)
    assert estimate.memory() == "unknown"


def test_a_lock_that_the_system_does_not_remove_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows removes no file that is open."""

    def refuse(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "is used by another process", str(self))

    with monkeypatch.context() as patch, locks.held(tmp_path / "records"):
        patch.setattr(Path, "unlink", refuse)
    (left,) = tmp_path.iterdir()
    left.unlink()
    with locks.held(tmp_path / "records"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_tables_and_texts_have_the_same_bytes_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "linesep", "\r\n")
    assert write_csv(pd.DataFrame({"a": [1, 2]}), tmp_path / "a.csv").read_bytes() == b"a\n1\n2\n"
    assert write_text(tmp_path / "a.txt", "é\n").read_bytes() == "é\n".encode()
    row = made_row(root="C:/data", frames_dir="s1/micro")
    assert b"\r" not in write_manifest([row], tmp_path / "m.csv").read_bytes()


AWKWARD = ("con", "NUL.txt", "a:b", "a. ", "videos/a?b*", "lpt1")


@given(clip_id=st.text(min_size=1, max_size=12) | st.sampled_from(AWKWARD))
def test_a_clip_gives_its_name_to_a_file_on_every_system(clip_id: str) -> None:
    name = file_name(clip_id)
    assert name
    assert not REFUSED.search(name)
    assert not name.startswith(".")
    assert "/" not in name


@pytest.mark.parametrize("dataset", PLANS)
def test_drawn_trees_have_names_that_every_system_takes(dataset: str) -> None:
    plan, layouts = PLANS[dataset]
    for layout in layouts:
        tree = plan(layout, True, np.random.default_rng(0))
        paths = [*tree.sheets, *(f"{frames.folder}/{name}" for frames in tree.frames for name in frames.names)]
        assert [path for path in paths if any(map(REFUSED.search, path.split("/")))] == []


def test_paths_of_a_manifest_are_written_with_slashes(tmp_path: Path) -> None:
    root = PureWindowsPath(r"C:\data\SMIC")
    assert path_below(root, root / "HS" / "s1" / "micro") == "HS/s1/micro"  # type: ignore[arg-type]
    assert path_below(root, PureWindowsPath(r"D:\else\where")) == "D:/else/where"  # type: ignore[arg-type]
    assert PureWindowsPath(r"\\host\share\SMIC").as_posix() == "//host/share/SMIC"


@pytest.mark.parametrize("column", ["frames_dir", "video", "image"])
def test_a_manifest_with_backslashes_is_read(tmp_path: Path, column: str) -> None:
    ours = made_row(root=tmp_path.as_posix(), **{column: "HS/s1/micro/a b"})
    theirs = dataclasses.replace(ours, **{column: r"HS\s1\micro\a b"})
    assert r"HS\s1" in (path := write_manifest([theirs], tmp_path / "m.csv")).read_text(encoding="utf-8")
    assert read_manifest(path) == [ours]
    assert manifest_digest(read_manifest(path)) == manifest_digest([ours])


@pytest.mark.skipif(os.name == "nt", reason="there it is no other system's")
@pytest.mark.parametrize("root", [r"C:\data\SMIC", "d:/data", r"\\host\share\SMIC"])
def test_a_root_of_another_system_is_refused_with_the_mend(tmp_path: Path, root: str) -> None:
    path = write_manifest([made_row(root=root, frames_dir="s1")], tmp_path / "m.csv")
    with pytest.raises(MerError, match=r"m\.csv, line 2: the root .* is a folder of Windows; write in its place"):
        read_manifest(path)


def test_a_path_that_climbs_by_backslashes_leaves_no_root(tmp_path: Path) -> None:
    path = write_manifest([made_row(root=tmp_path.as_posix(), frames_dir=r"..\..\etc")], tmp_path / "m.csv")
    with pytest.raises(MerError, match="outside its root"):
        read_manifest(path)


@pytest.mark.skipif(os.name == "nt", reason="no name there can hold one")
def test_a_name_with_a_backslash_is_a_problem_of_its_clip(tmp_path: Path) -> None:
    for folder in ("a", r"a\b"):
        home = tmp_path / "HS/s1/micro/negative" / f"s1_{folder}"
        home.mkdir(parents=True)
        for k in range(3):
            write_picture(home / f"img{k}.bmp", np.full((8, 8, 3), k, np.uint8))
    from mer_tf.datasets import dataset_listing

    listing = dataset_listing("smic-hs", tmp_path)
    assert [row.clip_id for row in listing.rows] == ["smic-hs/s01_a"]
    assert any("holds a backslash" in problem and "rename it" in problem for problem in listing.problems)
    (tmp_path / r"v\w.mp4").write_bytes(b"")
    with pytest.raises(MerError, match="holds a backslash"):
        videos_listing(tmp_path, None)
