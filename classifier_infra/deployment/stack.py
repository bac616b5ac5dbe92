"""Query and change the deployed stacks through boto3."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from classifier_infra.deployment.site import PageObject

SERVICE = "blazing-triage"
_BILLING_STACK = f"{SERVICE}-billing"
BILLING_REGION = "us-east-1"  # the only region in which AWS publishes an account's charges
_BILLING_TEMPLATE = Path(__file__).parents[1] / "account" / "billing.yml"


class StackError(RuntimeError):
    """AWS refused a request or a stack is missing; the message says what to do."""


@contextmanager
def _explained(failure: str) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise StackError(f"{failure}: {error}") from error


@dataclass(frozen=True, slots=True)
class Page:
    """The location of a stage's demo page; without CloudFront, `distribution` is None."""

    region: str
    bucket: str
    address: str
    api_url: str
    distribution: str | None


# Each of these raises StackError.


def find_page(stage: str, region: str) -> Page:
    """Find the demo page in the outputs of the stage's stack."""
    name = f"{SERVICE}-{stage}"
    hint = f"run: make deploy STAGE={stage}"
    with _explained(f"no stack {name} can be read in {region}; {hint}"):
        (stack,) = _client("cloudformation", region).describe_stacks(StackName=name)["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
    try:
        where = (outputs["SiteBucketName"], outputs["SiteAddress"], outputs["ServiceEndpoint"])
    except KeyError as error:
        raise StackError(f"the stack {name} has no output {error}; {hint}") from error
    return Page(region, *where, outputs.get("SiteDistributionId"))


def upload(page: Page, objects: Sequence[PageObject]) -> int:
    """Upload the objects, then delete all others from the bucket; return how many were deleted."""
    s3 = _client("s3", page.region)
    with _explained(f"the page could not be uploaded to {page.bucket}"):
        for each in objects:
            s3.put_object(
                Bucket=page.bucket,
                Key=each.key,
                Body=each.content,
                ContentType=each.content_type,
                CacheControl=each.cache_control,
            )
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=page.bucket)
        stored = {each["Key"] for found in pages for each in found.get("Contents", [])}
        obsolete = sorted(stored - {each.key for each in objects})
        for key in obsolete:
            s3.delete_object(Bucket=page.bucket, Key=key)
    return len(obsolete)


def invalidate(page: Page) -> None:
    """Remove the page from CloudFront's caches."""
    if page.distribution:
        batch = {"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": str(time.time_ns())}
        with _explained("CloudFront serves the previous page for up to five minutes"):
            _client("cloudfront", page.region).create_invalidation(
                DistributionId=page.distribution, InvalidationBatch=batch
            )


def empty_bucket(page: Page) -> int:
    """Delete every version of every object of the page, so that its bucket can be deleted; return how many."""
    s3 = _client("s3", page.region)
    count = 0
    with _explained(f"{page.bucket} could not be emptied"):
        for found in s3.get_paginator("list_object_versions").paginate(Bucket=page.bucket):
            for each in [*found.get("Versions", []), *found.get("DeleteMarkers", [])]:
                s3.delete_object(Bucket=page.bucket, Key=each["Key"], VersionId=each["VersionId"])
                count += 1
    return count


def ensure_billing_alarm(email: str) -> str:
    """Create or update the stack with the billing alarm; return `created`, `updated` or `unchanged`."""
    cloudformation = _client("cloudformation", BILLING_REGION)
    request: Mapping[str, Any] = {
        "StackName": _BILLING_STACK,
        "TemplateBody": _BILLING_TEMPLATE.read_text(encoding="utf-8"),
        "Parameters": [{"ParameterKey": "Email", "ParameterValue": email}],
    }
    with _explained(f"the billing alarm could not be set up in {BILLING_REGION}"):
        if not _exists(cloudformation, _BILLING_STACK):
            cloudformation.create_stack(**request)
            cloudformation.get_waiter("stack_create_complete").wait(StackName=_BILLING_STACK)
            return "created"
        try:
            cloudformation.update_stack(**request)
        except ClientError as error:
            if "No updates are to be performed" in str(error):
                return "unchanged"
            raise
        cloudformation.get_waiter("stack_update_complete").wait(StackName=_BILLING_STACK)
    return "updated"


def _exists(cloudformation: Any, name: str) -> bool:
    try:
        cloudformation.describe_stacks(StackName=name)
    except ClientError as error:
        if "does not exist" in str(error):
            return False
        raise
    return True


def _client(service: str, region: str) -> Any:
    return boto3.client(service, region_name=region)
