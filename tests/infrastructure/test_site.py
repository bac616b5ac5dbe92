"""The demo page as CloudFront or a public bucket serves it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

SITE = Path(__file__).parents[2] / "static_site"
API_ADDRESS = "https://a1b2c3.execute-api.us-east-1.amazonaws.com"
API = "https://${ApiGatewayRestApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}"

pytestmark = pytest.mark.node


@pytest.fixture
def policy(template) -> str:
    (headers,) = template.of_type("AWS::CloudFront::ResponseHeadersPolicy").values()
    security = headers["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    return security["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Sub"].strip()


class WithPolicy(StaticFiles):
    """Files with a Content-Security-Policy, as CloudFront adds it."""

    def __init__(self, policy: str) -> None:
        super().__init__(directory=SITE, html=True)
        self._policy = policy

    def file_response(self, *arguments, **named) -> Response:
        response = super().file_response(*arguments, **named)
        response.headers["Content-Security-Policy"] = self._policy
        return response


@pytest.fixture
def page(browser, serve, policy: str) -> Iterator[Page]:
    deployed = policy.replace(API, API_ADDRESS)
    served = serve(Starlette(routes=[Mount("/", WithPolicy(deployed))]))
    with browser.new_page() as page:
        page.refusals = []
        page.on("console", lambda message: page.refusals.append(message.text) if "violates" in message.text else None)
        # Requests that were not refused before are answered.
        headers = {"Access-Control-Allow-Origin": "*"}
        page.route("https://**", lambda route: route.fulfill(body="reached", headers=headers))
        page.goto(served)
        yield page


@pytest.mark.browser
def test_the_page_works_under_the_policy_that_cloudfront_sends(page):
    page.get_by_label("Customer message").fill("I was charged twice")

    assert page.get_by_role("heading", level=1).is_visible()
    assert page.refusals == []


@pytest.mark.browser
def test_under_that_policy_the_page_reaches_our_api_and_nothing_else(page):
    fetch = "url => fetch(url).then(answer => answer.text(), () => 'refused')"

    assert page.evaluate(fetch, API_ADDRESS) == "reached"
    assert page.evaluate(fetch, "https://elsewhere.example") == "refused"


def test_the_page_cannot_be_framed_or_read_without_https(template, policy):
    (distribution,) = template.of_type("AWS::CloudFront::Distribution").values()

    assert "frame-ancestors 'none'" in policy
    assert distribution["DistributionConfig"]["DefaultCacheBehavior"]["ViewerProtocolPolicy"] == "redirect-to-https"
    assert distribution["DistributionConfig"]["DefaultCacheBehavior"]["ResponseHeadersPolicyId"] == {
        "Ref": "SiteHeaders"
    }


def test_as_a_plain_website_the_page_is_public_and_nothing_else_is(website_template):
    public = [
        name
        for name, bucket in website_template.of_type("AWS::S3::Bucket").items()
        if not bucket["PublicAccessBlockConfiguration"]["BlockPublicPolicy"]
    ]

    assert public == ["SiteBucket"]
    assert website_template.resources["SiteBucket"]["Properties"]["WebsiteConfiguration"]
    assert not website_template.of_type("AWS::CloudFront::Distribution")
    (allowed,) = website_template.resources["SiteBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (allowed["Principal"], allowed["Action"]) == ("*", "s3:GetObject")


def test_as_a_plain_website_the_page_may_call_the_api_too(website_template):
    variables = website_template.resources["ClassifyLambdaFunction"]["Properties"]["Environment"]["Variables"]

    assert variables["SITE_ORIGIN"] == {"Fn::GetAtt": ["SiteBucket", "WebsiteURL"]}
