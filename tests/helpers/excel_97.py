"""A small writer of .xls files (BIFF8 in an OLE container), since no library here writes any."""

import struct

SECTOR = 512
FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def xls(rows, stream="Workbook"):
    """Bytes of a workbook with one tab of texts and numbers; None is an empty cell. `stream` names its content."""
    body = workbook(rows)
    sectors = -(-len(body) // SECTOR)
    body = body.ljust(sectors * SECTOR, b"\0")
    chain = [FAT, END, *range(3, 2 + sectors), END]
    entries = [_entry("Root Entry", 5, END, 0, 1), _entry(stream, 2, 2, len(body), FREE), *[_entry("", 0, 0, 0, 0)] * 2]
    table = struct.pack("<128I", *(chain + [FREE] * (128 - len(chain))))
    return _header() + table + b"".join(entries) + body


def workbook(rows):
    """The records of the stream, one tab `Sheet1`."""
    start = len(_globals(0))
    size = _record(0x200, struct.pack("<IIHHH", 0, len(rows), 0, max(map(len, rows)), 0))
    cells = [_cell(r, c, value) for r, row in enumerate(rows) for c, value in enumerate(row) if value is not None]
    return (_globals(start) + _begin(0x10) + size + b"".join(cells) + _record(0xA)).ljust(4096, b"\0")


def _globals(tab):
    name = b"Sheet1"
    return _begin(5) + _record(0x85, struct.pack("<IBBBB", tab, 0, 0, len(name), 0) + name) + _record(0xA)


def _begin(kind):
    return _record(0x809, struct.pack("<HHHHII", 0x600, kind, 0x0DBB, 0x07CC, 0, 6))


def _cell(row, column, value):
    place = struct.pack("<HHH", row, column, 0)
    if isinstance(value, str):
        return _record(0x204, place + struct.pack("<HB", len(value), 1) + value.encode("utf-16-le"))
    return _record(0x203, place + struct.pack("<d", value))


def _record(code, data=b""):
    return struct.pack("<HH", code, len(data)) + data


def _header():
    start = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    return start + struct.pack("<9I", 0, 1, 1, 0, 4096, END, 0, END, 0) + struct.pack("<109I", 0, *[FREE] * 108)


def _entry(name, kind, start, size, child):
    title = (name + "\0").encode("utf-16-le")
    links = struct.pack("<HBBIII", len(title) if name else 0, kind, 1, FREE, FREE, child)
    return title.ljust(64, b"\0") + links + bytes(36) + struct.pack("<III", start, size, 0)
