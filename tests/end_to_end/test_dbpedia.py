"""The original task: DBpedia's 14 classes, trained here, served by the endpoint, asked through the same API."""

import csv
import json

import boto3
import pytest

from classifier_infra.model.text import clean, normalise

# The model is trained first, unless another test has done so.
pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def dbpedia_sandbox(dbpedia_model, start_sandbox):
    with start_sandbox(dbpedia_model) as sandbox:
        yield sandbox


def ask(endpoint, name: str, texts: list[str]) -> list[str]:
    """Give the most likely label of each text, in one invocation."""
    instances = [normalise(clean(text)) for text in texts]
    body = json.dumps({"instances": instances}).encode()
    answer = endpoint.invoke_endpoint(EndpointName=name, ContentType="application/json", Body=body)
    return [prediction["label"][0] for prediction in json.load(answer["Body"])]


def test_michael_jackson_is_an_artist(dbpedia_sandbox):
    answer = dbpedia_sandbox.classify({"body": "Michael Jackson was the greatest singer and dancer in the world"})

    assert answer.json()["category"]["name"] == "Artist"


def test_at_least_975_of_1000_test_rows_come_back_right_through_the_endpoint(dbpedia_sandbox, shared_data):
    with (shared_data / "dbpedia14" / "test.csv").open(encoding="utf-8", newline="") as file:
        rows = [(int(index) - 1, f"{title} {content}") for index, title, content in csv.reader(file)]
    classes = (shared_data / "dbpedia14" / "classes.txt").read_text(encoding="utf-8").split()
    endpoint = boto3.client(
        "sagemaker-runtime", endpoint_url=dbpedia_sandbox.classifier, region_name="eu-central-1",
        aws_access_key_id="x", aws_secret_access_key="x",
    )  # fmt: skip

    labels = [
        label
        for start in range(0, len(rows), 500)
        for label in ask(endpoint, dbpedia_sandbox.names["ENDPOINT_NAME"], [text for _, text in rows[start:][:500]])
    ]

    right = sum(label == f"__label__{classes[index]}" for (index, _), label in zip(rows, labels, strict=True))
    assert right / len(rows) >= 0.975
