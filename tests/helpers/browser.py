"""Headless Chromium: where it is, and what tests ask of a page in it."""

import shutil

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
CHROMEDRIVER = shutil.which("chromedriver")
needs_browser = pytest.mark.skipif(
    not (CHROMIUM and CHROMEDRIVER), reason="no Chromium with chromedriver; on Debian: apt-get install chromium-driver"
)

CONTRASTS = """
const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
function rgba(css) {
  canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = css; canvas.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255];
}
function behind(element) {
  const layers = [];
  for (let e = element; e; e = e.parentElement) layers.push(rgba(getComputedStyle(e).backgroundColor));
  return layers.reverse().reduce((under, [r, g, b, a]) =>
    [r * a + under[0] * (1 - a), g * a + under[1] * (1 - a), b * a + under[2] * (1 - a)], [255, 255, 255]);
}
function luminance(rgb) {
  const [r, g, b] = rgb.map((v) => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
  return .2126 * r + .7152 * g + .0722 * b;
}
const found = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const node = walker.currentNode, element = node.parentElement;
  if (!node.data.trim() || element.closest("script, style") || !element.checkVisibility()) continue;
  const style = getComputedStyle(element);
  const ink = rgba(element.closest("svg") ? style.fill : style.color), paper = behind(element);
  const [light, dark] = [luminance(ink.slice(0, 3)), luminance(paper)].sort((a, b) => b - a);
  found.push([(light + .05) / (dark + .05), node.data.trim().slice(0, 40), ink[3]]);
}
return found;
"""
REACHABLE = """
return [...document.querySelectorAll("a[href], button, summary, [tabindex='0']")]
  .filter((e) => e.checkVisibility()).map((e, k) => { e.dataset.stop = k; return String(k); });
"""


def headless():
    """A browser that keeps its console and its requests."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1200,900"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service(CHROMEDRIVER))


def opened(browser, path, width=1200, theme="light"):
    """Open a page at a width and theme, afresh."""
    screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    features = [{"name": "prefers-color-scheme", "value": theme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": features})
    browser.get(path.as_uri())
    return browser


def open_all(browser):
    browser.execute_script("document.querySelectorAll('details').forEach((one) => { one.open = true; })")


def paper(browser):
    """Background of the page as [red, green, blue]."""
    colour = browser.execute_script("return getComputedStyle(document.documentElement).backgroundColor")
    return [int(v) for v in colour.removeprefix("rgb(").removesuffix(")").split(",")]
