"""The price table has a date and sources, and is read completely or refused."""

import json
from datetime import date
from importlib import resources

import botocore.session
import pytest

from classifier_infra.pricing.prices import PriceError, load_prices, parse_prices


@pytest.fixture
def table():
    return json.loads(resources.files("classifier_infra").joinpath("prices.json").read_text())


def test_the_table_is_dated_and_in_the_past():
    prices = load_prices()

    assert prices.region == "us-east-1"
    assert date(2026, 1, 1) < prices.as_of <= date.today()


def test_every_part_of_the_table_names_its_source(table):
    sourced = {part.strip() for source in table["sources"] for part in source["for"].split(",")}

    assert sourced == {
        *(f"sagemaker.{key}" for key in table["sagemaker"]), "lambda", "cloudwatch.alarm_month", "s3.gb_month",
    }  # fmt: skip
    assert all(
        source["url"].startswith("https://") and date.fromisoformat(source["read"]) for source in table["sources"]
    )


def test_every_instance_in_the_table_can_host_an_endpoint():
    service = botocore.session.get_session().get_service_model("sagemaker")

    assert set(load_prices().instances) <= set(service.shape_for("ProductionVariantInstanceType").enum)


def test_an_instance_has_its_price_and_its_size():
    instance = load_prices().instance("ml.c5.xlarge")

    assert (instance.hour, instance.vcpus, instance.memory_gib) == (0.204, 4, 8)


def test_for_an_unknown_instance_the_known_ones_are_listed():
    with pytest.raises(PriceError, match=r"no ml\.x9\.large; it has .*ml\.c5\.large"):
        load_prices().instance("ml.x9.large")


def test_a_table_of_ones_own_takes_the_place_of_ours(table, tmp_path):
    table["region"] = "eu-central-1"
    table["sagemaker"]["instances"]["ml.c5.large"]["hour"] = 0.116
    path = tmp_path / "prices.json"
    path.write_text(json.dumps(table))

    prices = load_prices(path)

    assert (prices.region, prices.instance("ml.c5.large").hour) == ("eu-central-1", 0.116)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda table: table.pop("lambda"), "the key 'lambda' is missing"),
        (lambda table: table.update(format=2), "format 2 is not 1"),
        (lambda table: table.update(as_of="yesterday"), "as_of is 'yesterday'"),
        (lambda table: table["s3"].update(gb_month=0), "gb_month is 0; it must be a number over 0"),
        (lambda table: table["s3"].update(gb_month="0.023"), "gb_month is '0.023'"),
        (lambda table: table["sagemaker"].update(instances=[]), "not a price table"),
        (lambda table: table["sagemaker"]["instances"]["ml.c5.large"].update(hour=-1), "ml.c5.large: hour is -1"),
    ],
)
def test_a_table_that_cannot_be_right_is_refused(table, change, complaint):
    change(table)

    with pytest.raises(PriceError, match=complaint.replace(".", r"\.")):
        parse_prices(json.dumps(table))


def test_a_table_that_is_no_json_or_not_there_is_refused(tmp_path):
    with pytest.raises(PriceError, match="not a price table"):
        parse_prices("{")
    with pytest.raises(PriceError, match=r"none\.json: No such file"):
        load_prices(tmp_path / "none.json")
