"""The worker answers commands once, at their response URL, while Slack accepts an answer."""

import time

from bot.queue.messages import AskRecord, to_json
from bot.slack.api import PermanentError, RetryableError
from bot.ui.text import commands as command_text
from classifier_infra.inference.classifier import ClassifierUnavailable


def test_a_command_is_answered_at_its_response_url(worker, answers, deliver, command):
    assert deliver(worker, command("a billing matter")) == []

    [(url, view)] = answers.given
    assert url.endswith("/secret")
    assert view.text.startswith("Category Billing (95%)")
    assert "I would send this to <#C0BILLING>." in view.text


def test_commands_and_messages_share_one_call_of_the_classifier(worker, classifier, written, deliver, command):
    deliver(worker, written("a billing matter"), command("a technical matter"))

    assert len(classifier.calls) == 1


def test_a_command_with_nothing_to_read_is_told_so(worker, answers, classifier, deliver, command):
    deliver(worker, command("🎉🎉"))

    assert [view.text for _, view in answers.given] == [command_text.NOTHING_TO_READ]
    assert classifier.calls == []


def test_a_command_that_can_no_longer_be_answered_is_dead_lettered(
    worker, answers, classifier, dead_letter, deliver, command
):
    asked = command("a billing matter", age=26 * 60)

    assert deliver(worker, asked) == []

    assert (answers.given, classifier.calls) == ([], [])
    assert dead_letter.bodies == [to_json(asked)]
    assert dead_letter.reasons == ["TooLate: no try to answer within 25 minutes succeeded"]


def test_an_answer_that_may_still_arrive_is_tried_again(worker, answers, dead_letter, deliver, command):
    answers.failure = RetryableError("timed out")

    assert deliver(worker, command("a billing matter")) == [0]
    assert dead_letter.bodies == []


def test_an_answer_that_slack_will_never_take_is_dead_lettered(worker, answers, dead_letter, deliver, command):
    answers.failure = PermanentError("expired_url")

    assert deliver(worker, command("a billing matter")) == []
    assert dead_letter.reasons == ["PermanentError: expired_url"]


def test_what_is_no_text_costs_no_call_of_the_classifier(worker, answers, classifier, deliver):
    url = "https://hooks.slack.com/commands/T0/1/secret"

    assert deliver(worker, AskRecord("T0SANDBOX", "C0SUPPORT", "U0MAYA", "stats", None, url, int(time.time()))) == []

    assert (len(answers.given), classifier.calls) == (1, [])


def test_a_command_waits_for_the_classifier(worker, answers, classifier, deliver, command):
    classifier.failure = ClassifierUnavailable("no answer from the endpoint")

    assert deliver(worker, command("a billing matter")) == [0]
    assert answers.given == []
