from bot.triage.case import Case, Correction, Decision, FacetResult
from bot.triage.display import Choice, view_case, view_facet_results
from classifier_infra.model.prediction import Score


def test_people_read_display_names_and_all_that_was_possible(facet_results, manifest):
    label_view = view_facet_results(facet_results, manifest)[0]

    assert (label_view.title, label_view.display, label_view.confidence) == ("Category", "Billing", 0.94)
    assert label_view.choices[1] == Choice("technical", "Technical", 0.04)


def test_a_facet_that_is_not_sure_says_so(facet_results, manifest):
    assert [label_view.sure for label_view in view_facet_results(facet_results, manifest)] == [True, True, False]


def test_what_a_person_said_is_sure_and_has_no_probability(facet_results, manifest):
    correction = Correction(1, "tone", "negative", "neutral", "U0ANNA", 1, "model-1")

    tone = view_case(Case(Decision("automatic", "sure", facet_results), (correction,)), manifest)[2]

    assert (tone.display, tone.confidence, tone.sure) == ("Neutral", None, True)


def test_a_label_that_a_newer_model_no_longer_has_keeps_its_short_name(manifest):
    old = (FacetResult("customer_kind", (Score("school", 0.9), Score("shop", 0.1)), sure=True),)

    label_view = view_facet_results(old, manifest)[0]

    assert (label_view.title, label_view.display) == ("Customer kind", "school")
