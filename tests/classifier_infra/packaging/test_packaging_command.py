"""`python -m classifier_infra.packaging`, and the functions that it packs."""

from pathlib import Path, PurePosixPath

import pytest

from classifier_infra.packaging.__main__ import main
from classifier_infra.packaging.archive import data_files, read_functions
from classifier_infra.packaging.runtime import PackagingError


def test_functions_are_packed_with_the_files_that_their_environment_names(tmp_path: Path):
    path = tmp_path / "serverless.yml"
    path.write_text(
        "functions:\n"
        "  one: {handler: bot.one.handler, environment: {POLICY_FILE: bot/policy.yml, QUEUE: queue}}\n"
        "  two: {handler: bot.two.handler, environment: {MODEL_MANIFEST: model/manifest.json}}\n"
    )

    one, two = read_functions(path)

    assert (one.name, one.module, one.data) == ("one", "bot.one", (PurePosixPath("bot/policy.yml"),))
    assert two.data == (PurePosixPath("model/manifest.json"),)


def test_the_model_lies_where_serverless_yml_says(tmp_path: Path):
    for name in ("manifest.json", "model.tar.gz"):
        (tmp_path / name).touch()

    files = data_files(tmp_path, tmp_path, (PurePosixPath("model/manifest.json"),))

    assert {str(path) for path in files} == {"model/manifest.json", "model/model.tar.gz"}


def test_a_file_that_serverless_yml_names_in_vain_is_an_error(tmp_path: Path):
    with pytest.raises(PackagingError, match=r"gone\.yml"):
        data_files(tmp_path, tmp_path, (PurePosixPath("bot/gone.yml"),))


def test_without_a_model_the_error_says_how_to_get_one(tmp_path: Path, capsys):
    code = main(["--out", str(tmp_path / "out"), "--model", str(tmp_path / "none")])

    assert code == 1
    assert "make train-starter" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
