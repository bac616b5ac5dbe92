"""The picture of the architecture shows what is deployed, because it is drawn from it."""

import importlib.util
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.node, pytest.mark.xdist_group("serverless")]


@pytest.fixture(scope="module")
def architecture():
    spec = importlib.util.spec_from_file_location("architecture", ROOT / "docs" / "architecture.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_picture_is_that_of_the_template(template, architecture):
    drawn = architecture.draw(json.loads(template.path.read_text()))

    assert architecture.PICTURE.read_text() == drawn, "run: make picture"


def test_every_function_queue_table_bucket_and_secret_is_in_it(template, architecture):
    shown = {each.get("id") for each in ElementTree.parse(architecture.PICTURE).iter("{http://www.w3.org/2000/svg}g")}
    kinds = (
        "Lambda::Function",
        "SQS::Queue",
        "DynamoDB::Table",
        "S3::Bucket",
        "SecretsManager::Secret",
        "Events::Rule",
    )
    deployed = {name for kind in kinds for name in template.of_type(f"AWS::{kind}")}

    assert shown >= deployed - {"ServerlessDeploymentBucket"}


def test_no_arrow_starts_or_ends_at_nothing(template, architecture):
    resources = json.loads(template.path.read_text())["Resources"]
    boxes = {box.key for box in architecture.read_boxes(resources)}

    arrows = set(architecture.read_arrows(resources))
    assert arrows
    assert {end for arrow in arrows for end in (arrow.source, arrow.target)} <= boxes
