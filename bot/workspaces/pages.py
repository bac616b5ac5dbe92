"""HTML pages for installing the bot: all texts are escaped, and the headers forbid scripts, frames and caching."""

import base64
import hashlib
from collections.abc import Mapping
from html import escape

from bot.http.proxy import Answer
from bot.ui.text.install import PageText

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:4rem auto;padding:0 1rem;color:#101828;"
    "background:#fff}h1{font-size:1.5rem;line-height:1.25}a{display:inline-block;padding:.6rem 1rem;"
    "border-radius:.4rem;background:#175cd3;color:#fff;text-decoration:none}a:focus-visible{outline:3px solid #f79009}"
)

_STYLE_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

# Nothing may be loaded, run, framed or cached; no referrer is sent, because the URL can contain Slack's code.
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def show(status: int, text: PageText, target: str = "", headers: Mapping[str, str] | None = None) -> Answer:
    """Build the answer with a page; `target` is the URL of its link."""
    paragraphs = "".join(f"<p>{escape(each)}</p>" for each in text.paragraphs)
    link = f'<p><a href="{escape(target)}">{escape(text.link)}</a></p>' if text.link and target else ""
    body = (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">'
        f"<title>{escape(text.title)}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{escape(text.title)}</h1>{paragraphs}{link}</main></body></html>"
    )
    return {"statusCode": status, "headers": {**_HEADERS, **(headers or {})}, "body": body, "isBase64Encoded": False}
