"""How the page shows the answer to a message."""

import json
import re
import shlex
from dataclasses import replace
from functools import partial

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from classifier_infra.model.manifest import Facet, Label

# A browser that took it for markup would run a script and draw an italic word.
MARKUP = "<img src=x onerror=throw(1)><i>word</i>"
STAGE = "https://api.example.test/prod"

pytestmark = pytest.mark.browser


def write(page: Page, text: str) -> None:
    page.get_by_label("Customer message").fill(text)


def classify(page: Page, text: str) -> None:
    write(page, text)
    page.get_by_role("button", name="Classify").click()


def rows(bars: Locator) -> list[str]:
    return [" ".join(row.split()) for row in bars.get_by_role("listitem").all_inner_texts()]


def answer_from_elsewhere(api, route: Route) -> None:
    request = route.request
    reply = api.handle(f"{request.method} {request.url.removeprefix(STAGE)}", request.post_data_buffer or b"")
    route.fulfill(body=reply.body, headers={"Access-Control-Allow-Origin": "*"})


def test_the_labels_of_the_model_are_shown_before_the_first_message(demo):
    known = demo.get_by_role("region", name="What this model recognises")

    expect(known.get_by_role("term")).to_have_text(["Category", "Urgency", "Tone"])
    expect(known.get_by_role("definition").first).to_have_text("Billing")


def test_the_main_facet_stands_large_with_a_bar_for_every_label_most_likely_first(demo):
    classify(demo, "Our checkout is down")

    expect(demo.locator("#headline p")).to_have_text("Technical 86%")
    assert rows(demo.locator("#scores")) == ["Technical 86%", "Billing 10%", "General 4%"]


def test_a_bar_is_as_long_as_its_confidence(demo):
    demo.emulate_media(reduced_motion="reduce")

    classify(demo, "Our checkout is down")

    expect(demo.locator("#headline p")).to_be_visible()
    share = demo.locator("#scores .bar-track").first.evaluate(
        "track => parseFloat(getComputedStyle(track, '::before').width) / track.clientWidth"
    )
    assert share == pytest.approx(0.86, abs=0.01)


def test_other_facets_keep_the_order_of_their_labels(demo):
    classify(demo, "Our checkout is down")

    urgency = demo.locator(".facet").filter(has_text="Urgency")
    expect(urgency.get_by_role("heading")).to_have_text("Urgency High")
    assert rows(urgency) == ["Low 5%", "Normal 25%", "High 70%"]


def test_a_sure_answer_would_be_routed_automatically(demo):
    classify(demo, "Our checkout is down")

    expect(demo.locator("#decision")).to_contain_text("Would be routed automatically")
    expect(demo.get_by_text("The mark shows the threshold.")).to_be_visible()


def test_an_unsure_answer_says_that_a_person_would_be_asked_and_why(demo, site):
    site.api.be_unsure()

    classify(demo, "hm")

    expect(demo.locator("#decision")).to_have_text(
        "Would ask a person Billing at 47.4 % is below the threshold of 80 %.", use_inner_text=True
    )


def test_the_model_who_served_it_and_the_time_it_took_are_shown(demo):
    classify(demo, "Our checkout is down")

    expected = re.compile(r"^Model starter-1 · served by endpoint · answered in (\d+\sms|\d+\.\d\ss)$")
    expect(demo.locator("#provenance")).to_have_text(expected)


def test_one_facet_of_fourteen_labels_needs_no_other_page(site, open_page):
    site.api.load_dbpedia()
    page = open_page()
    page.goto(site.url)
    expect(page.get_by_text("What this model recognises")).to_be_visible()

    page.get_by_role("button", name="Michael Jackson").click()

    expect(page.locator("#headline p")).to_have_text("Artist 99.8%")
    assert len(rows(page.locator("#scores"))) == 14
    expect(page.locator(".facet")).to_have_count(0)


def test_an_example_fills_the_box_and_is_classified(demo, site):
    demo.get_by_role("button", name="Michael Jackson").click()

    expect(demo.locator("#headline p")).to_be_visible()
    expect(demo.get_by_label("Customer message")).to_have_value(site.api.asked[0])
    assert site.api.asked == ["Michael Jackson was the greatest singer and dancer in the world"]


def test_typing_is_classified_once_after_a_pause(stopped, site):
    stopped.get_by_label("Customer message").press_sequentially("refund please")
    stopped.clock.run_for(1_000)

    expect(stopped.locator("#headline p")).to_be_visible()
    assert site.api.asked == ["refund please"]


def test_an_emptied_box_shows_the_labels_again(demo):
    classify(demo, "Our checkout is down")
    expect(demo.locator("#headline p")).to_be_visible()

    write(demo, "")

    expect(demo.get_by_text("What this model recognises")).to_be_visible()
    expect(demo.locator("#headline p")).to_be_hidden()


def test_a_newer_message_makes_the_older_answer_ignored(stopped, site):
    usual = site.api.scores
    main = {"older": {"Billing": 1.0}, "newer": {"General": 1.0}, "newest": {"General": 0.9}}
    site.api.scores = lambda text: {**usual(text), "category": main[text]}
    older = site.api.hold("older")
    with stopped.expect_request("**/blazingtext"):
        classify(stopped, "older")

    classify(stopped, "newer")
    expect(stopped.locator("#headline p")).to_have_text("General 100%")
    older.set()

    # A third exchange, begun after the older answer was let go, shows that the page has gone on.
    classify(stopped, "newest")
    expect(stopped.locator("#headline p")).to_have_text("General 90%")
    assert site.api.asked == ["older", "newer", "newest"]


def test_the_api_gives_nothing_for_an_answer_that_a_newer_request_overtook(demo):
    outcome = demo.evaluate(
        """async () => {
          const { Api } = await import("/js/api.js");
          const answers = [];
          // A server that nothing can stop: its answers come in the order in which they are let go.
          window.fetch = () => new Promise((answer) => answers.push((body) => answer(new Response(body))));
          const api = new Api("http://nowhere.test");
          const older = api.classify("older");
          const newer = api.classify("newer");
          answers[1]('{"of": "newer"}');
          answers[0]('{"of": "older"}');
          return [await older, (await newer).answer.of];
        }"""
    )

    assert outcome == [None, "newer"]


def test_a_model_promoted_while_the_page_is_open_is_learned(demo, site):
    site.api.load_dbpedia()

    with demo.expect_response("**/labels"):
        classify(demo, "Thriller")
    write(demo, "")

    expect(demo.get_by_role("definition")).to_have_count(14)


def test_markup_in_a_message_is_shown_as_text(demo):
    classify(demo, MARKUP)

    expect(demo.locator("#headline p")).to_be_visible()
    expect(demo.locator("pre")).to_contain_text(MARKUP)
    expect(demo.locator("main img, main i")).to_have_count(0)


def test_markup_in_an_answer_is_shown_as_text(demo, site):
    facet = Facet(MARKUP, (Label("a", MARKUP),), threshold=0.8)
    site.api.manifest = replace(site.api.manifest, version=MARKUP, facets=(facet, replace(facet, name="tone")))
    site.api.scores = lambda text: {MARKUP: {"a": 1.0}, "tone": {"a": 1.0}}

    classify(demo, "hello")

    for part in ("#headline", "#decision", "#scores", "#facets", "#provenance"):
        expect(demo.locator(part)).to_contain_text(MARKUP)
    expect(demo.locator("main img, main i")).to_have_count(0)


def test_markup_in_a_refusal_is_shown_as_text(demo, site):
    site.api.refuse(422, MARKUP)

    classify(demo, "hello")

    expect(demo.locator("#notice")).to_contain_text(MARKUP)
    expect(demo.locator("main img, main i")).to_have_count(0)


def test_copy_as_curl_gives_the_very_request(site, open_page):
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto(site.url)
    expect(page.get_by_text("What this model recognises")).to_be_visible()
    text = 'It\'s $HOME\\n"down"!\n`date` 🎉'
    with page.expect_request("**/blazingtext") as sent:
        classify(page, text)

    page.get_by_text("The request behind this page").click()
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.get_by_text("Copied.")).to_be_visible()

    command = shlex.split(page.evaluate("navigator.clipboard.readText()"))
    assert command[:4] == ["curl", "-X", "PUT", f"{site.url}blazingtext"]
    assert command[-2:] == ["--data-raw", sent.value.post_data]
    assert json.loads(command[-1]) == {"body": text}


def test_where_copying_is_refused_the_command_is_selected_for_the_person(demo):
    demo.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    demo.get_by_text("The request behind this page").click()

    demo.get_by_role("button", name="Copy as curl").click()

    expect(demo.get_by_text("press Ctrl+C or ⌘C")).to_be_visible()
    assert demo.evaluate("String(getSelection())").startswith("curl -X PUT")


def test_an_api_on_another_host_and_stage_is_called_where_config_says(demo, site, site_files):
    # Only the page's own policy counts here: a header that names this API is written where it is deployed.
    demo.route("**/config.json", lambda route: route.fulfill(json={"apiUrl": STAGE}))
    demo.route(site.url, lambda route: route.fulfill(path=str(site_files / "index.html")))
    demo.route(f"{STAGE}/**", partial(answer_from_elsewhere, site.api))
    demo.reload()

    classify(demo, "hello")

    expect(demo.locator("#headline p")).to_have_text("Technical 86%")
