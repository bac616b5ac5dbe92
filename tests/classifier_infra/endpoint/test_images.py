"""The address of BlazingText's image, in every region that has it."""

import re

import pytest

from classifier_infra.endpoint.requests import REGIONS, NotOffered, blazingtext_image


@pytest.mark.parametrize(
    ("region", "image"),
    [
        ("us-east-1", "811284229777.dkr.ecr.us-east-1.amazonaws.com/blazingtext:1"),
        ("eu-central-1", "813361260812.dkr.ecr.eu-central-1.amazonaws.com/blazingtext:1"),
        ("cn-north-1", "390948362332.dkr.ecr.cn-north-1.amazonaws.com.cn/blazingtext:1"),
        ("us-iso-east-1", "490574956308.dkr.ecr.us-iso-east-1.c2s.ic.gov/blazingtext:1"),
        ("us-isob-east-1", "765400339828.dkr.ecr.us-isob-east-1.sc2s.sgov.gov/blazingtext:1"),
        ("us-isof-south-1", "124985052026.dkr.ecr.us-isof-south-1.csp.hci.ic.gov/blazingtext:1"),
    ],
)
def test_an_image_has_its_regions_account_and_domain(region, image):
    assert blazingtext_image(region) == image


def test_every_region_has_its_own_account():
    accounts = [blazingtext_image(region).partition(".")[0] for region in REGIONS]

    assert len(set(accounts)) == len(REGIONS) == 37
    assert all(re.fullmatch(r"\d{12}", account) for account in accounts)


def test_a_region_without_the_image_is_refused():
    with pytest.raises(NotOffered, match="not offered in mx-central-1; it is in us-east-1"):
        blazingtext_image("mx-central-1")
