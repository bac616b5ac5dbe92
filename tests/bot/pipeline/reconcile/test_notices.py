"""Admins are notified once of problems that only they can fix."""

import uuid
from dataclasses import replace

import pytest

from bot.pipeline.reconcile import Reconciler
from bot.triage.case import PostReply, PostRoute


@pytest.fixture
def notices(slack, headline):
    """Return the notices that the admin got."""
    return lambda: [headline(post) for post in slack.posts("C0LEADS") if post.bot_id]


@pytest.fixture
def with_admin(reconciler, settings_of, policy) -> Reconciler:
    return replace(reconciler, settings=settings_of(replace(policy, admin="C0LEADS")))


@pytest.fixture
def own_team(build_record, slack):
    """Build records of a team that no other test complains about."""
    team = f"T{uuid.uuid4().hex.upper()}"
    return lambda: build_record(team=team, ts=slack.write("a billing matter"))


def test_what_only_an_admin_can_mend_is_told_once(with_admin, own_team, decide_to, notices, carry_out):
    for _ in range(3):
        carry_out(with_admin, own_team(), decide_to(PostRoute("C0BOARD"), PostReply()))

    [notice] = notices()
    assert notice.startswith("I cannot work properly in <#C0BOARD>: I cannot see that channel")


def test_a_week_later_it_is_told_again(with_admin, own_team, clock, decide_to, notices, carry_out):
    for _ in range(2):
        carry_out(with_admin, own_team(), decide_to(PostRoute("C0OLD"), PostReply()))
        clock.now += 7 * 24 * 3600

    assert len(notices()) == 2


def test_without_an_admins_channel_it_is_one_line_in_the_log(reconciler, own_team, caplog, decide_to, carry_out):
    for _ in range(2):
        carry_out(reconciler, own_team(), decide_to(PostRoute("C0OLD"), PostReply()))

    lines = [vars(record) for record in caplog.records if record.getMessage() == "an admin is needed"]
    assert [(line["channel"], line["error"]) for line in lines] == [("C0OLD", "is_archived")]


def test_an_admin_is_told_once_of_a_policy_that_cannot_be_read(with_admin, slack, own_team):
    with_admin.settings.held = replace(with_admin.settings.held, version=3, unreadable=4)
    team = own_team().team

    for _ in range(2):
        with_admin.check_policy(team)

    [notice] = slack.posts("C0LEADS")
    assert "cannot read version 4 of our policy" in notice.content.text
    assert "I use version 3" in notice.content.text


def test_no_admin_is_told_of_a_message_that_was_deleted(with_admin, build_record, decision, notices, carry_out):
    carry_out(with_admin, build_record(ts="1700000000.000200"), decision)

    assert notices() == []


def test_an_admins_channel_that_cannot_be_written_to_is_no_failure(
    reconciler, own_team, settings_of, decide_to, policy, notices, carry_out
):
    broken = replace(reconciler, settings=settings_of(replace(policy, admin="C0NONE")))

    carry_out(broken, own_team(), decide_to(PostRoute("C0OLD"), PostReply()))

    assert notices() == []
