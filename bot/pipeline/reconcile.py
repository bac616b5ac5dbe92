"""Bring Slack in line with the facts of a case, in whatever order they arrived.

Each round loads the facts, computes what Slack has to show (triage/wanted.py, pure), and applies the difference: steps
without a result are carried out through claims, outdated posts are edited, unwanted ones are replaced or removed.
Rounds repeat until no fact has come in meanwhile. One worker at a time acts on a case; a record that finds it locked
comes back when the lock has ended.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from bot.pipeline.admin_notices import AdminNotices
from bot.pipeline.follow_ups import FollowUps
from bot.pipeline.idempotency import Idempotency, Post, choose_kept
from bot.policy.policy import Policy
from bot.policy.settings import SettingsSource, TeamSettings
from bot.queue.messages import GiveOutRecord, MessageKey, OriginalMessage, SummaryRecord, TidyRecord
from bot.slack.api import PermanentError, RetryableError, SlackError
from bot.slack.blocks import View
from bot.slack.client import SlackActions
from bot.store.digests import Entry
from bot.store.ledger import LOCK_SECONDS, Ledger, StepTaken
from bot.store.stats import StatsStore
from bot.triage.case import (
    AddReaction,
    Assign,
    CallWebhook,
    Case,
    Decision,
    Effect,
    Escalate,
    PostReply,
    PostRoute,
    StepResult,
)
from bot.triage.display import LabelView, view_case
from bot.triage.ownership import Owner, find_assignee, find_owner
from bot.triage.stats import Waiting
from bot.triage.wanted import Wanted, context_of_original, demote, find_posts, find_reactions, want
from bot.ui.posts import Routed, build_deleted, build_moved, build_route, build_summary
from bot.ui.reply import Reply, build_reply, fill_in
from classifier_infra.model.manifest import Manifest

log = logging.getLogger(__name__)

SUMMARY = "summary"
REPLY = PostReply().step

# Facts seldom come in faster than they are shown; where they do, the record goes back to the queue.
_ROUNDS = 4

# The time of one effect if all its calls time out. No effect begins with less time left.
EFFECT_SECONDS = 15


class _Again(Exception):
    """A fact was written during a round: begin another."""


@dataclass(slots=True)
class _Round:
    """A snapshot of a case, and what Slack has to show for it. `results` grows as steps end."""

    key: MessageKey
    case: Case
    decision: Decision
    policy: Policy
    wanted: Wanted
    label_views: tuple[LabelView, ...]
    read: Callable[[], OriginalMessage]
    until: float
    results: dict[str, StepResult] = field(default_factory=dict)

    @property
    def owner(self) -> Owner | None:
        assign = self.wanted.assign
        case = replace(self.case, steps=self.results)
        return find_owner(case, find_assignee(case, assign)) if assign else None

    @property
    def route_error(self) -> str | None:
        result = self.results.get(self.wanted.route.step) if self.wanted.route else None
        return result.error if result else None


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Methods raise what `Idempotency` raises: deliver the record again, after the error's delay if it has one."""

    slack: SlackActions
    steps: Idempotency
    manifest: Manifest
    settings: SettingsSource
    follow_ups: FollowUps

    @property
    def ledger(self) -> Ledger:
        return self.steps.ledger

    def now(self) -> float:
        return self.steps.now()

    def settings_of(self, team: str) -> TeamSettings:
        return self.settings.load(team, self.now())

    def reconcile(
        self, key: MessageKey, original: OriginalMessage | None = None, until: float | None = None, again: bool = False
    ) -> None:
        """Bring Slack in line with all facts of a case.

        `original` is the message as read last, if known. No effect begins after `until` (seconds since the epoch). With
        `again`, Slack is compared even if it has shown all facts before.
        """
        if not again and self.ledger.load(key, self.now()).is_shown:
            return
        lock = self.ledger.lock(key, self.now())
        until = min(until or float("inf"), self.now() + LOCK_SECONDS - EFFECT_SECONDS)
        try:
            for _ in range(_ROUNDS):
                case = self.ledger.load(key, self.now())
                try:
                    self._show(key, case, original, until)
                except _Again:
                    continue
                if self.ledger.finish(lock, case.facts):
                    return
        except Exception:
            self.ledger.unlock(lock)
            raise
        self.ledger.unlock(lock)
        raise RetryableError("facts_keep_coming", refused=True, after=1)

    def _show(self, key: MessageKey, case: Case, original: OriginalMessage | None, until: float) -> None:
        if case.is_deleted:
            self._take_back(key, case, until)
        elif case.decision and case.decision.facet_results:
            current = self._begin(key, case, case.decision, original, until)
            for effect in current.wanted.effects:
                if not isinstance(effect, PostReply):
                    self._carry_out(current, effect)
            self._remove_unwanted(current)
            for effect in current.wanted.effects:
                if isinstance(effect, PostReply):
                    self._reply(current, effect)
            if case.corrections:
                self._list_urgent(key, case, case.decision, current.wanted.urgent)
            self._tell_admin(current)

    def _begin(
        self, key: MessageKey, case: Case, decision: Decision, original: OriginalMessage | None, until: float
    ) -> _Round:
        version = case.corrections[-1].policy_version if case.corrections else decision.policy_version
        policy = self.settings.policy_of(key.team, version, self.now())
        read = _read_once(partial(self._read, key, case, decision, original))
        # A policy in the short form has no rules and needs only the labels, not the text.
        is_read = bool(policy.rules) and (case.corrections or decision.outcome in ("suggest", "ask"))
        context = context_of_original(key, read() if is_read else OriginalMessage(None, ""))
        wanted = want(case, policy, context)
        return _Round(key, case, decision, policy, wanted, view_case(case, self.manifest), read, until, {**case.steps})

    def _read(
        self, key: MessageKey, case: Case, decision: Decision, original: OriginalMessage | None
    ) -> OriginalMessage:
        """Return `original` if the decision is about it, else the message in Slack now."""
        if original and not case.corrections and original.as_of == decision.text_as_of:
            return original
        return self.slack.read_original(key, case.parts)

    # --- Effects --------------------------------------------------------------------------------------------

    def _carry_out(self, current: _Round, effect: Effect) -> None:
        key, step = current.key, effect.step
        self._check(current, step)
        match effect:
            case PostRoute():
                result = self._route(current, effect)
            case _ if step in current.results and not isinstance(effect, AddReaction):
                return
            case AddReaction():
                result = self._react(current, effect)
            case Assign():
                result = self.follow_ups.assign(key, effect)
            case CallWebhook():
                result = self.follow_ups.request_call(key, effect)
            case Escalate():
                result = self.follow_ups.arrange(key, effect)
            case _:
                raise AssertionError(f"{step} is no effect of a decision")
        current.results[step] = result

    def _check(self, current: _Round, step: str) -> None:
        """Raise unless there is time for the effect and it has not been switched off since it was decided."""
        if self.now() > current.until:
            raise RetryableError("out_of_time", refused=True, after=1)
        decision = current.decision
        if step in current.results or current.case.corrections:
            return
        mode = self.settings_of(current.key.team).mode(current.key.channel)
        route = current.wanted.route
        if decision.outcome == "automatic":
            is_off = mode != "automatic" and not (route and route.step in current.results)
        else:
            is_off = decision.outcome in ("suggest", "ask") and mode in ("off", "watch-only")
        if is_off:
            self.ledger.revise_decision(current.key, decision, demote(decision, mode), self.now())
            raise _Again

    def _react(self, current: _Round, effect: AddReaction) -> StepResult:
        key, react = current.key, partial(self.slack.react, current.key, effect.name)
        known = current.results.get(effect.step)
        if known is None:
            return self.steps.act(key, effect.step, react)
        if current.case.corrections or current.decision.revision:  # an earlier round may have removed it
            self._try(key, "react", react)
        return known

    def _route(self, current: _Round, route: PostRoute) -> StepResult:
        key, known = current.key, current.results.get(route.step)
        if known and not known.ts:
            return known
        build = partial(self._route_view, current, route)
        if known is None:
            known = self._post(current, route, build)
        if known.ts:
            self._renew(key, route.step, route.channel, known, build)
        return known

    def _post(self, current: _Round, route: PostRoute, build: Callable[[], View]) -> StepResult:
        key = current.key
        made: list[View] = []

        def make() -> str:
            if current.read().is_gone:
                raise PermanentError("message_not_found")
            made.append(build())
            return self.slack.send_on(key, route.step, made[0], route.channel)

        def summarise() -> Entry:
            return Entry(key.channel, current.label_views[0].display, self.slack.permalink(key))

        # People who are mentioned or assigned have to be notified at once, of this message.
        entry = None if route.mentions or current.owner else summarise
        find = partial(self.slack.find_sent_on, key, route.step, route.channel)
        result = self.steps.post(Post(key, route.step, route.channel, find, make, entry, partial(_shown, made)))
        return replace(result, view=_shown(made)) if made else result

    def _route_view(self, current: _Round, route: PostRoute) -> View:
        key, original, owner = current.key, current.read(), current.owner
        permalink, mentioned = self.slack.permalink(key), self._resolve(current, route.mentions)
        # The owner is named separately, and the person whom the owner replaced is not notified.
        named = {owner.person, owner.instead_of} if owner else set()
        others = tuple(each for each in mentioned if each not in named)
        routed = Routed(
            *(current.label_views, original.author, key.channel, original.text),
            *(permalink, others, owner, route.urgent),
        )
        return build_route(routed)

    def _reply(self, current: _Round, effect: PostReply) -> None:
        key, known = current.key, current.results.get(REPLY)
        self._check(current, REPLY)
        build = partial(self._reply_view, current, effect)
        if known is None:
            made: list[View] = []

            def make() -> str:
                made.append(build())
                return self.slack.reply(key, REPLY, made[0])

            find = partial(self.slack.find_reply, key, REPLY)
            known = self.steps.post(Post(key, REPLY, key.channel, find, make, fingerprint=partial(_shown, made)))
            known = replace(known, view=_shown(made)) if made else known
        current.results[REPLY] = known
        if known.ts:
            self._renew(key, REPLY, key.channel, known, build)

    def _reply_view(self, current: _Round, effect: PostReply) -> View:
        case, wanted, owner = current.case, current.wanted, current.owner
        author = current.read().author if effect.templates else None
        reply = Reply(
            current.label_views,
            current.decision.outcome,
            wanted.destination,
            current.route_error,
            correction=case.corrections[-1] if case.corrections else None,
            parts=len(case.parts),
            message=fill_in(effect.templates, current.label_views, author, wanted.destination, owner),
            mentioned=self._resolve(current, effect.mentions),
            owner=None if wanted.route else owner,
        )
        return build_reply(reply)

    def _resolve(self, current: _Round, mentions: tuple[str, ...]) -> tuple[str, ...]:
        """Replace rotas by the people on call when the latest decision was made."""
        corrections = current.case.corrections
        at = corrections[-1].corrected_at if corrections else current.decision.decided_at
        return self.follow_ups.resolve(current.policy, mentions, self.now() if at is None else at)

    def _renew(self, key: MessageKey, step: str, channel: str, known: StepResult, build: Callable[[], View]) -> None:
        """Edit a post if it does not show the current view."""

        def edit() -> None:
            view = build()
            shown = _fingerprint(view)
            if known.ts and shown != known.view:
                self.slack.edit(channel, known.ts, view)
                self.ledger.note_view(key, step, shown)

        self._try(key, "edit", edit)

    # --- Unwanted posts and reactions -----------------------------------------------------------------------

    def _remove_unwanted(self, current: _Round) -> None:
        key, wanted = current.key, current.wanted
        is_changed = bool(current.case.corrections or current.decision.revision)
        for name in find_reactions(current.case):
            if is_changed and name not in wanted.reactions:
                self._try(key, "unreact", partial(self.slack.unreact, key, name))
        if not wanted.moves or current.route_error:
            return
        destination = wanted.route.channel if wanted.route else None
        for channel in find_posts(current.case):
            if channel != destination:
                build = partial(self._moved_view, current, destination)
                self._replace(key, current.case, channel, build, current.until)

    def _moved_view(self, current: _Round, destination: str | None) -> View:
        corrections = current.case.corrections
        user = corrections[-1].user if corrections else None
        return build_moved(user, current.label_views[0], destination, self.slack.permalink(current.key))

    def _take_back(self, key: MessageKey, case: Case, until: float) -> None:
        """Replace the posts about a deleted message, which quote it, and remove the reply."""
        for channel in find_posts(case):
            self._replace(key, case, channel, partial(build_deleted, key.channel), until)
        if REPLY in {*case.steps, *case.uncertain}:
            find = partial(self.slack.find_reply, key, REPLY)
            reply = self._find_result(key, case, Post(key, REPLY, key.channel, find, _never))
            if reply and reply.ts:
                self._try(key, "remove", partial(self.slack.remove, key.channel, reply.ts))

    def _replace(self, key: MessageKey, case: Case, channel: str, build: Callable[[], View], until: float) -> None:
        """Replace the post in a channel by a note. If the post's result was lost, look for it."""
        if self.now() > until:
            raise RetryableError("out_of_time", refused=True, after=1)
        step = PostRoute(channel).step
        find = partial(self.slack.find_sent_on, key, step, channel)
        result = self._find_result(key, case, Post(key, step, channel, find, _never))
        if result and result.ts:
            self._renew(key, step, channel, result, build)

    def _find_result(self, key: MessageKey, case: Case, post: Post) -> StepResult | None:
        return case.steps.get(post.step) or self.steps.find_made(post)

    # --- Beside the posts -----------------------------------------------------------------------------------

    def _list_urgent(self, key: MessageKey, case: Case, decision: Decision, urgent: bool) -> None:
        """List a message that a correction made urgent as waiting for an answer; remove one that is not urgent."""
        stats = StatsStore(self.ledger.client, self.ledger.table)
        if not urgent:
            stats.settle("urgent", key)
        elif not decision.urgent and case.first_answer is None:
            stats.begin("urgent", Waiting(key, decision.facet_results[0].scores[:1]), self.now())

    def _tell_admin(self, current: _Round) -> None:
        for effect in current.wanted.effects:
            result = current.results.get(effect.step)
            if result and result.error:
                channel = effect.channel if isinstance(effect, PostRoute) else current.key.channel
                with self._best_effort(current.key.team) as notices:
                    notices.tell(channel, result.error)

    def check_policy(self, team: str) -> None:
        """Notify admins, once a week, of a saved policy that cannot be read."""
        held = self.settings_of(team)
        if held.unreadable is not None:
            with self._best_effort(team) as notices:
                notices.tell_of_policy(held.unreadable, held.version)

    @contextmanager
    def _best_effort(self, team: str) -> Iterator[AdminNotices]:
        """Notify admins. A failure does not hold up the message: the next one tries again."""
        try:
            yield AdminNotices(self.slack, self.steps, team, self.settings_of(team).policy.admin)
        except (SlackError, StepTaken) as failure:
            log.error("admin not told", extra={"team": team, "error": str(failure)})

    def _try(self, key: MessageKey, step: str, act: Callable[[], None]) -> None:
        """Run an idempotent action. Log a permanent error, so that the other actions are still carried out."""
        try:
            act()
        except PermanentError as failure:
            log.error("step given up", extra={"message_key": str(key), "step": step, "error": failure.error})

    # --- Other records --------------------------------------------------------------------------------------

    def give_out(self, record: GiveOutRecord) -> None:
        """Assign a message that came in while all people of a rota were away, and show the owner; see FollowUps."""
        if self.follow_ups.give_out(record):
            self.reconcile(record.key, again=True)

    def post_summary(self, summary: SummaryRecord) -> None:
        """Post the summary for a channel; see idempotency.py."""
        entries = self.steps.gather(summary)
        if not entries:
            return
        key, channel = summary.key, summary.channel
        find = partial(self.slack.find_sent_on, key, SUMMARY, channel)
        make = partial(self.slack.send_on, key, SUMMARY, build_summary(entries), channel)
        self.steps.post(Post(key, SUMMARY, channel, find, make))

    def deduplicate(self, record: TidyRecord) -> None:
        """Leave one copy of a step's post (see `choose_kept`), and bring it up to date."""
        key, step = record.key, record.step
        result = self.ledger.load(key, self.now()).steps.get(step)
        copies: list[str] = []
        self._try(key, "tidy", lambda: copies.extend(self.slack.find_copies(key, step, record.place)))
        kept = choose_kept(copies, result)
        for ts in copies:
            if ts != kept:
                log.warning("surplus copy removed", extra={"message_key": str(key), "step": step})
                self._try(key, "tidy", partial(self.slack.remove, record.place, ts))
        if kept and not (result and result.ts) and step.partition(":")[0] in (REPLY, "route"):
            # Slack made it after the last look, or although it had refused: it may not be wanted.
            self.ledger.adopt(key, step, StepResult(ts=kept), before=result)
            self.reconcile(key, again=True)


def _never() -> str:
    raise AssertionError("this post is only looked for, never made")


def _read_once(read: Callable[[], OriginalMessage]) -> Callable[[], OriginalMessage]:
    known: list[OriginalMessage] = []

    def once() -> OriginalMessage:
        if not known:
            known.append(read())
        return known[0]

    return once


def _shown(made: list[View]) -> str | None:
    return _fingerprint(made[0]) if made else None


def _fingerprint(view: View) -> str:
    """Return a hash of a view: a post is edited only if this differs from the one it shows."""
    document = json.dumps([view.text, view.blocks], sort_keys=True)
    return hashlib.sha256(document.encode()).hexdigest()[:16]
