"""Carry out a rule's follow-ups: assignments from rotas, webhooks, and escalations of unanswered messages.

What happens later is a record of its own in the queue `effects`, so that no message waits for a slow webhook, an
escalation, or a person who is away. Each record ends handled or dead-lettered, like all others.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from bot.pipeline.idempotency import Idempotency, Post
from bot.pipeline.webhooks import Call, WebhookFailed, WebhookRefused
from bot.policy.policy import Policy, Webhook
from bot.policy.schedule import Rota
from bot.policy.settings import SettingsSource
from bot.queue.messages import EscalationRecord, GiveOutRecord, MessageKey, WebhookRecord
from bot.slack.api import PermanentError
from bot.slack.blocks import View
from bot.slack.client import SlackActions
from bot.store.rotations import RoundRobin
from bot.triage.case import Assign, CallWebhook, Case, Escalate, PostReply, StepResult
from bot.triage.ownership import find_taker
from bot.triage.wanted import Wanted, context_of_original, want
from bot.ui.posts import build_escalation, build_given_out

log = logging.getLogger(__name__)

# Back-off: 15, 30, 60 … seconds, at most the queue's fifteen minutes; three quarters of an hour in all.
MOST_CALLS = 9
_FIRST_PAUSE = 15


@dataclass(frozen=True, slots=True)
class FollowUps:
    """Methods raise what `Idempotency` raises."""

    slack: SlackActions
    steps: Idempotency
    settings: SettingsSource
    round_robin: RoundRobin
    call: Callable[[Call], None]

    def _policy(self, key: MessageKey) -> Policy:
        return self.settings.load(key.team, self.steps.now()).policy

    # --- Assignments ----------------------------------------------------------------------------------------

    def resolve(self, policy: Policy, mentions: tuple[str, ...], at: float) -> tuple[str, ...]:
        """Replace rotas by the people on call at that time. Ignore rotas that the policy does not define."""
        rotas, moment = policy.rotas, datetime.fromtimestamp(at, UTC)
        named = (name for name in mentions if name in rotas or name[0].isupper() or name == "here")
        return tuple(dict.fromkeys(rotas[name].on_call(moment) if name in rotas else name for name in named))

    def assign(self, key: MessageKey, effect: Assign) -> StepResult:
        """Choose the message's assignee; the result has no person if the rota is gone or all its people are away.

        A person who answered already is assigned without using up a turn. While all are away, the message waits for the
        first to be back.
        """
        return self.steps.choose(key, effect.step, lambda: self._choose(key, effect.rota))

    def _choose(self, key: MessageKey, name: str) -> str | None:
        rota = self._policy(key).rotas.get(name)
        if rota is None:
            return None
        taker = find_taker(self.steps.ledger.load(key, self.steps.now()))
        if taker:
            return taker
        at = self._moment()
        if not rota.is_anybody_there(at):
            self._wait_for_rota(GiveOutRecord(key.team, key.channel, key.ts, name, 0), rota, at)
            return None
        return rota.pick(self.round_robin.next(key.team, name), at)

    def _moment(self) -> datetime:
        return datetime.fromtimestamp(self.steps.now(), UTC)

    # --- Assignments after an absence -----------------------------------------------------------------------

    def give_out(self, record: GiveOutRecord) -> bool:
        """Assign a message to a person who is back, and notify them; wait on while all are away.

        Report whether it was assigned: messages that were answered, moved or deleted meanwhile are not.
        """
        key, at = record.key, self._moment()
        rota = self._policy(key).rotas.get(record.rota)
        if rota is None:
            return False
        start = rota.next_start(at)
        if start is None or start > at:
            self._wait_for_rota(record, rota, at)
            return False
        case = self.steps.ledger.load(key, self.steps.now())
        plan = self._plan(key, case)
        if plan is None or plan.assign != Assign(record.rota) or find_taker(case):
            return False
        chosen = self.steps.choose(
            key, plan.assign.later_step, lambda: rota.pick(self.round_robin.next(key.team, record.rota), at)
        )
        assert chosen.person, "a rota whose working time has begun has a person to pick"
        view = build_given_out(chosen.person, self.slack.permalink(key))
        self._say_later(key, f"told:{record.rota}", view, _find_place(case, plan))
        return True

    def _wait_for_rota(self, record: GiveOutRecord, rota: Rota, at: datetime) -> None:
        """Try again when the first person of the rota is back; never, if none will be."""
        start = rota.next_start(at)
        if start:
            # A new time, so that waiting for people does not count as age.
            waiting = replace(record, received_at=int(at.timestamp()))
            self.steps.later.send(waiting, (start - at).total_seconds())

    # --- Webhooks -------------------------------------------------------------------------------------------

    def request_call(self, key: MessageKey, effect: CallWebhook) -> StepResult:
        """Queue the call of a webhook."""
        record = WebhookRecord(key.team, key.channel, key.ts, effect.name, 0, int(self.steps.now()))
        return self.steps.act(key, effect.step, lambda: self.steps.later.send(record))

    def call_webhook(self, record: WebhookRecord) -> None:
        """Call a webhook, or queue a retry. Raises WebhookRefused if the call was refused or failed too often."""
        webhook = self._policy(record.key).webhooks.get(record.name)
        case = self.steps.ledger.load(record.key, self.steps.now())
        if webhook is None or case.decision is None:
            log.warning("webhook gone", extra={"message_key": str(record.key), "webhook": record.name})
            return
        try:
            self.steps.act(record.key, f"call:{record.name}", partial(self._call, record, webhook, case))
        except WebhookRefused as error:
            raise WebhookRefused(f"{record.name}: {error}") from None
        except WebhookFailed as error:
            self._call_later(record, error)

    def _call(self, record: WebhookRecord, webhook: Webhook, case: Case) -> None:
        self.call(Call(webhook.url, f"{record.key}#{record.name}", self._describe(record.key, webhook, case)))

    def _call_later(self, record: WebhookRecord, error: WebhookFailed) -> None:
        if record.tries + 1 >= MOST_CALLS:
            raise WebhookRefused(f"{record.name}: {error} after {record.tries + 1} calls") from None
        self.steps.later.send(replace(record, tries=record.tries + 1), _FIRST_PAUSE * 2**record.tries)

    def _describe(self, key: MessageKey, webhook: Webhook, case: Case) -> dict[str, Any]:
        assert case.decision is not None
        sure = {facet_result.facet for facet_result in case.decision.facet_results if facet_result.sure}
        sure |= {correction.facet for correction in case.corrections}
        document = {
            "event": "message.triaged",
            "message": {"team": key.team, "channel": key.channel, "ts": key.ts, "link": self._link(key)},
            "outcome": case.decision.outcome,
            "labels": {facet: {"label": label, "sure": facet in sure} for facet, label in case.labels.items()},
            "model": case.decision.model_version,
        }
        return document | ({"text": self.slack.read_original(key, case.parts).text} if webhook.text else {})

    def _link(self, key: MessageKey) -> str | None:
        try:
            return self.slack.permalink(key)
        except PermanentError:  # the message is gone; the webhook is called without a link
            return None

    # --- Escalation -----------------------------------------------------------------------------------------

    def arrange(self, key: MessageKey, effect: Escalate) -> StepResult:
        """Queue the check whether the message has been answered in time."""
        now = int(self.steps.now())
        mentions = " ".join(effect.mentions)
        due = now + effect.minutes * 60
        record = EscalationRecord(key.team, key.channel, key.ts, effect.channel, mentions, effect.minutes, due, now)
        return self.steps.act(key, effect.step, lambda: self.steps.later.send(record, due - now))

    def escalate(self, record: EscalationRecord) -> None:
        """Post that a message is unanswered, unless it was answered; before it is due, wait on."""
        left = record.due - self.steps.now()
        if left > 0:
            self.steps.later.send(record, left)
            return
        case = self.steps.ledger.load(record.key, self.steps.now())
        plan = self._plan(record.key, case)
        if case.corrections:
            called_for = plan and record.place in plan.escalation_places
        else:  # of what was switched off before it was answered, nobody is told either
            is_off = case.decision and case.decision.outcome in ("silent", "watch")
            called_for = plan and not (is_off and PostReply().step not in case.steps)
        if called_for and not case.first_answer:
            self._post_escalation(record)

    def _post_escalation(self, record: EscalationRecord) -> None:
        key, place = record.key, record.place
        mentions = self.resolve(self._policy(key), tuple(record.mentions.split()), self.steps.now())
        view = build_escalation(record.minutes, mentions, self.slack.permalink(key))
        self._say_later(key, f"unanswered:{place or 'thread'}", view, place)

    # --- Shared by the later steps --------------------------------------------------------------------------

    def _plan(self, key: MessageKey, case: Case) -> Wanted | None:
        """Return what the case calls for now; None if the message is gone."""
        if case.decision is None or case.is_deleted:
            return None
        original = self.slack.read_original(key, case.parts)
        if original.is_gone:
            return None
        version = case.corrections[-1].policy_version if case.corrections else case.decision.policy_version
        policy = self.settings.policy_of(key.team, version, self.steps.now())
        return want(case, policy, context_of_original(key, original))

    def _say_later(self, key: MessageKey, step: str, view: View, place: str | None) -> None:
        """Post about a message, after it has been handled, in a channel or (None) in its thread."""
        if place is None:
            find = partial(self.slack.find_reply, key, step)
            make = partial(self.slack.reply, key, step, view)
        else:
            find = partial(self.slack.find_sent_on, key, step, place)
            make = partial(self.slack.send_on, key, step, view, place)
        self.steps.post(Post(key, step, place or key.channel, find, make))


def _find_place(case: Case, plan: Wanted) -> str | None:
    """Return the channel that the message was routed to; None if it was not, or could not be."""
    sent = case.steps.get(plan.route.step) if plan.route else None
    return plan.route.channel if plan.route and sent and not sent.error else None
