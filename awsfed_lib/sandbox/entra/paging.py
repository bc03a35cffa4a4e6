"""Pages: how many rows, and the link to the next ones (docs-contrib concepts/paging.md).

The token is opaque: it names the last row of the page, so that rows which come or go in between neither repeat nor hide others.
"""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote, urlsplit

from awsfed_lib.sandbox.entra.refusals import bad_request, unsupported_query

Rows = list[dict[str, Any]]
PREFIX = "RFNwdAoAAQAAAA"


def page_size(query: dict[str, str], default: int, most: int = 999) -> int:
    """Rows of one page. Raises Refusal outside 1 to `most` (steampipe-plugin-azuread, entra-powershell: the message)."""
    wanted = query.get("$top")
    if wanted is None:
        return default
    if not wanted.isdigit() or not 1 <= int(wanted) <= most:
        raise unsupported_query(f"Invalid page size specified: '{wanted}'. Must be between 1 and {most} inclusive.")
    return int(wanted)


def start_of(rows: Rows, token: str | None) -> int:
    """Index of the first row of the page. Raises Refusal for a token that is none."""
    if token is None:
        return 0
    try:
        offset, last = json.loads(base64.urlsafe_b64decode(token.removeprefix(PREFIX) + "=="))
    except (ValueError, TypeError):
        text = "The specified page token value has expired and can no longer be included in your request."
        raise bad_request(text, "Directory_ExpiredPageToken") from None
    places = [index for index, row in enumerate(rows) if row.get("id") == last]
    return places[0] + 1 if places else min(offset, len(rows))


def token_after(rows: Rows, index: int) -> str:
    """The token of the page that starts at `index`."""
    raw = json.dumps([index, rows[index - 1].get("id")], separators=(",", ":")).encode()
    return PREFIX + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def next_link(url: str, token: str) -> str:
    """The same query with the token; everything else stays as the client wrote it."""
    parts = urlsplit(url)
    kept = [pair for pair in parts.query.split("&") if pair and not pair.lower().startswith(("$skiptoken=", "%24skiptoken=", "skiptoken="))]
    return parts._replace(query="&".join([*kept, f"$skiptoken={quote(token)}"])).geturl()
