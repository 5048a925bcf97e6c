"""Frames from folders and videos: what is read, and what is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.rows import made_row
from helpers.videos import write_video

from mer_tf.config import MerError
from mer_tf.datasets.clip_frames import iter_clip, read_clip
from mer_tf.datasets.manifest import ClipRow
from mer_tf.preprocessing.frames import read_frame
from mer_tf.preprocessing.video import iter_video, probe_video

NOISE = np.random.default_rng(0).integers(0, 256, (33, 47, 3), np.uint8)


def row(root: Path, **changes: object) -> ClipRow:
    return made_row(**({"clip_id": "x/c", "root": root, "offset": 99} | changes))


def reds(count: int) -> list[np.ndarray]:
    return [np.full((48, 64, 3), (0, 0, 20 * i), np.uint8) for i in range(count)]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Frames 1, 2, 9, 10, each of one grey value, ten times its number."""
    (tmp_path / "clip").mkdir()
    for number in (10, 9, 1, 2):
        cv2.imwrite(str(tmp_path / "clip" / f"img{number}.png"), np.full((20, 30, 3), 10 * number, np.uint8))
    return tmp_path


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".jpg"])
def test_a_frame_is_rgb(tmp_path: Path, suffix: str) -> None:
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 2] = 200
    cv2.imwrite(str(tmp_path / f"a{suffix}"), red)
    frame = read_frame(tmp_path / f"a{suffix}")
    assert frame.dtype == np.uint8
    np.testing.assert_allclose(frame[8, 8], (200, 0, 0), atol=3)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".jpg"])
@pytest.mark.parametrize("kept", [0.0, 0.01, 0.3, 0.7, 0.97])
def test_a_truncated_frame_is_refused_by_name(tmp_path: Path, suffix: str, kept: float) -> None:
    path = tmp_path / f"a1{suffix}"
    cv2.imwrite(str(path), NOISE)
    data = path.read_bytes()
    assert read_frame(path).shape == NOISE.shape
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(MerError, match=f"a1{suffix}"):
        read_frame(path)


def test_one_flipped_bit_in_a_png_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a1.png"
    cv2.imwrite(str(path), NOISE)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(MerError, match=r"a1\.png: damaged PNG"):
        read_frame(path)


def test_a_thumbnail_does_not_hide_that_a_jpeg_is_truncated(tmp_path: Path) -> None:
    path = tmp_path / "a1.jpg"
    whole = cv2.imencode(".jpg", NOISE)[1].tobytes()
    thumbnail = cv2.imencode(".jpg", NOISE[:8, :8])[1].tobytes()
    header = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    path.write_bytes(whole[:2] + header + whole[2:])
    assert read_frame(path).shape == NOISE.shape
    path.write_bytes((whole[:2] + header + whole[2:])[:-200])
    with pytest.raises(MerError, match="truncated JPEG"):
        read_frame(path)


@pytest.mark.parametrize("content", [b"", b"not an image at all", b"BM"])
def test_what_is_no_image_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a1.bmp").write_bytes(content)
    with pytest.raises(MerError, match=r"a1\.bmp"):
        read_frame(tmp_path / "a1.bmp")
    with pytest.raises(MerError, match=r"none\.png"):
        read_frame(tmp_path / "none.png")


def test_grey_and_16_bit_become_8_bit_rgb(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "g.png"), np.full((5, 6), 77, np.uint8))
    cv2.imwrite(str(tmp_path / "d.png"), np.full((5, 6), 77 * 256 + 200, np.uint16))
    for name in ("g.png", "d.png"):
        frame = read_frame(tmp_path / name)
        assert frame.dtype == np.uint8
        assert frame.shape == (5, 6, 3)
        assert np.unique(frame).tolist() == [77]


def test_frames_come_in_numeric_order_within_onset_and_offset(clip: Path) -> None:
    frames, numbers = read_clip(row(clip, onset=2, offset=10))
    assert numbers.tolist() == [2, 9, 10]
    assert [int(f[0, 0, 0]) for f in frames] == [20, 90, 100]


def test_frames_of_unequal_size_are_refused_with_both_names(clip: Path) -> None:
    cv2.imwrite(str(clip / "clip" / "img9.png"), np.zeros((20, 31, 3), np.uint8))
    with pytest.raises(MerError, match=r"img1\.png is 30x20 but .*img9\.png is 31x20"):
        read_clip(row(clip))


@pytest.mark.parametrize(("onset", "offset", "count"), [(1, 1, 1), (3, 8, 0)])
def test_a_clip_of_one_frame_is_refused(clip: Path, onset: int, offset: int, count: int) -> None:
    with pytest.raises(MerError, match=f"{count} frame.*no motion"):
        read_clip(row(clip, onset=onset, offset=offset))


def test_a_row_cannot_leave_its_root(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("other")
    (root / "link").symlink_to(clip / "clip")
    up = Path("..") / clip.relative_to(clip.parent) / "clip"
    for frames_dir in ("link", str(up), str(clip / "clip")):
        with pytest.raises(MerError, match="outside its root"):
            read_clip(row(root, frames_dir=frames_dir))


def test_a_video_is_read_by_frame_number(tmp_path: Path) -> None:
    write_video(tmp_path / "v.avi", reds(8))
    assert probe_video(tmp_path / "v.avi").frames == 8
    assert probe_video(tmp_path / "v.avi").fps == 25.0
    frames, numbers = read_clip(row(tmp_path, frames_dir="", video="v.avi", onset=2, offset=5))
    assert numbers.tolist() == [2, 3, 4, 5]
    np.testing.assert_allclose([f[5, 5, 0] for f in frames], [40, 60, 80, 100], atol=5)


def test_a_video_shorter_than_its_row_is_refused(tmp_path: Path) -> None:
    write_video(tmp_path / "v.avi", reds(4))
    with pytest.raises(MerError, match=r"v\.avi: ends after 4 frames, but frame 6"):
        list(iter_video(tmp_path / "v.avi", 0, 6))


@pytest.mark.parametrize("spoil", [lambda b: b"", lambda b: b[:100], lambda b: b"\0" * len(b)])
def test_a_broken_video_is_refused_by_name(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    path = write_video(tmp_path / "v.avi", reds(4))
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(MerError, match=r"v\.avi"):
        probe_video(path)


def test_a_clip_is_read_lazily(clip: Path) -> None:
    (clip / "clip" / "img10.png").write_bytes(b"")
    assert next(iter_clip(row(clip)))[0] == 1
