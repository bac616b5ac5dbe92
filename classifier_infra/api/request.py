"""Read and check the bodies of `PUT /blazingtext` and `POST /explain`."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from classifier_infra.model.manifest import Manifest
from classifier_infra.model.text import MAX_CHARACTERS, clean, is_readable

MAX_TEXTS = 100

_TEXTS = "texts"


# Their messages are for the sender and never quote a text.


class MalformedRequest(ValueError):
    """The body is not JSON, or is JSON without a text where one is expected."""


class UnsupportedContentType(ValueError):
    """The body is neither JSON nor plain text."""


class TextTooLong(ValueError):
    """A text has too many characters, or there are too many texts."""


class NothingReadable(ValueError):
    """A text has neither a letter nor a digit."""


class UnknownLabel(ValueError):
    """The active model has no such label."""


@dataclass(frozen=True, slots=True)
class Body:
    """A request's body as received. An empty content type stands for JSON."""

    content_type: str
    content: str | None
    is_base64: bool


@dataclass(frozen=True, slots=True)
class ClassifyRequest:
    """Clean, readable texts; whether they came as a list (and are answered by one); whether to explain them."""

    texts: tuple[str, ...]
    is_list: bool
    explain: bool


@dataclass(frozen=True, slots=True)
class ExplainRequest:
    """A clean, readable text, and the label to explain as the model spells it, or None for each facet's best."""

    text: str
    label: str | None


# Both readers raise MalformedRequest, UnsupportedContentType, TextTooLong or NothingReadable.


def read_classify_request(body: Body) -> ClassifyRequest:
    document = _read_document(body)
    key = _read_key(document, ("body", "text", _TEXTS), 'The JSON object needs one of "body", "text" and "texts".')
    explain = document.get("explain", False)
    if not isinstance(explain, bool):
        raise MalformedRequest('"explain" is neither true nor false.')
    texts = _read_texts(document[key]) if key == _TEXTS else (_read_text(document[key]),)
    return ClassifyRequest(texts, key == _TEXTS, explain)


def read_explain_request(body: Body) -> ExplainRequest:
    document = _read_document(body)
    key = _read_key(document, ("body", "text"), 'The JSON object needs one of "body" and "text".')
    label = document.get("label")
    if not isinstance(label, str | None):
        raise MalformedRequest('"label" is not a string.')
    return ExplainRequest(_read_text(document[key]), label)


def find_label(raw_label: str, manifest: Manifest) -> tuple[str, str]:
    """Return facet and short name of a label as the model spells it. Raises UnknownLabel."""
    for facet in manifest.facets:
        for label in facet.labels:
            if manifest.raw_label(facet, label) == raw_label:
                return facet.name, label.name
    raise UnknownLabel('The model has no such "label"; GET /labels lists those it has.')


def _read_document(body: Body) -> Mapping[str, Any]:
    media_type = body.content_type.partition(";")[0].strip().lower()
    if media_type == "text/plain":
        return {"text": _decode(body)}
    if media_type in ("application/json", ""):
        return _parse(_decode(body))
    raise UnsupportedContentType("Send application/json or text/plain.")


def _decode(body: Body) -> str:
    if not body.is_base64:
        return body.content or ""
    try:
        return base64.b64decode(body.content or "", validate=True).decode("utf-8")
    except ValueError as error:
        raise MalformedRequest("The body is not UTF-8.") from error


def _parse(body: str) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedRequest("The body is not JSON." if body else "There is no body.") from error
    if not isinstance(document, dict):
        raise MalformedRequest('The JSON is not an object such as {"body": "your text"}.')
    return document


def _read_key(document: Mapping[str, Any], keys: tuple[str, ...], complaint: str) -> str:
    found = [key for key in keys if key in document]
    if len(found) != 1:
        raise MalformedRequest(complaint)
    return found[0]


def _read_texts(texts: Any) -> tuple[str, ...]:
    if not isinstance(texts, list) or not texts:
        raise MalformedRequest('"texts" is not a list of texts.')
    if len(texts) > MAX_TEXTS:
        raise TextTooLong(f"There are {len(texts)} texts; at most {MAX_TEXTS} are classified at once.")
    return tuple(_read_text(text, f"Text {number}") for number, text in enumerate(texts, start=1))


def _read_text(text: Any, name: str = "The text") -> str:
    if not isinstance(text, str):
        raise MalformedRequest(f"{name} is not a string.")
    if len(text) > MAX_CHARACTERS:
        raise TextTooLong(f"{name} has {len(text)} characters; at most {MAX_CHARACTERS} are read.")
    cleaned = clean(text)
    if not is_readable(cleaned):
        raise NothingReadable(f"{name} has neither a letter nor a digit.")
    return cleaned
