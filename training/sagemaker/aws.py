"""AWS sessions, and AWS's errors as messages that say what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)
from botocore.exceptions import ConnectionError as NotConnected
from botocore.exceptions import HTTPClientError as NoAnswer

from training.sagemaker import JobError, Refused

if TYPE_CHECKING:
    from boto3.session import Session
    from types_boto3_s3 import S3Client

_NO_CREDENTIALS = "there are no AWS credentials; log in (`aws sso login`, `aws configure`) or set AWS_PROFILE"
_NO_REGION = "no AWS region is set; name one with --region, or set AWS_DEFAULT_REGION"
_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidClientTokenId", "InvalidAccessKeyId")


def open_session(region: str | None) -> "tuple[Session, str]":
    """Return a session with credentials, and its region. Raises Refused."""
    import boto3  # here, so that other commands do not wait for it

    with aws_errors():
        session = boto3.Session(region_name=region)
        faults = [] if session.region_name else [_NO_REGION]
        faults += [] if session.get_credentials() else [_NO_CREDENTIALS]
    if faults:
        raise Refused(*faults)
    return session, session.region_name


def check_bucket(client: "S3Client", bucket: str, region: str) -> None:
    """Check that a bucket exists, is accessible and is in the region. Raises Refused, JobError."""
    try:
        with aws_errors():
            where = client.head_bucket(Bucket=bucket)["BucketRegion"]
    except JobError as error:
        status = _http_status(error.__cause__)
        if status == 404:
            raise Refused(f"there is no bucket {bucket!r}; create it in {region}, private and encrypted") from error
        if status == 403:
            raise Refused(f"no access to bucket {bucket!r} with these credentials; is it another account's?") from error
        raise
    if where != region:
        raise Refused(
            f"bucket {bucket!r} is in {where}, and a job in {region} cannot read it; "
            f"name a bucket in {region}, or --region {where}"
        )


def _http_status(error: object) -> int | None:
    return error.response["ResponseMetadata"]["HTTPStatusCode"] if isinstance(error, ClientError) else None


@contextmanager
def aws_errors() -> Iterator[None]:
    """Turn botocore's errors into JobError, with messages that say what to do."""
    try:
        yield
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise Refused(_NO_CREDENTIALS) from error
    except NoRegionError as error:
        raise Refused(_NO_REGION) from error
    except ProfileNotFound as error:
        raise Refused(f"{error}; see AWS_PROFILE") from error
    except ClientError as error:
        raise JobError(_explain(error)) from error
    except (NotConnected, NoAnswer) as error:
        raise JobError(f"AWS does not answer ({error}); check this machine's network connection") from error
    except BotoCoreError as error:
        raise JobError(f"{type(error).__name__}: {error}") from error


def _explain(error: ClientError) -> str:
    details: Any = error.response["Error"]
    code, message = details.get("Code", "?"), details.get("Message", "")
    if code in _EXPIRED:
        return f"these AWS credentials have expired or are invalid ({code}); log in again"
    if "assume role" in message.lower():
        return f"SageMaker may not use the role: {message} It must trust sagemaker.amazonaws.com (docs/sagemaker.md)"
    if code.startswith("AccessDenied"):
        return f"AWS does not allow {error.operation_name}: {message} docs/sagemaker.md has the policy it needs"
    if code == "ResourceInUse":
        return f"the name is taken: {message} Names cannot be reused; omit --job for a new one"
    if code == "ResourceLimitExceeded":
        return f"a quota is exhausted: {message} Request more in Service Quotas, or choose another --instance"
    return f"AWS refused {error.operation_name} ({code}): {message}"
