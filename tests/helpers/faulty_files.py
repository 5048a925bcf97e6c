"""Files as they go wrong: images and videos that are cut, foreign, huge or odd."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from helpers.videos import greys, write_video

PNG = b"\x89PNG\r\n\x1a\n"
BOXES = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


def converted(mode: str, suffix: str) -> Callable[[Path], None]:
    """Replace a frame by itself in another of Pillow's modes and formats; its name stays."""

    def make(frame: Path) -> None:
        picture = Image.open(frame).convert(mode)
        picture.save(frame.with_suffix(suffix), quality=95)
        frame.with_suffix(suffix).rename(frame)

    return make


def sixteen_bits(frame: Path) -> None:
    """Replace a frame by one of 16 bits whose upper 8 are its own."""
    pixels = cv2.imread(str(frame))
    assert pixels is not None
    cv2.imwrite(str(frame), pixels.astype(np.uint16) * 256 + 99)


def bomb(frame: Path) -> None:
    """A PNG of about 100 KB, whole, that decodes to 2.7 GB: one compressed block of black rows, again and again."""
    side, repeats = 30_000, 300
    size = side * (1 + side // 8)
    packer = zlib.compressobj(9, wbits=-15)
    block = packer.compress(bytes(size // repeats)) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = struct.pack(">I", size % 65521 << 16 | 1)
    pixels = b"\x78\xda" + block * repeats + zlib.compressobj(wbits=-15).flush() + checksum
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    frame.write_bytes(PNG + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b""))


def write_cornered(path: Path, frames: int, code: str = "mp4v") -> Path:
    """Frames of 64x48 pixels with a bright upper left corner, 25 a second."""
    pictures = greys(frames, 10)
    for picture in pictures:
        picture[:16, :16] = 255
    return write_video(path, pictures, code)


def turn_video(path: Path) -> None:
    """Let an MP4 say that it is to be shown turned by 90 degrees, as telephones do."""
    data = bytearray(path.read_bytes())
    matrix = data.find(b"tkhd") + 44
    data[matrix : matrix + 36] = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 48 << 16, 0, 1 << 30)
    path.write_bytes(data)


def make_uneven(path: Path) -> None:
    """Let the second half of an MP4's frames last five times as long as the first."""
    retime(path, lambda frames, ticks: [(frames // 2, ticks), (frames - frames // 2, 5 * ticks)])


def retime(path: Path, lasting: Callable[[int, int], list[tuple[int, int]]]) -> None:
    """Let an MP4's frames last otherwise: `lasting` turns (frames, ticks of each) into such pairs, in order."""
    data = bytearray(path.read_bytes().replace(b"edts", b"free"))  # its edit list would cut the new length off
    table = data.find(b"stts") + 8
    entries, frames, ticks = struct.unpack_from(">III", data, table)
    assert entries == 1
    parts = lasting(frames, ticks)
    data[table : table + 12] = struct.pack(f">{1 + 2 * len(parts)}I", len(parts), *(n for part in parts for n in part))
    for box in (*BOXES, b"stts"):
        at = data.find(box) - 4
        data[at : at + 4] = struct.pack(">I", struct.unpack_from(">I", data, at)[0] + 8 * (len(parts) - 1))
    path.write_bytes(data)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
