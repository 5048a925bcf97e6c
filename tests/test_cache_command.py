"""`mer-tf cache` lists and clears what experiments keep, and nothing else."""

from pathlib import Path

import pytest

from mer_tf.cli import main
from mer_tf.cli.cache_command import cache, kept
from mer_tf.errors import MerError

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
