"""Find the owner of a request: the person it was assigned to, or the one who answered it first. Pure."""

from dataclasses import dataclass

from bot.triage.case import Assign, Case, FirstAnswer


@dataclass(frozen=True, slots=True)
class Owner:
    """The owner of a request. `instead_of` is the person it was assigned to, if another one took it by answering."""

    person: str
    instead_of: str | None = None


def find_owner(case: Case, assigned: str | None) -> Owner | None:
    """Return the owner of a request that was assigned to a person; None if it was not assigned."""
    if assigned is None:
        return None
    taker = find_taker(case)
    return Owner(assigned) if taker in (None, assigned) else Owner(taker, instead_of=assigned)


def find_taker(case: Case) -> str | None:
    """Return the person who took a request by answering it first.

    None if a person of another organisation answered, or if a person has said since that it is about something else:
    then the one who answered may be the wrong one, and the rules decide again.
    """
    answer = case.first_answer
    return None if answer is None or answer.team or _was_moved_since(case, answer) else answer.user


def _was_moved_since(case: Case, answer: FirstAnswer) -> bool:
    main = case.decision.facet_results[0].facet if case.decision and case.decision.facet_results else None
    return any(
        # Corrections are timed in whole seconds. Of the same second, the person's word is taken for the later one.
        correction.facet == main
        and correction.before != correction.after
        and correction.corrected_at >= int(answer.answered_at)
        for correction in case.corrections
    )


def find_assignee(case: Case, assign: Assign) -> str | None:
    """Return the person whom a request was assigned to, at once or when a person was there again."""
    results = (case.steps.get(step) for step in (assign.step, assign.later_step))
    return next((result.person for result in results if result and result.person), None)


def find_assigned(case: Case) -> tuple[str, ...]:
    """Return all people whom a request was ever assigned to, by any rota."""
    return tuple(result.person for result in case.steps.values() if result.person)
