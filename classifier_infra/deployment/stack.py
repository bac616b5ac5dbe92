"""The deployed stacks, asked and changed through boto3."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from classifier_infra.deployment.site import PageObject

SERVICE = "blazing-triage"
BILLING_STACK = f"{SERVICE}-billing"
# AWS publishes what an account is charged there, and nowhere else.
BILLING_REGION = "us-east-1"
_TEMPLATE = Path(__file__).parents[1] / "account" / "billing.yml"


class StackError(RuntimeError):
    """AWS said no, or what should be there is not; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Page:
    """Where the demo page of a stage is; `distribution` None stands for a bucket without CloudFront."""

    bucket: str
    address: str
    api_url: str
    distribution: str | None


def find_page(stage: str, region: str) -> Page:
    """Read the outputs of the stage's stack. Raises StackError."""
    outputs = _outputs(_client("cloudformation", region), f"{SERVICE}-{stage}")
    try:
        where = (outputs["SiteBucketName"], outputs["SiteAddress"], outputs["ServiceEndpoint"])
    except KeyError as error:
        raise StackError(
            f"the stack {SERVICE}-{stage} has no output {error}; run: make deploy STAGE={stage}"
        ) from error
    return Page(*where, outputs.get("SiteDistributionId"))


def _outputs(cloudformation: Any, name: str) -> dict[str, str]:
    try:
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except (ClientError, BotoCoreError) as error:
        region = cloudformation.meta.region_name
        raise StackError(f"no stack {name} can be read in {region} ({error}); run: make deploy STAGE=…") from error
    return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}


def upload(page: Page, objects: Sequence[PageObject], region: str) -> int:
    """Put the objects, then take away what is no part of the page any more; give how many those were.

    Raises StackError.
    """
    s3 = _client("s3", region)
    try:
        for each in objects:
            s3.put_object(
                Bucket=page.bucket,
                Key=each.key,
                Body=each.content,
                ContentType=each.content_type,
                CacheControl=each.cache_control,
            )
        gone = sorted(set(_keys(s3, page.bucket)) - {each.key for each in objects})
        for key in gone:
            s3.delete_object(Bucket=page.bucket, Key=key)
    except (ClientError, BotoCoreError) as error:
        raise StackError(f"the page could not be put into {page.bucket}: {error}") from error
    return len(gone)


def _keys(s3: Any, bucket: str) -> Iterator[str]:
    for found in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        yield from (each["Key"] for each in found.get("Contents", []))


def invalidate(page: Page, region: str) -> None:
    """Have CloudFront forget what it keeps of the page. Raises StackError."""
    if page.distribution:
        batch = {"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": str(time.time_ns())}
        try:
            _client("cloudfront", region).create_invalidation(DistributionId=page.distribution, InvalidationBatch=batch)
        except (ClientError, BotoCoreError) as error:
            raise StackError(f"CloudFront goes on showing the page before for five minutes: {error}") from error


def empty_bucket(page: Page, region: str) -> int:
    """Delete every version of every object of the page, or its bucket cannot go; give how many. Raises StackError."""
    s3 = _client("s3", region)
    count = 0
    try:
        for found in s3.get_paginator("list_object_versions").paginate(Bucket=page.bucket):
            for each in [*found.get("Versions", []), *found.get("DeleteMarkers", [])]:
                s3.delete_object(Bucket=page.bucket, Key=each["Key"], VersionId=each["VersionId"])
                count += 1
    except (ClientError, BotoCoreError) as error:
        raise StackError(f"{page.bucket} could not be emptied: {error}") from error
    return count


def ensure_billing_alarm(email: str) -> str:
    """Create or update the stack with the alarm on the account's charges; say what was done. Raises StackError."""
    cloudformation = _client("cloudformation", BILLING_REGION)
    request: Mapping[str, Any] = {
        "StackName": BILLING_STACK,
        "TemplateBody": _TEMPLATE.read_text(encoding="utf-8"),
        "Parameters": [{"ParameterKey": "Email", "ParameterValue": email}],
    }
    try:
        if not _exists(cloudformation, BILLING_STACK):
            cloudformation.create_stack(**request)
            cloudformation.get_waiter("stack_create_complete").wait(StackName=BILLING_STACK)
            return "created"
        cloudformation.update_stack(**request)
        cloudformation.get_waiter("stack_update_complete").wait(StackName=BILLING_STACK)
    except (ClientError, BotoCoreError) as error:
        if "No updates are to be performed" in str(error):
            return "as it was"
        raise StackError(f"the alarm on charges could not be set up in {BILLING_REGION}: {error}") from error
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
