"""Every adapter on a look-alike of published size: the published numbers of clips, whatever tree and order of rows."""

import builtins
import io
import time
from collections import Counter
from pathlib import Path

import cv2
import pytest

from mer_tf.datasets import dataset_listing
from mer_tf.datasets.counts import compare_counts
from mer_tf.datasets.labels import load_protocol
from mer_tf.datasets.manifest import check_rows
from mer_tf.preprocessing.frame_names import SUFFIXES
from mer_tf.synthetic.layouts.write import PLANS, write_lookalike

SMIC_HS = {"s01": 6, "s02": 6, "s03": 39, "s04": 19, "s05": 2, "s06": 4, "s08": 13, "s09": 4, "s11": 7, "s12": 9}
SMIC_HS |= {"s13": 10, "s14": 10, "s15": 4, "s18": 7, "s19": 2, "s20": 22}
CASME2 = {"others": 99, "disgust": 63, "happiness": 32, "repression": 27, "surprise": 25, "sadness": 7, "fear": 2}
SAMM = {"anger": 57, "happiness": 26, "other": 26, "surprise": 15, "contempt": 12, "disgust": 9, "fear": 8}
SAMM |= {"sadness": 6}
CASME3_A = {"disgust": 250, "surprise": 187, "others": 161, "fear": 86, "anger": 64, "sad": 57, "happy": 55}
CASME3_C = {"negative": 99, "surprise": 30, "others": 20, "positive": 16}
MMEW = {"happiness": 36, "anger": 8, "surprise": 89, "disgust": 72, "fear": 16, "sadness": 13, "others": 66}
CASME = {"repression": 40, "tense": 28, "surprise": 20, "sadness": 6, "amusement": 5, "contempt": 3, "fear": 2}
CASME |= {"disgust": 85}

PUBLISHED = {
    "smic-hs": ({"negative": 70, "positive": 51, "surprise": 43, "non-micro": 164}, 16),
    "smic-vis": ({"negative": 23, "positive": 28, "surprise": 20}, 8),
    "smic-nir": ({"negative": 23, "positive": 28, "surprise": 20}, 8),
    "casme2": (CASME2, 26),
    "samm": (SAMM, 29),
    "casme": (CASME, 19),
    "casme3-a": (CASME3_A, 94),
    "casme3-c": (CASME3_C, 31),
    "mmew": (MMEW, 36),
}
"""Clips of each label (in lower case) and number of subjects."""


@pytest.fixture(scope="session")
def published(listed):
    """published(dataset, layout) -> what is listed of a look-alike of published size."""
    return lambda dataset, layout=None: listed(dataset, "published", layout)


def labels(rows):
    return dict(Counter(r.label_raw.lower() for r in rows))


def without_root(rows):
    """What a row says, whatever the tree and sheet file it was read from."""
    return {(r.clip_id, r.subject, r.frames_dir, r.onset, r.apex, r.offset, r.label_raw, r.aus) for r in rows}


@pytest.mark.parametrize("dataset", PUBLISHED)
def test_published_counts(published, dataset):
    listing = published(dataset)
    assert listing.problems == []
    classes, subjects = PUBLISHED[dataset]
    assert labels(listing.rows) == classes
    assert len({r.subject for r in listing.rows}) == subjects
    check_rows(listing.rows, dataset)
    assert all(r.dataset == dataset and r.source().is_dir() for r in listing.rows)


def test_smic_subjects_have_their_published_clips(published):
    rows = published("smic-hs").rows
    assert Counter(r.subject for r in rows if r.label_raw != "non-micro") == {
        f"smic/{s}": n for s, n in SMIC_HS.items()
    }


@pytest.mark.slow
def test_samm_long_videos_have_micro_and_macro_expressions(published):
    listing = published("samm-lv")
    assert listing.problems == []
    assert labels(listing.rows) == {"micro": 159, "macro": 343}
    assert len({r.frames_dir for r in listing.rows}) == 147
    assert len({r.subject for r in listing.rows}) == 32


def test_casme_sq_has_micro_and_macro_expressions(published):
    listing = published("casme-sq")
    assert listing.problems == []
    assert Counter(r.session for r in listing.rows) == {"micro-expression": 57, "macro-expression": 300}
    assert len({r.subject for r in listing.rows}) == 22
    micro = [r for r in listing.rows if r.session == "micro-expression"]
    assert labels(micro) == {"negative": 21, "others": 19, "surprise": 9, "positive": 8}


def test_4dme_has_its_published_clips(published):
    listing = published("4dme")
    assert listing.problems == []
    assert len(listing.rows) == 267
    assert len({r.subject for r in listing.rows}) == 41


def composite(rows):
    """Data set -> clips of each class, and number of subjects."""
    protocol = load_protocol("megc2019-3")
    found = {}
    for family in ("smic", "casme2", "samm"):
        mine = [r for r in rows if r.subject.startswith(f"{family}/")]
        classes = Counter(protocol.class_index(r) for r in mine)
        found[family] = [classes[0], classes[1], classes[2], len({r.subject for r in mine})]
    return found


MEGC2019 = {"smic": [70, 51, 43, 16], "casme2": [88, 32, 25, 24], "samm": [92, 26, 15, 28]}


@pytest.mark.parametrize("layout", ["Cropped", pytest.param("CASME2_RAW_selected+updated", marks=pytest.mark.slow)])
def test_megc2019_is_the_official_composite(published, layout):
    listing = published("megc2019", layout)
    assert listing.problems == []
    assert composite(listing.rows) == MEGC2019
    assert len(listing.rows) == 442
    assert len({r.subject for r in listing.rows}) == 68
    clips = {r.clip_id for r in listing.rows}
    assert not clips & {"casme2/sub04/EP12_01f", "casme2/sub05/EP09_05f"}
    assert "casme2/sub05/EP12_03f" in clips
    assert not {r.subject for r in listing.rows} & {"casme2/sub10", "casme2/sub18"}


def test_megc2019_excludes_by_protocol_not_by_adapter(published):
    rows = {r.clip_id: r for r in published("casme2").rows}
    protocol = load_protocol("megc2019-3")
    for clip in ("casme2/sub04/EP12_01f", "casme2/sub05/EP09_05f"):
        assert rows[clip].label_raw == "disgust"
        assert protocol.class_index(rows[clip]) is None
    assert Counter(protocol.class_index(r) for r in rows.values())[0] == 88


@pytest.mark.parametrize(
    ("dataset", "protocols"),
    [
        ("smic-hs", "smic-2 smic-3 smic-4"),
        ("casme2", "casme2-4 casme2-5 casme2-7 megc2018-5 megc2019-3"),
        ("samm", "samm-5 samm-8 megc2018-5 megc2019-3"),
        ("samm-lv", "samm-lv-2"),
        ("casme-sq", "casme-sq-4"),
        ("casme3-a", "casme3-3 casme3-4 casme3-7"),
        ("casme3-c", "casme3-3 casme3-4"),
        ("mmew", "mmew-6 mmew-7"),
        ("megc2019", "megc2019-3"),
        ("flow-images", "megc2019-3"),
    ],
)
def test_the_table_of_expected_counts_agrees(published, dataset, protocols):
    listing = published(dataset)
    for protocol in protocols.split():
        lines = compare_counts(listing, load_protocol(protocol))
        assert lines
        assert all(": equal" in line for line in lines), lines


def test_flow_images_are_the_442_clips_counted_once(published):
    listing = published("flow-images")
    assert listing.problems == []
    assert labels(listing.rows) == {"negative": 250, "positive": 109, "surprise": 83}
    assert len({r.subject for r in listing.rows}) == 68
    assert all(r.image_path().is_file() for r in listing.rows[:3])


@pytest.mark.parametrize("layout", ["CASME2_RAW", "CASME2_RAW_selected"])
def test_casme2_says_the_same_in_every_layout(listed, layout):
    cropped, raw = listed("casme2"), listed("casme2", "small", layout)
    assert raw.problems == []
    assert {r[:2] + r[3:] for r in without_root(raw.rows)} == {r[:2] + r[3:] for r in without_root(cropped.rows)}


@pytest.mark.parametrize(("dataset", "layout"), [(d, name) for d, (_, layouts) in PLANS.items() for name in layouts])
def test_every_layout_lists_the_same_clips(listed, dataset, layout):
    usual, listing = listed(dataset), listed(dataset, "small", layout)
    assert listing.problems == []
    assert {r.clip_id: r.subject for r in usual.rows}.items() <= {r.clip_id: r.subject for r in listing.rows}.items()
    assert len(listing.rows) == len(usual.rows) + (dataset == "casme2" and layout.endswith("+updated"))


def test_casme2_updated_sheet_has_256_clips(published):
    old = {r.clip_id: r for r in published("casme2").rows}
    listing = published("casme2", "Cropped+updated")
    new = {r.clip_id: r for r in listing.rows}
    assert listing.problems == []
    assert labels(new.values()) == CASME2 | {"disgust": 64}
    assert new.keys() - old.keys() == {"casme2/sub24/EP02_07"}
    assert (new["casme2/sub24/EP02_07"].onset, new["casme2/sub24/EP02_07"].offset) == (61, 106)
    assert {clip.removeprefix("casme2/") for clip in old if old[clip].onset != new[clip].onset} == {
        "sub07/EP06_01",
        "sub12/EP09_02",
        "sub12/EP09_06",
        "sub16/EP01_08",
        "sub20/EP16_01",
    }


def test_casme2_known_clip_without_apex(published):
    (row,) = (r for r in published("casme2").rows if r.clip_id == "casme2/sub04/EP12_01f")
    assert (row.onset, row.offset) == (261, 321)
    assert row.apex in (None, 294)
    assert (row.apex is None) == (row.apex_source == "")


@pytest.mark.parametrize(
    "dataset", ["casme2", "samm", "samm-lv", "casme", "casme-sq", "casme3-a", "casme3-c", "mmew", "4dme", "megc2019"]
)
def test_the_order_of_the_rows_does_not_matter(listed, tmp_path, dataset):
    plain = listed(dataset)
    mixed = dataset_listing(dataset, write_lookalike(dataset, tmp_path / "mixed", shuffle_rows=True))
    assert plain.problems == mixed.problems == []
    assert without_root(plain.rows) == without_root(mixed.rows)
    assert [r.clip_id for r in plain.rows] == [r.clip_id for r in mixed.rows]


@pytest.mark.parametrize("dataset", ["samm", "smic-hs", "casme3-a"])
def test_a_manifest_of_published_size_takes_seconds_and_opens_no_image(tree_of, dataset, monkeypatch):
    root = tree_of(dataset, "published")

    def guarded(function):
        def call(path, *args, **kwargs):
            assert Path(str(path)).suffix.lower() not in SUFFIXES, f"{path} was opened"
            return function(path, *args, **kwargs)

        return call

    for module, name in [(cv2, "imread"), (builtins, "open"), (io, "open"), (Path, "read_bytes"), (Path, "open")]:
        monkeypatch.setattr(module, name, guarded(getattr(module, name)))
    start = time.process_time()
    assert len(dataset_listing(dataset, root).rows) > 150
    assert time.process_time() - start < 10
    with pytest.raises(AssertionError, match="was opened"):
        next(root.rglob("*.[bj][mp][pg]")).read_bytes()
