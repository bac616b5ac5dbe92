"""From the body of `PUT /blazingtext` or `POST /explain` to what is asked, or the reason to refuse it."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from classifier_infra.model.manifest import Manifest
from classifier_infra.model.text import MAX_CHARACTERS, clean, is_readable

MAX_TEXTS = 100

_ONE_TEXT = ("body", "text")
_MANY_TEXTS = "texts"
_EXPLAIN = "explain"
_LABEL = "label"


class MalformedRequest(ValueError):
    """Not JSON, or JSON without a text where one is expected."""


class UnsupportedContentType(ValueError):
    """Neither JSON nor plain text."""


class TextTooLong(ValueError):
    """A text has too many characters, or there are too many texts."""


class NothingReadable(ValueError):
    """A text has neither a letter nor a digit."""


class UnknownLabel(ValueError):
    """The model in use has no such label."""


@dataclass(frozen=True, slots=True)
class Body:
    """A request's body as it came. An empty content type stands for JSON."""

    content_type: str
    content: str | None
    is_base64: bool


@dataclass(frozen=True, slots=True)
class ClassifyRequest:
    """Clean, readable texts, whether they came as a list (and are answered by one), and whether to say why."""

    texts: tuple[str, ...]
    is_list: bool = False
    explain: bool = False


@dataclass(frozen=True, slots=True)
class ExplainRequest:
    """A clean, readable text, and the label to explain as the model spells it; without one, each facet's best."""

    text: str
    label: str | None = None


# Each reader raises MalformedRequest, UnsupportedContentType, TextTooLong or NothingReadable, with a sentence for the
# sender that repeats nothing of the text.


def read_classify_request(body: Body) -> ClassifyRequest:
    document = _read_document(body)
    given = [key for key in (*_ONE_TEXT, _MANY_TEXTS) if key in document]
    if len(given) != 1:
        raise MalformedRequest('The JSON object needs one of "body", "text" and "texts".')
    explain = document.get(_EXPLAIN, False)
    if not isinstance(explain, bool):
        raise MalformedRequest('"explain" is neither true nor false.')
    if given[0] == _MANY_TEXTS:
        return ClassifyRequest(_read_texts(document), True, explain)
    return ClassifyRequest((_read_text(document[given[0]]),), False, explain)


def read_explain_request(body: Body) -> ExplainRequest:
    document = _read_document(body)
    given = [key for key in _ONE_TEXT if key in document]
    if len(given) != 1:
        raise MalformedRequest('The JSON object needs one of "body" and "text".')
    label = document.get(_LABEL)
    if not isinstance(label, str | None):
        raise MalformedRequest('"label" is not a string.')
    return ExplainRequest(_read_text(document[given[0]]), label)


def read_label(request: ExplainRequest, manifest: Manifest) -> tuple[str, str] | None:
    """Give facet and short name of the label that a request names, if it names one. Raises UnknownLabel."""
    if request.label is None:
        return None
    for facet in manifest.facets:
        for label in facet.labels:
            if manifest.raw_label(facet, label) == request.label:
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


def _read_texts(document: Mapping[str, Any]) -> tuple[str, ...]:
    texts = document[_MANY_TEXTS]
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
