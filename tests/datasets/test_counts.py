"""Counts against published ones, clips against another list, protocols against each other."""

import dataclasses

import pandas as pd
import pytest
from helpers.rows import made_row

from mer_tf.config import MerError
from mer_tf.datasets import ADAPTERS, counts
from mer_tf.datasets.adapters.listing import Listing
from mer_tf.datasets.counts import ALL, Expected, compare_clips, compare_counts, manifest_report, read_reference
from mer_tf.datasets.labels import load_protocol, protocol_names
from mer_tf.datasets.manifest import write_manifest
from mer_tf.files import fact_file

ROW = made_row(clip_id="samm/006/a", subject="samm/006", label_raw="Anger")
TABLE = pd.read_csv(fact_file("expected_counts.csv"), dtype=str, keep_default_na=False)
SAMM = load_protocol("samm-5")


def rows(**labels):
    return [dataclasses.replace(ROW, clip_id=f"samm/006/{clip}", label_raw=label) for clip, label in labels.items()]


@pytest.fixture
def published(monkeypatch):
    known = [Expected("anger", 2, 1, "paper", "verified"), Expected(ALL, 3, None, "paper", "verified")]
    monkeypatch.setattr(counts, "expected_counts", lambda protocol, dataset: known)


def test_the_table_knows_its_protocols_classes_and_data_sets():
    assert set(TABLE["protocol"]) <= set(protocol_names())
    assert set(TABLE["dataset"]) <= set(ADAPTERS)
    assert set(TABLE["certainty"]) <= {"verified", "memory"}
    for name, group in TABLE.groupby("protocol"):
        assert set(group["class_name"]) <= {ALL, *load_protocol(name).classes}


def test_sums_of_classes_are_their_totals():
    for _, group in TABLE.astype({"clips": int}).groupby(["protocol", "dataset"]):
        total = group[group["class_name"] == ALL]["clips"]
        classes = group[group["class_name"] != ALL]
        complete = len(classes) == len(load_protocol(group["protocol"].iloc[0]).classes)
        if complete and len(total):
            assert classes["clips"].sum() == total.iloc[0]
    composite = TABLE[(TABLE["protocol"] == "megc2019-3") & (TABLE["class_name"] == ALL)].set_index("dataset")["clips"]
    assert int(composite.pop("flow-images")) == composite.astype(int).sum() == 442


def test_equal_counts_are_equal(published):
    assert compare_counts(Listing(rows(a="Anger", b="anger", c="Other"), []), SAMM) == ["samm, samm-5: equal"]


def test_a_difference_names_counts_and_the_clips_known_to_be_lost(published):
    lost = rows(b="Anger", d="Fear")
    first, *rest = compare_counts(Listing(rows(a="Anger", c="Other"), [], lost), SAMM)
    assert first == "samm, samm-5: differs"
    assert rest == [
        "  anger: 1 clips, published 2 (paper)",
        "  all classes: 2 clips, published 3 (paper)",
        "  missing: samm/006/b (anger), see the problems",
    ]


def test_subjects_are_counted_too(published):
    other = dataclasses.replace(ROW, clip_id="samm/007/x", subject="samm/007")
    lines = compare_counts(Listing([*rows(a="Anger", c="Other"), other], []), SAMM)
    assert lines == ["samm, samm-5: differs", "  anger: 2 subjects, published 1 (paper)"]


def test_unknown_counts_are_said_to_be_unknown():
    row = dataclasses.replace(ROW, dataset="4dme", label_raw="positive")
    assert compare_counts(Listing([row], []), load_protocol("4dme-5")) == [
        "4dme, 4dme-5: no published counts are known"
    ]


def test_clips_are_compared_by_id():
    lines = compare_clips({"a": "x", "b": "x", "c": "y"}, {"b": "x", "c": "x", "d": "y"})
    assert lines == ["missing: d (y)", "extra: a (x)", "relabelled: c is y, not x"]


def test_the_reference_is_a_manifest_or_a_list(tmp_path):
    expected = {"samm/006/a": "anger", "samm/006/c": "others"}
    path = write_manifest(rows(a="Anger", b="Fear", c="Other"), tmp_path / "m.csv")
    assert read_reference(path, SAMM) == expected
    (tmp_path / "list.csv").write_text("clip_id,class\nsamm/006/a,Anger\nsamm/006/c,other\n")
    assert read_reference(tmp_path / "list.csv", SAMM) == expected
    with pytest.raises(MerError, match=r"none\.csv: no such file; give a manifest"):
        read_reference(tmp_path / "none.csv", SAMM)


def test_a_report_is_clean_only_without_problems_and_differences(published, tmp_path):
    whole = rows(a="Anger", b="anger", c="Other")
    path = write_manifest(whole, tmp_path / "m.csv")
    assert manifest_report(Listing(whole, []), SAMM, path)[1]
    assert not manifest_report(Listing(whole, ["a fault"]), SAMM, path)[1]
    assert not manifest_report(Listing(whole[1:], []), SAMM)[1]
    changed = write_manifest(rows(a="Anger", b="Other", c="Other"), tmp_path / "m.csv")
    text, clean = manifest_report(Listing(whole, []), SAMM, changed)
    assert not clean
    assert "relabelled: samm/006/b is anger, not others" in text
    with pytest.raises(MerError, match="no label protocol knows"):
        manifest_report(Listing(whole, []), None, path)


def test_protocols_differ_by_label_and_by_clip():
    lost = dataclasses.replace(ROW, clip_id="casme2/sub05/EP09_05f", dataset="casme2", label_raw="disgust")
    kept = dataclasses.replace(lost, clip_id="casme2/sub05/EP01_01", label_raw="surprise")
    lines = counts.protocol_differences(load_protocol("casme2-5"), load_protocol("megc2019-3"), [lost, kept])
    assert lines == [
        "casme2 disgust: disgust -> negative",
        "casme2 happiness: happiness -> positive",
        "casme2 others: others -> (left out)",
        "casme2 repression: repression -> negative",
        "casme2/sub05/EP09_05f (disgust): disgust -> (left out)",
    ]
    assert counts.protocol_differences(SAMM, SAMM, rows(a="Anger")) == []
    with pytest.raises(MerError, match="samm-5 and mmew-6 have no data set in common"):
        counts.protocol_differences(SAMM, load_protocol("mmew-6"), [])
