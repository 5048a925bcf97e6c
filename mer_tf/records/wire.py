"""TFRecord files and the tf.train.Example in them, read without TensorFlow; checksums are those of the whole file."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

HEAD, TAIL = 12, 4
"""Bytes before a record (its length, and that one's checksum) and after it (its checksum)."""
VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
Features = Mapping[str, list[Any]]
"""Name -> values: bytes, or whole numbers. An Example's own floats, of 32 bits, are never written."""


def records(path: Path, wanted: frozenset[int] | None = None) -> Iterator[bytes]:
    """The records of a file in their order, of the places `wanted` alone; the others are not read.

    `ValueError` where the file ends within a record. Whether its bytes are right says `index.require_whole`.
    """
    place = 0
    with Path(path).open("rb") as stream:
        while head := stream.read(HEAD):
            if len(head) < HEAD:
                raise ValueError("it ends within a record")
            (length,) = struct.unpack("<Q", head[:8])
            if wanted is not None and place not in wanted:
                stream.seek(length + TAIL, 1)
            else:
                record = stream.read(length)
                if len(record) + len(stream.read(TAIL)) < length + TAIL:
                    raise ValueError("it ends within a record")
                yield record
            place += 1


def example(record: bytes) -> Features:
    """The features of a serialised tf.train.Example."""
    found = {}
    for _, features in _fields(memoryview(record)):
        for _, entry in _fields(features):
            pair = dict(_fields(entry))
            found[bytes(pair[1]).decode()] = _values(pair[2])
    return found


def _values(feature: memoryview) -> list[Any]:
    """Values of the one list that a feature has: bytes (1) or whole numbers (3), which are packed."""
    values: list[Any] = []
    for kind, held in _fields(feature):
        for _, value in _fields(held):
            values += [value] if kind == 1 else _integers(value)
    return values


def _fields(data: memoryview) -> Iterator[tuple[int, Any]]:
    """Number and value of each field of a protocol buffer: a view of its bytes, or a whole number."""
    place = 0
    while place < len(data):
        tag, place = _varint(data, place)
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            value, place = _varint(data, place)
            yield number, value
            continue
        length = {FIXED64: 8, FIXED32: 4}.get(kind)
        if length is None:
            if kind != LENGTH:
                raise ValueError(f"a field of the unknown kind {kind}")
            length, place = _varint(data, place)
        if place + length > len(data):
            raise ValueError("a field ends after its record")
        yield number, data[place : place + length]
        place += length


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    """The number that stands at a place, and the place after it."""
    value = shift = 0
    while True:
        if place >= len(data):
            raise ValueError("a number ends after its record")
        byte = data[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place


def _integers(value: Any) -> list[int]:
    """Signed numbers of 64 bits, packed or alone."""
    found, place = [], 0
    if isinstance(value, int):
        found = [value]
    else:
        while place < len(value):
            number, place = _varint(value, place)
            found.append(number)
    return [number - 2**64 if number >= 2**63 else number for number in found]
