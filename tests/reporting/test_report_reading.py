"""What a reader of the page needs: what ran and when, words in full, each clip, how pictures are read."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from helpers.made_up_runs import DRAWS, predictions, write_figure, write_run
from PIL import Image

from mer_tf.config import Data, Experiment
from mer_tf.reporting.embedded import INK, PAPER, embed, on_dark_paper
from mer_tf.reporting.how_to_read import CONTROL, HEAT, NO_CONTROL
from mer_tf.reporting.report import report_html
from mer_tf.reporting.run_files import read_run

BOX = (4, 3, 12, 8)


def html(*directories, **options):
    return report_html([read_run(d) for d in directories], **options)


def test_the_encoder_that_ran_and_the_date_stand_below_the_title(tmp_path):
    run = write_run(tmp_path / "20260102-030405-000-abcdef0")
    text = html(run)
    head = text[: text.index("</header>")]
    assert "on the encoder mtcnn-onet (asked for: auto)" in head
    assert "a synthetic look-alike of smic-hs; started on 2 January 2026." in head


@pytest.mark.parametrize(
    "words", ["unweighted average recall", "unweighted F1 score", "Matthews correlation coefficient"]
)
def test_abbreviations_are_written_out_once(whole_run, words):
    assert html(whole_run).count(words) == 1


def test_a_notice_says_what_to_do_and_is_said_once(tmp_path):
    warnings = ("2 of 37 clips could not be read: data/errors.csv", "LEAKY SPLIT: clips of one subject")
    text = html(write_run(tmp_path / "run", warnings=warnings))
    assert text.count("could not be read: data/errors.csv") == 1
    assert "Mend or remove these files and run again" in text
    assert "Split by people, with --evaluation.split group or loso." in text


def test_metric_variants_are_warned_of_once(tmp_path):
    text = html(write_run(tmp_path / "run", frame=predictions(skill=0.5)))
    assert text.count("variants lie up to") == text.count("name the one given.")
    assert text.count("Accuracy variants lie up to") == 1


def test_every_clip_has_a_row_and_its_pictures_lead_there_and_back(whole_run):
    text = html(whole_run)
    frame = pd.read_csv(whole_run / "predictions.csv")
    assert text.count('<tr id="run-1-clip-') == len(frame)
    clip = "smic-hs/s00_c00"
    place = frame["clip_id"].tolist().index(clip)
    row = text[text.index(f'<tr id="run-1-clip-{place}">') :]
    row = row[: row.index("</tr>")]
    assert f'<th scope="row">{clip}</th>' in row
    assert '<a href="#run-1-worst-0">frames</a>' in row
    figure = text[text.index('id="run-1-worst-0"') :]
    assert f'<a href="#run-1-clip-{place}">In the list of clips</a>' in figure[: figure.index("</figure>")]


def test_the_answer_of_several_trainings_is_the_most_frequent(tmp_path):
    frame = predictions(seeds=(0, 1, 2))
    clip = frame["clip_id"].iloc[0]
    frame.loc[frame["clip_id"] == clip, "y_pred"] = ["positive", "surprise", "positive"]
    text = html(write_run(tmp_path / "run", frame=frame))
    row = text[text.index(f'<th scope="row">{clip}</th>') :]
    assert '<td class="text">negative</td><td class="text">positive</td><td class="text">0 of 3</td>' in row[:600]


@pytest.mark.parametrize(("title", "said"), [("conv4", NO_CONTROL), ("Before and after training", CONTROL)])
def test_heat_maps_say_how_they_are_read_and_what_their_control_is(run_directory, title, said):
    table = pd.read_csv(run_directory / "pictures" / "pictures.csv").replace("conv4", title)
    table.to_csv(run_directory / "pictures" / "pictures.csv", index=False)
    text = html(run_directory)
    assert text.count(HEAT.replace("'", "&#39;")) == 1
    assert said in text


def test_a_figure_is_shown_on_light_and_on_dark_paper(tmp_path):
    shown = embed(tmp_path, write_figure(tmp_path / "figure.png").name, "title", "")
    assert shown.source.startswith("data:image/png")
    assert shown.dark.startswith("data:image/png")
    assert shown.dark != shown.source


def test_dark_paper_leaves_the_pictures_as_they_are(tmp_path):
    with Image.open(write_figure(tmp_path / "figure.png", BOX)) as image:
        turned = np.asarray(on_dark_paper(image))
    assert tuple(turned[9, 19]) == PAPER
    assert tuple(turned[0, 0]) == INK
    assert (turned[BOX[1] : BOX[3], BOX[0] : BOX[2]] == 200).all()


@pytest.mark.parametrize("boxes", ["", "{", "3", "[[1, 2]]", '[["a", 1, 2, 3]]', '{"a": 1}'])
def test_a_figure_that_names_no_boxes_stays_light(tmp_path, boxes):
    shown = embed(tmp_path, write_figure(tmp_path / "figure.png", boxes=boxes).name, "title", "")
    assert (shown.dark, shown.problem) == (None, "")


def test_the_animation_of_a_clip_is_shown_beside_its_strip(run_directory):
    home = run_directory / "pictures" / "gradcam" / "a"
    home.mkdir(parents=True)
    write_figure(home / "strip.png")
    frames = [Image.new("P", (8, 8), k) for k in (0, 200)]
    frames[0].save(home / "overlay.gif", save_all=True, append_images=frames[1:])
    row = {"section": "gradcam", "title": "smic-hs/s00_c00", "caption": "", "file": "gradcam/a/strip.png"}
    pd.DataFrame([row]).to_csv(run_directory / "pictures" / "pictures.csv", index=False)
    text = html(run_directory)
    assert text.count('<img class="moving" src="data:image/gif;base64,') == 1
    people = json.loads((run_directory / "config.json").read_text())
    people["experiment"]["data"]["root"] = "/data/SMIC"
    (run_directory / "config.json").write_text(json.dumps(people))
    (run_directory / "metrics.json").write_text("{}")
    assert "image/gif" not in html(run_directory)


def test_published_values_stand_beside_their_own_data_set_alone(tmp_path):
    experiment = Experiment("e", evaluation=DRAWS, published=("C/T4/LSTM", "A/T3/fused/CASMEII"))
    smic = write_run(tmp_path / "smic", experiment)
    text = html(smic)
    assert "<h3>On smic-hs</h3>" in text
    assert "fused features" not in text
    assert "too. No run of this page saw these data" in text
    assert "<strong>No comparison:</strong> the runs of this page saw a drawn look-alike of smic-hs" in text
    other = replace(experiment, name="f", data=Data(dataset="casme2", root="/data/c"))
    both = html(smic, write_run(tmp_path / "casme2", other, predictions().assign(dataset="casme2"), ()))
    part = both[both.index("<h3>On casme2") :]
    part = part[: part.index("</section>")]
    assert "fused features" in part
    assert '<th scope="row">f</th>' in part
    assert '<th scope="row">e</th>' not in part
    assert "No comparison" not in part


def test_strips_scroll_by_themselves(run_directory):
    assert html(run_directory).count('<div class="scroll" role="region" aria-label="conv4"') == 1
