"""The page says what the predictions say, warns first, embeds everything, and survives hostile or missing input."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from helpers.made_up_runs import CLASSES, DRAWS, SYNTHETIC, predictions, write_run
from PIL import Image

from mer_tf.config import Data, Experiment, Search
from mer_tf.evaluation.metrics import evaluate
from mer_tf.evaluation.variants import metric_variants
from mer_tf.reporting.analysis import analyse, as_words, differences, run_labels
from mer_tf.reporting.embedded import embed
from mer_tf.reporting.page_tables import side_by_side
from mer_tf.reporting.report import report_html, write_report
from mer_tf.reporting.run_files import read_run
from mer_tf.reporting.warnings import MENDS


class Page(HTMLParser):
    """Tags with their attributes, and the text outside script and style."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.words, self.hidden = [], [], 0
        self.feed(html)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.hidden += tag in ("script", "style")

    def handle_endtag(self, tag):
        self.hidden -= tag in ("script", "style")

    def handle_data(self, data):
        if not self.hidden:
            self.words.append(data)

    def ids(self):
        return [held["id"] for _, held in self.tags if "id" in held]


def page(*directories):
    return Page(report_html([read_run(d) for d in directories]))


@pytest.fixture(scope="module")
def whole(whole_run):
    """The page of a run that has everything."""
    return page(whole_run)


def test_the_map_that_stood_for_the_encoder_is_named(whole, tmp_path):
    run = write_run(tmp_path / "run")
    config = json.loads((run / "config.json").read_text())
    assert "map conv4" not in whole.text
    config["resolved"]["features_at"] = "conv4"
    (run / "config.json").write_text(json.dumps(config))
    assert "mtcnn-onet, map conv4" in page(run).text


def test_numbers_are_those_of_the_predictions(whole_run, whole):
    run, text = read_run(whole_run), whole.text
    metrics = evaluate(run.predictions, bootstrap=200, permutations=199)
    for score in ("accuracy", "UAR", "UF1"):
        low, high = metrics[score]["ci95"]
        assert f"{metrics[score]['pooled']:.1%} [{100 * low:.1f}, {100 * high:.1f}]" in text
    assert f"p = {metrics['permutation_p_UAR']:.4f}" in text
    table = metric_variants(run.predictions).set_index("metric")["value"]
    for name in ("best-fold accuracy", "mean-of-folds macro F1"):
        assert f"{name} {table[name]:.1%}" in text
    assert "On 36 clips of 6 subjects, exp_made_up reaches" in text
    assert "Bai & Goecke 2020, Table 4 VGGFace2 + LSTM smic-hs 59.09" in text


def test_every_section_of_a_whole_run_is_there_and_linked(whole):
    names = ["protocol", "data", "clips", "tests", "variants", "confusion", "curves", "subjects", "pictures"]
    names += ["worst", "again"]
    assert [i for i in whole.ids() if re.fullmatch(r"run-1-(?!title)[a-z]+", i)] == [f"run-1-{n}" for n in names]
    assert len(whole.ids()) == len(set(whole.ids()))
    links = [a["href"] for tag, a in whole.tags if tag == "a"]
    assert {f"#run-1-{n}" for n in names} | {"#results", "#published"} <= set(links)
    assert {link[1:] for link in links} <= set(whole.ids())


def test_absent_parts_leave_their_section_out(run_directory):
    for name in ("self_test.json", "env.json", "metrics.json", "manifest.csv", "baseline_onset.csv"):
        (run_directory / name).unlink()
    for path in [*run_directory.glob("fold-*/*.csv"), *run_directory.glob("*/*s*.csv")]:
        path.unlink(missing_ok=True)
    found = page(run_directory)
    assert not {f"run-1-{n}" for n in ("tests", "curves", "pictures", "worst")} & set(found.ids())
    assert "The run kept no env.json." in found.text
    assert "The run kept no manifest" in found.text
    assert "onset frame only" not in found.text


def test_predictions_alone_make_a_report(run_directory):
    """Three columns: no subject, fold, seed, probability."""
    frame = read_run(run_directory).predictions[["clip_id", "y_true", "y_pred"]]
    (run_directory / "baseline_onset.csv").unlink()
    frame.to_csv(run_directory / "predictions.csv", index=False)
    found = page(run_directory)
    assert "run-1-subjects" not in found.ids()
    assert "On 36 clips, exp_made_up reaches" in found.text


def test_dangers_come_before_notes_and_before_every_number(tmp_path):
    warnings = (SYNTHETIC, "LEAKY SPLIT: clips of one subject", "PEEKING: epochs were chosen on test clips")
    text = page(write_run(tmp_path / "run", warnings=warnings)).text
    places = [
        text.index(w)
        for w in ("Danger. LEAKY", "Danger. PEEKING", f"Note. The clips are a {SYNTHETIC}.", "Read with the danger")
    ]
    assert places == sorted(places)
    assert re.search(r"\d%", text).start() > text.index("Note. The clips are a synthetic")


def test_a_warning_of_all_runs_stands_once_and_that_of_one_names_it(tmp_path):
    sound = write_run(tmp_path / "a", Experiment("exp_sound", evaluation=DRAWS))
    leaky = write_run(tmp_path / "b", warnings=(SYNTHETIC, "LEAKY SPLIT: clips of one subject"))
    text = page(sound, leaky).text
    assert text.count(SYNTHETIC) == 1
    assert f"Note. The clips are a {SYNTHETIC}. {MENDS['synthetic']} Note." in text
    assert "Danger. LEAKY SPLIT: clips of one subject (exp_made_up)" in text
    assert text.index("Danger.") < text.index("Note.")


@pytest.mark.parametrize("hide", ["metrics.json", None])
def test_a_subject_tested_in_two_folds_is_a_danger_whatever_the_run_says(tmp_path, hide):
    frame = predictions()
    frame.loc[0, "fold"] = 2
    directory = write_run(tmp_path / "run", frame=frame)
    if hide:
        (directory / hide).unlink()
    assert "LEAKY SPLIT: 1 subjects are tested in more than one fold" in page(directory).text


def test_random_weights_and_failed_self_tests_are_dangers(run_directory):
    config = json.loads((run_directory / "config.json").read_text())
    config["resolved"]["weights"]["source"] = "random"
    (run_directory / "config.json").write_text(json.dumps(config))
    tests = [{"check": "an oracle scores 1", "passed": False, "detail": "accuracy 0.9"}]
    (run_directory / "self_test.json").write_text(json.dumps(tests))
    text = page(run_directory).text
    assert "Danger. RANDOM WEIGHTS: mtcnn-onet was never trained" in text
    assert "Danger. SELF-TEST FAILED: an oracle scores 1: accuracy 0.9" in text
    assert "0 of 1 self-tests passed" in text


def test_chance_is_called_chance(tmp_path):
    assert "not distinguishable from chance" in page(write_run(tmp_path / "a", frame=predictions(skill=0))).text
    assert "better than chance" in page(write_run(tmp_path / "b", frame=predictions(skill=1))).text


def test_an_unfinished_run_is_said_and_does_not_hide_the_others(tmp_path):
    done, undone = write_run(tmp_path / "done"), write_run(tmp_path / "undone", Experiment("exp_undone"))
    (undone / "predictions.csv").unlink()
    text = page(undone, done).text
    assert "exp_undone is unfinished:" in text
    assert "On 36 clips of 6 subjects, exp_made_up reaches" in text
    alone = page(undone)
    assert "results" not in alone.ids()
    assert "run-1-protocol" in alone.ids()


def test_markup_in_ids_labels_and_names_stays_text(tmp_path):
    evil = ('<script>alert("1")</script>', 'it\'s & "quoted"', "</style><b>")
    frame = predictions(classes=evil)
    frame["clip_id"], frame["subject"] = "<img src=x>" + frame["clip_id"], "'><script>" + frame["subject"]
    directory = write_run(tmp_path / "run", Experiment("<i>exp</i>", evaluation=DRAWS), frame, warnings=("<u>",))
    found = page(directory)
    tags = {tag for tag, _ in found.tags}
    assert not {"i", "u"} & tags
    assert [tag for tag, _ in found.tags].count("script") == 1
    assert all("src" not in held or held["src"].startswith("data:") for _, held in found.tags)
    assert f"{evil[0]} as" in found.text or f"as {evil[0]}" in found.text


def test_the_page_needs_no_other_file(run_directory, tmp_path):
    path = write_report([run_directory], tmp_path / "out" / "report.html")
    html = path.read_text(encoding="utf-8")
    found = Page(html)
    sources = [held[k] for _, held in found.tags for k in ("src", "href") if k in held]
    assert all(s.startswith(("data:", "#")) for s in sources)
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest", html)


def test_pictures_are_embedded_small_and_missing_ones_are_said(whole):
    pictures = [held for tag, held in whole.tags if tag == "img"]
    assert [p["src"][:15] for p in pictures] == ["data:image/jpeg", "data:image/png;"]
    assert (int(pictures[0]["width"]), int(pictures[0]["height"])) == (1400, 210)
    assert all(p["alt"] for p in pictures)
    assert "gone.png cannot be shown" in whole.text
    assert "taken for positive; probability of the true class 0.02" in whole.text


@pytest.mark.parametrize("name", ["../secret.png", "/etc/hostname", "text.png", "picture.svg"])
def test_pictures_outside_the_folder_or_of_another_kind_are_not_embedded(tmp_path, name):
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.fromarray(np.zeros((2, 2, 3), np.uint8)).save(tmp_path / "secret.png")
    (folder / "text.png").write_text("no picture")
    (folder / "picture.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>")
    shown = embed(folder, name, "title", "")
    assert shown.source is None
    assert name in shown.problem


def test_several_seeds_show_their_spread_and_number(tmp_path):
    text = page(write_run(tmp_path / "run", frame=predictions(seeds=(3, 4)))).text
    assert "2 (seeds 3, 4); scores are their mean" in text
    assert "±" in text
    assert "All folds pooled, 2 seeds added" in text
    assert "Fold 2, seed 4" in text
    assert "On 36 clips" in text


def test_runs_of_one_name_are_told_apart_and_compared(tmp_path):
    base = Experiment("exp_made_up", evaluation=DRAWS)
    still = replace(base, data=replace(base.data, amplitude=0.0, cache="elsewhere"))
    directories = [
        write_run(tmp_path / "a", base),
        write_run(tmp_path / "b", still, predictions(skill=0.1)),
        write_run(tmp_path / "c", still, predictions(prefix="other")),
    ]
    runs = [read_run(d) for d in directories]
    names = ["exp_made_up", "exp_made_up, data.amplitude 0", "exp_made_up, data.amplitude 0 (2)"]
    assert run_labels(runs) == names
    text = page(*directories).text
    assert re.search(r"exp_made_up, data.amplitude 0 exp_made_up -\d", text), "second run minus the first"
    assert "not comparable: the two files do not predict the same clips" in text


def test_differences_leave_out_paths_and_read_lists_as_tuples():
    base = {"a": (1, 2), "out": "x", "data.root": None, "b": 1.0, "gone": 1}
    other = {"a": [1, 2], "out": "y", "data.root": "/d", "b": 1.5, "new": 2}
    assert differences(base, other) == {"b": 1.5}
    assert as_words({"b": 1.5, "c": [1, 2], "d": 0.0}) == ["b 1.5", "c 1 2", "d 0"]


@pytest.mark.parametrize(
    ("experiment", "said"),
    [
        (Experiment("e", search=Search(epochs=(2, 4))), "epochs chosen on inner folds of the training subjects alone"),
        (Experiment("e"), "20, fixed in advance"),
        (Experiment("e", evaluation=replace(DRAWS, split="loso")), "leave one subject out"),
        (Experiment("e", data=Data(root="/data/SMIC")), "apart, on smic-hs?"),
        (Experiment("e"), "apart, on a synthetic look-alike of smic-hs?"),
    ],
)
def test_the_protocol_is_said_in_words(tmp_path, experiment, said):
    run = write_run(tmp_path / "run", experiment)
    (run / "predictions.csv").unlink()
    assert said in page(run).text


def test_the_kept_docstring_is_the_question(run_directory):
    config = json.loads((run_directory / "config.json").read_text())
    (run_directory / "config.json").write_text(json.dumps(config | {"docstring": "Does motion help?\n\nMore."}))
    text = page(run_directory).text
    assert "Does motion help?" in text
    assert "How well does" not in text


def test_a_published_key_without_a_row_is_said(tmp_path):
    experiment = Experiment("e", evaluation=DRAWS, published=("X/nothing",))
    assert "published_results.csv has no such row" in page(write_run(tmp_path / "run", experiment)).text


def test_clips_without_a_prediction_are_listed(whole):
    assert "1 of 37 clips of the manifest have no prediction" in whole.text
    assert "smic-hs/lost smic-hs smic/s00 happy" in whole.text


def test_confusions_show_counts_and_shares_of_every_fold(whole_run, whole):
    frame = read_run(whole_run).predictions
    hit = int(((frame["y_true"] == CLASSES[0]) & (frame["y_pred"] == CLASSES[0])).sum())
    assert f"{CLASSES[0]} {100 * hit / 12:.0f}% {hit}" in whole.text
    assert sum(held.get("class") == "confusion" for _, held in whole.tags) == 1 + 3


def test_our_scores_stand_under_every_definition_beside_published_ones(whole_run, whole):
    """Best fold, pooled, mean of folds, majority, UAR and UF1 in one row: a reader sees what a paper printed."""
    run = read_run(whole_run)
    (row,) = side_by_side(analyse([run]))
    frame = pd.read_csv(whole_run / "predictions.csv")
    hits = frame["y_true"] == frame["y_pred"]
    folds = hits.groupby(frame["fold"]).mean()
    majority = frame["y_true"].value_counts(normalize=True).iloc[0]
    assert row["values"][:4] == pytest.approx([folds.max(), hits.mean(), folds.mean(), majority], abs=1e-6)
    text = whole.text
    assert text.index("best fold") < text.index(f"{folds.max():.1%}", text.index("best fold"))
