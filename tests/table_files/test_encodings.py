"""Tables as spreadsheet programs write them: any encoding, line end, separator, `sep=` line and trailing commas."""

import dataclasses
import io
import logging
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from helpers.excel_97 import xls
from helpers.rows import made_row
from hypothesis import given, settings
from hypothesis import strategies as st

from mer_tf.config import MerError
from mer_tf.datasets.adapters.sheets import read_sheet
from mer_tf.datasets.counts import read_reference
from mer_tf.datasets.labels import load_protocol
from mer_tf.datasets.manifest import read_manifest, write_manifest
from mer_tf.evaluation.predictions import read_predictions
from mer_tf.preprocessing.face_blocks import load_blocks
from mer_tf.scoring.audit import read_claims
from mer_tf.scoring.tables import read_foreign
from mer_tf.table_files import cell_text, decoded, read_cells, read_table
from mer_tf.table_files.grid import whole_number

ROW = made_row(clip_id="smic-hs/b", subject="smic/s01", session="1", apex=5, label_raw="négatif", aus="4+7")
VARIANTS = {
    "as Excel for Mac writes it": lambda t: t.replace("\n", "\r").encode(),
    "of Windows": lambda t: t.replace("\n", "\r\n").encode("utf-8-sig"),
    "with sep=;": lambda t: ("sep=;\n" + t.replace(",", ";")).encode(),
    "with sep=, and quotes": lambda t: ('"sep=,"\r\n' + t).encode(),
    "with a tab": lambda t: t.replace(",", "\t").encode("utf-16"),
    "of UTF-16 without a mark": lambda t: t.encode("utf-16-le"),
    "of UTF-16 the other way round": lambda t: b"\xfe\xff" + t.encode("utf-16-be"),
    "of GBK": lambda t: t.encode("gbk"),
    "with trailing commas": lambda t: t.replace("\n", ",,,\n").encode(),
    "with trailing commas in rows alone": lambda t: t.split("\n", 1)[0].encode() + b"\n" + t.split("\n", 1)[1].replace(
        "\n", ",,\n"
    ).encode(),
    "with empty rows": lambda t: t.replace("\n", "\n,,,\n\n").encode(),
    "of DOS": lambda t: t.replace("\n", "\r\n").encode() + b"\x1a",
}  # fmt: skip


def manifest_text():
    text = io.StringIO()
    pd.DataFrame([dataclasses.asdict(dataclasses.replace(ROW, label_raw="消极"))]).to_csv(text, index=False)
    return text.getvalue()


def read_rows(path):
    return [dataclasses.replace(ROW, label_raw="消极")] == read_manifest(path)


READERS = {
    "sheet": (
        "Subject,Filename,OnsetFrame\n1,消极,4\n2,积极,5\n",
        lambda path: (
            [
                (r.text("s"), r.text("f"), r.integer("o"))
                for r in read_sheet(
                    path, columns={"s": ("Subject",), "f": ("Filename",), "o": ("Onset Frame",)}, header_key="subject"
                ).rows
            ]
            == [("1", "消极", 4), ("2", "积极", 5)]
        ),
    ),
    "manifest": (manifest_text(), read_rows),
    "predictions": (
        "clip_id,y_true,y_pred\na,消极,消极\nb,消极,积极\n",
        lambda path: read_predictions(path)["y_pred"].tolist() == ["消极", "积极"],
    ),
    "score": (
        "视频,Filename,label,pred\nx,a,消极,消极\ny,b,消极,积极\n",
        lambda path: read_foreign(path).frame["y_pred"].tolist() == ["消极", "积极"],
    ),
    "audit": (
        "printed,n,group\n50.00,66,消极\n51.52,66,消极\n",
        lambda path: read_claims(path)["group"].tolist() == ["消极", "消极"],
    ),
    "reference": (
        "clip_id,class\na,消极\nb,Negative\n",
        lambda path: read_reference(path, load_protocol("smic-3")) == {"a": "消极", "b": "negative"},
    ),
    "blocks": (
        "name,landmarks,dx,dy,region,source\n眼睛,3+5,1,0,eye,x\n嘴巴,4,0,0,jaw,x\n",
        lambda path: load_blocks(str(path)).names == ("眼睛", "嘴巴"),
    ),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_reader_reads_every_variant(reader, variant, tmp_path):
    text, right = READERS[reader]
    path = tmp_path / "t.csv"
    path.write_bytes(VARIANTS[variant](text))
    assert right(path)


@pytest.mark.parametrize("suffix", [".csv", ".xls", ".xlsx", ".txt"])
@pytest.mark.parametrize("reader", READERS)
def test_excel_is_known_by_its_content(reader, suffix, tmp_path):
    text, right = READERS[reader]
    lines, book, path = [line.split(",") for line in text.splitlines()], openpyxl.Workbook(), tmp_path / f"t{suffix}"
    for line in lines:
        book.active.append(line)
    book.save(path)
    assert right(path)
    path.write_bytes(xls(lines))
    assert right(path)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("a,b\n1,消极".encode("gbk"), "GBK (Chinese)"),
        ("a,b\n1,é".encode("utf-16"), "UTF-16, so that it says 'é'"),
        ("Société,générale\n".encode("latin-1"), "Windows-1252 (Latin-1), so that it says 'Société'"),
        ("Straße,Übung,naïve\n".encode("cp1252"), "Windows-1252 (Latin-1), so that it says 'Straße'"),
        ("label,emoção\n".encode("cp1252"), "Windows-1252 (Latin-1), so that it says 'emoção'"),
        ("Müller,René\rx,y".encode("mac_roman"), "Mac Roman, so that it says 'Müller'"),
        ("a,b\n1,é".encode(), ""),
    ],
)
def test_the_encoding_that_was_taken_is_said_once(data, said, tmp_path, caplog):
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    with caplog.at_level(logging.WARNING):
        read_cells(path, "")
        read_cells(path, "")
    assert [f"is read as {said}" in r.getMessage() for r in caplog.records] == ([True] if said else [])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("Иван,Счастье\n".encode("cp1251"), "neither Excel nor text in UTF-8, UTF-16, GBK, EUC-KR, .* Roman; mend it"),
        ("Łukasz,Paweł\n".encode("cp1250"), "neither Excel nor text"),
        ("女性,ドイツ\n".encode("shift_jis"), "neither Excel nor text"),
        ("張三,高興,驚訝\n".encode("big5"), "neither Excel nor text"),
        ("χαρά,λύπη\n".encode("cp1253"), "neither Excel nor text"),
        ("Gülşah,ağlamak\n".encode("cp1254"), "neither Excel nor text"),
        ("Müller,José\n".encode("cp850"), "neither Excel nor text"),
        (
            "García,x\n".encode("mac_roman"),
            r"may be Windows-1252 .* \('Garc’a'\) or Mac Roman \('García'\); save",
        ),
        (
            "행복,슬픔,놀람,분노,x".encode("euc_kr"),
            r"may be GBK .*'\) or EUC-KR \(Korean\) \('행복'\); save",
        ),
        (b"\xff\xfea", "neither Excel nor text"),
        (b"a\x00,b\n1,2\n", "holds bytes that no text has"),
        (b"a,b\n\x01\x02\x03\x04", "holds bytes that no text has"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "neither Excel nor text|holds bytes"),
        (b'a,b\n1,2\n"3,4\n5,6\n', "line 3: holds a quote that is never closed; correct this row"),
        (b"a,b\n1," + b"x" * 200_000, "line 2: holds a field without end"),
        (b"a,b\n1,2\n\n3,4,5\n", "line 4: has more cells than the header; correct this row"),
        (b"a,a,b\n1,2,3\n", "several columns are called 'a'; remove all but one"),
        (b" , \n\n", "holds nothing"),
        (b"<html><table><tr><td>a</td></tr></table></html>", "is a web page or XML, not a sheet"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><Workbook/>', "is a web page or XML, not a sheet"),
    ],
)
def test_what_is_no_table_is_named(data, message, tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    with pytest.raises(MerError, match=message) as caught:
        read_table(path, ("a", "b"), "mend it")
    assert str(path) in str(caught.value)


def test_a_sign_that_no_text_has_is_kept_in_its_cell(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"clip_id,y_true,y_pred\na,x,x\nb\x00,x,y\n")
    assert read_predictions(path)["clip_id"].tolist() == ["a", "b\x00"]


def test_lines_are_those_of_the_file(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("sep=,\n\nlabel,pred\n\n0,0\n,,\n1,\n")
    with pytest.raises(MerError, match="line 7: y_pred is empty"):
        read_foreign(path)
    path.write_text("printed,n\n\n50.00,66\n5o.00,66\n")
    with pytest.raises(MerError, match="line 4: '5o.00' is no printed number"):
        read_claims(path)
    text = write_manifest([ROW], tmp_path / "m.csv").read_text().replace("\n", "\n\n").replace(",100.0,", ",fast,")
    path.write_text(text)
    with pytest.raises(MerError, match=r"line 3: .* fps 'fast'"):
        read_manifest(path)


def test_nameless_columns_and_repeated_ones_are_said(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(",label,pred,note,note,\n0,x,x,a,b,\n1,y,x,a,b,\n")
    table = read_cells(path, "")
    assert list(table.frame) == ["column 1", "label", "pred", "note"]
    assert table.notes == ("t.csv: several columns are called 'note'; the first is read",)
    assert table.notes[0] in read_foreign(path).notes


WORDS = (
    *(["Müller", "Straße", "Überraschung", "Ärger", "glücklich", "Größe"]),
    *(["dégoût", "mépris", "Société", "étonné", "tête-à-tête", "l’été", "d’abord", "déçu", "où"]),
    *(["sorpresa", "niño", "José", "García", "¿qué?", "corazón"]),
    *(["emoção", "não", "tristeza", "coração"]),
    *(["Ångström", "förvåning", "överraskning", "Åse", "blåbær"]),
    *(["25°", "±2", "5µm", "n°7", "«surpris»", "“disgust”", "10–12"]),
)


@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman"])
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=8), st.sampled_from(["sub01,happiness\n", "1,2,3\n"]))
def test_western_words_are_read_as_they_were_written_or_refused(encoding, words, plain):
    text = plain + ",".join(words) + "\n"
    try:
        assert decoded(text.encode(encoding), Path("t.csv"), "") == text
    except MerError as error:
        assert "save it as UTF-8" in str(error) or "neither Excel" in str(error)  # noqa: PT017 - either is right


def test_most_western_tables_are_read():
    text = "subject;émotion\n" + "".join(f"sub{k:02d};{word}\n" for k, word in enumerate(WORDS))
    assert decoded(text.encode("cp1252"), Path("t.csv"), "") == text


NUMBERS = {
    "91": "91",
    "91.0": "91",
    "091.00": "091",
    " 7. ": "7",
    "９１": "91",
    "1.5": "1.5",
    "-1.0": "-1",
    "1e3": "1e3",
}


@pytest.mark.parametrize("written", NUMBERS)
def test_numbers_as_text_are_one_coercion(written):
    assert cell_text(written) == NUMBERS[written]
    assert cell_text(91.0) == cell_text(91) == "91"
    assert cell_text(None) == ""
    assert cell_text(float("nan")) == "nan"


def test_a_number_beyond_int64_is_no_frame_number():
    assert whole_number("9" * 18) == int("9" * 18)
    assert [whole_number(t) for t in ("9" * 19, "9" * 5000, "1.5", "", "x", "¹")] == [None] * 6


def test_numbers_with_decimals_name_the_same_subject_in_every_table(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("clip,subject,fold,db,label,pred\n1.0,91.0,0.0,x,0.0,0\n2.0,91,0,x,1.0,1\n")
    frame = read_foreign(path).frame
    assert frame["subject"].unique().tolist() == ["91"]
    assert frame["clip_id"].tolist() == ["1", "2"]
    assert frame["fold"].unique().tolist() == ["0"]
    path.write_text("clip_id,class\n7.0,Negative\n")
    assert read_reference(path, load_protocol("smic-3")) == {"7": "negative"}
    text = write_manifest([ROW], tmp_path / "m.csv").read_text().replace(",3,5,9,", ",3.0,5.0,9.0,")
    path.write_text(text.replace("smic/s01,1,", "smic/s01,1.0,"))
    assert read_manifest(path) == [ROW]


CELL = st.text("abzAZ019 +/_-é消极积惊讶", max_size=6)
LABELLED = st.lists(st.tuples(CELL, CELL), min_size=2, max_size=6)


@settings(max_examples=50, deadline=None, derandomize=True, database=None)
@given(
    LABELLED,
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]),
    st.booleans(),
    st.sampled_from(["", "END", "END,"]),
)
def test_one_table_in_any_dress_is_one_table(tmp_path_factory, rows, separator, end, encoding, stated, trailing):
    path = tmp_path_factory.getbasetemp() / "dress.csv"
    lines = [["名字", "积极", "clip"], *([a, b, f"c{k}"] for k, (a, b) in enumerate(rows))]
    tail = trailing.replace("END", separator).replace(",", separator)
    text = end.join([f"sep={separator}"] * stated + [separator.join(line) + tail for line in lines])
    path.write_bytes(text.encode(encoding))
    table = read_cells(path, "")
    assert list(table.frame) == lines[0]
    assert table.frame.to_numpy().tolist() == lines[1:]
    assert table.lines == tuple(range(2 + stated, len(lines) + 1 + stated))
