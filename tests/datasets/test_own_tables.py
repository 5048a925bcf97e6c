"""Data sets that come by a table: the tables of docs/own_tables.md, and SMIC's look-alike with a list of apexes."""

import csv
import io
import re
from pathlib import Path

import pytest
from helpers.own_folders import write_clip

from mer_tf.datasets import dataset_listing
from mer_tf.datasets.labels import FROM_DATA, protocol_of

PAGE = Path(__file__).parents[2] / "docs" / "own_tables.md"


def shown(name):
    """The table between the page's markers of that name."""
    text = PAGE.read_text(encoding="utf-8")
    return re.search(rf"<!-- {name} -->\n```csv\n(.*?)```", text, re.DOTALL)[1]


def write_frames_of(root, line):
    """The frames that a line names, in files of these numbers, and one more on each side."""
    folder = write_clip(root / line["clip"], frames=1)
    (picture,) = folder.iterdir()
    for number in range(int(line["onset"]) - 1, int(line["offset"]) + 2):
        (folder / f"image{number}.png").write_bytes(picture.read_bytes())
    picture.unlink()


@pytest.mark.parametrize("name", ["dfme", "smic"])
def test_the_tables_of_the_page_are_read(name, tmp_path):
    lines = list(csv.DictReader(io.StringIO(shown(name))))
    for line in lines:
        write_frames_of(tmp_path / "data", line)
    sheet = tmp_path / f"{name}.csv"
    sheet.write_text(shown(name))
    listing = dataset_listing("folders", tmp_path / "data", sheet)
    assert listing.problems == []
    assert {(r.clip_id, r.subject, r.label_raw, r.onset, r.apex, r.offset, r.fps) for r in listing.rows} == {
        (
            f"folders/{line['clip']}",
            f"folders/{line['subject']}",
            line["label"],
            int(line["onset"]),
            int(line["apex"]) if line["apex"] else None,
            int(line["offset"]),
            float(line["fps"]),
        )
        for line in lines
    }
    assert any("the apex of 1 clip(s) is not given" in said for said in listing.notes) == (name == "dfme")


def test_smic_takes_a_list_of_apexes(tree_of, tmp_path):
    """Onset, offset and classes are those of SMIC's own adapter; the apexes are the list's."""
    root = tree_of("smic-hs")
    known = [r for r in dataset_listing("smic-hs", root).rows if r.label_raw != "non-micro"]
    apexes = {r.frames_dir: (r.onset + r.offset) // 2 for r in known}
    lines = [f"{r.frames_dir},{r.subject},{r.label_raw},{r.onset},{apexes[r.frames_dir]},{r.offset},100" for r in known]
    sheet = tmp_path / "apexes.csv"
    sheet.write_text("\n".join(["clip,subject,label,onset,apex,offset,fps", *lines]))
    listing = dataset_listing("folders", known[0].root, sheet)
    assert {(r.frames_dir, r.onset, r.offset, r.apex, r.apex_source) for r in listing.rows} == {
        (r.frames_dir, r.onset, r.offset, apexes[r.frames_dir], "given") for r in known
    }
    assert set(protocol_of(FROM_DATA, listing.rows).classes) == {r.label_raw for r in known}
