"""Trees and sheets drawn at random for CASME II and SMIC are read back clip by clip."""

import tempfile
from pathlib import Path

import hypothesis.strategies as st
import openpyxl
from helpers.trees import write_frames
from hypothesis import HealthCheck, given, settings

from mer_tf.datasets import dataset_listing

FEW = settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
NAMES = st.from_regex(r"EP(0[1-9]|1[0-9])_[0-9]{2}f?", fullmatch=True)
LABELS = st.sampled_from(["others", "disgust", "happiness", "repression", "surprise", "sadness", "fear"])


@st.composite
def spans(draw, longest=12):
    onset = draw(st.integers(1, 2000))
    length = draw(st.integers(2, longest))
    apex = draw(st.one_of(st.none(), st.integers(onset, onset + length - 1)))
    return onset, apex, onset + length - 1


casme2_clips = st.dictionaries(st.tuples(st.integers(1, 26), NAMES), st.tuples(spans(), LABELS), min_size=1, max_size=6)
smic_clips = st.dictionaries(
    st.tuples(
        st.integers(1, 20), st.sampled_from(["negative", "positive", "surprise", "non-micro"]), st.integers(1, 30)
    ),
    spans(),
    min_size=1,
    max_size=6,
)


@FEW
@given(
    clips=casme2_clips,
    order=st.permutations(["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units", "", None]),
    as_text=st.booleans(),
    blank_rows=st.integers(0, 2),
)
def test_casme2_reads_back_what_was_written(clips, order, as_text, blank_rows):
    titles = ["Subject", *(t for t in order if t != "Subject"), "Estimated Emotion"]
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        book = openpyxl.Workbook()
        for _ in range(blank_rows):
            book.active.append([None])
        book.active.cell(blank_rows + 1, 1)
        for column, title in enumerate(titles, start=1):
            book.active.cell(blank_rows + 1, column).value = title
        for line, ((subject, clip), ((onset, apex, offset), label)) in enumerate(clips.items(), start=blank_rows + 2):
            given_apex = "/" if apex is None else apex
            values = {"Subject": subject, "Filename": clip, "OnsetFrame": onset, "ApexFrame": given_apex}
            values |= {"OffsetFrame": offset, "Action Units": "4+7", "Estimated Emotion": label}
            for column, title in enumerate(titles, start=1):
                value = values.get(title) if title else None
                book.active.cell(line, column).value = str(value) if as_text and value is not None else value
            write_frames(root / f"Cropped/sub{subject:02d}/{clip}", range(onset, offset + 1), "reg_img{}.jpg")
        book.save(root / "CASME2-coding-20140508.xlsx")
        listing = dataset_listing("casme2", root)
    known = {"casme2/sub04/EP12_01f", *(f"casme2/sub{s:02d}/{c}" for s, c in [(7, "EP06_01")])}
    assert [p for p in listing.problems if not any(clip in p for clip in known)] == []
    read = {r.clip_id: (r.onset, r.apex, r.offset, r.label_raw, r.subject, r.aus) for r in listing.rows}
    wanted = {
        f"casme2/sub{subject:02d}/{clip}": (*span, label, f"casme2/sub{subject:02d}", "4+7")
        for (subject, clip), (span, label) in clips.items()
    }
    for clip in known:
        read.pop(clip, None)
        wanted.pop(clip, None)
    assert read == wanted


@FEW
@given(clips=smic_clips, padded=st.booleans(), digits=st.sampled_from([1, 6]))
def test_smic_reads_back_what_was_written(clips, padded, digits):
    short = {"negative": "ne", "positive": "po", "surprise": "sur", "non-micro": "non"}
    wanted = {}
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for (subject, label, number), (onset, _, offset) in clips.items():
            person = f"s{subject:02d}" if padded else f"s{subject}"
            kind = "non_micro" if label == "non-micro" else f"micro/{label}"
            home = root / f"HS/{person}/{kind}/{person}_{short[label]}_{number:02d}"
            write_frames(home, range(onset, offset + 1), f"reg_image{{:0{digits}d}}.bmp")
            clip = f"smic-hs/s{subject:02d}_{short[label]}_{number:02d}"
            wanted[clip] = (f"smic/s{subject:02d}", label, onset, offset)
        listing = dataset_listing("smic-hs", root)
    assert listing.problems == []
    assert {r.clip_id: (r.subject, r.label_raw, r.onset, r.offset) for r in listing.rows} == wanted
