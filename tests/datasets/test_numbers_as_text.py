"""Sheets whose numbers are text with decimals, as a spreadsheet saved them, list the same clips."""

import csv
import dataclasses

import pytest

from mer_tf.datasets import dataset_listing
from mer_tf.synthetic.layouts.write import write_lookalike
from mer_tf.table_files import cell_text, read_tabs


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("dataset", ["casme", "casme2", "casme3-a", "casme3-c", "samm", "samm-lv", "mmew", "4dme"])
def test_every_adapter_reads_numbers_with_decimals(dataset, encoding, tmp_path):
    root = write_lookalike(dataset, tmp_path / "tree", counts="small")
    listed = dataset_listing(dataset, root)
    sheet = next(p for p in sorted(root.rglob("*")) if p.suffix in (".xlsx", ".xls") and "bjective" not in p.name)
    copy = tmp_path / "copy.csv"
    with copy.open("w", encoding=encoding, newline="") as stream:
        writer = csv.writer(stream, delimiter=";", lineterminator="\r")
        for line in next(iter(read_tabs(sheet).values())).cells:
            cells = [cell_text(value) for value in line]
            writer.writerow([f"{cell}.0" if cell.isdecimal() else cell for cell in cells])
    again = dataset_listing(dataset, root, copy)
    assert [dataclasses.replace(r, sheet_sha="") for r in again.rows] == [
        dataclasses.replace(r, sheet_sha="") for r in listed.rows
    ]
    assert len(again.problems) == len(listed.problems)
