"""The same model behind other servers: what one writes with FastAPI, and our own answers under an ASGI server.

`MODEL` names the model folder.
"""

import os
from pathlib import Path

from fastapi import FastAPI
from pydantic import BaseModel, Field

from classifier_infra.local.container import answer_invocation
from classifier_infra.local.hosting import open_model


class Configuration(BaseModel):
    k: int = Field(1, ge=1)


class Payload(BaseModel):
    instances: list[str]
    configuration: Configuration = Configuration()


class Prediction(BaseModel):
    label: list[str]
    prob: list[float]


def create_fastapi() -> FastAPI:
    """An `async def` route: a plain one would go through a thread, which costs FastAPI more than the model does."""
    model = open_model(Path(os.environ["MODEL"]))
    app = FastAPI()

    @app.post("/invocations")
    async def invocations(payload: Payload) -> list[Prediction]:
        found = [model.scores(text, payload.configuration.k) for text in payload.instances]
        return [Prediction(label=[label for _, label in scores], prob=[prob for prob, _ in scores]) for scores in found]

    return app


def create_asgi():
    """The least that ASGI needs: no framework, one path."""
    model = open_model(Path(os.environ["MODEL"]))

    async def app(scope, receive, send) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        content_type = dict(scope["headers"]).get(b"content-type", b"").decode()
        answer = answer_invocation(model, content_type, body)
        headers = [
            (b"content-type", answer.content_type.encode()),
            (b"content-length", str(len(answer.body)).encode()),
        ]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    return app
