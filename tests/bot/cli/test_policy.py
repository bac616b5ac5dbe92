import uuid
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.policy.parsing.parser import WrittenPolicy
from bot.policy.policy import Policy
from bot.store.settings import SettingsStore

POLICY = """\
version: 2
channels:
  default: automatic
  C0QUIET: suggest
  C0WATCHED: watch-only
hours:
  office:
    zone: Europe/Berlin
    open: {mon-fri: 09:00-17:30}
rotas:
  support:
    people: [U0ANNA]
templates:
  late: Thank you, {author}.
routes: {billing: C0123BILLING}
rules:
  - name: At night
    when: {outside: office, urgency: high}
    then: {post: C0123NIGHT, mention: support, reply: late, escalate: {after: 2h, mention: S0ONCALL}}
  - name: Newsletters
    when: {keywords: newsletter}
    then: {silent: true}
"""


@pytest.fixture
def policy(tmp_path) -> Path:
    path = tmp_path / "policy.yml"
    path.write_text(POLICY, encoding="utf-8")
    return path


@pytest.fixture
def tried(policy, capsys):
    """Try the policy with labels; give what is printed."""

    def attempt(text: str, *arguments: str) -> list[str]:
        labels = ["--label", "category=billing", "--label", "urgency=high"]
        assert main(["policy", "try", str(policy), "--text", text, *labels, *arguments], {}) == 0
        return [line.strip() for line in capsys.readouterr().out.splitlines()]

    return attempt


# --- check --------------------------------------------------------------------------------------------------


def test_a_policy_that_can_be_used_is_said_to_be(policy, capsys):
    assert main(["policy", "check", str(policy)], {}) == 0

    assert capsys.readouterr().out == (
        f"{policy}: valid. It has 2 rules (the first match decides) and 1 short-form line. "
        "Its labels were not checked: name a model with --model.\n"
    )


def test_each_fault_is_a_line_with_file_and_line(policy, capsys):
    policy.write_text("version: 2\nrules:\n  - then: {reply: late}\nunsure: perhaps\n", encoding="utf-8")

    assert main(["policy", "check", str(policy)], {}) == 1

    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == [
        f"{policy}:3: `late` is not in `templates`; it is empty",
        f"{policy}:4: `unsure` is `perhaps`; it can be `ask` or `silent`",
    ]


def test_labels_that_the_model_does_not_have_are_faults(policy, write_model, manifest, tmp_path, capsys):
    write_model(tmp_path, manifest)
    policy.write_text("version: 1\nroutes: {biling: C0BILLING}\n", encoding="utf-8")

    assert main(["policy", "check", str(policy), "--model", str(tmp_path)], {}) == 1

    assert capsys.readouterr().err == f"{policy}: the classifier's 'category' has no label 'biling'\n"


def test_the_model_may_be_that_of_the_functions(policy, write_model, manifest, tmp_path, capsys):
    write_model(tmp_path, manifest)
    environ = {"MODEL_MANIFEST": str(tmp_path / "manifest.json")}

    assert main(["policy", "check", str(policy)], environ) == 0
    assert "labels were not checked" not in capsys.readouterr().out

    policy.write_text("version: 1\nroutes: {biling: C0BILLING}\n", encoding="utf-8")
    assert main(["policy", "check", str(policy)], environ) == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["check", "no-such-file"], "there is no file 'no-such-file'"),
        (["check", __file__, "--model", "no-such-folder"], "'no-such-folder' is not a model"),
        (["try", __file__, "--text", "x"], "one of the arguments --model --label is required"),
        (["try", __file__, "--text", "x", "--label", "billing"], "'billing' is not of the form FACET=LABEL"),
        (["try", __file__, "--text", "x", "--label", "a=b", "--at", "noon"], "'noon' is not a time such as"),
    ],
)
def test_a_command_that_makes_no_sense_says_why(arguments, complaint, capsys):
    with pytest.raises(SystemExit) as raised:
        main(["policy", *arguments], {})

    assert raised.value.code == 2
    assert complaint in capsys.readouterr().err


# --- get ------------------------------------------------------------------------------------------------


@pytest.fixture
def saved(ledger, aws_environment, policy):
    """A team that has saved two versions, and the settings of the command."""
    team = f"T{uuid.uuid4().hex.upper()}"
    store = SettingsStore(ledger.client, ledger.table, Policy())
    for number in (1, 2):
        store.save_policy(team, WrittenPolicy.of(f"version: 1  # the {number}.\n"), "U0ANNA", 1_700_000_000)
    return team, {"LEDGER_TABLE": ledger.table, "POLICY_FILE": str(policy)}


@pytest.mark.parametrize(("arguments", "number"), [((), 2), (("--version", "1"), 1)])
def test_the_policy_in_force_is_printed_and_any_that_was_saved_before(saved, capsys, arguments, number):
    team, environ = saved

    assert main(["policy", "get", team, *arguments], environ) == 0

    assert capsys.readouterr().out == f"version: 1  # the {number}.\n"


def test_a_team_that_has_saved_none_has_the_packaged_one(saved, capsys):
    assert main(["policy", "get", "T0NOBODY"], saved[1]) == 0

    assert capsys.readouterr().out == POLICY


def test_a_version_that_was_never_saved_is_said_not_to_be_there(saved, capsys):
    team, environ = saved

    assert main(["policy", "get", team, "--version", "9"], environ) == 1

    assert capsys.readouterr().err == f"{team} has no version 9.\n"


# --- try ----------------------------------------------------------------------------------------------------


def test_what_would_be_done_is_said_with_the_rule_that_wants_it(tried):
    assert tried("Our shop is down", "--at", "2026-12-24T20:00+01:00") == [
        "Written Thu 2026-12-24 19:00 UTC in C0CHANNEL (mode automatic)",
        "category: billing (100%)",
        "urgency: high (100%)",
        "Handled without a person:",
        "post      C0123NIGHT                                   by At night (line 17)",
        "mention   U0ANNA, on call in support                   by At night (line 17)",
        "reply     Thank you, {author}.                         by At night (line 17)",
        "escalate  after 120 min without an answer to S0ONCALL  by At night (line 17)",
    ]


def test_the_short_form_is_named_as_it_is_written(tried):
    assert tried("Charged twice", "--at", "2026-12-24T12:00+01:00")[-1] == "post  C0123BILLING  by routes: billing"


@pytest.mark.parametrize(
    ("text", "arguments", "line"),
    [
        ("Thanks!", (), "Not read: small-talk."),
        ("Charged twice", ("--channel", "C0123NIGHT"), "Not read: destination-channel."),
        ("Charged twice", ("--channel", "C0WATCHED"), "Nothing is shown: the channel's mode is watch-only."),
        (
            "Charged twice",
            ("--channel", "C0QUIET"),
            "Only suggested, because the channel's mode is suggest. Once a person confirms it:",
        ),
        ("The weekly newsletter", ("--at", "2026-12-24T12:00+01:00"), "Nothing is shown: a rule says so."),
    ],
)
def test_why_nothing_is_done_is_said(tried, text, arguments, line):
    assert line in tried(text, *arguments)


def test_a_model_that_knows_no_word_asks_a_person(policy, write_model, manifest, tmp_path, capsys):
    write_model(tmp_path, manifest)

    assert main(["policy", "try", str(policy), "--text", "Charged twice", "--model", str(tmp_path)], {}) == 0

    out = capsys.readouterr().out
    assert "(33%, not sure enough to act on)" in out
    assert out.endswith("A person is asked, because the classifier is not sure. Nothing else is done.\n")
