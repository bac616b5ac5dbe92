"""An installation is finished once, in time, and in the browser in which it was begun."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.sandbox.resources import create_tables
from bot.ui.text import install as install_text
from bot.workspaces.installations import InstallationsUnavailable
from bot.workspaces.oauth_states import GOOD_FOR_SECONDS, DynamoStateStore, StateRefused

AGAIN = "https://api.example.com/dev/slack/install"


# --- The browser --------------------------------------------------------------------------------------------


def test_the_state_is_in_a_cookie_that_only_this_site_gets_over_https(browser):
    offered = browser.open("/slack/install")

    attributes = {each.strip().lower() for each in offered.headers["Set-Cookie"].split(";")[1:]}
    assert {"secure", "httponly", "path=/", "max-age=600", "samesite=lax"} == attributes


@pytest.mark.parametrize("cookies", [[], [""], ["slack-app-oauth-state=another"], ["other=1"]])
def test_another_browser_cannot_finish_it(browser, installer, cookies):
    query = browser.press(browser.begin(), "Allow in Field office")
    browser.cookies = cookies

    page = browser.come_back(query)

    assert page.status == 400
    assert page.says(install_text.NOT_FROM_HERE)
    assert installer.installations.installations == []


@pytest.mark.parametrize("query", ["", "code=1", "state=&code=1", "state=short&code=1"])
def test_without_a_state_nothing_is_done(browser, query):
    browser.cookies = ["slack-app-oauth-state=short"]

    page = browser.come_back(query)

    assert (page.status, page.says(install_text.NOT_FROM_HERE)) == (400, True)


def test_the_cookie_may_come_among_others_and_in_several_headers(browser):
    query = browser.press(browser.begin(), "Allow in Field office")
    [cookie] = browser.cookies
    browser.cookies = ["a=1", f"b=2; {cookie}"]

    assert browser.come_back(query).status == 200


@pytest.mark.parametrize(
    ("reason", "status", "text"),
    [
        ("unknown", 400, install_text.NOT_FROM_HERE),
        ("expired", 410, install_text.EXPIRED),
        ("used", 409, install_text.USED),
    ],
)
def test_a_state_that_is_no_good_any_more_says_why(browser, installer, reason, status, text):
    query = browser.press(browser.begin(), "Allow in Field office")
    installer.states.refused = reason

    page = browser.come_back(query)

    assert (page.status, page.says(text), page.link) == (status, True, AGAIN)


# --- The table ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def table(dynamodb) -> str:
    return create_tables(dynamodb, f"states-{uuid.uuid4().hex[:8]}")["InstallationsTable"]


@pytest.fixture
def states(dynamodb, table, clock) -> DynamoStateStore:
    return DynamoStateStore(dynamodb, table, clock)


def test_a_state_is_good_once(states):
    state = states.issue()

    assert states.consume(state)
    with pytest.raises(StateRefused, match="used"):
        states.consume(state)


def test_of_many_who_come_with_one_state_at_once_one_is_let_in(states):
    state = states.issue()

    def come(_: int) -> bool:
        try:
            return states.consume(state)
        except StateRefused:
            return False

    with ThreadPoolExecutor(8) as people:
        assert sum(people.map(come, range(8))) == 1


def test_a_state_expires_by_the_clock_whether_or_not_its_row_is_still_there(states, clock):
    state = states.issue()

    clock.now += GOOD_FOR_SECONDS + 1

    with pytest.raises(StateRefused, match="expired"):
        states.consume(state)


@pytest.mark.parametrize("state", ["", "guessed", "\ud800"])
def test_a_state_that_was_never_issued_is_unknown(states, state):
    with pytest.raises(StateRefused, match="unknown"):
        states.consume(state)


def test_the_table_forgets_a_state_by_itself_and_never_had_it(states, dynamodb, table, clock):
    state = states.issue()

    rows = [row for row in dynamodb.scan(TableName=table)["Items"] if "good_until" in row]
    assert all(float(row["expires_at"]["N"]) > float(row["good_until"]["N"]) for row in rows)
    assert state not in str(rows)


def test_a_table_that_does_not_answer_lets_nobody_in(dynamodb, clock):
    states = DynamoStateStore(dynamodb, "no-such-table", clock)

    with pytest.raises(InstallationsUnavailable):
        states.issue()
    with pytest.raises(InstallationsUnavailable):
        states.consume("state")
