"""Which files make up each function of serverless.yml."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import yaml

from classifier_infra.packaging.bytecode import compile_below
from classifier_infra.packaging.libraries import Files
from classifier_infra.packaging.target import PackagingError

_MODEL = PurePosixPath("model")

# The environment variables whose values are files in the archive.
_NAMING_FILES = ("POLICY_FILE", "MODEL_MANIFEST", "PRICES_FILE")


@dataclass(frozen=True, slots=True)
class FunctionToPack:
    """A function of serverless.yml: `module` is its handler's, `data` the files that its environment names."""

    name: str
    module: str
    data: tuple[PurePosixPath, ...]


def read_functions(serverless_yml: Path) -> Iterator[FunctionToPack]:
    functions = yaml.safe_load(serverless_yml.read_text(encoding="utf-8"))["functions"]
    for name, function in functions.items():
        files = (function["environment"][key] for key in _NAMING_FILES if key in function["environment"])
        yield FunctionToPack(name, function["handler"].rpartition(".")[0], tuple(PurePosixPath(file) for file in files))


def data_files(root: Path, model: Path, wanted: tuple[PurePosixPath, ...]) -> Files:
    """Find the files that a function reads, in the repository or in the folder of a model. Raises PackagingError."""
    files: dict[PurePosixPath, Path] = {}
    for path in wanted:
        if path.parent == _MODEL:
            files |= model_files(model)
        elif (root / path).is_file():
            files[path] = root / path
        else:
            raise PackagingError(f"serverless.yml names {path}, which is not there")
    return files


def model_files(model: Path) -> Files:
    """Find the two files of a model folder, which the functions see as `model/…`. Raises PackagingError."""
    files = {_MODEL / name: model / name for name in ("manifest.json", "model.tar.gz")}
    for file in files.values():
        if not file.is_file():
            raise PackagingError(f"{file} is missing; make a model with `make train-starter`, or name one with --model")
    return files


def with_bytecode(sources: Mapping[PurePosixPath, Path], folder: Path, python: Path | None) -> Files:
    """Lay the sources out in `folder` and add their bytecode, if there is an interpreter to make it."""
    for path, file in sources.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, folder / path)
    if python:
        compile_below(folder, python)
    return {PurePosixPath(file.relative_to(folder).as_posix()): file for file in folder.rglob("*") if file.is_file()}
