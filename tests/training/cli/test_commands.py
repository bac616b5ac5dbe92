"""The commands of `python -m training`."""

import json
import os
import pty
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from classifier_infra.model.manifest import load_manifest
from training.__main__ import main

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def data(write_facet, message_rows, tmp_path_factory) -> Path:
    return write_facet(tmp_path_factory.mktemp("data") / "messages", train=message_rows, test=message_rows[::2])


@pytest.fixture(scope="module")
def model(data, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "messages"
    assert main(["train", str(data), "--out", str(folder)]) == 0
    return folder


# --- train ----------------------------------------------------------------------------------------------------


def test_training_prints_what_it_read_measured_and_wrote(run, data, tmp_path):
    done = run("train", data, "--out", tmp_path / "mine")

    version = load_manifest(tmp_path / "mine" / "manifest.json").version
    assert done.returncode == 0
    assert done.stdout == (
        "category: 3 classes; rows: 30 in train.csv, 15 in test.csv\n"
        "  note: 15 texts in both train.csv and test.csv: "
        "train.csv:1, test.csv:1; train.csv:3, test.csv:2; train.csv:5, test.csv:3; and 12 more\n"
        "category: accuracy 100.0%, macro-F1 100.0% on 15 rows of test.csv\n"
        "  automatic: never (validation precision 95 %)\n"
        f"Wrote {tmp_path}/mine: version {version}, model.bin 0.0 MB\n"
    )
    assert version.startswith("mine-")


def test_in_a_pipe_there_is_no_progress_bar(data, tmp_path):
    command = [sys.executable, "-W", "error", "-m", "training", "train", data, "--out", tmp_path]

    done = subprocess.run(command, capture_output=True, cwd=ROOT, check=True)

    assert done.stderr == b""
    assert b"\r" not in done.stdout


def test_on_a_terminal_there_is_a_progress_bar(data, tmp_path):
    controller, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    command = [sys.executable, "-m", "training", "train", data, "--out", tmp_path]

    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=terminal, cwd=ROOT, check=True)
    os.set_blocking(controller, False)
    seen = os.read(controller, 4096)
    os.close(controller)
    os.close(terminal)

    assert b"Fitting heads" in seen


def test_without_test_rows_the_validation_rows_are_measured(run, write_facet, message_rows, tmp_path):
    data = write_facet(tmp_path / "data", train=message_rows)

    done = run("train", data, "--out", tmp_path / "model")

    assert "on 30 rows of validation (before the final fit on all rows)" in done.stdout


def test_several_facets_train_into_one_model(run, write_facet, message_rows, tmp_path):
    for facet in ("category", "tone"):
        write_facet(tmp_path / "data" / facet, train=message_rows)

    done = run("train", tmp_path / "data", "--out", tmp_path / "model")

    assert done.returncode == 0
    manifest = load_manifest(tmp_path / "model" / "manifest.json")
    assert [facet.name for facet in manifest.facets] == ["category", "tone"]


def test_options_become_hyperparameters(run, data, tmp_path):
    features = ["--word-ngrams", "3", "--minn", "2", "--maxn", "5", "--min-count", "2", "--buckets", "999"]
    head = ["--cost", "0.5", "--bayes", "0.8", "--balanced", "--folds", "4", "--seed", "3"]

    assert run("train", data, "--out", tmp_path, *features, *head).returncode == 0

    assert load_manifest(tmp_path / "manifest.json").training["hyperparameters"] == {
        "features": {"word_ngrams": 3, "minn": 2, "maxn": 5, "min_count": 2},
        "buckets": 999,
        "cost": 0.5,
        "bayes": 0.8,
        "balanced": True,
        "folds": 4,
        "seed": 3,
    }


def test_searched_options_are_printed_and_recorded(run, data, tmp_path):
    done = run("train", data, "--out", tmp_path, "--search", "--folds", "2", "--buckets", "256")

    recorded = load_manifest(tmp_path / "manifest.json").training["hyperparameters"]
    assert f"best of 27 settings: --cost {recorded['cost']:g} " in done.stdout


def test_training_again_gives_the_same_bytes(run, data, model, tmp_path):
    run("train", data, "--out", tmp_path / model.name)

    for name in ("model.tar.gz", "manifest.json"):
        assert (tmp_path / model.name / name).read_bytes() == (model / name).read_bytes()


def test_every_bad_row_is_listed_and_nothing_is_written(run, write_facet, tmp_path):
    data = write_facet(tmp_path / "data", train='4,"","out of range"\n1,"","fine"\n2,"only two"\n')

    done = run("train", data, "--out", tmp_path / "model")

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        f"{data}/train.csv:1: class index 4 is out of range; classes.txt lists classes 1 to 3\n"
        f'{data}/train.csv:3: 2 columns, not 3; write class index, title, content, with texts between "\n'
        "2 problems; nothing was written.\n"
    )
    assert not (tmp_path / "model").exists()


def test_bad_rows_can_be_skipped_and_are_still_listed(run, write_facet, message_rows, tmp_path):
    good = "".join(f'{i},"","{text}"\n' for i, text in message_rows)
    data = write_facet(tmp_path / "data", train=good + '4,"","out of range"\n2,"only two"\n')

    done = run("train", data, "--out", tmp_path / "model", "--lenient")

    assert done.returncode == 0
    assert done.stdout.startswith("category: 3 classes; rows: 30 in train.csv\n")
    assert f"{data}/train.csv:31: class index 4 is out of range;" in done.stderr
    assert done.stderr.endswith("2 rows skipped.\n")


def test_a_class_whose_only_row_was_skipped_is_still_an_error(run, write_facet, tmp_path):
    data = write_facet(tmp_path / "data", train='1,"","a"\n2,"","b"\n3,"",""\n')

    done = run("train", data, "--out", tmp_path / "model", "--lenient")

    assert done.returncode == 2
    assert "class 3 (General) has no row" in done.stderr


def test_missing_data_are_bad_data(run, tmp_path):
    done = run("train", tmp_path / "typo", "--out", tmp_path / "model")

    assert done.returncode == 2
    assert done.stderr.startswith(f"{tmp_path}/typo: no such folder;")


@pytest.mark.parametrize(
    "options",
    [
        ["--word-ngrams", "0"],
        ["--cost", "nan"],
        ["--cost", "-1"],
        ["--bayes", "-1"],
        ["--folds", "1"],
        ["--minn", "5", "--maxn", "4"],
        ["--seed", "x"],
    ],
)
def test_an_option_out_of_range_is_refused(run, data, tmp_path, options):
    done = run("train", data, "--out", tmp_path / "model", *options)

    assert done.returncode == 2
    assert f"argument {options[0]}" in done.stderr
    assert not (tmp_path / "model").exists()


def test_a_model_that_cannot_be_written_is_an_error_in_one_line(run, data, tmp_path):
    (tmp_path / "file").touch()

    done = run("train", data, "--out", tmp_path / "file")

    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


# --- evaluate -------------------------------------------------------------------------------------------------


def test_evaluation_prints_one_line_per_facet(run, model, data):
    done = run("evaluate", model, data)

    assert done.returncode == 0
    assert done.stdout == "category: accuracy 100.0%, macro-F1 100.0% on 15 rows of test.csv\n"


def test_evaluation_as_json_prints_nothing_else(run, model, data):
    done = run("evaluate", model, data, "--json", "-")

    figures = json.loads(done.stdout)["facets"]["category"]
    assert (figures["accuracy"], figures["macro_f1"], figures["rows"]) == (1.0, 1.0, 15)
    assert figures["accuracy_interval"] == pytest.approx([0.796, 1.0], abs=1e-3)
    assert figures["confusion"] == [[5, 0, 0], [0, 5, 0], [0, 0, 5]]
    assert [one["name"] for one in figures["classes"]] == ["Billing", "Technical_help", "General"]


def test_evaluation_compares_two_models(run, model, data, tmp_path):
    run("train", data, "--out", tmp_path / "other", "--maxn", "0")

    done = run("evaluate", model, data, "--against", tmp_path / "other")

    assert "  against other-" in done.stdout


def test_a_learning_curve_ends_with_all_training_rows(run, model, data):
    done = run("evaluate", model, data, "--learning-curve", "--json", "-")

    curve = json.loads(done.stdout)["facets"]["category"]["learning_curve"]
    assert [point["rows"] for point in curve] == sorted(point["rows"] for point in curve)
    assert (curve[-1]["rows"], curve[-1]["accuracy"]) == (30, 1.0)


@pytest.mark.parametrize("priors", ["[", "[]", '{"category": {"Billing": 1}}', '{"shade": {}}', '{"category": {}}'])
def test_priors_must_be_shares_of_the_models_labels(run, model, data, tmp_path, priors):
    (tmp_path / "priors.json").write_text(priors)

    done = run("evaluate", model, data, "--priors", tmp_path / "priors.json")

    assert done.returncode == 2
    assert f"{tmp_path}/priors.json: invalid priors" in done.stderr


def test_evaluation_as_json_into_a_file(run, model, data, tmp_path):
    done = run("evaluate", model, data, "--split", "train.csv", "--json", tmp_path / "figures.json")

    assert done.stdout == ""
    assert json.loads((tmp_path / "figures.json").read_text())["facets"]["category"]["rows"] == 30


def test_missing_rows_cannot_be_measured(run, model, data):
    done = run("evaluate", model, data, "--split", "validation.csv")

    assert done.returncode == 2
    assert "no row in validation.csv" in done.stderr


def test_labels_the_model_does_not_know_are_named(run, model, write_facet, tmp_path):
    data = write_facet(tmp_path, ["Legal", "Billing"], test=[(1, "sue them")])

    done = run("evaluate", model, data)

    assert done.returncode == 2
    assert "the model does not know category=Legal" in done.stderr


def test_a_damaged_model_is_an_error_in_one_line(run, model, data, tmp_path):
    (tmp_path / "manifest.json").write_bytes((model / "manifest.json").read_bytes())
    (tmp_path / "model.tar.gz").write_bytes((model / "model.tar.gz").read_bytes()[:1000])

    done = run("evaluate", tmp_path, data)

    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {tmp_path}/model.tar.gz: ")
    assert done.stderr.count("\n") == 1


# --- starter and help -----------------------------------------------------------------------------------------


def test_the_starter_model_is_small_and_has_its_three_facets(run, tmp_path):
    assert run("starter", tmp_path / "data").returncode == 0
    assert run("train", tmp_path / "data", "--out", tmp_path / "starter").returncode == 0

    manifest = load_manifest(tmp_path / "starter" / "manifest.json")
    assert [facet.name for facet in manifest.facets] == ["category", "urgency", "tone"]
    assert manifest.model_bytes <= 4_000_000


@pytest.mark.parametrize("command", [[], ["train"], ["evaluate"], ["starter"]])
def test_help_has_an_example(run, command):
    done = run(*command, "--help")

    assert done.returncode == 0
    assert "python -m training train my-data --out build/models/mine" in done.stdout


def test_help_does_not_wait_for_scikit_learn():
    code = "import sys, training.__main__; sys.exit('sklearn' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_a_missing_command_is_a_usage_error(run):
    assert run().returncode == 2


def test_a_closed_pipe_causes_no_traceback(data, tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "training", "train", data, "--out", tmp_path]

    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, cwd=ROOT)
    os.close(writing)

    assert (done.returncode, done.stderr) == (1, b"")


# --- prepare --------------------------------------------------------------------------------------------------


def test_preparing_prints_what_it_wrote(run, data, tmp_path):
    done = run("prepare", data, "--out", tmp_path, "--validation", "0", "--part", "a")

    assert done.returncode == 0
    assert done.stdout == (
        f"{tmp_path}/train-a.txt: 30 lines\n{tmp_path}/validation-a.txt: 0 lines\n{tmp_path}/test-a.txt: 15 lines\n"
    )


def test_preparing_notes_labels_missing_from_a_file(run, write_facet, tmp_path):
    data = write_facet(tmp_path / "data", ("Billing", "Other"), test=[(1, "refund please")])

    done = run("prepare", data, "--out", tmp_path)

    assert f"{tmp_path}/test.txt: 1 line\n  note: no lines with __label__Other\n" in done.stdout


@pytest.mark.parametrize("name", ["../a", "a b", ".a"])
def test_a_parts_name_cannot_leave_the_folder(run, data, tmp_path, name):
    done = run("prepare", data, "--out", tmp_path, "--part", name)

    assert done.returncode == 2
    assert "argument --part: use letters, digits, '-' and '_'" in done.stderr


# --- train --trainer blazingtext ------------------------------------------------------------------------------


SMALL = ["--hyperparameter", "vector_dim=4", "--hyperparameter", "buckets=1000", "--hyperparameter", "min_count=1"]


def test_a_local_blazingtext_run_writes_a_model_folder(run, ask_fasttext, write_facet, message_rows, tmp_path):
    data = write_facet(tmp_path / "data", train=message_rows, validation=message_rows, test=message_rows)

    done = run("train", data, "--out", tmp_path / "tried", "--trainer", "blazingtext", *SMALL)

    manifest = load_manifest(tmp_path / "tried" / "manifest.json")
    assert done.returncode == 0
    assert "note: model.bin" not in done.stdout
    assert f"Wrote {tmp_path}/tried: version {manifest.version}, model.bin 0.0 MB\n" in done.stdout
    assert manifest.training["hyperparameters"]["epochs"] == 5
    assert run("evaluate", tmp_path / "tried", data).returncode == 0


def test_a_learning_curve_is_refused_for_a_model_of_another_trainer(
    run, ask_fasttext, write_facet, message_rows, tmp_path
):
    data = write_facet(tmp_path / "data", train=message_rows, validation=message_rows)
    run("train", data, "--out", tmp_path / "tried", "--trainer", "blazingtext", *SMALL)

    done = run("evaluate", tmp_path / "tried", data, "--learning-curve")

    assert done.returncode == 2
    assert "argument --learning-curve: only for models of the linear trainer" in done.stderr


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (["--hyperparameter", "epoch=3"], "did you mean epochs?"),
        (["--hyperparameter", "epochs"], "'epochs' is not NAME=VALUE"),
        (["--hyperparameter", "mode=cbow"], "a classifier needs mode=supervised"),
        (["--search"], "argument --search: only for the linear trainer"),
    ],
)
def test_what_a_job_would_reject_is_refused_before_anything_runs(run, tmp_path, options, fault):
    done = run("train", tmp_path / "nowhere", "--out", tmp_path, "--trainer", "blazingtext", *options)

    assert done.returncode == 2
    assert fault in done.stderr


def test_blazingtexts_hyperparameters_are_not_for_the_linear_trainer(run, tmp_path):
    done = run("train", tmp_path / "nowhere", "--out", tmp_path, *SMALL)

    assert done.returncode == 2
    assert "argument --hyperparameter: only for --trainer blazingtext" in done.stderr
