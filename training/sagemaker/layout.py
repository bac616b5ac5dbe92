"""Layout of the bucket, and names of jobs.

PREFIX/data/DIGEST/{train,validation,test}/…txt    lines of a prepared folder, by split
PREFIX/data/DIGEST/prepared.json                   their description; uploaded last, to mark the data as complete
PREFIX/texts/DIGEST/messages.txt                   unlabelled messages for word vectors
PREFIX/jobs/JOB/output/model.tar.gz                output of a training job
PREFIX/processing/JOB/{rows,classes,code,output}/  a processing job
PREFIX/models/VERSION/model.tar.gz                 the model of a batch transform job
PREFIX/transform/JOB/{input,output}/               a batch transform job
"""

import re
from dataclasses import dataclass
from datetime import datetime

from training.sagemaker import Refused

LONGEST = 63
LONGEST_OF_TUNING = 32
"""Longest names of jobs."""

_S3 = "s3://"
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")


@dataclass(frozen=True, slots=True)
class Place:
    """A bucket and a prefix in it, without slashes at its ends; without a `kms_key`, S3's own keys encrypt."""

    bucket: str
    prefix: str
    region: str
    kms_key: str | None = None

    def key(self, *parts: str) -> str:
        """Return a key below the prefix."""
        return "/".join(part for part in (self.prefix, *parts) if part)

    def uri(self, *parts: str) -> str:
        return f"{_S3}{self.bucket}/{self.key(*parts)}"


def split_uri(uri: str) -> tuple[str, str]:
    """Return the bucket and the key of `s3://bucket/key`. Raises Refused."""
    bucket, slash, key = uri.removeprefix(_S3).partition("/")
    if not uri.startswith(_S3) or not bucket or not slash:
        raise Refused(f"{uri!r} is not an address such as s3://bucket/key")
    return bucket, key


def job_name(purpose: str, now: datetime, chance: int) -> str:
    """Return a new name, 26 characters longer than `purpose`; `chance` is a random number."""
    return f"triage-{purpose}-{now:%y%m%d-%H%M%S}-{chance % 16**4:04x}"


def check_name(name: str, longest: int = LONGEST) -> str:
    """Return the name if it is valid. Raises Refused."""
    if not _NAME.fullmatch(name) or len(name) > longest:
        raise Refused(f"{name!r} is not a valid job name: use up to {longest} letters, digits and '-' between them")
    return name
