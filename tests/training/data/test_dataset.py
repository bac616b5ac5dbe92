"""Reading of data folders, and the reports of their faults."""

import csv

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifier_infra.model.manifest import Facet as ManifestFacet
from classifier_infra.model.manifest import Label, Manifest
from classifier_infra.model.text import clean, normalise
from training.data.dataset import (
    TEST,
    TRAIN,
    VALIDATION,
    DataError,
    read_dataset,
    unknown_labels,
    write_examples,
)

ROWS = [(1, "refund please"), (2, "it crashes"), (1, "charged twice"), (2, "login fails")]
CLASSES = ("Billing", "Technical")


def problems_of(folder, **arguments):
    with pytest.raises(DataError) as raised:
        read_dataset(folder, **arguments)
    return [(problem.path.name, problem.line, problem.what) for problem in raised.value.problems]


# --- Valid data folders -----------------------------------------------------------------------------------------


def test_one_folder_is_the_facet_category(tmp_path, write_facet):
    write_facet(tmp_path, CLASSES, train=ROWS)

    (facet,) = read_dataset(tmp_path)

    assert facet.name == "category"
    assert [(example.label, example.words) for example in facet.split(TRAIN)] == [
        (0, "refund please"),
        (1, "it crashes"),
        (0, "charged twice"),
        (1, "login fails"),
    ]


def test_each_sub_folder_is_a_facet_and_category_comes_first(tmp_path, write_facet):
    for name in ("urgency", "category", "tone"):
        write_facet(tmp_path / name, CLASSES, train=ROWS)

    facets = read_dataset(tmp_path)

    assert [facet.name for facet in facets] == ["category", "tone", "urgency"]


def test_without_a_category_facets_are_sorted_by_name(tmp_path, write_facet):
    for name in ("urgency", "tone"):
        write_facet(tmp_path / name, CLASSES, train=ROWS)

    facets = read_dataset(tmp_path)

    assert [facet.name for facet in facets] == ["tone", "urgency"]


def test_facets_have_the_order_of_facets_txt(tmp_path, write_facet):
    for name in ("category", "tone", "urgency"):
        write_facet(tmp_path / name, CLASSES, train=ROWS)
    (tmp_path / "facets.txt").write_text("category\nurgency\ntone\n")

    facets = read_dataset(tmp_path)

    assert [facet.name for facet in facets] == ["category", "urgency", "tone"]


@pytest.mark.parametrize("listed", ["category\n", "category\ntone\nmood\n", "category\ntone\ntone\n"])
def test_an_order_that_does_not_list_the_facets_is_refused(tmp_path, write_facet, listed):
    for name in ("category", "tone"):
        write_facet(tmp_path / name, CLASSES, train=ROWS)
    (tmp_path / "facets.txt").write_text(listed)

    assert problems_of(tmp_path) == [("facets.txt", 0, "it does not list the facets of this folder (category, tone)")]


@pytest.mark.parametrize(
    ("written", "name", "display"),
    [
        ("billing", "billing", "Billing"),
        ("country_support", "country_support", "Country support"),
        ("EducationalInstitution", "EducationalInstitution", "Educational Institution"),
        ("IT support", "IT_support", "IT support"),
    ],
)
def test_a_class_has_a_readable_name(tmp_path, write_facet, written, name, display):
    write_facet(tmp_path, (written, "Other"), train=ROWS)

    (facet,) = read_dataset(tmp_path)

    assert facet.labels[0] == Label(name, display)


def test_other_sub_folders_are_not_facets(tmp_path, write_facet):
    write_facet(tmp_path / "tone", CLASSES, train=ROWS)
    (tmp_path / "notes").mkdir()

    facets = read_dataset(tmp_path)

    assert [facet.name for facet in facets] == ["tone"]


def test_a_class_keeps_its_display_name_and_gets_a_label_without_white_space(tmp_path, write_facet):
    write_facet(tmp_path, ["Technical  help", " Billing "], train=ROWS)

    (facet,) = read_dataset(tmp_path)

    assert facet.labels == (Label("Technical_help", "Technical  help"), Label("Billing", "Billing"))


def test_title_and_content_are_one_text(tmp_path, write_facet):
    write_facet(tmp_path, CLASSES, train='1,"No refund","since May"\n2,"Crash",""\n')

    (facet,) = read_dataset(tmp_path)

    assert [example.text for example in facet.split(TRAIN)] == ["No refund since May", "Crash"]


def test_texts_are_cleaned_as_slack_messages_are(tmp_path, write_facet):
    write_facet(tmp_path, CLASSES, train='1,"","ask &lt;me@example.org&gt; :tada:"\n2,"","it crashes"\n')

    (facet,) = read_dataset(tmp_path)

    assert facet.split(TRAIN)[0].text == "ask <[email]> 🎉"
    assert facet.split(TRAIN)[0].words == "ask < [ email ] > 🎉"


def test_byte_order_marks_carriage_returns_quotes_and_line_breaks_in_texts_are_read(tmp_path, write_facet):
    write_facet(tmp_path, CLASSES, train='\ufeff1,"","say ""hi""\r\nnow"\r\n\r\n2,,it crashes\r\n')
    (tmp_path / "classes.txt").write_bytes("\ufeffBilling\r\nTechnical\r\n\r\n".encode())

    (facet,) = read_dataset(tmp_path)

    assert [label.name for label in facet.labels] == ["Billing", "Technical"]
    assert [example.words for example in facet.split(TRAIN)] == ['say " hi " now', "it crashes"]


def test_validation_and_test_rows_are_separate(tmp_path, write_facet):
    write_facet(tmp_path, CLASSES, train=ROWS, validation=[(1, "for validation")], test=[(2, "for the test")])

    (facet,) = read_dataset(tmp_path)

    assert [example.text for example in facet.split(VALIDATION)] == ["for validation"]
    assert [example.text for example in facet.split(TEST)] == ["for the test"]


def test_every_file_that_was_read_has_its_checksum(tmp_path, write_facet):
    write_facet(tmp_path, CLASSES, train=ROWS, test=ROWS)

    (facet,) = read_dataset(tmp_path)

    assert set(facet.checksums) == {"classes.txt", TRAIN, TEST}


def test_only_the_named_files_are_needed(tmp_path, write_facet):
    write_facet(tmp_path, CLASSES, train="broken", test=ROWS)

    (facet,) = read_dataset(tmp_path, [TEST])

    assert len(facet.split(TEST)) == len(ROWS)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(1, 2), st.text(), st.text()), max_size=5))
def test_written_rows_are_read_back(tmp_path, write_facet, rows):
    rows = [(label, _encodable(title), "a " + _encodable(content)) for label, title, content in rows]
    folder = write_facet(tmp_path / "data", CLASSES)

    write_examples(folder / TEST, rows)
    (facet,) = read_dataset(folder, [TEST])

    assert [(example.label + 1, example.words) for example in facet.split(TEST)] == [
        (label, normalise(clean(f"{title} {content}"))) for label, title, content in rows
    ]


def _encodable(text):
    return text.encode(errors="ignore").decode()


def test_labels_unknown_to_a_model_are_named(tmp_path, write_facet):
    write_facet(tmp_path / "category", ("Billing", "Legal matters"), train=ROWS)
    write_facet(tmp_path / "tone", CLASSES, train=ROWS)
    labels = tuple(Label(name, name) for name in CLASSES)
    manifest = Manifest("1", "1", (ManifestFacet("category", labels),), "direct", 1.0, model_sha256="", model_bytes=0)

    assert unknown_labels(read_dataset(tmp_path), manifest) == ["tone", "category=Legal_matters"]


# --- Faults ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ('3,"","text"', "class index 3 is out of range"),
        ('0,"","text"', "class index 0 is out of range"),
        ('-1,"","text"', "the first column is not a class index"),
        ('label,"title","text"', "the first column is not a class index"),
        ('1.0,"","text"', "the first column is not a class index"),
        ('²,"","text"', "the first column is not a class index"),
        (f'{"9" * 5000},"","text"', "the first column is not a class index"),
        ('1,"text"', "2 columns, not 3"),
        ("1,,text, with a comma", "4 columns, not 3"),
        ('1,"",""', "empty text"),
        ('1," ","\u200b"', "empty text"),
        ('1,"","text" more', "invalid CSV (',' expected after '\"')"),
        (f'1,"","{"x" * 200_000}"', "invalid CSV (field larger than field limit (131072))"),
        (b'1,"","caf\xe9"', "not UTF-8"),
        (b'\xff1,"","text"', "not UTF-8"),
    ],
)
def test_a_bad_row_is_named_with_its_line(tmp_path, write_facet, row, what):
    row = row if isinstance(row, bytes) else row.encode()
    write_facet(tmp_path, CLASSES, train=b"1,,fine\n" + row + b"\n2,,fine too\n")

    assert problems_of(tmp_path) == [(TRAIN, 2, what)]


def test_a_quote_that_is_never_closed_is_reported_where_it_opens(tmp_path, write_facet):
    write_facet(tmp_path, CLASSES, train='1,,fine\n2,"","never closed\n1,,fine\n')

    assert problems_of(tmp_path) == [(TRAIN, 2, "invalid CSV (unexpected end of data)")]


def test_a_row_of_many_lines_is_named_by_its_first(tmp_path, write_facet):
    write_facet(tmp_path, CLASSES, train='1,"","two\nlines"\n9,"","three\nmore\nlines"\n2,,fine\n')

    assert problems_of(tmp_path) == [(TRAIN, 3, "class index 9 is out of range")]


def test_all_bad_rows_of_all_files_and_facets_are_reported_at_once(tmp_path, write_facet):
    write_facet(tmp_path / "category", CLASSES, train="1,,fine\n7,,x\n1,,\n", test="5,,x\n")
    write_facet(tmp_path / "tone", CLASSES, train="1,x\n2,,fine\n")

    assert problems_of(tmp_path) == [
        (TRAIN, 2, "class index 7 is out of range"),
        (TRAIN, 3, "empty text"),
        (TEST, 1, "class index 5 is out of range"),
        (TRAIN, 1, "2 columns, not 3"),
    ]


def test_a_problem_names_its_place_its_cause_and_a_remedy(tmp_path, write_facet):
    write_facet(tmp_path, CLASSES, train="1,,fine\n7,,x\n2,,fine\n")

    with pytest.raises(DataError) as raised:
        read_dataset(tmp_path)

    assert str(raised.value) == (
        f"{tmp_path}/train.csv:2: class index 7 is out of range; classes.txt lists classes 1 to 2"
    )


def test_a_class_without_an_example_is_a_problem(tmp_path, write_facet):
    write_facet(tmp_path, (*CLASSES, "General"), train=ROWS)

    assert problems_of(tmp_path) == [(TRAIN, 0, "class 3 (General) has no row")]


@pytest.mark.parametrize(
    ("classes", "what"),
    [
        (b"Billing\n\nTechnical\n", (2, "a class without a readable name")),
        (b"Billing\n   \nTechnical\n", (2, "a class without a readable name")),
        (b"Billing\nTech\x00nical\n", (2, "a class without a readable name")),
        (b"Billing\nTechnical\nBilling\n", (3, "class 'Billing' is already in line 1")),
        (b"My team\nTechnical\nMy_team\n", (3, "class 'My_team' is already in line 1")),
        (b"Billing\ntone=bad\n", (2, "'=' in class 'tone=bad'")),
        (b"Billing\n", (0, "fewer than two classes")),
        (b"Billing\nCaf\xe9\n", (0, "not UTF-8 (byte 11)")),
    ],
)
def test_bad_class_names_are_refused(tmp_path, write_facet, classes, what):
    write_facet(tmp_path, train=ROWS)
    (tmp_path / "classes.txt").write_bytes(classes)

    assert problems_of(tmp_path) == [("classes.txt", *what)]


def test_a_folder_without_class_names_is_refused(tmp_path, write_facet):
    write_facet(tmp_path, train=ROWS)
    (tmp_path / "classes.txt").unlink()

    assert problems_of(tmp_path) == [("classes.txt", 0, "no such file")]


def test_a_folder_without_training_rows_is_refused(tmp_path, write_facet):
    write_facet(tmp_path, CLASSES, test=ROWS)

    assert problems_of(tmp_path) == [(TRAIN, 0, "no such file")]


def test_a_folder_with_neither_classes_nor_facets_is_refused(tmp_path):
    assert problems_of(tmp_path) == [(tmp_path.name, 0, "no classes.txt in it or in its folders")]


def test_a_missing_folder_is_refused(tmp_path):
    assert problems_of(tmp_path / "typo") == [("typo", 0, "no such folder")]


def test_a_facet_name_that_is_invalid_in_labels_is_refused(tmp_path, write_facet):
    write_facet(tmp_path / "my facet", CLASSES, train=ROWS)

    assert problems_of(tmp_path) == [("my facet", 0, "white space or '=' in a facet's name")]


def test_rows_that_cannot_be_written_leave_the_old_file(tmp_path):
    write_examples(tmp_path / TRAIN, [(1, "", "old")])

    with pytest.raises(csv.Error):
        write_examples(tmp_path / TRAIN, iter([(1, "", "new"), 5]))

    assert (tmp_path / TRAIN).read_text() == '1,"","old"\n'
    assert list(tmp_path.iterdir()) == [tmp_path / TRAIN]
