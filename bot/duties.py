"""What a rule can ask for beside posts and tags: somebody whose turn it is, a webhook, a word when nobody answers.

What has to happen later goes through the queue `effects` as a record of its own, so that neither a slow webhook nor
the time until an escalation holds a message up, and each ends handled or in front of a person like everything else.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from bot.blocks.escalation import build_escalation
from bot.case import Assign, CallWebhook, Case, Escalate, StepResult
from bot.ownership import find_taker
from bot.policy import Policy, Webhook
from bot.posting import Post, Steps
from bot.records import EscalationRecord, MessageKey, WebhookRecord
from bot.rounds import Rounds
from bot.rules import Circumstances
from bot.slack_actions import OriginalMessage, SlackActions
from bot.slack_calls import GiveUp
from bot.team_settings import SettingsSource
from bot.triage import circumstances_again, follow_up
from bot.webhooks import Call, WebhookFailed, WebhookRefused

log = logging.getLogger(__name__)

# After 15, 30, 60 … seconds, and never more than fifteen minutes apart: three quarters of an hour in all.
MOST_CALLS = 9
_FIRST_PAUSE = 15


@dataclass(frozen=True, slots=True)
class Duties:
    """Methods raise what `Steps` raises."""

    slack: SlackActions
    steps: Steps
    settings: SettingsSource
    rounds: Rounds
    call: Callable[[Call], None]

    def _policy(self, key: MessageKey) -> Policy:
        return self.settings.load(key.team, self.steps.now()).policy

    # --- Whose turn it is -----------------------------------------------------------------------------------

    def resolve(self, key: MessageKey, mentions: tuple[str, ...]) -> tuple[str, ...]:
        """Give people in place of rotas: whose turn it is now. A rota that the policy has no longer is nobody."""
        rotas, now = self._policy(key).rotas, datetime.fromtimestamp(self.steps.now(), UTC)
        named = (name for name in mentions if name in rotas or name[0].isupper() or name == "here")
        return tuple(dict.fromkeys(rotas[name].on_call(now) if name in rotas else name for name in named))

    def assign(self, key: MessageKey, effect: Assign) -> StepResult:
        """Choose who gets the message; the result has the person, or nobody where the rota is gone.

        Whoever has answered it already gets it, and nobody has had a turn.
        """
        return self.steps.choose(key, effect.step, lambda: self._choose(key, effect.rota))

    def _choose(self, key: MessageKey, name: str) -> str | None:
        rota = self._policy(key).rotas.get(name)
        if rota is None:
            return None
        taker = find_taker(self.steps.ledger.load(key, self.steps.now()))
        return taker or rota.pick(self.rounds.next(key.team, name), datetime.fromtimestamp(self.steps.now(), UTC))

    # --- Webhooks -------------------------------------------------------------------------------------------

    def request_call(self, key: MessageKey, effect: CallWebhook) -> StepResult:
        """Have a webhook called, by way of the queue."""
        record = WebhookRecord(key.team, key.channel, key.ts, effect.name, 0, int(self.steps.now()))
        return self.steps.act(key, effect.step, lambda: self.steps.later.send(record))

    def call_webhook(self, record: WebhookRecord) -> None:
        """Call a webhook; where that fails, try again later. Raises WebhookRefused where it is no use (any more)."""
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
        sure = {finding.facet for finding in case.decision.findings if finding.sure}
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
        except GiveUp:  # the message is gone, which is no reason to keep quiet about it
            return None

    # --- Escalation -----------------------------------------------------------------------------------------

    def arrange(self, key: MessageKey, effect: Escalate) -> StepResult:
        """Have somebody look, after a while, whether the message has been answered."""
        now = int(self.steps.now())
        mentions = " ".join(effect.mentions)
        due = now + effect.minutes * 60
        record = EscalationRecord(key.team, key.channel, key.ts, effect.channel, mentions, effect.minutes, due, now)
        return self.steps.act(key, effect.step, lambda: self.steps.later.send(record, due - now))

    def escalate(self, record: EscalationRecord) -> None:
        """Say that nobody has answered, unless somebody has; before it is due, wait on."""
        left = record.due - self.steps.now()
        if left > 0:
            self.steps.later.send(record, left)
            return
        case = self.steps.ledger.load(record.key, self.steps.now())
        original = self.slack.read_original(record.key, case.parts)
        if self._is_called_for(record, case, original):
            self._post_escalation(record)

    def _is_called_for(self, record: EscalationRecord, case: Case, original: OriginalMessage) -> bool:
        if case.first_answer or case.is_withdrawn or original.is_gone or case.decision is None:
            return False
        if not case.corrections:
            return True
        # A person has said since what it is about: is it still there that somebody is waited for?
        circumstances: Circumstances = circumstances_again(record.key, original)
        calls = follow_up(case, self._policy(record.key), circumstances).calls
        return any(isinstance(call, Escalate) and call.channel == record.place for call in calls)

    def _post_escalation(self, record: EscalationRecord) -> None:
        key, place = record.key, record.place
        step = f"unanswered:{place or 'thread'}"
        mentions = self.resolve(key, tuple(record.mentions.split()))
        view = build_escalation(record.minutes, mentions, self.slack.permalink(key))
        if place is None:
            find = partial(self.slack.find_reply, key, step)
            make = partial(self.slack.reply, key, step, view)
        else:
            find = partial(self.slack.find_sent_on, key, step, place)
            make = partial(self.slack.send_on, key, step, view, place)
        self.steps.post(Post(key, step, place or key.channel, find, make))
