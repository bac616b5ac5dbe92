"""The page on a phone, with a keyboard, to a screen reader, in the dark, and under its content policy."""

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

# Every text that shows, with the contrast WCAG 2 asks for and the one it has; colours are read through a canvas,
# which knows every notation, and laid over the grounds below them.
CONTRASTS = """() => {
  const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 })
    .getContext("2d", { willReadFrequently: true });
  const painted = (layers) => {
    pen.clearRect(0, 0, 1, 1);
    for (const layer of layers) { pen.fillStyle = layer; pen.fillRect(0, 0, 1, 1); }
    return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (colour) => colour
    .map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);
  const grounds = (element) => {
    const found = [];
    for (let at = element; at; at = at.parentElement) found.unshift(getComputedStyle(at).backgroundColor);
    return ["white", ...found];
  };
  const texts = [...document.querySelectorAll("body *")].filter((element) =>
    element.checkVisibility() && !element.classList.contains("visually-hidden") &&
    [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim()));
  return texts.map((element) => {
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const under = grounds(element);
    const [light, dark] = [painted([...under, style.color]), painted(under)].map(luminance).sort((a, b) => b - a);
    return [element.textContent, (light + 0.05) / (dark + 0.05), large ? 3 : 4.5];
  });
}"""


def classify(page: Page, text: str = "Our checkout is down") -> None:
    page.get_by_label("Customer message").fill(text)
    page.get_by_role("button", name="Classify").click()


def show(page: Page, site, state: str) -> None:
    """Bring the page into one of its states."""
    if state == "dbpedia":
        site.api.load_dbpedia()
    if state == "unsure":
        site.api.be_unsure()
    if state == "failure":
        site.api.refuse(503, "Endpoint " + "x" * 300, retry_after="30")
    page.goto(site.url)
    page.get_by_text("The request behind this page").click()
    if state == "empty":
        expect(page.get_by_text("What this model recognises")).to_be_visible()
        return
    classify(page, "word " * 20 + "x" * 300)
    expect(page.locator("#notice" if state == "failure" else "#headline p")).to_be_visible()


STATES = ["empty", "sure", "unsure", "dbpedia", "failure"]


@pytest.mark.parametrize("width", [320, 390])
@pytest.mark.parametrize("state", STATES)
def test_nothing_is_wider_than_a_phone(site, open_page, state, width):
    page = open_page(viewport={"width": width, "height": 844})

    show(page, site, state)

    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_every_text_has_the_contrast_of_wcag_aa(site, open_page, state, scheme):
    page = open_page(color_scheme=scheme, reduced_motion="reduce")

    show(page, site, state)

    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 15
    assert [text for text, contrast, needed in contrasts if contrast < needed] == []


def test_on_a_phone_the_answer_is_brought_into_view(site, open_page):
    page = open_page(viewport={"width": 390, "height": 640}, reduced_motion="reduce")
    page.goto(site.url)
    expect(page.get_by_text("What this model recognises")).to_be_visible()

    page.get_by_role("button", name="Checkout is down").click()

    expect(page.locator("#headline p")).to_be_in_viewport()


def test_the_keyboard_alone_is_enough(demo, site):
    demo.keyboard.press("Tab")
    expect(demo.get_by_label("Customer message")).to_be_focused()
    demo.keyboard.type("Our checkout is down")
    demo.keyboard.press("Control+Enter")
    expect(demo.locator("#headline p")).to_have_text("Technical 86%")

    demo.keyboard.press("Tab")
    expect(demo.get_by_role("button", name="Classify")).to_be_focused()
    demo.keyboard.press("Tab")
    demo.keyboard.press("Enter")
    expect(demo.get_by_role("button", name="Charged twice")).to_have_attribute("aria-current", "true")
    expect(demo.get_by_label("Customer message")).to_have_value(re.compile("charged twice"))

    for _ in range(7):
        demo.keyboard.press("Tab")
    demo.keyboard.press("Enter")
    expect(demo.locator("#why li").first).to_be_visible()

    demo.keyboard.press("Tab")
    demo.keyboard.press("Enter")
    expect(demo.get_by_role("button", name="Copy as curl")).to_be_visible()


def test_what_has_the_focus_is_outlined(demo):
    outlines = []
    for _ in range(10):
        demo.keyboard.press("Tab")
        outlines.append(demo.evaluate("getComputedStyle(document.activeElement).outlineStyle"))

    assert set(outlines) == {"solid"}


def test_an_answer_is_read_out_in_one_piece(demo):
    classify(demo)

    expect(demo.locator("#announcer")).to_have_text(
        "Category: Technical, 86%. Urgency: High, 70%. Tone: Neutral, 55%. Would be routed automatically."
    )
    expect(demo.locator("#announcer")).to_have_role("status")


def test_a_failure_is_read_out(demo, site):
    site.api.refuse(422, "There is no word in it.")

    classify(demo)

    expect(demo.locator("#announcer")).to_have_text("There is nothing to read in this message. There is no word in it.")


@pytest.mark.parametrize(("motion", "duration"), [("no-preference", "0.35s"), ("reduce", "0s")])
def test_bars_glide_only_for_those_who_do_not_mind(site, open_page, motion, duration):
    page = open_page(reduced_motion=motion)
    page.goto(site.url)
    expect(page.get_by_text("What this model recognises")).to_be_visible()

    classify(page)

    bar = page.locator(".bar-track").first
    expect(bar).to_be_visible()
    assert bar.evaluate("track => getComputedStyle(track, '::before').transitionDuration") == duration


def test_the_page_asks_no_other_host_for_anything(site, open_page):
    page, asked = open_page(), []
    page.on("request", lambda request: asked.append(request.url))

    show(page, site, "sure")

    assert [url for url in asked if not url.startswith(site.url)] == []


def test_no_script_or_style_stands_in_the_markup(site_files):
    markup = (site_files / "index.html").read_text(encoding="utf-8")

    assert re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", markup) == []


def test_no_script_parses_text_as_markup(site_files):
    scripts = "".join(path.read_text(encoding="utf-8") for path in (site_files / "js").rglob("*.js"))

    assert "textContent" in scripts
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", scripts) == []
