"""The evaluation report in a browser."""

import pytest

from training.__main__ import main

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def report(write_facet, message_rows, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    hostile = (1, "<script>document.title = 'taken over'</script> crashes")
    data = write_facet(folder / "data", train=message_rows * 2, test=[*message_rows[::3], hostile, (3, "refund")])
    assert main(["train", str(data), "--out", str(folder / "one")]) == 0
    assert main(["train", str(data), "--out", str(folder / "two"), "--maxn", "0"]) == 0
    arguments = ["evaluate", folder / "one", data, "--report", folder / "report.html", "--against", folder / "two"]
    assert main([str(argument) for argument in [*arguments, "--learning-curve"]]) == 0
    return folder / "report.html"


@pytest.fixture
def page(browser, report):
    context = browser.new_context(viewport={"width": 1100, "height": 800})
    page = context.new_page()
    page.requests, page.faults = [], []
    page.on("request", lambda request: page.requests.append(request.url))
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.goto(report.as_uri())
    yield page
    context.close()


def test_the_report_is_self_contained(page, report):
    elsewhere = [url for url in page.requests if not url.startswith("data:")]

    assert elsewhere == [report.as_uri()]
    assert page.faults == []


def test_all_figures_are_drawn_and_described(page):
    images = page.locator("img").all()

    assert len(images) == 4
    for image in images:
        assert image.evaluate("image => image.naturalWidth") > 300
        assert image.get_attribute("alt")


def test_the_metrics_of_every_class_are_listed(page):
    text = page.inner_text("body")

    assert "Macro-F1" in text
    assert "Expected calibration error" in text
    assert "Against two-" in text
    for name in ("Billing", "Technical_help", "General"):
        assert page.get_by_role("cell", name=name, exact=True).count() == 1


def test_mistakes_are_explained_word_by_word_and_texts_are_escaped(page):
    mistakes = page.locator("ol li").all_inner_texts()

    assert any("script" in mistake and "crashes" in mistake for mistake in mistakes)
    assert any("refund" in mistake and "actually General" in mistake for mistake in mistakes)
    assert page.title().startswith("Evaluation of one-")
