"""Bytecode for Lambda's Python, made before the upload.

The code's folder is read-only there, so Python would compile everything again at each cold start (0.4 s). It is never
compared with its source ("unchecked hash"), which would be another look at each file.
"""

import shutil
import subprocess
from pathlib import Path

from classifier_infra.packaging.target import FOLDER_IN_LAMBDA, PYTHON_VERSION, PackagingError


def find_python(search_path: str, home: Path) -> Path | None:
    """Find an interpreter of Lambda's version on the folders of `search_path`, or among pyenv's in `home`."""
    named = shutil.which(f"python{PYTHON_VERSION}", path=search_path)
    candidates = [Path(named)] if named else []
    candidates += sorted(home.glob(f".pyenv/versions/{PYTHON_VERSION}.*/bin/python"), reverse=True)
    return next((each for each in candidates if _is_of_lambdas_version(each)), None)


def _is_of_lambdas_version(python: Path) -> bool:
    # One of pyenv's shims is there for each version, and refuses to start those that are not switched on.
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=False)  # noqa: S603
    return done.returncode == 0 and done.stdout.strip() == PYTHON_VERSION


def compile_below(folder: Path, python: Path) -> None:
    """Put bytecode beside each source file, the same for the same sources. Raises PackagingError."""
    command = [str(python), "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(folder), "-p", FOLDER_IN_LAMBDA, str(folder)]
    # The order of a set's constants follows from the hashes of strings, which differ from run to run.
    done = subprocess.run(command, env={"PYTHONHASHSEED": "0"}, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise PackagingError(f"{python} cannot compile a file: {done.stdout.strip()}")
