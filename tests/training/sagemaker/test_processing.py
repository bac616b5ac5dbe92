"""Preparing on several machines writes the same files as on one."""

import io
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data.prepare import prepare
from training.sagemaker import JobError
from training.sagemaker.jobs.processing import MODULES, merge, raw_rows, validation_share, write_inputs

FILES = ("train.txt", "validation.txt", "test.txt", "prepared.json")


@pytest.fixture(scope="module")
def data(write_facet, message_rows, tmp_path_factory) -> Path:
    """Two facets with repeated texts, quotes, line breaks in texts, a byte order mark, and no final line break."""
    folder = tmp_path_factory.mktemp("shards") / "data"
    rows = [(label, f"{text} no {i}") for i in range(9) for label, text in message_rows] + message_rows * 2
    write_facet(folder / "category", train=rows, test=message_rows[::2])
    awkward = '\ufeff1,"a ""quoted"" title","two\nlines, one text"\r\n2,"","it\'s <b>fine</b> ☂"\n3,"","last'
    write_facet(folder / "tone", train=awkward.encode() + b' without end"', validation=message_rows[::5])
    return folder


def run_machines(data: Path, scratch: Path, machines: int) -> Path:
    """Run a processing job: each machine has its share of the rows, and all other inputs."""
    write_inputs(data, scratch / "all", machines * 4)
    objects = sorted(path for path in (scratch / "all" / "rows").rglob("*") if path.is_file())
    for machine in range(machines):
        root = scratch / f"machine-{machine}"
        root.mkdir()
        for name in ("classes", "code"):
            (root / name).symlink_to(scratch / "all" / name)
        for path in objects[machine::machines]:
            target = root / path.relative_to(scratch / "all")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(path)
        (root / "config.json").write_text(json.dumps({"current_host": f"algo-{machine + 1}"}))
        (root / "output").symlink_to(scratch / "output", target_is_directory=True)
        (scratch / "output").mkdir(exist_ok=True)
        share = ["--validation", f"{validation_share(data):g}"]
        command = [sys.executable, "-I", root / "code" / "process.py", "--root", root, "--config", root / "config.json"]
        subprocess.run([*command, *share], check=True, capture_output=True)
    return scratch / "output"


@pytest.mark.parametrize("machines", [1, 2, 5])
def test_any_number_of_machines_writes_the_lines_of_one(data, machines, tmp_path):
    prepare(data, tmp_path / "local")

    merge(run_machines(data, tmp_path, machines), tmp_path / "merged")

    for name in FILES:
        ours, theirs = (tmp_path / "merged" / name).read_text("utf-8"), (tmp_path / "local" / name).read_text("utf-8")
        assert Counter(ours.splitlines()) == Counter(theirs.splitlines())
        assert ours == theirs  # including the order


def test_more_machines_than_objects_leave_some_without_rows(write_facet, message_rows, tmp_path):
    data = write_facet(tmp_path / "data", train=message_rows[::10] * 2)
    prepare(data, tmp_path / "local")

    merge(run_machines(data, tmp_path, 7), tmp_path / "merged")

    assert (tmp_path / "merged" / "train.txt").read_bytes() == (tmp_path / "local" / "train.txt").read_bytes()


@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))))
def test_files_are_split_between_rows_and_rows_are_unchanged(texts):
    rows = [f'1,"","{text.replace(chr(34), chr(34) * 2)}"\n' for text in texts]

    assert list(raw_rows(io.StringIO("".join(rows), newline=""))) == rows


def test_an_invalid_csv_row_is_reported_by_its_machine(write_facet, message_rows, tmp_path):
    data = write_facet(tmp_path / "data", train='1,"","fine"\n2,"","not"closed"\n3,"","also fine"\n')

    with pytest.raises(subprocess.CalledProcessError) as raised:
        run_machines(data, tmp_path, 1)

    assert raised.value.returncode == 2
    assert b"invalid CSV" in raised.value.stderr


def test_outputs_with_other_settings_are_not_merged(data, tmp_path):
    outputs = run_machines(data, tmp_path, 2)
    path = outputs / "prepared-algo-2.json"
    path.write_text(path.read_text("utf-8").replace('"normaliser": "1"', '"normaliser": "0"'), encoding="utf-8")

    with pytest.raises(JobError, match="prepared differently"):
        merge(outputs, tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def test_missing_lines_are_detected_and_nothing_is_written(data, tmp_path):
    outputs = run_machines(data, tmp_path, 2)
    path = outputs / "train-algo-1.txt"
    path.write_text("".join(path.read_text("utf-8").splitlines(keepends=True)[1:]), encoding="utf-8")

    with pytest.raises(JobError, match="other numbers of lines"):
        merge(outputs, tmp_path / "merged")
    assert list((tmp_path / "merged").iterdir()) == []


def test_the_uploaded_modules_are_complete():
    assert [name for name in MODULES if not (Path(__file__).parents[3] / name).is_file()] == []
