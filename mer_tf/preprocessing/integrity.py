"""Is an image file whole? OpenCV decodes the part that is there and fills the rest with grey, so it cannot be asked."""

from __future__ import annotations

import struct
import zlib

PNG = b"\x89PNG\r\n\x1a\n"


def fault(data: bytes) -> str | None:
    """Why the bytes of a BMP, JPEG or PNG file cannot be a whole image; None when nothing is amiss."""
    if not data:
        return "the file is empty"
    if data.startswith(b"\xff\xd8"):
        return _jpeg_fault(data)
    if data.startswith(PNG):
        return _png_fault(data)
    if data.startswith(b"BM"):
        return _bmp_fault(data)
    return "not a BMP, JPEG or PNG image"


def _jpeg_fault(data: bytes) -> str | None:
    """An end marker must follow the last scan; a thumbnail in the header has its own, which lies before it."""
    return None if data.rfind(b"\xff\xd9") > data.rfind(b"\xff\xda") > 0 else "truncated JPEG (no end marker)"


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
