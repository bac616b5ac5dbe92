"""Which request meets which fault."""

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.faults.rules import Fault, Request, Rule, fault_response, judge, name_operation

POST = Request("worker", "slack", "chat.postMessage", b'{"thread_ts": "1.1"}')


def strikes(rule: Rule, requests: int) -> list[int]:
    """Return the indices of the equal requests that a rule strikes."""
    rules: tuple[Rule, ...] = (rule,)
    struck = []
    for number in range(requests):
        fault, rules = judge(rules, POST)
        if fault:
            struck.append(number)
    return struck


def test_a_rule_strikes_once_unless_it_says_otherwise():
    assert strikes(Rule(Fault.LOST, "slack:*"), 3) == [0]


def test_a_rule_skips_the_first_requests():
    assert strikes(Rule(Fault.LOST, "slack:chat.postMessage", skip=2, times=2), 6) == [2, 3]


@given(skip=st.integers(0, 20), every=st.integers(1, 20), requests=st.integers(0, 100))
def test_a_rule_without_an_end_strikes_at_its_period(skip, every, requests):
    rule = Rule(Fault.ERROR, "*", skip=skip, every=every, times=None)

    assert strikes(rule, requests) == list(range(skip, requests, every))


def test_a_rule_is_about_its_service_operation_source_and_body_only():
    others = [
        Rule(Fault.LOST, "sqs:*"),
        Rule(Fault.LOST, "slack:reactions.add"),
        Rule(Fault.LOST, "*", source="front"),
        Rule(Fault.LOST, "*", contains=b"C0BILLING"),
    ]

    assert [judge((rule,), POST)[0] for rule in others] == [None] * 4
    assert judge((Rule(Fault.LOST, "slack:*", source="worker", contains=b"thread_ts"),), POST)[0] is Fault.LOST


def test_of_two_rules_that_are_due_one_strikes_and_the_other_waits():
    first, rules = judge((Rule(Fault.LOST, "*"), Rule(Fault.ERROR, "*")), POST)
    second, _ = judge(rules, POST)

    assert (first, second) == (Fault.LOST, Fault.ERROR)


def test_operations_are_named_as_their_services_name_them():
    assert name_operation("/", {"x-amz-target": "DynamoDB_20120810.UpdateItem"}) == "UpdateItem"
    assert name_operation("/endpoints/blazing-triage/invocations", {}) == "InvokeEndpoint"
    assert name_operation("/api/reactions.add?x=1", {}) == "reactions.add"
    assert name_operation("/response/secret", {}) == "response_url"


def test_each_service_throttles_with_its_own_error():
    assert b"Retry-After: 1" in fault_response("slack", Fault.THROTTLED)
    assert b"ProvisionedThroughputExceededException" in fault_response("dynamodb", Fault.THROTTLED)
    assert fault_response("sqs", Fault.ERROR).startswith(b"HTTP/1.1 500 ")
