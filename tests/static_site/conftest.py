"""The real page, served next to an API whose answers each test chooses."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from classifier_infra.api.response import answer_json, explanations_json, labels_json
from classifier_infra.model.explanation import Explanation, WordContribution
from classifier_infra.model.manifest import Facet, Label, Manifest
from classifier_infra.model.prediction import FacetPrediction, Prediction, Score

# A policy sent as a header, in addition to the page's own.
HEADER_POLICY = "default-src 'self'; connect-src 'self'"
PATIENCE_SECONDS = 60


def make_facet(name: str, labels: str) -> Facet:
    return Facet(name, tuple(Label(label.replace(" ", ""), label) for label in labels.split(", ")), threshold=0.8)


THREE_FACETS = Manifest(
    version="starter-1",
    normaliser="1",
    facets=(
        make_facet("category", "Billing, Technical, General"),
        make_facet("urgency", "Low, Normal, High"),
        make_facet("tone", "Negative, Neutral, Positive"),
    ),
    method="heads",
    tau=1.0,
    model_sha256="",
    model_bytes=0,
)
FOURTEEN_LABELS = replace(
    THREE_FACETS,
    version="dbpedia-1",
    facets=(
        make_facet(
            "category",
            "Company, Educational Institution, Artist, Athlete, Office Holder, Mean Of Transportation, Building, "
            "Natural Place, Village, Animal, Plant, Album, Film, Written Work",
        ),
    ),
)

# Facet → label → probability.
Scores = Mapping[str, Mapping[str, float]]


class FakeApi:
    """The API with a model whose scores a test sets, or with any other reply."""

    def __init__(self) -> None:
        self.manifest = THREE_FACETS
        self.scores: Callable[[str], Scores] = lambda text: {
            "category": {"Technical": 0.86, "Billing": 0.1, "General": 0.04},
            "urgency": {"High": 0.7, "Normal": 0.25, "Low": 0.05},
            "tone": {"Neutral": 0.55, "Negative": 0.41, "Positive": 0.04},
        }
        self.asked: list[str] = []
        self._instead: dict[str, Response] = {}
        self._held: dict[str, Event] = {}

    def load_dbpedia(self) -> None:
        """Use a model with one facet of 14 labels, which is confident of Artist."""
        self.manifest = FOURTEEN_LABELS
        labels = [label.name for label in FOURTEEN_LABELS.facets[0].labels]
        self.scores = lambda text: {"category": {name: 0.9987 if name == "Artist" else 0.0001 for name in labels}}

    def be_unsure(self) -> None:
        sure = self.scores
        self.scores = lambda text: {**sure(text), "category": {"Billing": 0.474, "Technical": 0.4, "General": 0.126}}

    def hold(self, text: str) -> Event:
        """Hold back the answer to a text until the returned event is set."""
        return self._held.setdefault(text, Event())

    def release_all(self) -> None:
        for answer in self._held.values():
            answer.set()

    def reply(self, status: int, body: str, route: str = "PUT /blazingtext", retry_after: str | None = None) -> None:
        """Answer a route with this until `recover` is called."""
        self._instead[route] = Response(body, status, {"Retry-After": retry_after} if retry_after else None)

    def refuse(self, status: int, message: str, retry_after: str | None = None) -> None:
        """Answer every message with an error of the API until `recover` is called."""
        self.reply(status, json.dumps({"error": {"code": "refused", "message": message}}), retry_after=retry_after)

    def recover(self) -> None:
        self._instead.clear()

    def handle(self, route: str, body: bytes) -> Response:
        if route in self._instead:
            return self._instead[route]
        if route == "GET /labels":
            answer = self._labels()
        elif route == "POST /explain":
            answer = self._explain(**json.loads(body))
        else:
            answer = self._classify(json.loads(body)["body"])
        return Response(json.dumps(answer), media_type="application/json")

    def _labels(self) -> dict[str, Any]:
        return labels_json(self.manifest)

    def _classify(self, text: str) -> dict[str, Any]:
        self.asked.append(text)
        if text in self._held:
            self._held[text].wait(PATIENCE_SECONDS)
        return answer_json(self._predict(text), self.manifest)

    def _predict(self, text: str) -> Prediction:
        facets = {facet: make_prediction(scores) for facet, scores in self.scores(text).items()}
        return Prediction(facets, self.manifest.version, "endpoint")

    def _explain(self, text: str, label: str) -> dict[str, Any]:
        """Add a tenth of each word's length to the label, or subtract it after `not`; words in capitals are unknown."""
        facet, name = next(
            (facet.name, each.name)
            for facet in self.manifest.facets
            for each in facet.labels
            if self.manifest.raw_label(facet, each) == label
        )
        words, sign = [], 1
        for position, word in enumerate(text.split()):
            words.append(WordContribution(word, position, sign * len(word) / 10, known=not word.isupper()))
            sign = -1 if word == "not" else 1
        total = -0.5 + sum(word.contribution for word in words)
        explanation = Explanation(facet, name, total, -0.5, tuple(words))
        return explanations_json([explanation], self._predict(text), self.manifest)


def make_prediction(scores: Mapping[str, float]) -> FacetPrediction:
    ranked = sorted(scores, key=lambda name: -scores[name])
    return FacetPrediction(tuple(Score(name, scores[name]) for name in ranked))


class PolicyHeader:
    """Sends the header that CloudFront sends."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_header(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Content-Security-Policy"] = HEADER_POLICY
            await send(message)

        await self._app(scope, receive, send_with_header)


def create_site(api: FakeApi, files: Path) -> Starlette:
    async def answer(request: Request) -> Response:
        return await run_in_threadpool(api.handle, f"{request.method} {request.url.path}", await request.body())

    return Starlette(
        routes=[
            Route("/labels", answer, methods=["GET"]),
            Route("/blazingtext", answer, methods=["PUT"]),
            Route("/explain", answer, methods=["POST"]),
            Mount("/", StaticFiles(directory=files, html=True)),
        ],
        middleware=[Middleware(PolicyHeader)],
    )


class Site(NamedTuple):
    url: str
    api: FakeApi


@pytest.fixture
def site_files() -> Path:
    return Path(__file__).parents[2] / "static_site"


@pytest.fixture
def site(serve: Callable[[ASGIApp], str], site_files: Path) -> Iterator[Site]:
    """The page's address, and the API it calls."""
    api = FakeApi()
    yield Site(f"{serve(create_site(api, site_files))}/", api)
    api.release_all()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open pages in contexts of their own; fail the test on script errors and policy violations."""
    contexts, faults = [], []

    def open_page(**options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda line: faults.append(line.text) if "Content Security Policy" in line.text else None)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def demo(site: Site, open_page: Callable[..., Page]) -> Page:
    """The page on a desktop screen, loaded."""
    page = open_page()
    page.goto(site.url)
    expect(page.get_by_text("What this model recognises")).to_be_visible()
    return page


@pytest.fixture
def stopped(site: Site, open_page: Callable[..., Page]) -> Page:
    """The page with a clock that only the test moves, so that the speed of the machine does not matter."""
    page = open_page()
    page.clock.install(time=0)
    page.goto(site.url)
    expect(page.get_by_text("What this model recognises")).to_be_visible()
    page.clock.pause_at(3_600)
    return page
