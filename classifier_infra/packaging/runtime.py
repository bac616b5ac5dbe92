"""The Lambda runtime that archives are built for, and bytecode for it."""

import shutil
import subprocess
from pathlib import Path

PYTHON_VERSION = "3.13"

# CloudFormation's names of the processors → uv's names of the platforms.
PLATFORMS = {"arm64": "aarch64-manylinux2014", "x86_64": "x86_64-manylinux2014"}

_FOLDER_IN_LAMBDA = "/var/task"  # where Lambda unpacks an archive


class PackagingError(RuntimeError):
    """An archive cannot be built; the message says what is missing and what to do."""


def find_python(search_path: str, home: Path) -> Path | None:
    """Find an interpreter of Lambda's version in the folders of `search_path`, or among pyenv's in `home`."""
    on_path = shutil.which(f"python{PYTHON_VERSION}", path=search_path)
    candidates = [Path(on_path)] if on_path else []
    candidates += sorted(home.glob(f".pyenv/versions/{PYTHON_VERSION}.*/bin/python"), reverse=True)
    return next((each for each in candidates if _has_lambdas_version(each)), None)


def _has_lambdas_version(python: Path) -> bool:
    # pyenv puts a shim on the PATH for every version, and the shim of an inactive version fails.
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=False)  # noqa: S603
    return done.returncode == 0 and done.stdout.strip() == PYTHON_VERSION


def compile_below(folder: Path, python: Path) -> None:
    """Write bytecode beside each source file, the same bytes for the same sources. Raises PackagingError.

    Lambda's folder is read-only, so without bytecode Python compiles every module again at each cold start (0.4 s).
    "Unchecked hash" saves the comparison of each file with its source.
    """
    command = [str(python), "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(folder), "-p", _FOLDER_IN_LAMBDA, str(folder)]
    # A set's constants are written in the order of their hashes, which for strings differ from run to run.
    done = subprocess.run(command, env={"PYTHONHASHSEED": "0"}, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise PackagingError(f"{python} cannot compile a file: {done.stdout.strip()}")
