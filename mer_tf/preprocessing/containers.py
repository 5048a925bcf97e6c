"""Which files are videos, by how they begin: names lie, and OpenCV opens more kinds than one can list by suffix."""

from __future__ import annotations

from pathlib import Path

BEGINNINGS = (
    b"\x1a\x45\xdf\xa3",  # Matroska, WebM
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF, WMV
    b"FLV\x01",
    b"OggS",
    b"\x00\x00\x01\xba",  # MPEG programme stream, VOB
    b"\x00\x00\x01\xb3",  # MPEG video
    b"\x06\x0e\x2b\x34",  # MXF
    b"YUV4MPEG2",
    b"DKIF",  # IVF
)
ATOMS = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"})
"""First boxes of MP4 and QuickTime files (.mp4, .m4v, .mov, .3gp)."""
IMAGES = frozenset({b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis", b"crx "})
"""Brands of such files that hold a picture."""
PACKET, SYNC = 188, 0x47
"""Of MPEG transport streams: .ts; with 4 bytes of time before each packet .mts and .m2ts."""


def is_video(path: Path) -> bool:
    """Whether a file begins as a video does; False for what cannot be read."""
    try:
        with Path(path).open("rb") as stream:
            head = stream.read(4 * (PACKET + 4))
    except OSError:
        return False
    if head.startswith(BEGINNINGS) or (head[:4] == b"RIFF" and head[8:11] == b"AVI"):
        return True
    return (head[4:8] in ATOMS and head[8:12] not in IMAGES) or _transport_stream(head)


def _transport_stream(head: bytes) -> bool:
    """Whether packets follow one another, each begun by the sync byte."""
    starts = (range(0, 3 * PACKET, PACKET), range(4, 3 * (PACKET + 4), PACKET + 4))
    return any(len(head) > places[-1] and all(head[k] == SYNC for k in places) for places in starts)
