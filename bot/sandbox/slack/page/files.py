"""Keep the files that users upload, and serve their content to apps with the `files:read` scope."""

import base64
import binascii
import secrets

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.sandbox.slack.installation import File, Installation
from bot.sandbox.slack.workspace import Json, SlackError

MAX_BYTES = 10 * 1024 * 1024


def routes(installation: Installation) -> list[Route]:
    """Build the routes of the files' content."""

    async def content(request: Request) -> Response:
        settings = installation.settings
        is_ours = request.headers.get("authorization") == f"Bearer {settings.bot_token}"
        if not is_ours or "files:read" not in settings.scopes:
            # Slack redirects to its login page instead of refusing.
            return RedirectResponse("/", 302)
        team, _, file_id = request.path_params["place"].partition("-")
        file = installation.files.get(file_id)
        if team != installation.workspace.team.id or file is None:
            return Response(status_code=404)
        return Response(file.content, media_type="text/plain")

    return [Route("/files-pri/{place}/{name}", content), Route("/files-pri/{place}/download/{name}", content)]


def upload(installation: Installation, user: str, name: str, encoded: str, origin: str) -> Json:
    """Keep a file, whose content is in Base64, and return Slack's file object. Raises SlackError."""
    installation.workspace.user(user)
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise SlackError("invalid_file") from None
    if len(content) > MAX_BYTES:
        raise SlackError("file_too_large")
    file = File(f"F{secrets.token_hex(5).upper()}", name.rpartition("/")[2], user, content)
    installation.files[file.id] = file
    return file_object(installation, file, origin)


def file_object(installation: Installation, file: File, origin: str) -> Json:
    place = f"{origin}files-pri/{installation.workspace.team.id}-{file.id}"
    return {
        "id": file.id,
        "name": file.name,
        "title": file.name,
        "mimetype": "text/plain",
        "filetype": file.name.rpartition(".")[2] or "text",
        "user": file.user,
        "size": len(file.content),
        "mode": "hosted",
        "is_external": False,
        "url_private": f"{place}/{file.name}",
        "url_private_download": f"{place}/download/{file.name}",
    }
