"""Spotted events as a file of ELAN (.eaf), the annotation program of the Max Planck Institute for Psycholinguistics.

A tier for each person and verdict, times in milliseconds, and the video by its address beside the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

from mer_tf.files import write_text

KINDS = {".mp4": "video/mp4", ".mov": "video/quicktime", ".mpg": "video/mpeg", ".mpeg": "video/mpeg"}
SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
TYPE = "movement"


def write_elan(path: Path, address: str, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Rows of events.csv of one video; `address`: of the video, relative to the file, or "" where there is none."""
    Xml.register_namespace("xsi", INSTANCE)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    root = Xml.Element("ANNOTATION_DOCUMENT", AUTHOR="mer_tf", DATE=now, FORMAT="3.0", VERSION="3.0")
    root.set(f"{{{INSTANCE}}}noNamespaceSchemaLocation", SCHEMA)
    header = Xml.SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    if address:
        kind = KINDS.get(Path(address).suffix.lower(), "unknown")
        media = {"MEDIA_URL": f"./{address}", "MIME_TYPE": kind, "RELATIVE_MEDIA_URL": f"./{address}"}
        Xml.SubElement(header, "MEDIA_DESCRIPTOR", media)
    Xml.SubElement(header, "PROPERTY", NAME="lastUsedAnnotationId").text = str(len(rows))
    order = Xml.SubElement(root, "TIME_ORDER")
    times = sorted({_milliseconds(row[f"{end}_seconds"]) for row in rows for end in ("onset", "offset")})
    slots = {time: f"ts{k}" for k, time in enumerate(times, start=1)}
    for time, name in slots.items():
        Xml.SubElement(order, "TIME_SLOT", TIME_SLOT_ID=name, TIME_VALUE=str(time))
    _tiers(root, rows, slots)
    Xml.SubElement(root, "LINGUISTIC_TYPE", LINGUISTIC_TYPE_ID=TYPE, TIME_ALIGNABLE="true", GRAPHIC_REFERENCES="false")
    Xml.indent(root)
    return write_text(path, f'<?xml version="1.0" encoding="UTF-8"?>\n{Xml.tostring(root, encoding="unicode")}\n')


def _tiers(root: Xml.Element, rows: Sequence[Mapping[str, Any]], slots: Mapping[int, str]) -> None:
    tiers = dict.fromkeys((row["track"], row["verdict"]) for row in rows)
    number = 0
    for person, verdict in sorted(tiers):
        name = f"person {person} {verdict}"
        tier = Xml.SubElement(root, "TIER", LINGUISTIC_TYPE_REF=TYPE, PARTICIPANT=f"person {person}", TIER_ID=name)
        for row in rows:
            if (row["track"], row["verdict"]) != (person, verdict):
                continue
            number += 1
            ends = [slots[_milliseconds(row[f"{end}_seconds"])] for end in ("onset", "offset")]
            one = Xml.SubElement(Xml.SubElement(tier, "ANNOTATION"), "ALIGNABLE_ANNOTATION", ANNOTATION_ID=f"a{number}")
            one.attrib |= {"TIME_SLOT_REF1": ends[0], "TIME_SLOT_REF2": ends[1]}
            Xml.SubElement(one, "ANNOTATION_VALUE").text = _value(row)


def _value(row: Mapping[str, Any]) -> str:
    units = f"AU {row['suggested_aus']}" if row["suggested_aus"] else ""
    said = [row["cause"], ", ".join(row["regions"].split()).replace("_", " "), units, f"{row['peak_px']:.2f} px"]
    return "; ".join(part for part in said if part)


def _milliseconds(seconds: float) -> int:
    return round(1000 * seconds)
