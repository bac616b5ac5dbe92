"""What the archives are for: Lambda's Python and processors, as serverless.yml names them."""

PYTHON_VERSION = "3.13"

# The names of CloudFormation and of uv.
PLATFORMS = {"arm64": "aarch64-manylinux2014", "x86_64": "x86_64-manylinux2014"}

# Where Lambda unpacks an archive.
FOLDER_IN_LAMBDA = "/var/task"


class PackagingError(RuntimeError):
    """Something that belongs in an archive is missing or cannot be had; the message says what to do."""
