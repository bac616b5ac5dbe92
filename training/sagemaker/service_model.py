"""Validation of requests against SageMaker's service model: names, types, lengths, patterns and enums.

botocore checks only names and types, and only when it sends a request.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "long": (int,), "float": (int, float), "double": (int, float),
    "boolean": (bool,), "list": (list,), "map": (dict,), "structure": (dict,),
}  # fmt: skip


@cache
def _service_model() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("sagemaker", "service-2"), "sagemaker")


def instance_types(use: str) -> frozenset[str]:
    """Return all instance types for a use: Training, Processing or Transform."""
    return frozenset(_service_model().shape_for(f"{use}InstanceType").metadata["enum"])


def find_violations(operation: str, request: Mapping[str, Any]) -> list[str]:
    """Return the violations of the service model in the request of an operation, such as `CreateTrainingJob`."""
    shape = _service_model().operation_model(operation).input_shape
    assert shape is not None, f"{operation} takes no input"
    return [*_check(request, shape, operation)]


def _check(value: Any, shape: Shape, where: str) -> Iterator[str]:
    if not _has_type(value, shape):
        yield f"{where} is not of type {shape.type_name}"
    elif isinstance(shape, StructureShape):
        yield from _check_structure(value, shape, where)
    elif isinstance(shape, ListShape):
        yield from _check_length(len(value), shape, f"the number of entries of {where}")
        for number, entry in enumerate(value, start=1):
            yield from _check(entry, shape.member, f"{where}[{number}]")
    elif isinstance(shape, MapShape):
        yield from _check_length(len(value), shape, f"the number of entries of {where}")
        for name, entry in value.items():
            yield from _check(name, shape.key, f"{where}, name {name!r}")
            yield from _check(entry, shape.value, f"{where}.{name}")
    elif isinstance(value, str):
        yield from _check_text(value, shape, where)
    elif not isinstance(value, bool):
        yield from _check_length(value, shape, where)


def _has_type(value: Any, shape: Shape) -> bool:
    if isinstance(value, bool):
        return shape.type_name == "boolean"
    return isinstance(value, _TYPES[shape.type_name])


def _check_structure(value: Mapping[str, Any], shape: StructureShape, where: str) -> Iterator[str]:
    for name in shape.required_members:
        if name not in value:
            yield f"{where}.{name} is missing"
    for name, member in value.items():
        if name in shape.members:
            yield from _check(member, shape.members[name], f"{where}.{name}")
        else:
            yield f"{where}.{name} is unknown"


def _check_text(value: str, shape: Shape, where: str) -> Iterator[str]:
    yield from _check_length(len(value), shape, f"the length of {where}")
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(_to_python(pattern), value):
        yield f"{where} is {value!r}, which does not match {pattern}"
    if value not in shape.metadata.get("enum", [value]):
        yield f"{where} is {value!r}, which is not one of its values"


def _to_python(pattern: str) -> str:
    # The patterns are Java's; Python's `re` lacks Unicode classes.
    return pattern.replace(r"\p{L}", r"\w").replace(r"\p{Z}", r"\s").replace(r"\p{N}", r"\d")


def _check_length(number: float, shape: Shape, where: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if (low is not None and number < low) or (high is not None and number > high):
        yield f"{where} is {number}, not within {low if low is not None else ''} to {high if high is not None else ''}"
