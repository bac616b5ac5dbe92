"""Build and serve the stand-in Slack as one ASGI application: Web API, OAuth, response URLs, page and its API."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.sandbox.slack.api import oauth, response_url, web_api
from bot.sandbox.slack.installation import Installation
from bot.sandbox.slack.page import files, page_api
from bot.sandbox.slack.settings import Settings
from bot.sandbox.slack.workspace import Workspace

_PAGE = Path(__file__).parent / "page" / "static"

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def create_app(workspace: Workspace, settings: Settings, others: Sequence[Workspace] = ()) -> Starlette:
    """Build the application. Serve it with its lifespan, in which it delivers events.

    The app is installed in `workspace`. It can be installed in the `others` through OAuth; their pages are at
    /workspaces/TEAM/. `app.state.installation` is the Installation in `workspace`, `app.state.installations` has all.
    """
    installation = Installation(workspace, settings, settings.bot_token)
    installations = [installation, *(_add(each, settings) for each in others)]

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for each in installations:
                await stack.enter_async_context(each.dispatcher)
            yield

    app = Starlette(
        routes=[
            *oauth.routes(installations, settings.oauth),
            *web_api.routes(installations),
            *(Mount(f"/{each.path.rstrip('/')}", routes=_pages(each)) for each in installations[1:]),
            *_pages(installation),
        ],
        middleware=[
            # Prevents DNS rebinding: a web page whose host name resolves to 127.0.0.1 is refused.
            Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"]),
            Middleware(_HeaderMiddleware),
        ],
        lifespan=lifespan,
    )
    app.state.installation, app.state.installations = installation, installations
    return app


def _add(workspace: Workspace, settings: Settings) -> Installation:
    return Installation(workspace, settings, None, f"workspaces/{workspace.team.id}/")


def _pages(installation: Installation) -> list[BaseRoute]:
    """Build the routes of one workspace: its page, response URLs, files and permalinks."""
    return [
        *response_url.routes(installation),
        *files.routes(installation),
        *page_api.routes(installation),
        Route("/archives/{channel}/p{number:int}", _find_message),
        Mount("/", StaticFiles(directory=_PAGE, html=True)),
    ]


class Server(uvicorn.Server):
    """Serves an application of `create_app` on 127.0.0.1 and ends the page's streams on shutdown.

    uvicorn alone would wait for every open stream.
    """

    def __init__(self, app: Starlette) -> None:
        super().__init__(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", ws="none"))
        self._installations: Sequence[Installation] = app.state.installations

    async def shutdown(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        for installation in self._installations:
            installation.version.stop()
        await super().shutdown(sockets)  # type: ignore[arg-type]


async def _find_message(request: Request) -> Response:
    """Redirect a permalink to the message's place on the page."""
    digits = str(request.path_params["number"])
    ts = f"{digits[:-6]}.{digits[-6:]}"
    place = f"{request.path_params['channel']}/{request.query_params.get('thread_ts', ts)}"
    return RedirectResponse(f"{request.scope.get('root_path', '')}/#{place}")


class _HeaderMiddleware:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)
