"""Saving of benchmark results, with the date, the machine and the versions."""

import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from training.data.atomic_files import write_files

FOLDER = Path(__file__).with_name("results")


class BenchmarkError(RuntimeError):
    """The benchmark cannot run; the message says what is missing."""


def save(name: str, title: str, text: str, figures: Mapping[str, Any], packages: Sequence[str]) -> None:
    """Print a result and write `results/<name>.json` and `.md`, with the date, the machine and the versions."""
    origin = describe_origin(packages)
    versions = ", ".join(f"{package} {version}" for package, version in origin["versions"].items())
    source = f"{origin['date']}, {origin['cores']} cores of {origin['processor']}, {versions}."
    page = f"# {title}\n\n{text}\n\n{source}\n"
    data = json.dumps({"origin": origin, **figures}, indent=1) + "\n"
    write_files({FOLDER / f"{name}.json": data.encode(), FOLDER / f"{name}.md": page.encode()})
    print(page)


def describe_origin(packages: Sequence[str]) -> dict[str, Any]:
    """Return the date, the machine, and the versions of Python and the packages."""
    versions = {package: importlib.metadata.version(package) for package in packages}
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "processor": _processor(),
        "versions": {"Python": platform.python_version(), **versions},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or sys.platform
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
