"""From a drawn video to the page: pictures, answers, what lies beside it, and what is said where there is nothing."""

import base64
import json
import re
import shutil
import tracemalloc
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree as Xml

import cv2
import numpy as np
import pytest

from mer_tf.cli import main
from mer_tf.datasets.manifest import read_manifest
from mer_tf.files import write_pieces
from mer_tf.reporting.spotting_page import STEP, ShownEvent, Spotted, _data, packed
from mer_tf.synthetic.long.write import write_long
from mer_tf.video import page, people, recognise
from mer_tf.video.heat import Heat
from mer_tf.video.sources import Source, open_source


class Drawn:
    """Recognises what it is asked about as surprise, with little doubt."""

    parts, limits = True, ("It was made up.",)

    def __init__(self):
        self.asked = []

    def __call__(self, shown):
        self.asked += shown
        heat = Heat("It looked everywhere", np.full((16, 16, 3), 90, np.uint8))
        return [recognise.Answer({"surprise": 0.7, "positive": 0.3}, "7 of 10 times", heat=heat) for _ in shown]


@pytest.fixture(scope="module")
def made(tmp_path_factory, drawn_five):
    """A folder that `mer-tf spot` filled, with all that it can write, and who was asked."""
    folder = tmp_path_factory.mktemp("page")
    root = write_long(
        folder / "x", amplitude=4, subjects=1, seconds=6, fps=15, distractors=("blink",), seed=3, progress=False
    )
    video = root / read_manifest(root / "manifest.csv")[0].video
    asked = Drawn()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(people, "find_faces", lambda picture: [drawn_five])
        patch.setattr(recognise, "asked_of", lambda run: asked)
        main(["spot", str(video), "--out", str(folder / "out"), "--embed", "--video"])
    return folder / "out", asked


def data_of(folder):
    text = (folder / "index.html").read_text(encoding="utf-8")
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1])


def test_each_event_has_its_film_and_its_pictures(made):
    found = data_of(made[0])
    called = [e for e in found["events"] if e["row"]["verdict"] != "rejected"]
    assert called
    for event in called:
        names = list(event["pictures"])
        assert names[:3] == ["onset", "apex", "offset"]
        assert sum("change" in n for n in names) == 3
        assert any(n.startswith("motion") for n in names)
        film = event["film"]
        strip = picture_of(film["source"])
        assert strip.shape == (film["side"], film["side"] * len(film["frames"]), 3)
        assert event["row"]["apex"] in film["frames"]
        onset, apex = (picture_of(event["pictures"][n]).astype(int) for n in ("onset", "apex"))
        larger = picture_of(next(v for n, v in event["pictures"].items() if n.startswith("apex, change"))).astype(int)
        assert np.abs(larger - onset).mean() > np.abs(apex - onset).mean()


def test_heat_is_asked_for_where_the_page_shows_faces_and_stands_beside_the_event(made):
    assert all(one.explain for one in made[1].asked)
    for event in data_of(made[0])["events"]:
        if event["row"]["verdict"] == "rejected":
            assert event["heat"] == {}
        else:
            assert event["heat"]["text"] == "It looked everywhere"
            assert picture_of(event["heat"]["source"]).shape == (16, 16, 3)


def test_where_nothing_is_recognised_the_reason_stands_in_the_place_of_heat():
    said = page._heat(recognise.Answer(refused="the head is turned away"))
    assert said == {"text": "No heat map: nothing was recognised, as the head is turned away."}
    assert page._heat(recognise.Answer({"surprise": 1.0})) == {}


def picture_of(uri):
    data = np.frombuffer(base64.b64decode(uri.split(",")[1]), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def test_curves_are_those_of_the_track(made):
    found = data_of(made[0])
    track = found["tracks"][0]
    curve = np.frombuffer(base64.b64decode(track["curve"]), np.uint8).reshape(-1, len(found["regions"])) * STEP
    assert len(curve) == track["frames"] == 90
    best = max((e["row"] for e in found["events"] if e["row"]["verdict"] == "micro"), key=lambda r: r["peak_px"])
    assert curve[best["apex"]].max() == pytest.approx(best["peak_px"], abs=0.2)


def test_a_long_curve_keeps_its_peaks(monkeypatch):
    monkeypatch.setattr("mer_tf.reporting.spotting_page.LONGEST", 4)
    sizes = np.zeros((10, 2))
    sizes[7, 1] = 2.0
    text, every = packed(sizes)
    kept = np.frombuffer(base64.b64decode(text), np.uint8).reshape(-1, 2) * STEP
    assert (every, kept[:, 1].tolist(), kept[:, 0].max()) == (3, [0, 0, 2.0, 0], 0)


def test_pictures_of_many_events_are_not_copied_when_the_page_is_written(tmp_path):
    event = ShownEvent({"verdict": "micro"}, 0, 25.0)
    many = [replace(event, film={"source": str(k % 10) * 100_000}) for k in range(100)]
    tracemalloc.start()
    write_pieces(tmp_path / "data.json", _data(Spotted([], [], many, {}, 4.5)))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 1_000_000
    said = json.loads((tmp_path / "data.json").read_text())
    assert [e["film"]["source"] for e in said["events"]] == [e.film["source"] for e in many]


def test_answers_stand_in_the_page_and_in_events_json(made):
    folder, asked = made
    said = json.loads((folder / "events.json").read_text())
    called = [e for e in said["events"] if e["verdict"] != "rejected"]
    assert said["recogniser"] == ["It was made up."]
    assert [e["recognition"]["answer"] for e in called] == ["surprise"] * len(called)
    assert all(e["recognition"] is None for e in said["events"] if e["verdict"] == "rejected")
    assert "surprise 0.70" in (folder / "index.html").read_text(encoding="utf-8")
    for one, event in zip(asked.asked, called, strict=True):
        assert len(one.part) == event["frames"]
        assert np.array_equal(one.part[one.apex_place], one.apex)
        assert 0 < one.five.min() < one.five.max() < min(one.apex.shape[:2])


def test_the_copy_in_the_page_is_a_video_of_as_many_frames(made, tmp_path):
    source = data_of(made[0])["videos"][0]["source"]
    assert source.startswith("data:video/webm;base64,")
    (tmp_path / "copy.webm").write_bytes(base64.b64decode(source.split(",")[1]))
    assert abs(len(frames_of(tmp_path / "copy.webm")) - 90) <= 1


def test_a_copy_too_large_for_the_page_lies_beside_it(made, tmp_path):
    source = open_source(next(made[0].glob("*.webm")))
    address, note = page._copy(page.Seen(0, source, [], [], [], 90, 0), tmp_path, 10)
    assert (tmp_path / address).is_file()
    assert address in note


def test_events_are_drawn_into_a_video(made):
    frames = frames_of(next(made[0].glob("*.webm")))
    assert abs(len(frames) - 90) <= 1
    called = [e["row"] for e in data_of(made[0])["events"] if e["row"]["verdict"] != "rejected"]
    saturated = [int((np.ptp(frames[n].astype(int), axis=-1) > 90).sum()) for n in (called[0]["apex"], 0)]
    assert saturated[0] > saturated[1], "the box has the verdict's colour"


def frames_of(path):
    capture = cv2.VideoCapture(str(path))
    held = []
    while (read := capture.read())[0]:
        held.append(read[1])
    capture.release()
    return held


def test_elan_gets_a_tier_for_each_person_and_verdict(made):
    folder = made[0]
    tree = Xml.parse(next(folder.glob("*.eaf"))).getroot()
    rows = json.loads((folder / "events.json").read_text())["events"]
    slots = {s.get("TIME_SLOT_ID"): int(s.get("TIME_VALUE")) for s in tree.iter("TIME_SLOT")}
    assert list(slots.values()) == sorted(slots.values())
    for row in rows:
        tier = next(t for t in tree.iter("TIER") if t.get("TIER_ID") == f"person {row['track']} {row['verdict']}")
        spans = [
            (slots[a.get("TIME_SLOT_REF1")], slots[a.get("TIME_SLOT_REF2")]) for a in tier.iter("ALIGNABLE_ANNOTATION")
        ]
        assert (round(1000 * row["onset_seconds"]), round(1000 * row["offset_seconds"])) in spans
    assert sum(1 for _ in tree.iter("ALIGNABLE_ANNOTATION")) == len(rows)
    address = tree.find("HEADER/MEDIA_DESCRIPTOR").get("RELATIVE_MEDIA_URL")
    assert (folder / address).is_file()


def test_the_page_holds_pictures_only_where_they_are_wished(made, monkeypatch):
    monkeypatch.setattr(page, "write_pieces", lambda path, pieces: "".join(pieces))
    monkeypatch.setattr(page, "look", lambda *_: pytest.fail("nobody asked for pictures"))
    source = open_source(Path(json.loads((made[0] / "events.json").read_text())["videos"][0]["video"]))
    text = page.write_page([source], made[0], page.Wishes(faces=False))
    assert "data:image" not in text
    assert "hand the page on as they allow" not in text
    assert 'src="../x/rawvideo/' in text


def test_a_page_of_many_videos_has_pictures_of_the_clearest_events_and_all_answers(
    made, drawn_five, tmp_path, monkeypatch
):
    out, asked = tmp_path / "out", Drawn()
    shutil.copytree(made[0], out)
    before = json.loads((out / "events.json").read_text())
    monkeypatch.setattr(people, "find_faces", lambda picture: [drawn_five])
    monkeypatch.setattr(page, "IN_ALL", 1)
    page.write_page([open_source(Path(before["videos"][0]["video"]))], out, page.Wishes(asked=asked))
    assert json.loads((out / "events.json").read_text()) == before
    events = data_of(out)["events"]
    (shown,) = [e["row"] for e in events if e["pictures"]]
    assert shown["peak_noise"] == max(e["row"]["peak_noise"] for e in events if e["row"]["verdict"] != "rejected")


def test_a_page_of_many_videos_takes_as_long_for_each(tmp_path, monkeypatch):
    """Counted, not timed: rows that are read, and paths that are looked up."""
    counts = Counter()

    class Row(dict):
        def __getitem__(self, name):
            counts["rows"] += name == "video"
            return super().__getitem__(name)

    def counted(path):
        counts["paths"] += 1
        return path.absolute()

    def looked(number):
        counts.clear()
        sources = [Source(f"v{k}", 25.0, 9, tmp_path / f"{k}" / "v.mp4", number=k) for k in range(number)]
        rows = [Row(video=s.name, verdict="rejected", peak_noise=1.0) for s in sources for _ in range(10)]
        monkeypatch.setattr(page, "read_mapping", lambda path: {"tracks": [], "events": rows})
        page.write_page(sources, tmp_path, page.Wishes(faces=False))
        return counts["rows"], counts["paths"]

    monkeypatch.setattr("mer_tf.video.seen.follow", lambda *_, **__: SimpleNamespace(pieces=list, frames=9))
    monkeypatch.setattr(page, "_beside", lambda *_: [])
    monkeypatch.setattr(page, "spotted_html", lambda found: found.videos[0].name)
    monkeypatch.setattr(Path, "resolve", counted)
    few, many = looked(10), looked(40)
    assert min(few) > 0
    assert many[0] <= 4 * few[0]
    assert many[1] <= 4 * few[1]


def test_without_a_face_the_page_says_so(made, tmp_path, monkeypatch):
    monkeypatch.setattr(people, "find_faces", lambda picture: [])
    copy = next(made[0].glob("*.webm"))
    main(["spot", str(copy), "--out", str(tmp_path / "none")])
    text = (tmp_path / "none" / "index.html").read_text(encoding="utf-8")
    assert "No face was followed in this video" in text
    assert not list((tmp_path / "none").glob("*.eaf"))
    assert "data:image" not in text
