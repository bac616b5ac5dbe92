from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.policy.schedule import Absence, Rota

BERLIN = ZoneInfo("Europe/Berlin")
# The first turn begins on Monday, 5 January 2026, at nine.
WEEKS = Rota(("U0ANNA", "U0BEN", "U0CLEO"), BERLIN, start=date(2026, 1, 1))
DAYS = Rota(("U0ANNA", "U0BEN"), BERLIN, turn="day", handover=time(18), start=date(2026, 1, 5))


def berlin(*when: int) -> datetime:
    return datetime(*when, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("at", "person"),
    [
        (berlin(2026, 1, 5, 8, 59), "U0CLEO"),
        (berlin(2026, 1, 5, 9, 0), "U0ANNA"),
        (berlin(2026, 1, 11, 23, 59), "U0ANNA"),
        (berlin(2026, 1, 12, 8, 59), "U0ANNA"),
        (berlin(2026, 1, 12, 9, 0), "U0BEN"),
        (berlin(2026, 1, 26, 9, 0), "U0ANNA"),
        (datetime(2026, 1, 12, 8, 0, tzinfo=UTC), "U0BEN"),
    ],
)
def test_a_weekly_turn_ends_at_the_handover_in_the_rotas_time_zone(at, person):
    assert WEEKS.on_call(at) == person


@pytest.mark.parametrize(
    ("at", "person"),
    [
        (berlin(2026, 1, 5, 17, 59), "U0BEN"),
        (berlin(2026, 1, 5, 18, 0), "U0ANNA"),
        (berlin(2026, 1, 6, 17, 59), "U0ANNA"),
        (berlin(2026, 1, 6, 18, 0), "U0BEN"),
        # The night in which an hour is missing.
        (berlin(2026, 3, 29, 17, 59), DAYS.on_call(berlin(2026, 3, 28, 18, 0))),
    ],
)
def test_a_daily_turn_ends_at_the_handover(at, person):
    assert DAYS.on_call(at) == person


def test_the_first_turn_begins_at_the_first_handover_on_or_after_the_start():
    rota = Rota(("U0ANNA", "U0BEN"), BERLIN, weekday=3, start=date(2026, 1, 5))

    assert rota.on_call(berlin(2026, 1, 8, 9)) == "U0ANNA"
    assert rota.on_call(berlin(2026, 1, 8, 8)) == "U0BEN"


def test_the_next_person_present_stands_in_for_one_who_is_away():
    away = (Absence("U0ANNA", date(2026, 1, 6), date(2026, 1, 7)), Absence("U0BEN", date(2026, 1, 7), date(2026, 1, 7)))
    rota = Rota(WEEKS.people, BERLIN, start=WEEKS.start, away=away)

    people = [rota.on_call(berlin(2026, 1, day, 12)) for day in (5, 6, 7, 8)]

    assert people == ["U0ANNA", "U0BEN", "U0CLEO", "U0ANNA"]


def test_when_all_are_away_the_person_whose_turn_it_is_is_on_call():
    away = tuple(Absence(person, date(2026, 1, 1), date(2026, 12, 31)) for person in DAYS.people)

    assert Rota(DAYS.people, BERLIN, away=away).on_call(berlin(2026, 1, 5)) in DAYS.people


@given(st.datetimes(datetime(1990, 1, 1), datetime(2080, 1, 1)), st.sampled_from(["day", "week"]), st.times())
def test_turns_follow_each_other_and_include_everyone(at, turn, handover):
    rota = Rota(WEEKS.people, BERLIN, turn, handover.replace(fold=0), start=date(2026, 1, 1))
    step = timedelta(days=1 if turn == "day" else 7)

    # A moment that does not exist on the wall clock, or exists twice, is no time for a handover to be compared at.
    line = [rota.on_call((at + number * step).replace(hour=12, tzinfo=BERLIN)) for number in range(6)]

    assert Counter(line) == dict.fromkeys(WEEKS.people, 2)
    assert line[:3] == line[3:]


def test_assignments_go_round_without_who_is_away():
    rota = Rota(WEEKS.people, away=(Absence("U0BEN", date(2026, 1, 5), date(2026, 1, 5)),))
    then, later = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 6, tzinfo=UTC)

    assert [rota.pick(number, then) for number in range(4)] == ["U0ANNA", "U0CLEO", "U0ANNA", "U0CLEO"]
    assert [rota.pick(number, later) for number in range(4)] == ["U0ANNA", "U0BEN", "U0CLEO", "U0ANNA"]


def test_when_all_are_away_there_is_no_assignee():
    away = tuple(Absence(person, date(2026, 1, 5), date(2026, 1, 5)) for person in DAYS.people)
    rota = Rota(DAYS.people, BERLIN, away=away)

    assert rota.pick(0, berlin(2026, 1, 5, 12)) is None
    assert not rota.is_anybody_there(berlin(2026, 1, 5, 12))
    assert rota.is_anybody_there(berlin(2026, 1, 6, 0))


# Anna is there from the 9th on (two absences, one after the other, in no order), Ben from the 12th on.
GAPS = (
    Absence("U0ANNA", date(2026, 1, 7), date(2026, 1, 8)),
    Absence("U0ANNA", date(2026, 1, 5), date(2026, 1, 6)),
    Absence("U0BEN", date(2026, 1, 1), date(2026, 1, 11)),
)


@pytest.mark.parametrize(
    ("at", "start"),
    [
        (berlin(2026, 1, 5, 0), berlin(2026, 1, 9, 18)),
        (berlin(2026, 1, 9, 17, 59), berlin(2026, 1, 9, 18)),
        (berlin(2026, 1, 9, 18, 1), berlin(2026, 1, 9, 18, 1)),
        (datetime(2026, 1, 8, 23, 30, tzinfo=UTC), berlin(2026, 1, 9, 18)),
        (berlin(2026, 1, 4, 20), berlin(2026, 1, 4, 20)),
    ],
)
def test_work_resumes_at_the_handover_of_the_first_day_on_which_one_person_is_present(at, start):
    assert Rota(DAYS.people, BERLIN, "day", DAYS.handover, away=GAPS).next_start(at) == start


def test_work_never_resumes_if_all_are_away_for_ever():
    rota = Rota(("U0ANNA",), BERLIN, away=(Absence("U0ANNA", date(2026, 1, 1), date.max),))

    assert rota.next_start(berlin(2026, 1, 5)) is None
