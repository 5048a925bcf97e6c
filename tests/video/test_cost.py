"""What spotting is said to cost before it starts, beside what it then takes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mer_tf.records.cost import Cost
from mer_tf.video import cost, people
from mer_tf.video.cost import Few, Part, Piece, parts_of, spot_cost
from mer_tf.video.page import IN_ALL, MOST, MOST_REJECTED, Wishes, write_page
from mer_tf.video.sources import Source, open_source
from mer_tf.video.spot import spot_all


@pytest.fixture
def found_faces(monkeypatch, drawn_five):
    """The drawn face where it was drawn."""
    monkeypatch.setattr(people, "find_faces", lambda picture: [drawn_five])


def test_the_job_then_writes_the_bytes_that_were_said(six_seconds, found_faces, tmp_path):
    sources, out = [open_source(six_seconds[1])], tmp_path / "out"
    told = spot_cost(sources, out, Wishes())
    assert not out.exists()
    assert (told.clips, told.frames, told.measured, told.doubt) == (1, 90, (90,), 0)
    spot_all(sources, out, progress=False)
    write_page(sources, out, Wishes())
    assert told.bytes == pytest.approx(sum(p.stat().st_size for p in out.rglob("*") if p.is_file()), rel=0.1)
    assert 0 < told.alone < told.processor
    assert spot_cost(sources, out, Wishes()).clips == 0


def piece(frames, called=1, rejected=1, shown=1):
    """By the frame .01 s, .001 s and .002 s; a picture of what is called takes .1 s, of others half as long."""
    events = {"called": Few(called, shown, shown * 0.1, shown * 2000), "rejected": Few(rejected, shown, 0.05, 1000)}
    return Piece(frames, frames / 30, frames * 0.01, frames * 0.001, frames * 0.002, 300 + frames, events)


def reckoned(monkeypatch, sources, make=piece):
    monkeypatch.setattr(cost, "unfinished", lambda sources, out: sources)
    monkeypatch.setattr(cost, "_begun", lambda source, wishes: (7.0, 200))
    monkeypatch.setattr(cost, "_spotted", lambda part, wishes, most: make(part.frames))
    return spot_cost(sources, Path(), Wishes())


def test_constant_bytes_count_once_and_pictures_by_the_event(monkeypatch):
    """By hand: half of four videos is looked at, in each one event that is called and one that is not."""
    monkeypatch.setattr(cost, "FRAMES", 1500)
    told = reckoned(monkeypatch, [Source(f"v{k}", 30.0, 750) for k in range(4)])
    assert told.measured == (375, 375, 375, 375)
    assert told.bytes == pytest.approx(200 + 4 * (750 + 2 * 100) + 8 * 2000 + 8 * 1000, abs=2)
    assert told.alone == pytest.approx(3000 * 0.003 + 8 * 0.15)
    assert told.processor == pytest.approx(3000 * 0.01 + told.alone)
    assert told.doubt == pytest.approx(2 * 24_000 * np.sqrt(0.5 / 8), abs=1)


def test_pictures_of_a_long_video_and_of_many_are_limited_as_on_the_page(monkeypatch):
    one = reckoned(monkeypatch, [Source("v", 30.0, 324_000)], lambda n: piece(n, called=90, rejected=90))
    assert one.alone == pytest.approx(324_000 * 0.003 + MOST * 0.1 + MOST_REJECTED * 0.05)
    many = reckoned(monkeypatch, [Source(f"v{k}", 30.0, 1800) for k in range(900)])
    assert many.alone == pytest.approx(900 * 1800 * 0.003 + IN_ALL * 0.1)


def test_without_events_nothing_is_reckoned_for_their_pictures(monkeypatch):
    none = Few(0, 0, 0.0, 0)
    told = reckoned(
        monkeypatch, [Source("v", 30.0, 6000)], lambda n: replace(piece(n), events={"called": none, "rejected": none})
    )
    assert (told.alone, told.doubt) == (pytest.approx(6.0), 0)


def test_few_videos_are_looked_at_for_long_and_many_for_ten_seconds_each():
    def lengths(number, fps, frames):
        parts = parts_of([Source(f"v{k}", fps, frames, pixels=k) for k in range(number)])
        return [(p.name, p.begin, p.frames) for p in parts]

    assert lengths(1, 30.0, 900) == [("v0", 0, 900)]
    assert lengths(2, 30.0, 1800) == [("v0", 225, 1350), ("v1", 225, 1350)]
    assert [n for _, _, n in lengths(100, 30.0, 9000)] == [300] * 9
    assert lengths(100, 200.0, 90_000) == [("v0", 6000, 2000), ("v50", 6000, 2000), ("v99", 6000, 2000)]


def test_a_part_is_the_middle_of_its_video(six_seconds):
    whole = list(open_source(six_seconds[1]).pictures())
    source = open_source(six_seconds[1])
    part = Part(source.name, source.fps, 10, source.path, pixels=source.pixels, begin=40)
    assert [p.number for p in part.pictures()] == list(range(40, 50))
    rest = list(part.pictures(7))
    assert [p.number for p in rest] == [47, 48, 49]
    assert np.array_equal(rest[0].colours, whole[47].colours)


def test_doubt_is_said_only_where_there_is_some():
    sure = Cost(1, 30, 0, 2**20, 1.0, 0.0, 2**30, (30,))
    assert "1.0 MiB; the disk" in sure.text(1)
    assert "1.0 MiB, give or take 0.5; the disk" in replace(sure, doubt=2**19).text(1)
