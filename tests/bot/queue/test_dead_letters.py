"""Messages are dead-lettered with the reason, listed and redriven, on real queues."""

import json
import uuid
from collections.abc import Mapping

import boto3
import pytest

from bot.__main__ import main
from bot.cli.dead_letters import describe
from bot.queue.dead_letters import NO_REASON, DeadLetter
from bot.queue.deliveries import Delivery, SqsDeadLetters
from bot.queue.messages import to_json
from bot.queue.sender import QueueUnavailable
from bot.sandbox.resources import create_queues

NOW = 1_700_003_600.0


@pytest.fixture
def environ(sqs, aws_environment) -> Mapping[str, str]:
    queues = create_queues(sqs, f"dead-{uuid.uuid4().hex[:8]}")
    return {"DEAD_LETTER_QUEUE_URL": queues["TriageDeadLetterQueue"], "TRIAGE_QUEUE_URL": queues["TriageQueue"]}


@pytest.fixture
def dead_letters(sqs, environ) -> SqsDeadLetters:
    return SqsDeadLetters(sqs, environ["DEAD_LETTER_QUEUE_URL"])


@pytest.fixture
def listed(environ, capsys):
    """Return what `inspect --json` prints."""

    def inspect() -> list[dict]:
        assert main(["inspect", "--json"], environ) == 0
        return json.loads(capsys.readouterr().out)

    return inspect


def waiting(sqs, url: str) -> list[str]:
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
    return [message["Body"] for message in answer.get("Messages", [])]


def test_what_was_dead_lettered_is_listed_with_the_reason_and_without_its_text(dead_letters, build_record, listed):
    record = build_record(text="my card was charged twice")
    dead_letters.dead_letter(
        Delivery("1", to_json(record), tries=9, sent_at=1_700_000_000.5), "WorkspaceUninstalled: token_revoked"
    )

    [found] = listed()

    assert found.pop("id")
    assert found == {
        "kind": "message",
        "place": "T0SANDBOX#C0SUPPORT#1700000000.000100",
        "tries": 9,
        "first_sent": 1_700_000_000.5,
        "reason": "WorkspaceUninstalled: token_revoked",
    }


def test_looking_takes_nothing_away(dead_letters, build_record, listed):
    for _ in range(12):
        dead_letters.dead_letter(Delivery("1", to_json(build_record())), "RetryableError: status 500")

    assert (len(listed()), len(listed())) == (12, 12)


def test_what_sqs_moved_itself_says_so(sqs, environ, listed):
    sqs.send_message(QueueUrl=environ["DEAD_LETTER_QUEUE_URL"], MessageBody="no record")

    [found] = listed()

    assert (found["kind"], found["tries"], found["reason"]) == ("unreadable", None, NO_REASON)


def test_one_message_is_given_back_and_the_others_stay(sqs, environ, dead_letters, build_record, listed, capsys):
    bodies = [to_json(build_record(ts=f"1700000000.00010{number}")) for number in range(3)]
    for number, body in enumerate(bodies):
        dead_letters.dead_letter(Delivery("1", body, sent_at=1_700_000_000 + number), "RetryableError: status 500")
    second = listed()[1]

    assert main(["redrive", "--id", second["id"]], environ) == 0

    assert "Returned to the triage queue: 1." in capsys.readouterr().out
    assert waiting(sqs, environ["TRIAGE_QUEUE_URL"]) == [bodies[1]]
    assert [each["place"][-1] for each in listed()] == ["0", "2"]


def test_everything_is_given_back(sqs, environ, dead_letters, build_record, listed, capsys):
    for _ in range(11):
        dead_letters.dead_letter(Delivery("1", to_json(build_record())), "RetryableError: status 500")

    assert main(["redrive", "--all"], environ) == 0

    assert "Returned to the triage queue: 11." in capsys.readouterr().out
    attributes = sqs.get_queue_attributes(QueueUrl=environ["TRIAGE_QUEUE_URL"], AttributeNames=["All"])["Attributes"]
    assert (int(attributes["ApproximateNumberOfMessages"]), listed()) == (11, [])


def test_an_id_that_is_not_there_is_named(environ, capsys):
    assert main(["redrive", "--id", "no-such-id"], environ) == 1

    assert "Not in the dead-letter queue: no-such-id" in capsys.readouterr().err


def test_a_queue_that_does_not_exist_is_told_in_words(environ, capsys):
    wrong = {**environ, "DEAD_LETTER_QUEUE_URL": environ["DEAD_LETTER_QUEUE_URL"] + "-wrong"}

    assert main(["inspect"], wrong) == 1

    assert "the request to SQS failed" in capsys.readouterr().err


def test_a_setting_that_is_missing_is_named(capsys):
    assert main(["inspect"], {}) == 2

    assert "DEAD_LETTER_QUEUE_URL is not set" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["redrive"], ["redrive", "--all", "--id", "1"], ["nonsense"]])
def test_a_command_that_is_wrong_is_refused(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments, {})

    assert ended.value.code == 2


@pytest.mark.parametrize("command", [[], ["inspect"], ["redrive"]])
def test_help_has_an_example(command, capsys):
    with pytest.raises(SystemExit):
        main([*command, "--help"], {})

    assert "  python -m bot " in capsys.readouterr().out


def test_the_table_for_people_has_a_line_for_each_and_says_when_there_is_none():
    found = [
        DeadLetter("id-1", "message", "T0#C0#1.1", 9, NOW - 7_300, "RetryableError: status 500", "h", "b"),
        DeadLetter("id-2", "unreadable", "", None, NOW - 5, NO_REASON, "h", "b"),
    ]

    lines = describe(found, NOW).splitlines()

    assert [line.split("  ")[0].strip() for line in lines] == ["KIND", "message", "unreadable"]
    assert "2 h" in lines[1]
    assert lines[2].endswith(NO_REASON)
    assert describe([], NOW) == "There are no dead letters."


def test_a_message_that_cannot_be_dead_lettered_is_reported(aws_environment):
    nowhere = SqsDeadLetters(boto3.client("sqs"), "http://127.0.0.1:9/queue")

    with pytest.raises(QueueUnavailable):
        nowhere.dead_letter(Delivery("1", "body"), "reason")
