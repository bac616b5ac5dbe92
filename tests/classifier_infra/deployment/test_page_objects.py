"""The demo page as objects of a bucket."""

import json
from pathlib import Path

import pytest

from classifier_infra.deployment.site import UnknownType, page_objects

SITE = Path(__file__).parents[3] / "static_site"


def test_every_file_of_the_page_is_put_with_the_type_that_browsers_want():
    types = {each.key: each.content_type for each in page_objects(SITE, "https://api.example")}

    assert types.keys() == {file.relative_to(SITE).as_posix() for file in SITE.rglob("*") if file.is_file()}
    assert types["index.html"] == "text/html; charset=utf-8"
    assert types["js/main.js"] == "text/javascript; charset=utf-8"
    assert types["favicon.svg"] == "image/svg+xml"


def test_the_settings_name_the_deployed_api_and_are_asked_for_each_time():
    (settings,) = [each for each in page_objects(SITE, "https://api.example/dev") if each.key == "config.json"]

    assert json.loads(settings.content) == {"apiUrl": "https://api.example/dev"}
    assert settings.cache_control == "no-cache"


def test_the_entry_comes_last_so_that_it_never_refers_to_what_is_not_there():
    keys = [each.key for each in page_objects(SITE, "https://api.example")]

    assert keys[-2:] == ["config.json", "index.html"]


def test_nothing_is_kept_by_browsers_for_longer_than_five_minutes():
    kept = {each.cache_control for each in page_objects(SITE, "https://api.example")}

    assert kept == {"public, max-age=300", "no-cache"}


def test_a_file_of_unknown_type_is_named(tmp_path: Path):
    (tmp_path / "notes.docx").touch()

    with pytest.raises(UnknownType, match=r"notes\.docx"):
        page_objects(tmp_path, "https://api.example")
