"""Is an image file whole, and of a size that can be?

OpenCV cannot be asked: it decodes the part that is there and fills the rest with grey, and it takes gigabytes of memory
for a small file that states a huge image.
"""

from __future__ import annotations

import struct
import zlib

PNG = b"\x89PNG\r\n\x1a\n"
MOST_PIXELS = 10**8
"""More than any camera's frame: 300 MB decoded."""


def fault(data: bytes) -> str | None:
    """Why the bytes of a BMP, JPEG or PNG file cannot be a whole image; None when nothing is amiss."""
    if not data:
        return "the file is empty"
    known = {b"\xff\xd8": (_jpeg_fault, _jpeg_size), PNG: (_png_fault, _png_size), b"BM": (_bmp_fault, _bmp_size)}
    for start, (broken, size) in known.items():
        if data.startswith(start):
            return broken(data) or _size_fault(*size(data))
    return "not a BMP, JPEG or PNG image"


def _size_fault(width: int, height: int) -> str | None:
    if width * height > MOST_PIXELS:
        return f"states {width}x{height} pixels, a decompression bomb (more than {MOST_PIXELS // 10**6} million)"
    return None


def _jpeg_fault(data: bytes) -> str | None:
    """An end marker must follow the last scan; a thumbnail in the header has its own, which lies before it."""
    return None if data.rfind(b"\xff\xd9") > data.rfind(b"\xff\xda") > 0 else "truncated JPEG (no end marker)"


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Width and height of the frame header, found from segment to segment; (0, 0) where there is none."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        kind = data[at + 1]
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 1 if kind == 0xFF else 2 + int(struct.unpack_from(">H", data, at + 2)[0])
    return 0, 0


def _png_fault(data: bytes) -> str | None:
    """Walk the chunks to IEND, checking each length and CRC."""
    at = len(PNG)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 12 + length
        if end > len(data):
            break
        kind = data[at + 4 : at + 8]
        if zlib.crc32(data[at + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
            return f"damaged PNG (checksum of chunk {kind.decode('latin-1')})"
        if kind == b"IEND":
            return None
        at = end
    return "truncated PNG"


def _png_size(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from(">II", data.ljust(24, b"\0"), len(PNG) + 8)
    return width, height


def _bmp_fault(data: bytes) -> str | None:
    """An uncompressed BMP needs height rows of whole 4-byte words after the pixel offset; RLE states its size."""
    if len(data) < 54:
        return "truncated BMP header"
    offset, header, width, height, _, bits, compression, image_bytes = struct.unpack_from("<IIiiHHII", data, 10)
    if header < 40:
        return None
    rows = (abs(width) * bits + 31) // 32 * 4 * abs(height)
    need = image_bytes if compression in (1, 2) else rows
    return None if len(data) >= offset + need else f"truncated BMP ({len(data)} of {offset + need} bytes)"


def _bmp_size(data: bytes) -> tuple[int, int]:
    (header,) = struct.unpack_from("<I", data, 14)
    width, height = struct.unpack_from("<ii" if header >= 40 else "<HH", data, 18)
    return abs(width), abs(height)
