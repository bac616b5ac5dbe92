"""Names of jobs: told apart by their time and four digits of chance, and never used again."""

import re
from datetime import datetime

from training.sagemaker.errors import Refused

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
