from bot.triage.case import Case, Correction, Decision, Finding
from bot.triage.display import Choice, read_case, read_findings
from classifier_infra.model.prediction import Score


def test_people_read_display_names_and_all_that_was_possible(findings, manifest):
    reading = read_findings(findings, manifest)[0]

    assert (reading.title, reading.display, reading.confidence) == ("Category", "Billing", 0.94)
    assert reading.choices[1] == Choice("technical", "Technical", 0.04)


def test_a_facet_that_is_not_sure_says_so(findings, manifest):
    assert [reading.sure for reading in read_findings(findings, manifest)] == [True, True, False]


def test_what_a_person_said_is_sure_and_has_no_probability(findings, manifest):
    correction = Correction(1, "tone", "negative", "neutral", "U0ANNA", 1, "model-1")

    tone = read_case(Case(Decision("automatic", "sure", findings), (correction,)), manifest)[2]

    assert (tone.display, tone.confidence, tone.sure) == ("Neutral", None, True)


def test_a_label_that_a_newer_model_no_longer_has_keeps_its_short_name(manifest):
    old = (Finding("customer_kind", (Score("school", 0.9), Score("shop", 0.1)), sure=True),)

    reading = read_findings(old, manifest)[0]

    assert (reading.title, reading.display) == ("Customer kind", "school")
