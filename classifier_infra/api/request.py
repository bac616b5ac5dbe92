"""Read and check the bodies of `PUT /blazingtext` and `POST /explain`."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from classifier_infra.model.manifest import Manifest
from classifier_infra.model.text import MAX_CHARACTERS, clean, is_readable

MAX_TEXTS = 100

_TEXTS = "texts"

Refusal = Literal["malformed_request", "too_long", "unsupported_content_type", "nothing_readable", "unknown_label"]


class RefusedRequest(ValueError):
    """The API refuses a request, with a message for the sender that never quotes a text."""

    def __init__(self, code: Refusal, message: str) -> None:
        super().__init__(message)
        self.code = code


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


def read_classify_request(body: Body) -> ClassifyRequest:
    """Read the body of `PUT /blazingtext`. Raises RefusedRequest."""
    document = _read_document(body)
    key = _read_key(document, ("body", "text", _TEXTS), 'The JSON object needs one of "body", "text" and "texts".')
    explain = document.get("explain", False)
    if not isinstance(explain, bool):
        raise RefusedRequest("malformed_request", '"explain" is neither true nor false.')
    texts = _read_texts(document[key]) if key == _TEXTS else (_read_text(document[key]),)
    return ClassifyRequest(texts, key == _TEXTS, explain)


def read_explain_request(body: Body) -> ExplainRequest:
    """Read the body of `POST /explain`. Raises RefusedRequest."""
    document = _read_document(body)
    key = _read_key(document, ("body", "text"), 'The JSON object needs one of "body" and "text".')
    label = document.get("label")
    if not isinstance(label, str | None):
        raise RefusedRequest("malformed_request", '"label" is not a string.')
    return ExplainRequest(_read_text(document[key]), label)


def find_label(raw_label: str, manifest: Manifest) -> tuple[str, str]:
    """Return facet and short name of a label as the model spells it. Raises RefusedRequest."""
    for facet in manifest.facets:
        for label in facet.labels:
            if manifest.raw_label(facet, label) == raw_label:
                return facet.name, label.name
    raise RefusedRequest("unknown_label", 'The model has no such "label"; GET /labels lists those it has.')


def _read_document(body: Body) -> Mapping[str, Any]:
    media_type = body.content_type.partition(";")[0].strip().lower()
    if media_type == "text/plain":
        return {"text": _decode(body)}
    if media_type in ("application/json", ""):
        return _parse(_decode(body))
    raise RefusedRequest("unsupported_content_type", "Send application/json or text/plain.")


def _decode(body: Body) -> str:
    if not body.is_base64:
        return body.content or ""
    try:
        return base64.b64decode(body.content or "", validate=True).decode("utf-8")
    except ValueError as error:
        raise RefusedRequest("malformed_request", "The body is not UTF-8.") from error


def _parse(body: str) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RefusedRequest("malformed_request", "The body is not JSON." if body else "There is no body.") from error
    if not isinstance(document, dict):
        raise RefusedRequest("malformed_request", 'The JSON is not an object such as {"body": "your text"}.')
    return document


def _read_key(document: Mapping[str, Any], keys: tuple[str, ...], complaint: str) -> str:
    found = [key for key in keys if key in document]
    if len(found) != 1:
        raise RefusedRequest("malformed_request", complaint)
    return found[0]


def _read_texts(texts: Any) -> tuple[str, ...]:
    if not isinstance(texts, list) or not texts:
        raise RefusedRequest("malformed_request", '"texts" is not a list of texts.')
    if len(texts) > MAX_TEXTS:
        raise RefusedRequest("too_long", f"There are {len(texts)} texts; at most {MAX_TEXTS} are classified at once.")
    return tuple(_read_text(text, f"Text {number}") for number, text in enumerate(texts, start=1))


def _read_text(text: Any, name: str = "The text") -> str:
    if not isinstance(text, str):
        raise RefusedRequest("malformed_request", f"{name} is not a string.")
    if len(text) > MAX_CHARACTERS:
        raise RefusedRequest("too_long", f"{name} has {len(text)} characters; at most {MAX_CHARACTERS} are read.")
    cleaned = clean(text)
    if not is_readable(cleaned):
        raise RefusedRequest("nothing_readable", f"{name} has neither a letter nor a digit.")
    return cleaned
