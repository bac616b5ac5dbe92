"""BlazingText jobs on AWS: requests, prices, logs, and the errors that commands report.

Pure functions build the requests, and tables check them before anything is created. Only `sdk` imports the SageMaker
SDK, which is an extra; buckets and logs are read through boto3.
"""


class JobError(Exception):
    """The command failed; the message says why and what to do."""

    status = 1
    """Exit code of the process."""


class Refused(JobError):
    """The command would fail or surprise, so nothing was created. Each of the `faults` has its remedy."""

    status = 2

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults
