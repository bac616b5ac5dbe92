"""The facts of one message: what the classifier found, what was decided, what was done, what people corrected.

All of them are plain values without the message's text, so they can be kept for a long time.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from classifier_infra.model.confidence import Doubt
from classifier_infra.model.prediction import Caution, Score

# What earlier versions of the program noted as a step where they had withdrawn what was posted of a deleted message.
WITHDRAW = "withdraw"

Outcome: TypeAlias = Literal["automatic", "suggest", "ask", "silent", "watch", "ignore"]

Reason: TypeAlias = Literal[
    Doubt,  # the classifier should not be relied upon, or it does not know the words
    "sure",
    "below-threshold",  # the main facet's confidence is under its threshold
    "close-call",  # the second label is too near the first
    "mode",  # the policy wants no more of this channel
    "rule",  # a rule of the policy wants it silent
    "channel-off",
    "destination-channel",
    "author-muted",
    "bot",
    "unreadable",  # no letter or digit
    "file-without-words",
    "small-talk",
    "other-organisation",  # the author belongs to one that the policy does not read
    "group-conversation",  # a direct message among several people
    "deleted",
    "merged",  # read together with an earlier message of its author, the leader
]

CAUTIONS: frozenset[str] = frozenset(get_args(Caution))
"""Reasons only to suggest that lie with the classifier, not with the message."""


# --- Effects: what can be done in Slack, as values ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AddReaction:
    """Tag the message with an emoji."""

    name: str

    @property
    def step(self) -> str:
        return f"react:{self.name}"


@dataclass(frozen=True, slots=True)
class PostRoute:
    """Send the message on to a channel and mention people there: `here`, IDs, names of rotas. `urgent`: say so."""

    channel: str
    mentions: tuple[str, ...] = ()
    urgent: bool = False

    @property
    def step(self) -> str:
        return f"route:{self.channel}"


@dataclass(frozen=True, slots=True)
class PostReply:
    """Say in the thread what was decided. The last effect: its buttons must not be pressed before the others are done.

    `templates` are the team's own words for it; `mentions` are the people to mention if the message is not sent on.
    """

    templates: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()

    @property
    def step(self) -> str:
        return "reply"


@dataclass(frozen=True, slots=True)
class Assign:
    """Assign the message to the next person of a rota, in turn."""

    rota: str

    @property
    def step(self) -> str:
        return f"assign:{self.rota}"

    @property
    def later_step(self) -> str:
        """Return the step that assigns the message later, if no person was there at first."""
        return f"given:{self.rota}"


@dataclass(frozen=True, slots=True)
class CallWebhook:
    """Post the message to one of the team's webhooks."""

    name: str

    @property
    def step(self) -> str:
        return f"webhook:{self.name}"


@dataclass(frozen=True, slots=True)
class Escalate:
    """After `minutes` without a person's answer, say so in `channel` (in the thread, if None) and mention people."""

    minutes: int
    mentions: tuple[str, ...]
    channel: str | None

    @property
    def step(self) -> str:
        return f"escalate:{self.channel or 'thread'}"


Effect: TypeAlias = AddReaction | PostRoute | PostReply | Assign | CallWebhook | Escalate

_EFFECTS: dict[str, type[Effect]] = {
    "react": AddReaction,
    "route": PostRoute,
    "reply": PostReply,
    "assign": Assign,
    "webhook": CallWebhook,
    "escalate": Escalate,
}
_EFFECT_NAMES = {effect: name for name, effect in _EFFECTS.items()}


# --- Decision -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FacetResult:
    """One facet's labels, most likely first. `sure`: the confidence of the first is enough to act on it."""

    facet: str
    scores: tuple[Score, ...]
    sure: bool

    @property
    def label(self) -> str:
        return self.scores[0].name

    @property
    def confidence(self) -> float:
        return self.scores[0].confidence


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision about a message, the reason, and the effects to carry out, in order.

    `facet_results` has the main facet first, and is empty where the message was not classified. `urgent`: the policy
    wants a person to know at once. `revision` counts the times it was decided anew because the message had changed.
    `leader` is the ts of the message that this one is read together with. The decision is about the text as it was at
    `text_as_of`, made at `decided_at` (both in seconds since the epoch) under version `policy_version` of the policy;
    these are None in decisions of earlier versions of the program.
    """

    outcome: Outcome
    reason: Reason
    facet_results: tuple[FacetResult, ...] = ()
    model_version: str = ""
    served_by: str = ""
    effects: tuple[Effect, ...] = ()
    urgent: bool = False
    revision: int = 0
    leader: str | None = None
    text_as_of: float | None = None
    decided_at: float | None = None
    policy_version: int | None = None

    @property
    def labels(self) -> dict[str, str]:
        return {facet_result.facet: facet_result.label for facet_result in self.facet_results}

    def to_document(self) -> dict[str, Any]:
        """Return the decision as a JSON object."""
        return {
            "outcome": self.outcome,
            "reason": self.reason,
            "findings": [_facet_result_to_document(facet_result) for facet_result in self.facet_results],
            "model_version": self.model_version,
            "served_by": self.served_by,
            "effects": [{"kind": _EFFECT_NAMES[type(effect)], **asdict(effect)} for effect in self.effects],
            "urgent": self.urgent,
            "revision": self.revision,
            "leader": self.leader,
            "text_as_of": self.text_as_of,
            "decided_at": self.decided_at,
            "policy_version": self.policy_version,
        }


def decision_from_document(document: Mapping[str, Any]) -> Decision:
    """Return the decision that `to_document` turned into a JSON object."""
    return Decision(
        outcome=document["outcome"],
        reason=document["reason"],
        facet_results=tuple(_facet_result_from_document(facet_result) for facet_result in document["findings"]),
        model_version=document["model_version"],
        served_by=document["served_by"],
        effects=tuple(_effect_from_document(effect) for effect in document["effects"]),
        # Older decisions have none of these.
        urgent=document.get("urgent", False),
        revision=document.get("revision", 0),
        leader=document.get("leader"),
        text_as_of=document.get("text_as_of"),
        decided_at=document.get("decided_at"),
        policy_version=document.get("policy_version"),
    )


def _facet_result_to_document(facet_result: FacetResult) -> dict[str, Any]:
    scores = [[score.name, score.confidence] for score in facet_result.scores]
    return {"facet": facet_result.facet, "scores": scores, "sure": facet_result.sure}


def _facet_result_from_document(document: Mapping[str, Any]) -> FacetResult:
    scores = tuple(Score(name, confidence) for name, confidence in document["scores"])
    return FacetResult(document["facet"], scores, document["sure"])


def _effect_from_document(document: Mapping[str, Any]) -> Effect:
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in document.items()
    }
    kind = _EFFECTS[values.pop("kind")]
    if "mention" in values:  # decisions of before there could be several
        mention = values.pop("mention")
        values |= {"mentions": (mention,), "urgent": True} if mention else {}
    return kind(**values)


# --- What happened ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StepResult:
    """The result of a step: the `ts` of what was posted, or an error that makes trying again useless; or neither.

    `person` is the person chosen, if the step was to choose one. `view` is the fingerprint of what the post shows, if
    known.
    """

    ts: str | None = None
    error: str | None = None
    person: str | None = None
    view: str | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """A person's correction of one facet; `before` and `after` are the same if they confirmed it.

    Versions count from 1; a later one outweighs an earlier one, and any outweighs the classifier. `said_at` is Slack's
    time of the press or reaction (seconds since the epoch), which orders corrections however they arrive.
    """

    version: int
    facet: str
    before: str
    after: str
    user: str
    corrected_at: int
    model_version: str
    said_at: float | None = None
    policy_version: int | None = None


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """The first answer by a person other than the message's author, at `answered_at` (seconds since the epoch).

    `team` is the person's workspace if it is another one than ours (Slack Connect).
    """

    user: str
    answered_at: float
    team: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that the ledger knows of one message. `steps` has the finished ones, `first_answer` is a person's.

    `parts` are the later messages (by their ts) that are read together with it. `uncertain` are steps whose last try
    left no result: their effect may be visible in Slack. `facts` counts the facts, `shown` those that Slack shows.
    """

    decision: Decision | None = None
    corrections: tuple[Correction, ...] = ()
    steps: Mapping[str, StepResult] = field(default_factory=dict)
    first_answer: FirstAnswer | None = None
    parts: tuple[str, ...] = ()
    is_deleted: bool = False
    uncertain: frozenset[str] = frozenset()
    facts: int = 0
    shown: int | None = None

    @property
    def is_shown(self) -> bool:
        """Report whether Slack shows all facts."""
        return self.shown == self.facts

    @property
    def labels(self) -> dict[str, str]:
        """Return facet → the label that stands now, the main facet first."""
        labels = self.decision.labels if self.decision else {}
        return labels | {correction.facet: correction.after for correction in self.corrections}

    @property
    def version(self) -> int:
        """Return the number of corrections."""
        return len(self.corrections)
