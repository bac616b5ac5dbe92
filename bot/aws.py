"""The session of botocore that the clients of a cold start share: each of its own would read AWS's endpoints again."""

from functools import cache

from botocore.session import Session, get_session


@cache
def session() -> Session:
    return get_session()
