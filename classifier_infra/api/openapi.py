"""The API's OpenAPI document."""

from typing import Any

from classifier_infra.api.request import MAX_TEXTS
from classifier_infra.model.text import MAX_CHARACTERS


def _object(properties: dict[str, Any], optional: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties | (optional or {}), "required": list(properties), **more}


def _array(items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **more}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _response(description: str, schema: dict[str, Any], **content: Any) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}, **content}}


_STRING = {"type": "string"}
_BOOLEAN = {"type": "boolean"}
_FRACTION = {"type": "number", "minimum": 0, "maximum": 1}
_TEXT = {"type": "string", "minLength": 1, "maxLength": MAX_CHARACTERS}
_TEXTS = _array(_TEXT, minItems=1, maxItems=MAX_TEXTS)
_LABEL = {"label": {**_STRING, "description": "as in the model"}, "name": {**_STRING, "description": "display name"}}
_SCORE = {**_LABEL, "confidence": _FRACTION}
_VERSION = _object({"version": _STRING})
_MODEL = _object(
    {"version": _STRING, "served_by": {**_STRING, "description": "`endpoint`, or `embedded` (in process)"}}
)
_EXPLANATION = {
    "log_odds": {"type": "number", "description": "natural logarithm; the sum of `baseline` and all contributions"},
    "baseline": {"type": "number", "description": "the part that does not depend on the words"},
    "words": _array(_reference("Contribution"), description="normalised, in the text's order"),
}

_SCHEMAS = {
    "Label": _object(_LABEL),
    "Score": _object(_SCORE),
    "Contribution": _object(
        {"word": _STRING, "contribution": {"type": "number"}, "known": _BOOLEAN},
        description="What a word adds to the log-odds; `known` is true for words of the training data.",
    ),
    "Explanation": _object(_EXPLANATION),
    "ExplainedLabel": _object({"facet": _STRING, **_SCORE, **_EXPLANATION}),
    "Facet": _object(
        {**_SCORE, "alternatives": _array(_reference("Score"), description="most likely first")},
        optional={"explanation": _reference("Explanation")},
    ),
    "Classification": _object(
        {"decision": _object({"automatic": _BOOLEAN, "threshold": _FRACTION, "reason": _STRING}), "model": _MODEL},
        description="Beside `decision` and `model`, one key for each facet of the model, the main facet first.",
        additionalProperties=_reference("Facet"),
    ),
    "Classifications": _object(
        {"results": _array({"anyOf": [_reference("Classification"), _reference("Error")]})},
        description="In the texts' order; an error takes the place of each text that the classifier refused.",
    ),
    "Explanations": _object({"explanations": _array(_reference("ExplainedLabel")), "model": _MODEL}),
    "Labels": _object(
        {
            "facets": _array(
                _object({"name": _STRING, "threshold": _FRACTION, "labels": _array(_reference("Label"))}),
            ),
            "model": _VERSION,
        }
    ),
    "Health": _object({"status": {"const": "ok"}, "model": _VERSION}),
    "Error": _object({"error": _object({"code": _STRING, "message": _STRING})}),
}


_UNAVAILABLE = {
    **_response("The classifier does not answer", _reference("Error")),
    "headers": {"Retry-After": {"description": "seconds", "schema": {"type": "integer"}}},
}
_FAILURES_WITH_TEXT = {
    "400": _response("The body is not JSON or has no text", _reference("Error")),
    "413": _response(f"More than {MAX_CHARACTERS} characters or {MAX_TEXTS} texts", _reference("Error")),
    "415": _response("Neither JSON nor plain text", _reference("Error")),
    "422": _response("A text without letters and digits, or an unknown label", _reference("Error")),
    "501": _response("The model is too large to be explained here", _reference("Error")),
    "502": _response("The classifier refused the text", _reference("Error")),
    "503": _UNAVAILABLE,
}


def _operation(
    name: str, summary: str, success: dict[str, Any], failures: dict[str, Any], **more: Any
) -> dict[str, Any]:
    return {"operationId": name, "summary": summary, **more, "responses": {"200": success, **failures}}


def _text_request(alternatives: dict[str, Any], optional: dict[str, Any], example_key: str) -> dict[str, Any]:
    """Build a request body: a JSON object with exactly one of the `alternatives`, or plain text."""
    example = "Michael Jackson was the greatest singer and dancer in the world"
    schemas = [_object({key: schema}, optional) for key, schema in alternatives.items()]
    return {
        "required": True,
        "content": {
            "application/json": {"schema": {"oneOf": schemas}, "example": {example_key: example}},
            "text/plain": {"schema": _TEXT, "example": example},
        },
    }


_CLASSIFY = _operation(
    "classify",
    "Classify a text or a list of texts",
    _response(
        "The classification, or `results` for a request with `texts`",
        {"oneOf": [_reference("Classification"), _reference("Classifications")]},
        **{"text/plain": {"schema": _STRING}},
    ),
    _FAILURES_WITH_TEXT,
    description="With `Accept: text/plain` the answer is one sentence for each text.",
    requestBody=_text_request(
        {"body": _TEXT, "text": _TEXT, "texts": _TEXTS},
        {"explain": {**_BOOLEAN, "default": False, "description": "add each word's contribution"}},
        "body",
    ),
)
_EXPLAIN = _operation(
    "explain",
    "Explain what each word of a text adds to a label",
    _response("The explained labels", _reference("Explanations")),
    _FAILURES_WITH_TEXT,
    description="Exact: the sum of the baseline and the contributions is the label's log-odds.",
    requestBody=_text_request(
        {"body": _TEXT, "text": _TEXT},
        {"label": {**_STRING, "description": "as in the model; by default, each facet's best label"}},
        "text",
    ),
)
_LABELS = _operation(
    "labels",
    "List the model's facets and labels",
    _response("Facets with their labels, the main facet first", _reference("Labels")),
    {"503": _UNAVAILABLE},
)
_HEALTH = _operation(
    "health",
    "Report whether the API runs and has a model, without asking the endpoint",
    _response("The API runs", _reference("Health")),
    {"503": _UNAVAILABLE},
)
_OPENAPI = _operation("openapi", "Return this document", _response("OpenAPI 3.1", {"type": "object"}), {})

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Blazing Triage: message classification", "version": "1"},
    "servers": [{"url": "/"}],
    "paths": {
        "/blazingtext": {"put": _CLASSIFY},
        "/explain": {"post": _EXPLAIN},
        "/labels": {"get": _LABELS},
        "/health": {"get": _HEALTH},
        "/openapi.json": {"get": _OPENAPI},
    },
    "components": {"schemas": _SCHEMAS},
}
