"""The page in headless Chromium: silent console, keyboard, sorting, contrast in both themes, phone width, print."""

import base64
import json
from pathlib import Path

import pytest
from helpers.browser import CONTRASTS, REACHABLE, needs_browser, open_all, paper
from helpers.made_up_runs import SYNTHETIC, predictions, write_figure, write_pictures, write_run
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from mer_tf.reporting.report import write_report

pytestmark = needs_browser


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Reports: `whole` of two runs with danger, pictures and several seeds, `hostile`, `unfinished`."""
    folder = tmp_path_factory.mktemp("reports")
    first = write_run(folder / "a", warnings=(SYNTHETIC, "LEAKY SPLIT: clips of one subject"))
    write_pictures(first)
    second = write_run(folder / "b", frame=predictions(subjects=8, folds=8, seeds=(0, 1), skill=0.3))
    evil = predictions(classes=('<script>alert("1")</script>', 'it\'s "x"', "</style>"))
    evil["clip_id"] = "<img src=http://example.invalid/x onerror=alert(2)>" + evil["clip_id"]
    hostile, unfinished = write_run(folder / "c", frame=evil), write_run(folder / "d")
    (unfinished / "predictions.csv").unlink()
    runs = {"whole": [first, second], "hostile": [hostile], "unfinished": [unfinished], "figure": [figure_run(folder)]}
    return {name: write_report(given, folder / f"{name}.html") for name, given in runs.items()}


def figure_run(folder: Path) -> Path:
    """A run whose one picture is a figure that names its paper."""
    run = write_run(folder / "e")
    write_pictures(run)
    write_figure(run / "pictures" / "cam.png", size=(1200, 300))
    return run


@pytest.mark.parametrize("name", ["whole", "hostile", "unfinished"])
def test_console_is_silent_and_nothing_leaves_the_page(show, pages, name):
    browser = show(pages[name])
    browser.get_log("performance")
    browser.get_log("browser")
    browser.refresh()
    open_all(browser)
    assert browser.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    assert pages[name].as_uri() in asked
    assert [url[:60] for url in asked if url != pages[name].as_uri() and not url.startswith("data:")] == []


def test_every_picture_is_shown(show, pages):
    browser = show(pages["whole"])
    widths = browser.execute_script("return [...document.images].map((i) => i.complete && i.naturalWidth)")
    assert widths == [1400, 300]


@pytest.mark.parametrize("press", ["click", Keys.ENTER, Keys.SPACE])
def test_tables_sort_by_mouse_and_keyboard(show, pages, press):
    browser = show(pages["whole"])
    table = browser.find_element(By.CSS_SELECTOR, "#run-1-subjects table")
    head = table.find_element(By.XPATH, ".//th[normalize-space()='accuracy']")
    button = head.find_element(By.TAG_NAME, "button")
    for order, reverse in (("ascending", False), ("descending", True)):
        button.click() if press == "click" else button.send_keys(press)
        assert head.get_attribute("aria-sort") == order
        values = [float(c.get_attribute("data-value")) for c in table.find_elements(By.CSS_SELECTOR, "td:nth-child(4)")]
        assert values == sorted(values, reverse=reverse)
        assert len(set(values)) > 1
    others = [h.get_attribute("aria-sort") for h in table.find_elements(By.CSS_SELECTOR, "thead th[aria-sort]")]
    assert sorted(others) == ["descending"] + ["none"] * (len(others) - 1)


def test_numbers_sort_as_numbers_and_text_as_text(show, pages):
    browser = show(pages["whole"])
    table = browser.find_element(By.CSS_SELECTOR, "#results table")
    for column, kind in ((7, int), (1, str)):
        table.find_element(By.CSS_SELECTOR, f"thead th:nth-child({column}) button").click()
        shown = [c.text for c in table.find_elements(By.CSS_SELECTOR, f"tbody tr > :nth-child({column})")]
        assert [kind(v) for v in shown] == sorted(map(kind, shown))


def test_everything_interactive_is_reached_by_tab(show, pages):
    browser = show(pages["whole"])
    expected = browser.execute_script(REACHABLE)
    browser.execute_script("addEventListener('focusin', (e) => reached.push(e.target.dataset.stop)); reached = []")
    ActionChains(browser, duration=0).send_keys(Keys.TAB * len(expected)).perform()
    assert browser.execute_script("return reached") == expected
    assert len(expected) > 30


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_has_contrast_in_both_themes(show, pages, theme):
    browser = show(pages["whole"], theme=theme)
    open_all(browser)
    found = browser.execute_script(CONTRASTS)
    assert len(found) > 500
    assert [entry for entry in found if entry[0] < 4.5 or entry[2] < 1] == []


def test_the_button_changes_the_theme_and_names_the_other(show, pages):
    browser = show(pages["whole"], theme="dark")
    dark = paper(browser)
    button = browser.find_element(By.ID, "theme")
    assert button.text == "Light theme"
    button.send_keys(Keys.ENTER)
    assert (button.text, sum(paper(browser)) > sum(dark)) == ("Dark theme", True)
    assert [e for e in browser.execute_script(CONTRASTS) if e[0] < 4.5] == []


@pytest.mark.parametrize("name", ["whole", "hostile", "unfinished"])
def test_a_phone_scrolls_no_page_sideways(show, pages, name):
    browser = show(pages[name], width=390)
    open_all(browser)
    assert browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]") == [390, 390]


def test_a_phone_scrolls_a_strip_instead_of_shrinking_it(show, pages):
    browser = show(pages["figure"], width=390)
    shown, region, whole = browser.execute_script(
        "const i = document.querySelector('.picture img'), r = i.closest('.scroll');"
        "return [i.clientWidth, r.clientWidth, r.scrollWidth]"
    )
    assert shown == whole > 900
    assert region < 390


@pytest.mark.parametrize(("theme", "shown"), [("light", "on-light"), ("dark", "on-dark")])
def test_a_figure_follows_the_theme(show, pages, theme, shown):
    visible = "return [...document.querySelectorAll('.picture img[class]')].filter((i) => i.checkVisibility())"
    names = f"{visible}.map((i) => i.className)"
    browser = show(pages["figure"], theme=theme)
    assert browser.execute_script(names) == [shown]
    browser.find_element(By.ID, "theme").click()
    assert browser.execute_script(names) == [{"on-light": "on-dark", "on-dark": "on-light"}[shown]]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert browser.execute_script(names) == ["on-light"]


def test_print_opens_what_is_folded_and_is_light(show, pages):
    browser = show(pages["whole"], theme="dark")
    folded = "return document.querySelectorAll('details:not([open])').length"
    before = browser.execute_script(folded)
    browser.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert (before > 0, browser.execute_script(folded)) == (True, 0)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert paper(browser) == [255, 255, 255]
    hidden = browser.execute_script("return document.querySelector('nav').checkVisibility()")
    assert hidden is False
    browser.execute_script("dispatchEvent(new Event('afterprint'))")
    assert browser.execute_script(folded) == before
    assert base64.b64decode(browser.print_page()).startswith(b"%PDF")
