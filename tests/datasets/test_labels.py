"""Label protocols: consistent tables, one spelling of raw labels, exclusions by clip id."""

import dataclasses

import pandas as pd
import pytest
from helpers.rows import made_row

from mer_tf.datasets.labels import load_protocol, normalise_label, protocol_for, protocol_names
from mer_tf.files import fact_file

ROW = made_row(clip_id="casme2/sub01/EP02_01f", label_raw="disgust")
TABLE = pd.read_csv(fact_file("label_protocols.csv"), dtype=str)


def row(dataset="casme2", label="disgust", **fields):
    return dataclasses.replace(ROW, dataset=dataset, label_raw=label, **fields)


@pytest.mark.parametrize("name", protocol_names())
def test_a_protocol_is_consistent(name):
    rows = TABLE[TABLE["protocol"] == name]
    protocol = load_protocol(name)
    assert sorted(rows["class_index"].astype(int).unique()) == list(range(len(protocol.classes)))
    assert rows.groupby("class_index")["class_name"].nunique().eq(1).all()
    assert len(set(protocol.classes)) == len(protocol.classes)
    assert len(protocol.mapping) == len(rows), "a raw label of a data set stands twice"
    assert rows.groupby("dataset")["field"].nunique().eq(1).all()
    assert set(rows["certainty"]) <= {"verified", "memory"}
    assert rows["source"].notna().all()


def test_spellings_of_a_raw_label_are_one():
    assert {normalise_label(x) for x in ("Other", "others", " OTHERS ", "other")} == {"others"}
    protocol = load_protocol("samm-5")
    assert protocol.class_name(row("samm", "Other")) == protocol.class_name(row("samm", "others")) == "others"


@pytest.mark.parametrize(
    ("protocol", "dataset", "label", "expected"),
    [
        ("megc2019-3", "casme2", "repression", "negative"),
        ("megc2019-3", "casme2", "sadness", None),
        ("megc2019-3", "casme2", "others", None),
        ("megc2019-3", "samm", "Sadness", "negative"),
        ("megc2019-3", "smic-hs", "positive", "positive"),
        ("megc2019-3", "smic-hs", "non-micro", None),
        ("casme2-5", "casme2", "fear", None),
        ("casme2-4", "casme2", "fear", "negative"),
        ("casme3-4", "casme3-a", "sad", "negative"),
        ("casme3-4", "casme3-c", "positive", "positive"),
        ("casme-4", "casme", "tense", "tense"),
        ("casme-4", "casme-sq", "disgust", None),
        ("samm-8", "samm-lv", "Anger", None),
    ],
)
def test_classes_of_raw_labels(protocol, dataset, label, expected):
    assert load_protocol(protocol).class_name(row(dataset, label)) == expected


def test_an_excluded_clip_has_no_class_in_its_protocol_alone():
    lost = row(clip_id="casme2/sub05/EP09_05f")
    assert load_protocol("megc2019-3").class_index(lost) is None
    assert load_protocol("megc2019-3").class_name(row()) == "negative"
    assert load_protocol("casme2-5").class_name(lost) == "disgust"


def test_objective_classes_take_the_place_of_the_emotion():
    protocol = load_protocol("megc2018-5")
    assert protocol.class_name(row("samm", "Anger", objective="III")) == "III"
    assert protocol.class_name(row("samm", "Anger", objective="VII")) is None
    assert protocol.class_name(row("casme2", "disgust")) is None


def test_the_protocol_of_a_manifest_is_the_one_that_covers_it():
    names = {"smic-hs": "negative", "samm": "Other", "casme3-c": "negative", "mmew": "anger"}
    found = {dataset: protocol_for([row(dataset, label)]) for dataset, label in names.items()}
    assert {d: p and p.name for d, p in found.items()} == {
        "smic-hs": "smic-4", "samm": "samm-8", "casme3-c": "casme3-4", "mmew": "mmew-7",
    }  # fmt: skip
    assert protocol_for([row("smic-hs", "negative"), row("casme2"), row("samm", "Anger")]).name == "megc2019-3"
    assert protocol_for([row("videos", "")]) is None
