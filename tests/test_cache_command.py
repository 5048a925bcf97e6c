"""`mer-tf cache` lists and clears what experiments keep, and nothing else."""

import dataclasses
import json
from pathlib import Path

import pytest

from mer_tf.cached import VARIABLE, cache_folder, older_kept
from mer_tf.changes import changed, read_experiment
from mer_tf.cli import main
from mer_tf.cli.cache_command import cache, kept
from mer_tf.code_version import CODE
from mer_tf.config import Experiment
from mer_tf.errors import MerError
from mer_tf.run_directory import finished_run, go_on

OURS = {
    "synthetic-smic-hs-0123456789-png": "synthetic_truth.csv",
    "records/smic-hs-0123456789": "shard-00000-of-00001.tfrecord",
    "features/mtcnn-onet-0123456789": "aa-0.npy",
    "descriptors/lbp_top-0123456789": "0123456789.npy",
}
OTHERS = {"SMIC/HS": "synthetic_truth.csv", "records/mine": "shard-0", "records/mine-0123456789": "notes.txt"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for home, name in (OURS | OTHERS).items():
        (tmp_path / "data" / home).mkdir(parents=True)
        (tmp_path / "data" / home / name).write_bytes(bytes(1000))
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "bb-0.npy").write_bytes(b"x")
    (tmp_path / "data/features/linked-0123456789").symlink_to(outside)
    return tmp_path / "data"


def test_what_is_listed_is_what_experiments_made(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["cache", "--folder", str(folder)])
    said = capsys.readouterr().out
    assert [one.path.relative_to(folder).as_posix() for one in kept(folder)] == list(OURS)
    assert all(name in said for name in OURS)
    assert "in 4 folders" in said


def test_clearing_deletes_that_alone(folder: Path) -> None:
    cache(folder, clear=True, yes=True)
    assert not [home for home in OURS if (folder / home).exists()]
    assert all((folder / home / name).exists() for home, name in OTHERS.items())
    assert (folder.parent / "outside/bb-0.npy").exists()


def test_kind_and_age_choose(folder: Path) -> None:
    cache(folder, clear=True, yes=True, older=1.0)
    cache(folder, clear=True, yes=True, kind=("features",))
    assert [one.kind for one in kept(folder)] == ["drawn", "records", "descriptors"]


def test_without_an_answer_nothing_is_deleted(folder: Path) -> None:
    with pytest.raises(MerError, match="--yes deletes without a question"):
        cache(folder, clear=True)
    assert len(list(kept(folder))) == 4


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(MerError, match=r"--folder names the cache of your experiments"):
        cache(tmp_path / "nowhere")


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in, with a cache home of its own and no variable."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    monkeypatch.delenv(VARIABLE)
    return tmp_path


def test_what_is_kept_lies_in_one_place_a_user(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_folder().is_absolute()
    assert "mer_tf" in cache_folder().parts
    assert cache_folder("here") == Path("here")
    monkeypatch.setenv(VARIABLE, str(elsewhere / "mine"))
    assert cache_folder(Experiment("e").data.cache) == elsewhere / "mine"


def test_tests_write_into_no_cache_of_a_user() -> None:
    assert "mer_tf-cache-" in str(cache_folder())


def test_what_an_older_version_kept_is_said(folder: Path, elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--data.cache data uses it" in older_kept(cache_folder())
    assert older_kept(folder) == ""
    main(["cache"])
    said = capsys.readouterr().out
    assert "0.0 MiB in 0 folders" in said
    assert "`mer-tf cache --folder data --clear` frees its room" in said
    main(["cache", "--folder", "data"])
    assert "older version" not in capsys.readouterr().out


def test_a_run_with_its_cache_elsewhere_is_the_same_run(tmp_path: Path) -> None:
    """As runs of before, whose cache was ./data."""
    experiment = Experiment("e", out=str(tmp_path))
    stored = dataclasses.asdict(changed(experiment, {"data.cache": "data"}))
    directory = tmp_path / "e" / "20260101"
    directory.mkdir(parents=True)
    for name, value in (("config", {"experiment": stored}), ("metrics", {}), ("env", {"code": CODE})):
        (directory / f"{name}.json").write_text(json.dumps(value))
    assert read_experiment(directory / "config.json").data.cache == "data"
    assert go_on(experiment, directory) == directory
    assert finished_run(experiment) == directory
    with pytest.raises(MerError, match="was started with other settings"):
        go_on(changed(experiment, {"data.seed": 1}), directory)
