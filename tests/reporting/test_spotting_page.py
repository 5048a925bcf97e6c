"""The page of spotted events in headless Chromium: timelines, player, film, marks; and marks on their way to a run."""

import json
from time import monotonic, sleep

import pandas as pd
import pytest
from helpers.browser import CONTRASTS, REACHABLE, needs_browser
from helpers.own_folders import small_experiment, write_encoder
from helpers.spotted import HOSTILE, spotted
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from mer_tf.changes import changed
from mer_tf.cli import main
from mer_tf.datasets.manifest import read_manifest
from mer_tf.reporting.spotting_page import spotted_html

pytestmark = needs_browser


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("spotted")
    path = folder / "index.html"
    path.write_text("".join(spotted_html(spotted(folder))), encoding="utf-8")
    return path


@pytest.fixture
def fresh(show, page):
    """The page without marks of other tests."""

    def opened(**how):
        browser = show(page, **how)
        browser.execute_script("localStorage.clear()")
        browser.refresh()
        return browser

    return opened


def test_nothing_is_fetched_but_the_videos_beside_the_page_and_they_play(fresh, page):
    browser = fresh()
    browser.get_log("performance")
    browser.get_log("browser")
    browser.refresh()
    wait(browser, "return [...document.querySelectorAll('video')].every((v) => v.videoWidth === 64)")
    assert browser.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = {e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"}
    beside = {page.as_uri(), *((page.parent / n).as_uri() for n in ("anna.webm", "bert.webm"))}
    assert {url for url in asked if not url.startswith("data:")} == beside
    assert HOSTILE in browser.find_element(By.ID, "chosen-facts").text
    assert browser.find_element(By.CLASS_NAME, "honest").text.startswith("This page shows fast movements of faces.")


def test_the_first_expression_is_chosen_and_a_loop_stays_within_it(fresh):
    browser = fresh()
    assert "Micro event of person 1 at 0.20 s" in browser.find_element(By.ID, "chosen-title").text
    wait(browser, "return document.querySelector('video').readyState > 1")
    browser.find_element(By.CSS_SELECTOR, ".slow").click()
    rate = browser.execute_script("return document.querySelector('video').playbackRate")
    assert rate == 0.25
    wait(browser, "return document.querySelector('video').currentTime > .15")
    seen = []
    for _ in range(20):
        seen.append(browser.execute_script("return document.querySelector('video').currentTime"))
        sleep(0.05)
    assert max(seen) < 12 / 25 + 0.3
    browser.find_element(By.CSS_SELECTOR, ".slow").click()
    assert browser.execute_script("return document.querySelector('video').paused")


def test_heat_stands_beside_the_pictures_and_where_there_is_none_the_reason(fresh):
    browser = fresh()
    figures = browser.find_elements(By.CSS_SELECTOR, "#pictures figure")
    assert [f.text for f in figures] == ["onset", "apex less onset, × 4", "apex with heat by occlusion"]
    assert browser.execute_script("return document.querySelector('#pictures figure.heat img').naturalWidth") == 8
    browser.find_elements(By.CSS_SELECTOR, "#video-1 rect.event")[2].click()
    assert browser.find_element(By.CSS_SELECTOR, "#pictures p.heat").text == "No heat map: the head is turned."
    browser.find_elements(By.CSS_SELECTOR, "#video-1 rect.event")[1].click()
    assert not browser.find_elements(By.CSS_SELECTOR, "#pictures .heat")


def test_a_click_on_a_timeline_chooses_and_jumps_and_zoom_keeps_both_ends(fresh):
    browser = fresh()
    wait(browser, "return document.querySelector('video').readyState > 0")
    bars = browser.find_elements(By.CSS_SELECTOR, "#video-1 rect.event")
    assert [b.get_attribute("class").split()[1] for b in bars] == ["micro", "rejected", "macro"]
    bars[1].click()
    assert "Rejected event of person 1 at 0.80 s: blink" in browser.find_element(By.ID, "chosen-title").text
    wait(browser, "return document.querySelector('video').currentTime >= .75")
    widths = [bar_width(browser)]
    for _ in range(2):
        browser.find_element(By.CSS_SELECTOR, "#video-1 [data-zoom=in]").click()
        widths.append(bar_width(browser))
    assert widths[0] < widths[1] < widths[2]
    browser.find_element(By.CSS_SELECTOR, "#video-1 [data-zoom=all]").click()
    assert bar_width(browser) == pytest.approx(widths[0])


def test_values_appear_under_the_pointer_and_by_arrow_keys(fresh):
    browser = fresh()
    line = browser.find_element(By.CSS_SELECTOR, "#video-1 .timeline svg")
    ActionChains(browser, duration=0).move_to_element(line).perform()
    said = browser.find_element(By.CSS_SELECTOR, "#video-1 .readout")
    assert "frame" in said.text
    line.send_keys(Keys.HOME)
    before = said.text
    line.send_keys(Keys.ARROW_LEFT * 60 + Keys.ARROW_RIGHT * 6)
    assert said.text != before
    assert said.text.startswith("0.24 s, frame 6: brow inner left 2.00 px")


def test_marks_go_by_mouse_and_keys_and_survive_a_reload(fresh):
    browser = fresh()
    body = browser.find_element(By.TAG_NAME, "body")
    body.send_keys("a")
    assert "Without an emotion" in browser.find_element(By.ID, "mark-problem").text
    field(browser, "emotion").send_keys("surprise")
    frame = browser.find_element(By.ID, "scrub")
    browser.execute_script("arguments[0].value = 4; arguments[0].dispatchEvent(new Event('input'))", frame)
    browser.find_element(By.CSS_SELECTOR, "[data-set=apex]").click()
    assert field(browser, "apex").get_attribute("value") == "9"
    field(browser, "offset").send_keys(Keys.BACKSPACE * 3 + "7" + Keys.TAB)
    assert "must follow one another" in browser.find_element(By.ID, "mark-problem").text
    assert not browser.find_element(By.ID, "save").is_enabled()
    browser.execute_script("document.activeElement.blur()")
    body.send_keys("n")
    body.send_keys("x")
    shown = [cell.text for cell in browser.find_elements(By.CSS_SELECTOR, "tbody .mark")]
    assert shown[0] == "accepted, surprise"
    assert "rejected" in shown
    browser.refresh()
    assert [cell.text for cell in browser.find_elements(By.CSS_SELECTOR, "tbody .mark")] == shown


def test_a_missed_event_is_added_and_survives_a_reload(fresh):
    browser = fresh()
    wait(browser, "return document.querySelectorAll('video')[1].readyState > 0")
    browser.execute_script("document.querySelectorAll('video')[1].currentTime = .61")
    browser.find_element(By.CSS_SELECTOR, "#video-2 .add").click()
    assert "Added event of person 1 at 0.48 s" in browser.find_element(By.ID, "chosen-title").text
    assert [field(browser, n).get_attribute("value") for n in ("onset", "apex", "offset")] == ["12", "15", "18"]
    assert len(browser.find_elements(By.CSS_SELECTOR, "#video-2 rect.event.added")) == 1
    browser.refresh()
    last = browser.find_elements(By.CSS_SELECTOR, "tr[data-event]")[-1]
    assert "added by you" in last.text
    assert last.find_element(By.CLASS_NAME, "mark").text == "accepted"
    last.find_element(By.CLASS_NAME, "open").click()
    assert "Added event" in browser.find_element(By.ID, "chosen-title").text


def test_what_was_rejected_is_shown_on_demand_and_the_table_sorts(fresh):
    browser = fresh()
    rows = "return [...document.querySelectorAll('tr[data-event]')].filter((r) => r.checkVisibility()).length"
    assert browser.execute_script(rows) == 4
    browser.find_element(By.ID, "show-rejected").click()
    assert browser.execute_script(rows) == 6
    peak = browser.find_element(By.XPATH, "//th[contains(., 'Peak, px')]//button")
    peak.click()
    peak.click()
    values = [float(c.text) for c in browser.find_elements(By.CSS_SELECTOR, "tr[data-event] td:nth-child(7)")]
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_has_contrast_in_both_themes(fresh, theme):
    found = fresh(theme=theme).execute_script(CONTRASTS)
    assert len(found) > 80
    assert [entry for entry in found if entry[0] < 4.5 or entry[2] < 1] == []


def test_a_phone_scrolls_no_page_sideways_and_all_is_reached_by_tab(fresh):
    browser = fresh(width=390)
    assert browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]") == [390, 390]
    reachable = browser.execute_script(REACHABLE)
    assert len(reachable) > 25


@pytest.mark.slow
def test_marks_become_clips_of_a_manifest_and_a_run_learns_them(fresh, page, tmp_path, capsys, quick):
    """Marked in the browser, saved as CSV, listed, trained on."""
    browser = fresh()
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    browser.find_element(By.ID, "show-rejected").click()
    for number, emotion in enumerate(("positive", "", "negative", "positive", "", "negative")):
        browser.execute_script("document.querySelectorAll('tr[data-event] .open')[arguments[0]].click()", number)
        browser.find_element(By.CSS_SELECTOR, f"[data-mark={'accepted' if emotion else 'rejected'}]").click()
        field(browser, "emotion").send_keys(emotion)
        field(browser, "subject").clear()
        field(browser, "subject").send_keys("anna" if number < 3 else "bert, jr.")
    browser.find_element(By.ID, "save").click()
    sheet = tmp_path / "marks.csv"
    until(sheet.is_file)
    marks = pd.read_csv(sheet, keep_default_na=False)
    assert marks["mark"].tolist() == ["accepted", "rejected", "accepted"] * 2
    out = tmp_path / "manifest.csv"
    main(["manifest", "--dataset", "folders", "--root", str(page.parent), "--sheet", str(sheet), "--out", str(out)])
    assert "2 line(s) are marked rejected and left out" in capsys.readouterr().out
    rows = read_manifest(out)
    assert [(r.clip_id, r.onset, r.apex, r.offset, r.label_raw) for r in rows[:2]] == [
        ("folders/anna.webm-30", 30, 33, 47, "negative"),
        ("folders/anna.webm-5", 5, 8, 11, "positive"),
    ]
    assert {r.subject for r in rows} == {"folders/anna", "folders/bert, jr."}
    from mer_tf.runner import run

    experiment = small_experiment(page.parent, write_encoder(tmp_path / "encoder.keras"), tmp_path)
    done = run(changed(experiment, {"data.sheet": str(sheet), "model.name": "lbp_top"}))
    assert sorted(pd.read_csv(done / "predictions.csv")["clip_id"]) == sorted(r.clip_id for r in rows)
    browser.execute_script("localStorage.clear()")
    browser.refresh()
    browser.find_element(By.ID, "load").send_keys(str(sheet))
    until(lambda: "6 of 6 marks" in browser.find_element(By.ID, "saved").text)


def field(browser, name):
    return browser.find_element(By.CSS_SELECTOR, f"#marks input[name={name}]")


def bar_width(browser):
    return browser.find_element(By.CSS_SELECTOR, "#video-1 rect.event.rejected").rect["width"]


def wait(browser, script):
    until(lambda: browser.execute_script(script))


def until(happens, seconds=20):
    end = monotonic() + seconds
    while not happens():
        assert monotonic() < end, "it did not happen in time"
        sleep(0.1)
