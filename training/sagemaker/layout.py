"""Where things are in the bucket.

PREFIX/data/DIGEST/{train,validation,test}/…txt    the lines of one prepared folder, the splits apart
PREFIX/data/DIGEST/prepared.json                   what they are; put there last, so that it says "complete"
PREFIX/texts/DIGEST/messages.txt                   unlabelled messages, for word vectors
PREFIX/jobs/JOB/output/model.tar.gz                what a training job leaves
PREFIX/processing/JOB/{rows,classes,code,output}/  a processing job
PREFIX/models/VERSION/model.tar.gz                 a model that a batch transform job serves
PREFIX/transform/JOB/{input,output}/               a batch transform job
"""

import re
from dataclasses import dataclass
from datetime import datetime

from training.sagemaker.errors import Refused

_S3 = "s3://"


@dataclass(frozen=True, slots=True)
class Place:
    """A bucket and a prefix in it, without a slash at its ends; `kms_key` None stands for S3's own keys."""

    bucket: str
    prefix: str
    region: str
    kms_key: str | None = None

    def key(self, *parts: str) -> str:
        """Give the key of something below the prefix."""
        return "/".join(part for part in (self.prefix, *parts) if part)

    def uri(self, *parts: str) -> str:
        return f"{_S3}{self.bucket}/{self.key(*parts)}"


def split_uri(uri: str) -> tuple[str, str]:
    """Give the bucket and the key of `s3://bucket/key`. Raises Refused."""
    bucket, slash, key = uri.removeprefix(_S3).partition("/")
    if not uri.startswith(_S3) or not bucket or not slash:
        raise Refused([f"{uri!r} is no address such as s3://bucket/key"])
    return bucket, key


_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
LONGEST = 63
LONGEST_OF_TUNING = 32


def job_name(purpose: str, now: datetime, chance: int) -> str:
    """Give a new name, of at most 32 characters; `chance` is a random number."""
    return f"triage-{purpose}-{now:%y%m%d-%H%M%S}-{chance % 16**4:04x}"


def check_name(name: str, longest: int = LONGEST) -> str:
    """Give the name back. Raises Refused."""
    if not _NAME.fullmatch(name) or len(name) > longest:
        raise Refused([f"{name!r} is no name for a job: letters, digits and single '-' inside, {longest} at most"])
    return name
