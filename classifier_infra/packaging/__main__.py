"""`python -m classifier_infra.packaging`: build the archives of all functions and print their sizes."""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from classifier_infra.packaging.archive import Archive, data_files, read_functions, with_bytecode, write_archive
from classifier_infra.packaging.libraries import install_libraries
from classifier_infra.packaging.reach import find_reach
from classifier_infra.packaging.runtime import PLATFORMS, PYTHON_VERSION, PackagingError, find_python

ROOT = Path(__file__).parents[2]

MOST_UNPACKED = 45_000_000  # bytes: Lambda's own limit is 250 MB, but larger archives start slowly


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    python = find_python(os.environ.get("PATH", ""), Path.home())
    if python is None:
        _warn(f"warning: Python {PYTHON_VERSION} was not found, so the archives have no bytecode and start more slowly")
    try:
        for archive in build(options.platform, options.model, options.out, python):
            print(f"{archive.path}: {archive.packed / 1e6:.1f} MB, {archive.unpacked / 1e6:.1f} MB unpacked")
            if archive.unpacked > MOST_UNPACKED:
                raise PackagingError(f"{archive.path.name} exceeds {MOST_UNPACKED / 1e6:.0f} MB unpacked")
    except (PackagingError, OSError) as error:
        _warn(f"error: {error}")
        return 1
    return 0


def build(platform: str, model: Path, out: Path, python: Path | None) -> Iterator[Archive]:
    """Write `<function>-<platform>.zip` for each function into the folder `out`. Raises PackagingError.

    `python` is an interpreter of Lambda's version that writes bytecode, or None for no bytecode.
    """
    functions = [*read_functions(ROOT / "serverless.yml")]
    data = {function.name: data_files(ROOT, model, function.data) for function in functions}
    libraries = install_libraries(platform, ROOT / "requirements.txt", out / "libraries", python)
    for function in functions:
        reach = find_reach(ROOT, function.module)
        with tempfile.TemporaryDirectory() as folder:
            sources = with_bytecode(reach.sources, Path(folder), python)
            files = {**libraries.files_for(reach), **sources, **data[function.name]}
            yield write_archive(files, out / f"{function.name}-{platform}.zip")


def _warn(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m classifier_infra.packaging",
        description="Build the archives that the Lambda functions run from, one for each function of serverless.yml.",
        epilog="Example: python -m classifier_infra.packaging --platform arm64 --out build/lambda",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="where to write <function>-<platform>.zip"
    )
    parser.add_argument(
        "--platform", choices=PLATFORMS, default="arm64", help="the functions' processor (default: %(default)s)"
    )
    parser.add_argument(
        "--model",
        type=Path,
        default=ROOT / "build" / "models" / "starter",
        metavar="DIR",
        help="folder with model.tar.gz and manifest.json (default: the starter model)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
