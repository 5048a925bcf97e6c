"""Is an image file whole, and of a size that can be?

OpenCV cannot be asked: it decodes the part that is there and fills the rest with grey, says nothing of what it mended,
and takes gigabytes of memory for a small file that states a huge image. Pillow and libjpeg-turbo (simplejpeg) can: they
tell the size that they would decode before they do, and what in the file is broken.
"""

from __future__ import annotations

import io
import re
import struct
import zlib

from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.ImageFile import ImageFile
from PIL.PngImagePlugin import PngImageFile

MOST_PIXELS = 10**8
"""More than any camera's frame: 300 MB decoded."""
BROKEN = (OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, ArithmeticError, struct.error, zlib.error)
"""What Pillow raises for files that are no images."""
PNG = b"\x89PNG\r\n\x1a\n"
ORIENTATION, EXIF_WITHIN = 0x0112, 2**18
FORMATS = {PNG: "PNG", b"\xff\xd8": "JPEG", b"BM": "BMP"}


def fault(data: bytes) -> str | None:
    """Why the bytes of a BMP, JPEG or PNG file cannot be a whole image; None when nothing is amiss."""
    if not data:
        return "the file is empty"
    kind = next((name for start, name in FORMATS.items() if data.startswith(start)), None)
    if kind is None:
        return "not a BMP, JPEG or PNG image"
    try:
        if kind == "JPEG":
            return _jpeg_fault(data)
        return _pillow_fault(data, PngImageFile if kind == "PNG" else BmpImageFile)
    except BROKEN as error:
        cut = re.search("truncated|premature end of jpeg", str(error), re.IGNORECASE)
        return f"{'truncated' if cut else 'damaged'} {kind} ({error or type(error).__name__})"


def sixteen_bits(data: bytes) -> bool:
    """Whether the bytes are a PNG file of 16 bits a channel, by its header."""
    return data.startswith(PNG) and data[24:25] == b"\x10"


def turned(data: bytes) -> bool:
    """Whether the EXIF of a JPEG or PNG file says that the picture is to be turned or mirrored."""
    if b"Exif\0\0" not in data[:EXIF_WITHIN] and not (data.startswith(PNG) and b"eXIf" in data):
        return False
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
            return image.getexif().get(ORIENTATION) in range(2, 9)
    except BROKEN:
        return False


def _size_fault(width: int, height: int) -> str | None:
    if width * height > MOST_PIXELS:
        return f"states {width}x{height} pixels, a decompression bomb (more than {MOST_PIXELS // 10**6} million)"
    return None


def _jpeg_fault(data: bytes) -> str | None:
    """The whole stream is decoded, at an eighth of its size; what libjpeg would mend in silence is an error.

    A stream that was changed into another valid one cannot be told from it: JPEG has no checksum.
    """
    import simplejpeg

    height, width, space, _ = simplejpeg.decode_jpeg_header(data)
    if reason := _size_fault(width, height):
        return reason
    grey = "CMYK" if space in ("CMYK", "YCCK") else "GRAY"
    simplejpeg.decode_jpeg(data, grey, fastdct=True, fastupsample=True, min_height=1, min_width=1, strict=True)
    return None


def _pillow_fault(data: bytes, kind: type[ImageFile]) -> str | None:
    """The checksums of a PNG; a BMP has none, and its pixels must all be there."""
    image = kind(io.BytesIO(data))
    if reason := _size_fault(*image.size):
        return reason
    if kind is PngImageFile:
        image.verify()
    else:
        image.load()
    return None
