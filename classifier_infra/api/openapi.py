"""What OpenAPI says of each route; Powertools puts the document together."""

from typing import Any

from classifier_infra.api.request import MAX_TEXTS
from classifier_infra.model.text import MAX_CHARACTERS

TITLE = "Blazing Triage: what a message is about"
VERSION = "1"

_EXAMPLE = "Michael Jackson was the greatest singer and dancer in the world"


def _object(properties: dict[str, Any], optional: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    properties_of_both = {**properties, **(optional or {})}
    return {"type": "object", "properties": properties_of_both, "required": list(properties), **more}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _json_content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": _json_content(schema)}


def _failure(description: str) -> dict[str, Any]:
    return _answer(description, _reference("Error"))


_STRING = {"type": "string"}
_FRACTION = {"type": "number", "minimum": 0, "maximum": 1}
_TEXT = {"type": "string", "minLength": 1, "maxLength": MAX_CHARACTERS}
_TEXTS = {"type": "array", "items": _TEXT, "minItems": 1, "maxItems": MAX_TEXTS}
_LABEL = {"label": {**_STRING, "description": "as the model spells it"}, "name": {**_STRING, "description": "to show"}}
_SCORE = {**_LABEL, "confidence": _FRACTION}
_MODEL = _object(
    {"version": _STRING, "served_by": {**_STRING, "description": "`endpoint`, or `embedded` in its place"}}
)
_CONTRIBUTIONS = {
    "log_odds": {"type": "number", "description": "natural logarithm; the sum of `baseline` and all contributions"},
    "baseline": {"type": "number", "description": "what the model says of any text"},
    "words": {"type": "array", "items": _reference("Contribution"), "description": "in the text's order, normalised"},
}

SCHEMAS: dict[str, Any] = {
    "Label": _object(_LABEL),
    "Score": _object(_SCORE),
    "Contribution": _object(
        {"word": _STRING, "contribution": {"type": "number"}, "known": {"type": "boolean"}},
        description="What a word adds to the log-odds; `known` where it was seen in training.",
    ),
    "Explanation": _object(_CONTRIBUTIONS),
    "ExplainedLabel": _object({"facet": _STRING, **_SCORE, **_CONTRIBUTIONS}),
    "Facet": _object(
        {**_SCORE, "alternatives": {"type": "array", "items": _reference("Score"), "description": "likeliest first"}},
        optional={"explanation": _reference("Explanation")},
    ),
    "Classification": _object(
        {
            "decision": _object({"automatic": {"type": "boolean"}, "threshold": _FRACTION, "reason": _STRING}),
            "model": _MODEL,
        },
        description="Beside `decision` and `model` there is one key for each facet of the model, the main one first.",
        additionalProperties=_reference("Facet"),
    ),
    "Classifications": _object(
        {"results": {"type": "array", "items": {"anyOf": [_reference("Classification"), _reference("Error")]}}},
        description="In the texts' order; an error stands in for a text that the classifier refused.",
    ),
    "Explanations": _object(
        {"explanations": {"type": "array", "items": _reference("ExplainedLabel")}, "model": _MODEL}
    ),
    "Labels": _object(
        {
            "facets": {
                "type": "array",
                "items": _object(
                    {
                        "name": _STRING,
                        "threshold": _FRACTION,
                        "labels": {"type": "array", "items": _reference("Label")},
                    }
                ),
            },
            "model": _object({"version": _STRING}),
        }
    ),
    "Health": _object({"status": {"const": "ok"}, "model": _object({"version": _STRING})}),
    "Error": _object({"error": _object({"code": _STRING, "message": _STRING})}),
}

_WAYS_TO_SEND = {"body": _TEXT, "text": _TEXT, "texts": _TEXTS}
_EXPLAIN = {"explain": {"type": "boolean", "default": False, "description": "say what each word adds"}}
_LABEL_TO_EXPLAIN = {"label": {**_STRING, "description": "as the model spells it; without it, each facet's best"}}

# Of the routes that take a text.
_FAILURES = {
    400: _failure("Not JSON, or no text in it"),
    413: _failure(f"Over {MAX_CHARACTERS} characters, or over {MAX_TEXTS} texts"),
    415: _failure("Neither JSON nor plain text"),
    422: _failure("Nothing readable: no letter and no digit; or no such label"),
    501: _failure("The model is too large to be explained here"),
    502: _failure("The classifier refused the text"),
    503: {
        **_failure("The classifier does not answer"),
        "headers": {"Retry-After": {"description": "seconds", "schema": {"type": "integer"}}},
    },
}

# Route → what its registration takes beside path and handler.
ROUTES: dict[str, dict[str, Any]] = {
    "PUT /blazingtext": {
        "operation_id": "classify",
        "summary": "Classify a text, or a list of texts",
        "description": "With `Accept: text/plain` the answer is one sentence for each text.",
        "openapi_extensions": {
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {
                            "oneOf": [_object({key: schema}, _EXPLAIN) for key, schema in _WAYS_TO_SEND.items()]
                        },
                        "example": {"body": _EXAMPLE},
                    },
                    "text/plain": {"schema": _TEXT, "example": _EXAMPLE},
                },
            }
        },
        "responses": {
            200: {
                "description": "What the classifier makes of it; `results` where `texts` was sent",
                "content": {
                    **_json_content({"oneOf": [_reference("Classification"), _reference("Classifications")]}),
                    "text/plain": {"schema": _STRING},
                },
            },
            **_FAILURES,
        },
    },
    "POST /explain": {
        "operation_id": "explain",
        "summary": "Say what each word of a text adds to a label",
        "description": "Exact: the sum of the baseline and the contributions is the label's log-odds.",
        "openapi_extensions": {
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {
                            "oneOf": [_object({key: _TEXT}, _LABEL_TO_EXPLAIN) for key in ("body", "text")],
                        },
                        "example": {"text": _EXAMPLE},
                    },
                    "text/plain": {"schema": _TEXT, "example": _EXAMPLE},
                },
            }
        },
        "responses": {200: _answer("The explained labels", _reference("Explanations")), **_FAILURES},
    },
    "GET /labels": {
        "operation_id": "labels",
        "summary": "What the model can answer",
        "responses": {
            200: _answer("Facets, the main one first, with their labels", _reference("Labels")),
            503: _FAILURES[503],
        },
    },
    "GET /health": {
        "operation_id": "health",
        "summary": "Whether the API runs and has a model; the endpoint is not asked",
        "responses": {200: _answer("It runs", _reference("Health")), 503: _FAILURES[503]},
    },
    "GET /openapi.json": {
        "operation_id": "openapi",
        "summary": "This document",
        "responses": {200: _answer("OpenAPI 3.1", {"type": "object"})},
    },
}
