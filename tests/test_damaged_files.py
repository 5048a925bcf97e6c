"""Damaged and odd files of every kind: each reader gives a value or a `MerError`, and nothing else."""

import dataclasses
import io
import json
import zipfile
from contextlib import suppress

import openpyxl
import pytest
from helpers.excel_97 import xls
from helpers.rows import made_row
from hypothesis import given, settings
from hypothesis import strategies as st

from mer_tf.changes import read_experiment
from mer_tf.config import Experiment, MerError
from mer_tf.datasets.adapters.sheets import read_sheet
from mer_tf.datasets.counts import read_reference
from mer_tf.datasets.labels import load_protocol
from mer_tf.datasets.manifest import read_manifest, write_manifest
from mer_tf.evaluation.predictions import read_predictions
from mer_tf.files import read_json, read_mapping
from mer_tf.preprocessing.face_blocks import load_blocks
from mer_tf.reporting.run_files import read_run
from mer_tf.scoring.audit import read_claims
from mer_tf.scoring.tables import read_foreign

LINES = [["Subject", "Filename", "OnsetFrame", "label", "pred"]]
LINES += [["1", "EP01", "4", "a", "a"], ["2", "x", "9", "b", "a"]]
ROW = made_row(clip_id="smic-hs/b", subject="smic/s01", session="1", onset=3, apex=5, aus="4")
LOG = "Subject: s\nPredicted: [0, 1, 2]\nGround Truth: [0, 1, 1]\nSubject: t\nPredicted: [0]\nGround Truth: [0]\n"
SHEET = {"subject": ("Subject",), "clip": ("Filename",), "onset": ("OnsetFrame",)}


def workbook():
    book, data = openpyxl.Workbook(), io.BytesIO()
    for line in LINES:
        book.active.append(line)
    book.active.merge_cells("A2:A3")
    book.save(data)
    return data.getvalue()


def csv_text(rows):
    return "".join(",".join(row) + "\n" for row in rows)


def sheet(path):
    table = read_sheet(path, columns=SHEET, header_key="Subject")
    return [(r.text("subject"), r.integer("onset")) for r in table.rows]


CONFIG = json.dumps({"experiment": dataclasses.asdict(Experiment("x"))}).encode()
KINDS = {
    "xlsx sheet": (sheet, workbook()),
    "xls sheet": (sheet, xls(LINES)),
    "csv sheet": (sheet, csv_text(LINES).encode()),
    "xlsx predictions": (read_foreign, workbook()),
    "xls predictions": (read_foreign, xls(LINES)),
    "csv predictions": (read_foreign, csv_text(LINES).encode()),
    "log": (read_foreign, LOG.encode()),
    "own predictions": (read_predictions, b"clip_id,y_true,y_pred\na,x,x\nb,y,x\n"),
    "claims": (read_claims, b"printed,n,unit,same_as\n50.00,66,accuracy %,x\n51.52,66+65,UAR %,y\n"),
    "reference": (lambda p: read_reference(p, load_protocol("smic-3")), b"clip_id,class\na,negative\nb,x\n"),
    "blocks": (lambda p: load_blocks(str(p)), b"name,landmarks,dx,dy,region,source\na,3+5,1,0,eye,x\n"),
    "settings": (read_experiment, CONFIG),
    "json": (read_json, CONFIG),
}  # fmt: skip


EXAMPLES = [60, pytest.param(200, marks=pytest.mark.slow)]
ODD = [b"\x00", b'"', b"\r", b",,,", b"\n", b"9" * 30, b"[" * 2000, b";", b"\xff\xfe"]


def damaged(data):
    """Bytes changed, cut off, doubled or put in, at up to five places."""
    place = st.integers(0, len(data))
    change = st.one_of(
        st.tuples(place, st.just(1), st.binary(min_size=1, max_size=1)),
        st.tuples(place, st.integers(0, len(data)), st.binary(max_size=6)),
        st.tuples(place, st.just(0), st.sampled_from(ODD)),
    )

    def changed(changes):
        held = data
        for start, length, new in changes:
            held = held[:start] + new + held[start + length :]
        return held

    return st.lists(change, min_size=1, max_size=5).map(changed)


@pytest.mark.parametrize("examples", EXAMPLES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_damaged_file_is_read_or_refused(kind, examples, tmp_path):
    read, data = KINDS[kind]
    path = tmp_path / f"t{'.json' if data is CONFIG else '.csv'}"
    path.write_bytes(data)
    read(path)

    @settings(max_examples=examples, deadline=None, derandomize=True, database=None)
    @given(damaged(data))
    def fuzz(harmed):
        path.write_bytes(harmed)
        with suppress(MerError):
            read(path)

    fuzz()


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_an_xlsx_whose_parts_are_damaged_is_read_or_refused(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "parts.xlsx"
    archive = zipfile.ZipFile(io.BytesIO(workbook()))
    parts = {name: archive.read(name) for name in archive.namelist()}
    name = data.draw(st.sampled_from(sorted(parts)))
    parts[name] = data.draw(damaged(parts[name]))
    with zipfile.ZipFile(path, "w") as out:
        for part, content in parts.items():
            out.writestr(part, content)
    with suppress(MerError):
        sheet(path)


@pytest.mark.parametrize("examples", EXAMPLES)
def test_a_manifest_that_is_damaged_is_read_or_refused(examples, tmp_path):
    path = write_manifest([ROW, dataclasses.replace(ROW, clip_id="smic-hs/c")], tmp_path / "m.csv")

    @settings(max_examples=examples, deadline=None, derandomize=True, database=None)
    @given(damaged(path.read_bytes()))
    def fuzz(harmed):
        (tmp_path / "h.csv").write_bytes(harmed)
        with suppress(MerError):
            read_manifest(tmp_path / "h.csv")

    fuzz()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (xls([["EncryptedPackage"]], "EncryptedPackage"), "is protected by a password"),
        (xls([["a"]], "WordDocument"), "not a readable xls file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "not a readable xls file"),
        (b"PK\x03\x04" + bytes(80), "not a readable xlsx file"),
        (b"<html><table>Subject</table></html>", "is a web page or XML"),
    ],
)
def test_files_that_only_look_like_sheets_are_named(data, message, tmp_path):
    path = tmp_path / "s.xls"
    path.write_bytes(data)
    for read in (sheet, read_foreign, read_manifest, read_claims):
        with pytest.raises(MerError, match=message):
            read(path)


@pytest.mark.slow
def test_a_workbook_of_charts_alone_and_one_that_unpacks_to_much_are_named(tmp_path):
    book, path = openpyxl.Workbook(), tmp_path / "s.xlsx"
    book.create_chartsheet("chart", 0).add_chart(openpyxl.chart.BarChart())
    book["Sheet"].append(LINES[0])
    book["Sheet"].append(LINES[1])
    book.save(path)
    assert sheet(path) == [("1", 4)]
    assert read_foreign(path).frame["y_true"].tolist() == ["a"]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("xl/workbook.xml", bytes(300 * 2**20))
    with pytest.raises(MerError, match="would unpack to more than 256 MiB"):
        sheet(path)
    book = openpyxl.Workbook()
    book.active["XFD1048576"] = "far"
    book.save(path)
    with pytest.raises(MerError, match="spans 1048576 x 16384 cells; delete the empty rows"):
        sheet(path)


@pytest.mark.parametrize("text", ["[" * 100_000, "[1, 2]", "3", '"x"', "null", "{", "", "\ufeff", "9" * 5000])
def test_json_that_is_no_mapping_is_named(text, tmp_path):
    (tmp_path / "config.json").write_text(text)
    for read in (read_mapping, read_experiment, lambda path: read_run(path.parent)):
        with pytest.raises(MerError, match=r"config\.json"):
            read(tmp_path / "config.json")
