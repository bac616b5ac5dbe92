"""Carry out in Slack what was decided, each effect once, and bring Slack in line with what people corrected.

How an effect happens once, and posts wait their turn: posting.py.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from bot.pipeline.admin_notices import AdminNotices
from bot.pipeline.follow_ups import FollowUps
from bot.pipeline.idempotency import Idempotency, Post, choose_kept
from bot.policy.settings import SettingsSource, TeamSettings
from bot.queue.messages import GiveOutRecord, MessageKey, MessageRecord, OriginalMessage, SummaryRecord, TidyRecord
from bot.slack.api import PermanentError
from bot.slack.blocks import View
from bot.slack.client import SlackActions
from bot.store.digests import Entry
from bot.store.ledger import Ledger
from bot.store.stats import StatsStore
from bot.triage.case import (
    WITHDRAW,
    AddReaction,
    Assign,
    CallWebhook,
    Case,
    Decision,
    Effect,
    Escalate,
    FirstAnswer,
    PostReply,
    PostRoute,
    StepResult,
)
from bot.triage.decide import context_of, direct
from bot.triage.display import LabelView, view_case, view_facet_results
from bot.triage.follow_up import FollowUp, context_of_original, find_posts, follow_up
from bot.triage.ownership import Owner, find_assigned, find_assignee, find_owner
from bot.triage.stats import Waiting
from bot.ui.posts import Routed, build_deleted, build_moved, build_route, build_summary
from bot.ui.reply import Reply, build_reply, fill_in
from classifier_infra.model.manifest import Manifest

log = logging.getLogger(__name__)

SUMMARY = "summary"


@dataclass(frozen=True, slots=True)
class _Standing:
    """How a case stands that is looked at again: its message as it is now, and what Slack has to show for it."""

    key: MessageKey
    case: Case
    decision: Decision
    original: OriginalMessage
    plan: FollowUp
    label_views: tuple[LabelView, ...]


@dataclass(frozen=True, slots=True)
class Effects:
    """What it takes to act. Methods raise what `Idempotency` raises: deliver the record again."""

    slack: SlackActions
    steps: Idempotency
    manifest: Manifest
    settings: SettingsSource
    follow_ups: FollowUps

    @property
    def ledger(self) -> Ledger:
        return self.steps.ledger

    def settings_of(self, team: str) -> TeamSettings:
        return self.settings.load(team, self.now())

    def notices(self, team: str) -> AdminNotices:
        return AdminNotices(self.slack, self.steps, self.settings_of(team).policy.admin)

    def now(self) -> float:
        return self.steps.now()

    def check_policy(self, team: str) -> None:
        """Tell an admin, once a week, of a saved policy that cannot be read."""
        held = self.settings_of(team)
        if held.unreadable is not None:
            self.notices(team).tell_of_policy(team, held.unreadable, held.version)

    # --- Of a decision --------------------------------------------------------------------------------------

    def carry_out(self, record: MessageRecord, decision: Decision) -> None:
        """Carry out all effects of a decision in their order; what is done already stays as it is."""
        original = OriginalMessage(record.author, record.text, record.author_team)
        label_views = view_facet_results(decision.facet_results, self.manifest)
        results: dict[str, StepResult] = {}
        for effect in decision.effects:
            owner = _find_owner(results)
            match effect:
                case AddReaction():
                    result = self._react(record.key, effect)
                case PostRoute():
                    result = self._send_on(record.key, effect, lambda: original, label_views, owner)
                case PostReply():
                    result = self._reply(record.key, effect, self._describe(record, decision, effect, results))
                case Assign():
                    result = self.follow_ups.assign(record.key, effect)
                case CallWebhook():
                    result = self.follow_ups.request_call(record.key, effect)
                case Escalate():
                    result = self.follow_ups.arrange(record.key, effect)
            results[effect.step] = result
        for effect in decision.effects:
            self._tell_admin(record.key, effect, results[effect.step])
        if _find_owner(results):  # somebody may have answered while this was being posted
            self.hand_over(record.key)

    def _tell_admin(self, key: MessageKey, effect: Effect, result: StepResult) -> None:
        channel = effect.channel if isinstance(effect, PostRoute) else key.channel
        if result.error:
            self.notices(key.team).tell(key.team, channel, result.error)

    def _describe(
        self, record: MessageRecord, decision: Decision, effect: PostReply, results: Mapping[str, StepResult]
    ) -> Reply:
        label_views = view_facet_results(decision.facet_results, self.manifest)
        route = next((each for each in decision.effects if isinstance(each, PostRoute)), None)
        if route is None and decision.outcome != "automatic":
            policy = self.settings_of(record.team).policy
            suggested = direct(decision.facet_results, policy, context_of(record)).route
            return Reply(label_views, decision.outcome, suggested)
        destination = route.channel if route else None
        owner = _find_owner(results)
        return Reply(
            label_views,
            decision.outcome,
            destination,
            results[route.step].error if route else None,
            message=fill_in(effect.templates, label_views, record.author, destination, owner),
            mentioned=self.follow_ups.resolve(record.key, effect.mentions),
            owner=None if route else owner,
        )

    def _react(self, key: MessageKey, effect: AddReaction) -> StepResult:
        return self.steps.act(key, effect.step, lambda: self.slack.react(key, effect.name))

    def _send_on(
        self,
        key: MessageKey,
        effect: PostRoute,
        read: Callable[[], OriginalMessage],
        label_views: tuple[LabelView, ...],
        owner: Owner | None,
    ) -> StepResult:
        def make() -> str:
            view = self._route_view(key, effect, read(), label_views, owner)
            return self.slack.send_on(key, effect.step, view, effect.channel)

        def summarise() -> Entry:
            return Entry(key.channel, label_views[0].display, self.slack.permalink(key))

        # Whoever is mentioned or is to take it has to know at once, and of this message.
        entry = None if effect.mentions or owner else summarise
        find = partial(self.slack.find_sent_on, key, effect.step, effect.channel)
        return self.steps.post(Post(key, effect.step, effect.channel, find, make, entry))

    def _route_view(
        self,
        key: MessageKey,
        route: PostRoute,
        original: OriginalMessage,
        label_views: tuple[LabelView, ...],
        owner: Owner | None,
    ) -> View:
        permalink, mentioned = self.slack.permalink(key), self.follow_ups.resolve(key, route.mentions)
        author, text = original.author, original.text
        # Whose it is, is said already; whose it is no longer need not know.
        named = {owner.person, owner.instead_of} if owner else set()
        others = tuple(each for each in mentioned if each not in named)
        return build_route(Routed(label_views, author, key.channel, text, permalink, others, owner, route.urgent))

    def _reply(self, key: MessageKey, effect: PostReply, reply: Reply) -> StepResult:
        find = partial(self.slack.find_reply, key, effect.step)
        make = partial(self.slack.reply, key, effect.step, build_reply(reply))
        return self.steps.post(Post(key, effect.step, key.channel, find, make))

    # --- Of many messages -----------------------------------------------------------------------------------

    def post_summary(self, summary: SummaryRecord) -> None:
        """Post what was gathered for a channel; see posting.py."""
        entries = self.steps.gather(summary)
        if not entries:
            return
        key, channel = summary.key, summary.channel
        find = partial(self.slack.find_sent_on, key, SUMMARY, channel)
        make = partial(self.slack.send_on, key, SUMMARY, build_summary(entries), channel)
        self.steps.post(Post(key, SUMMARY, channel, find, make))

    def deduplicate(self, record: TidyRecord) -> None:
        """Leave one copy of a step's post; see `choose_kept`."""
        case = self.ledger.load(record.key, self.now())
        self._try(record.key, "tidy", partial(self._remove_surplus, record, case.steps.get(record.step)))

    def _remove_surplus(self, record: TidyRecord, result: StepResult | None) -> None:
        copies = self.slack.find_copies(record.key, record.step, record.place)
        kept = choose_kept(copies, result)
        for ts in copies:
            if ts != kept:
                log.warning("surplus copy removed", extra={"message_key": str(record.key), "step": record.step})
                self.slack.remove(record.place, ts)

    # --- Of changes -----------------------------------------------------------------------------------------

    def show_changes(self, key: MessageKey) -> None:
        """Bring Slack in line with a case that was corrected, or whose message was changed."""
        self._keep_showing(key, self._show)
        self.hand_over(key)  # somebody may have answered between a post that nobody heard of and its being found

    def hand_over(self, key: MessageKey, before: FirstAnswer | None = None) -> None:
        """Let what names the assignee name whoever answered first; it is edited in place, and nothing is posted.

        `before` is the answer that was taken for the first until now.
        """
        case = self.ledger.load(key, self.now())
        earlier = replace(case, first_answer=before)
        for assigned in find_assigned(case):
            owner = find_owner(case, assigned)
            if owner and (owner.instead_of or owner != find_owner(earlier, assigned)):
                return self._keep_showing(key, self._show_owner)

    def give_out(self, record: GiveOutRecord) -> None:
        """Give out a message that came in while everybody was away, and name who has it now; see FollowUps."""
        if self.follow_ups.give_out(record):
            self._keep_showing(record.key, self._show_owner)

    def _keep_showing(self, key: MessageKey, show: Callable[[_Standing], None]) -> None:
        """Show how a case stands, and look again at the end: where two changes are shown at once, whoever finishes last
        has then seen both.
        """
        case = self.ledger.load(key, self.now())
        while case.decision and case.decision.facet_results and not case.is_withdrawn:
            show(self._look_at(key, case, case.decision))
            shown, case = case, self.ledger.load(key, self.now())
            if _state(case) == _state(shown):
                return

    def _look_at(self, key: MessageKey, case: Case, decision: Decision) -> _Standing:
        policy = self.settings_of(key.team).policy
        # The short form of a policy goes by labels alone, and they are known.
        original = self.slack.read_original(key, case.parts) if policy.rules else OriginalMessage(None, "")
        plan = follow_up(case, policy, context_of_original(key, original))
        return _Standing(key, case, decision, original, plan, view_case(case, self.manifest))

    def withdraw(self, key: MessageKey, case: Case) -> None:
        """Take back what was posted about a message that has been deleted; its words go with it."""

        def take_back() -> None:
            reply = self._find_reply(key, case)
            if reply:
                self.slack.remove(key.channel, reply)
            for channel, ts in find_posts(case).items():
                self.slack.edit(channel, ts, build_deleted(key.channel))

        self.steps.act(key, WITHDRAW, take_back)

    def _show(self, standing: _Standing) -> None:
        key, case, plan = standing.key, standing.case, standing.plan
        owner = self._assign(key, case, plan.assign) if plan.assign else None
        for name in plan.remove:
            self._try(key, "unreact", partial(self.slack.unreact, key, name))
        for name in plan.add:
            self._try(key, "react", partial(self.slack.react, key, name))
        problem = self._move_to(standing, plan.route, owner) if plan.route else None
        if plan.withdraw and not problem:
            self._try(key, "withdraw", partial(self._withdraw, key, case, plan, standing.label_views[0]))
        self._renew_reply(standing, owner, problem)
        for call in plan.calls:
            self._arrange(key, call)
        self._list_urgent(key, case, standing.decision, plan.urgent)

    def _assign(self, key: MessageKey, case: Case, assign: Assign) -> Owner | None:
        return find_owner(case, self.follow_ups.assign(key, assign).person or find_assignee(case, assign))

    def _show_owner(self, standing: _Standing) -> None:
        """Name in what has been posted who has the request; where the policy would have it elsewhere by now, it is left
        until somebody says so.
        """
        steps, plan = standing.case.steps, standing.plan
        if plan.assign is None or plan.assign.step not in steps or (plan.route and plan.route.step not in steps):
            return
        owner = find_owner(standing.case, find_assignee(standing.case, plan.assign))
        sent = steps[plan.route.step] if plan.route else StepResult()
        if plan.route and sent.ts:
            self._try(standing.key, "renew", partial(self._renew, standing, plan.route, sent.ts, owner))
        self._renew_reply(standing, owner, sent.error)

    def _renew_reply(self, standing: _Standing, owner: Owner | None, problem: str | None) -> None:
        key, case, plan, author = standing.key, standing.case, standing.plan, standing.original.author
        destination = plan.route.channel if plan.route else None
        reply = Reply(
            standing.label_views,
            standing.decision.outcome,
            destination,
            problem,
            correction=case.corrections[-1] if case.corrections else None,
            parts=len(case.parts),
            message=fill_in(plan.reply.templates, standing.label_views, author, destination, owner),
            mentioned=self.follow_ups.resolve(key, plan.reply.mentions),
            owner=None if plan.route else owner,
        )
        self._try(key, "edit", partial(self._edit_reply, key, case, build_reply(reply)))

    def _list_urgent(self, key: MessageKey, case: Case, decision: Decision, urgent: bool) -> None:
        """Let a message that turned out to be urgent wait for an answer, and one that did not no longer."""
        stats = StatsStore(self.ledger.client, self.ledger.table)
        if not urgent:
            stats.settle("urgent", key)
        elif not decision.urgent and case.first_answer is None:
            stats.begin("urgent", Waiting(key, decision.facet_results[0].scores[:1]), self.now())

    def _arrange(self, key: MessageKey, call: CallWebhook | Escalate) -> None:
        if isinstance(call, CallWebhook):
            self.follow_ups.request_call(key, call)
        else:
            self.follow_ups.arrange(key, call)

    def _move_to(self, standing: _Standing, route: PostRoute, owner: Owner | None) -> str | None:
        """Send the message on to where it belongs, or renew the post that is there; give the error in the way."""
        key, case = standing.key, standing.case
        result = self._send_on(
            key, route, lambda: self.slack.read_original(key, case.parts), standing.label_views, owner
        )
        self._tell_admin(key, route, result)
        if route.step in case.steps and result.ts:
            self._try(key, "renew", partial(self._renew, standing, route, result.ts, owner))
        return result.error

    def _renew(self, standing: _Standing, route: PostRoute, ts: str, owner: Owner | None) -> None:
        original = self.slack.read_original(standing.key, standing.case.parts)
        view = self._route_view(standing.key, route, original, standing.label_views, owner)
        self.slack.edit(route.channel, ts, view)

    def _withdraw(self, key: MessageKey, case: Case, plan: FollowUp, main: LabelView) -> None:
        """Put a note in place of the posts in channels where the message does not belong."""
        destination = plan.route.channel if plan.route else None
        user = case.corrections[-1].user if case.corrections else None
        view = build_moved(user, main, destination, self.slack.permalink(key))
        for channel, ts in plan.withdraw.items():
            self.slack.edit(channel, ts, view)

    def _edit_reply(self, key: MessageKey, case: Case, view: View) -> None:
        ts = self._find_reply(key, case)
        if ts:
            self.slack.edit(key.channel, ts, view)

    def _find_reply(self, key: MessageKey, case: Case) -> str | None:
        step = PostReply().step
        return case.steps[step].ts if step in case.steps else self.slack.find_reply(key, step)

    def _try(self, key: MessageKey, step: str, act: Callable[[], None]) -> None:
        """Do what can be done again without harm; where it never can, the rest still can."""
        try:
            act()
        except PermanentError as failure:
            log.error("step given up", extra={"message_key": str(key), "step": step, "error": failure.error})


def _state(case: Case) -> tuple[Decision | None, int, tuple[str, ...], FirstAnswer | None]:
    """Give what may change while a case is being shown."""
    return case.decision, case.version, case.parts, case.first_answer


def _find_owner(results: Mapping[str, StepResult]) -> Owner | None:
    return next((Owner(result.person) for result in results.values() if result.person), None)
