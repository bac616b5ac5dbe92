"""Texts are classified on request, and posted in a person's name."""

import time
from dataclasses import replace

from bot.pipeline.command_handler import strongest
from bot.queue.messages import CommandRecord, ForwardRecord
from bot.ui.text import commands as command_text
from classifier_infra.inference.classifier import NotExplainable
from classifier_infra.model.explanation import WordContribution

URL = "https://hooks.slack.com/commands/T0/1/secret"


def test_an_answer_says_which_words_spoke_for_it(command_handler, answers, predict, team, settings_now):
    record = CommandRecord(team, "C0SUPPORT", "U0ANNA", "refund my invoice please", False, URL, int(time.time()))

    command_handler.answer_command(record, settings_now(), predict(category={"billing": 0.95}))

    assert "Words that point to Billing: “invoice”, “refund”, “please”." in answers.given[0][1].text


def test_a_text_is_posted_once_in_the_name_of_who_wanted_it(command_handler, answers, slack):
    ts = f"{time.time():.6f}"
    text = "charged <!channel> twice"
    record = ForwardRecord("T0SANDBOX", "C0SUPPORT", ts, "U0ANNA", "C0BILLING", "billing", text, URL, int(time.time()))

    command_handler.forward(record)
    command_handler.forward(record)

    [post] = slack.posts("C0BILLING")
    assert "<@U0ANNA>" in post.content.text
    assert "<!channel>" not in post.content.text
    assert answers.given[-1][1].text == command_text.posted("C0BILLING", None)


def test_whoever_wanted_a_text_posted_hears_why_it_could_not_be(command_handler, answers):
    ts = f"{time.time():.6f}"
    record = ForwardRecord("T0SANDBOX", "C0SUPPORT", ts, "U0ANNA", "C0OLD", "billing", "text", URL, int(time.time()))

    command_handler.forward(record)

    assert answers.given[-1][1].text == command_text.posted("C0OLD", "that channel is archived")


def test_where_the_words_are_not_at_hand_the_answer_does_without(command_handler, answers, predict, team, settings_now):
    def explain(*what):
        raise NotExplainable

    command_handler = replace(command_handler, explain=explain)
    record = CommandRecord(team, "C0SUPPORT", "U0ANNA", "an invoice", False, URL, int(time.time()))

    command_handler.answer_command(record, settings_now(), predict(category={"billing": 0.95}))

    assert "Words that point to" not in answers.given[0][1].text


def test_reasons_are_the_strongest_words_each_once_and_none_that_says_little():
    said = [("invoice", 2.0), ("the", 0.05), ("refund", 1.0), ("invoice", 0.5), ("hello", -1.0), ("!", 3.0)]

    contributions = [WordContribution(word, place, value, known=True) for place, (word, value) in enumerate(said)]

    assert strongest(contributions) == ("invoice", "refund")
