"""Spotting by Apache Beam: the bytes of one process, on the DirectRunner and on a cluster whose parts die."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.dask_cluster import Cluster, through_deaths

from mer_tf.cli import main
from mer_tf.errors import MerError
from mer_tf.preprocessing.pictures import write_picture
from mer_tf.preprocessing.video import iter_video
from mer_tf.synthetic.long.write import video_writer
from mer_tf.video import people
from mer_tf.video.sources import Source, open_sources
from mer_tf.video.spot import Spotted, spot_all

INSTALLED = importlib.util.find_spec("apache_beam") is not None
ON_DASK = INSTALLED and importlib.util.find_spec("distributed") is not None
FIVE = np.array([[120.0, 100], [200, 100], [160, 140], [130, 175], [190, 175]])


@pytest.fixture(scope="module")
def drawn(six_seconds: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of a face."""
    short = tmp_path_factory.mktemp("drawn") / "short.mp4"
    with video_writer(short, 15, (320, 240)) as writer:
        for _, frame in iter_video(six_seconds[1], 0, 29):
            writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    return short


@pytest.fixture
def videos(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Three videos, and a folder one of whose pictures is none; named from the working directory."""
    home = tmp_path / "videos"
    home.mkdir()
    for name in "abc":
        shutil.copy2(drawn, home / f"{name}.mp4")
    (home / "spoiled").mkdir()
    for n in range(4):
        write_picture(home / "spoiled" / f"f{n}.png", np.full((60, 80, 3), 40 * n, np.uint8))
    (home / "spoiled" / "f2.png").write_bytes(b"no picture")
    monkeypatch.chdir(tmp_path)
    return [Path("videos", name) for name in ("a.mp4", "spoiled", "b.mp4", "c.mp4")]


def sources_of(videos: list[Path]) -> list[Source]:
    return open_sources(videos, None)[0]


def tree(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_what_cannot_be_read_is_listed_and_tried_again(
    videos: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "find_faces", lambda picture: [FIVE])
    Path("videos/cut.mp4").write_bytes(b"no video")
    given, out = [Path("videos/cut.mp4"), *videos[:2]], tmp_path / "out"
    line = ["spot", *map(str, given), "--out", str(out), "--no-recognise", "--no-faces"]
    with pytest.raises(SystemExit, match=r"2 video\(s\) could not be read(.|\n)*f2.png(.|\n)*mend these"):
        main(line)
    errors = (out / "errors.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in errors] == ["video", "videos/cut.mp4", "videos/spoiled"]
    assert "a.mp4" in (out / "index.html").read_text()
    kept = (out / "work" / "002-a.mp4" / "state.json").stat().st_mtime_ns
    shutil.copy2("videos/spoiled/f1.png", "videos/spoiled/f2.png")
    shutil.copy2(videos[0], "videos/cut.mp4")
    main(line)
    assert (out / "errors.csv").read_text() == "video,reason\n"
    assert (out / "work" / "002-a.mp4" / "state.json").stat().st_mtime_ns == kept


@pytest.mark.skipif(not INSTALLED, reason='Apache Beam is not installed (pip install "mer_tf[beam]")')
def test_beam_gives_the_bytes_of_one_process(
    videos: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "find_faces", lambda picture: [FIVE])
    local = spot_all(sources_of(videos), tmp_path / "local", progress=False)
    beam = spot_all(sources_of(videos), tmp_path / "beam", engine="beam")
    assert tree(tmp_path / "beam") == tree(tmp_path / "local")
    assert [*beam.lost] == [*local.lost] == ["videos/spoiled"]


def test_options_of_a_pipeline_without_one_are_refused(videos: list[Path], tmp_path: Path) -> None:
    with pytest.raises(MerError, match="add --engine beam"):
        spot_all(sources_of(videos), tmp_path / "out", beam=["runner=DaskRunner"])
    with pytest.raises(SystemExit, match="a camera is read here"):
        main(["spot", "--camera", "0", "--out", str(tmp_path / "out"), "--engine", "beam"])


@pytest.mark.slow
@pytest.mark.skipif(not ON_DASK, reason='Beam on Dask is not installed (pip install "apache-beam[dask]")')
def test_scheduler_and_workers_die_and_the_same_command_goes_on(videos: list[Path], tmp_path: Path) -> None:
    """Faces are found by the detector, in processes that start in another folder."""

    def spot(cluster: Cluster) -> Spotted:
        return spot_all(sources_of(videos), tmp_path / "beam", engine="beam", beam=cluster.options)

    spotted = through_deaths(tmp_path, spot)
    local = spot_all(sources_of(videos), tmp_path / "local", progress=False)
    assert tree(tmp_path / "beam") == tree(tmp_path / "local")
    assert [*spotted.lost] == [*local.lost] == ["videos/spoiled"]
    assert any(name.startswith("work/001-a.mp4/block-") for name in tree(tmp_path / "beam"))
