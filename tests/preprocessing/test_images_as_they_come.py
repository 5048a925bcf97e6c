"""Image files as users have them: damaged, huge on paper, of 10 to 16 bits, lying on their side."""

from __future__ import annotations

import dataclasses
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import hypothesis.strategies as st
import numpy as np
import pytest
import simplejpeg
from helpers.rows import made_row
from hypothesis import given, settings
from numpy.typing import NDArray
from PIL import Image, ImageOps

from mer_tf.config import MerError
from mer_tf.datasets.clip_frames import read_clip
from mer_tf.preprocessing.frames import DEPTHS, depth, read_frame, read_frames
from mer_tf.preprocessing.integrity import MOST_PIXELS, fault

NOISE = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
SMOOTH = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 256, (120, 160, 3), np.uint8), (0, 0), 3)


def encoded(suffix: str, image: NDArray[np.generic] = NOISE) -> bytes:
    return cv2.imencode(suffix, image)[1].tobytes()


def huge_jpeg() -> bytes:
    """A small JPEG that states 20000 x 20000."""
    data = bytearray(encoded(".jpg", NOISE[:16, :16]))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", 20000, 20000)
    return bytes(data)


def huge_png() -> bytes:
    data = bytearray(encoded(".png"))
    data[16:24] = struct.pack(">II", 60000, 60000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


def huge_bmp() -> bytes:
    data = bytearray(encoded(".bmp"))
    data[18:26] = struct.pack("<ii", 30000, -30000)
    return bytes(data)


def before_sof(data: bytes, junk: bytes) -> bytes:
    at = data.index(b"\xff\xc0")
    return data[:at] + junk + data[at:]


@pytest.mark.parametrize(
    "data",
    [
        huge_jpeg(),
        before_sof(huge_jpeg(), b"\0"),
        before_sof(huge_jpeg(), b"junk"),
        before_sof(huge_jpeg(), b"\xff\xff"),
        huge_jpeg()[:2] + encoded(".jpg", NOISE[:8, :8])[2:20] + huge_jpeg()[2:],
        huge_png(),
        huge_bmp(),
    ],
    ids=["jpeg", "junk byte", "junk", "fill bytes", "second header", "png", "bmp"],
)
def test_a_decompression_bomb_never_reaches_the_decoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    (tmp_path / "f1.jpg").write_bytes(data)
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    with pytest.raises(MerError, match=r"f1\.jpg: .*(decompression bomb|damaged)"):
        read_frame(tmp_path / "f1.jpg")


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    kind=st.sampled_from([".jpg", ".png", ".bmp"]),
    edits=st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=4), st.integers(0, 4)), min_size=1, max_size=3),
)
def test_no_bytes_make_anything_but_a_frame_or_a_named_fault(
    tmp_path_factory: pytest.TempPathFactory, kind: str, edits: list[tuple[float, bytes, int]]
) -> None:
    data = encoded(kind)
    for place, new, removed in edits:
        at = int(place * (len(data) if kind == ".png" else min(len(data), 700)))
        data = data[:at] + new + data[at + removed :]
    path = tmp_path_factory.getbasetemp() / f"fuzz1{kind}"
    path.write_bytes(data)
    frame, said = read(path)
    assert path.name in said or (frame is not None and frame.size <= 3 * MOST_PIXELS)


def read(path: Path) -> tuple[NDArray[np.uint8] | None, str]:
    """The frame, or what is said of the file."""
    try:
        return read_frame(path), ""
    except MerError as error:
        return None, str(error)


def flipped(data: bytearray, at: int) -> None:
    data[at] ^= 16


def overwritten(data: bytearray, at: int) -> None:
    data[at : at + 100] = bytes((37 * i * i + 11 * i) % 251 for i in range(100))


def removed(data: bytearray, at: int) -> None:
    del data[at : at + 50]


@pytest.mark.parametrize(("damage", "least"), [(flipped, 4), (overwritten, 15), (removed, 8)])
def test_what_the_jpeg_decoder_mends_is_refused(
    tmp_path: Path, damage: Callable[[bytearray, int], None], least: int
) -> None:
    """30 places each; what passes is what libjpeg reads without a warning, since JPEG has no checksum."""
    whole = encoded(".jpg", SMOOTH)
    start = whole.index(b"\xff\xda") + 20
    refused = 0
    for at in np.linspace(start, len(whole) - 150, 30).astype(int):
        data = bytearray(whole)
        damage(data, int(at))
        path = tmp_path / "f1.jpg"
        path.write_bytes(data)
        frame, said = read(path)
        refused += "JPEG (" in said
        if frame is not None:
            np.testing.assert_array_equal(frame, simplejpeg.decode_jpeg(bytes(data), strict=True))
    assert refused >= least


@pytest.mark.parametrize(
    "options", [{"progressive": True}, {"optimize": True}, {"subsampling": 0}, {"restart_marker_rows": 1}]
)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_whole_jpegs_of_all_kinds_are_whole(mode: str, options: dict[str, int]) -> None:
    stream = io.BytesIO()
    Image.fromarray(NOISE).convert(mode).save(stream, "JPEG", **options)
    assert fault(stream.getvalue()) is None
    assert fault(stream.getvalue() + b"\0" * 100) is None, "what stands after the end is not the image's"


def test_12_bits_in_16_keep_their_grey_levels(tmp_path: Path) -> None:
    ramp = np.linspace(0, 4095, 64 * 48).astype(np.uint16).reshape(48, 64)
    cv2.imwrite(str(tmp_path / "f1.png"), ramp)
    np.testing.assert_array_equal(read_frame(tmp_path / "f1.png")[..., 0], ramp >> 4)


def test_one_scale_for_all_frames_of_a_clip(tmp_path: Path) -> None:
    (tmp_path / "clip").mkdir()
    for number, value in enumerate([100, 900, 4000, 1500], 1):
        cv2.imwrite(str(tmp_path / f"clip/f{number}.png"), np.full((4, 5), value, np.uint16))
    row = made_row(root=tmp_path, offset=4)
    assert [int(f[0, 0, 0]) for f in read_clip(row)[0]] == [6, 56, 250, 93]
    assert [int(f[0, 0, 0]) for f in read_clip(dataclasses.replace(row, offset=2))[0]] == [25, 225]


@settings(max_examples=20, deadline=None, derandomize=True)
@given(bits=st.sampled_from(DEPTHS), rest=st.lists(st.integers(0, 2**16 - 1), min_size=3, max_size=3))
def test_a_depth_is_that_of_the_brightest(tmp_path_factory: pytest.TempPathFactory, bits: int, rest: list[int]) -> None:
    folder = tmp_path_factory.mktemp("clip")
    values = [2**bits - 1, *(v % 2**bits for v in rest)]
    paths = [folder / f"f{i}.png" for i in range(4)]
    for path, value in zip(paths, values, strict=True):
        cv2.imwrite(str(path), np.full((2, 2), value, np.uint16))
    assert depth(values) == bits
    assert [int(frame[0, 0, 0]) for frame in read_frames(paths)] == [v >> (bits - 8) for v in values]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_picture_is_turned_upright(tmp_path: Path, suffix: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"f1{suffix}"
    Image.fromarray(np.repeat(NOISE, 2, axis=0) // 2).save(path, exif=exif)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))
    frame = read_frame(path)
    assert frame.shape == upright.shape
    assert np.abs(frame.astype(int) - upright).mean() < 1
