"""A SAML response out of whatever a person copied: the form that a browser posts, developer tools, a HAR file, decoded XML.

`normalised` gives the one form that AWS takes, which is what is checked and what is sent.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from awsfed_lib.core.errors import DocumentError
from awsfed_lib.core.saml.saml_attributes import LONGEST_RESPONSE

LONGEST = 4 * LONGEST_RESPONSE  # what is opened at all; AWS's own limit is a check
_FIELD = "SAMLResponse"
_QUOTES = "\"'`\u201c\u201d\u2018\u2019"
# The field in a form body, in lines of headers, in a command of curl, in an HTML form. A value may be wrapped into lines.
_IN_TEXT = re.compile(rf"""\b{_FIELD}["']?(?:\s*[=:]\s*|\s+value=)["']?((?:[A-Za-z0-9+/=_%-]|\s+(?!RelayState\b|[A-Za-z-]+:))+)""")


def normalised(text: str) -> str:
    """Return the response as base64 text without line breaks.

    Raises DocumentError, which repeats nothing of the text: too-long, not-base64, several-responses (a HAR file of several sign-ins),
    no-response (JSON without one), saml-request.
    """
    clean = text.replace("\ufeff", "").replace("\0", "").strip().strip(_QUOTES).strip()
    found = _found(clean)
    if len(found) > LONGEST:
        raise DocumentError(f"The text has {len(found)} characters; AWS takes {LONGEST_RESPONSE}.", reason="too-long")
    return _base64(found)


def _found(text: str) -> str:
    """Find the value of SAMLResponse, as it stands there; XML is encoded."""
    if text.startswith(("{", "[")):
        return _in_json(text)
    if _IN_TEXT.search(text):
        return _one({match[1] for match in _IN_TEXT.finditer(text)})
    if text.startswith("<"):
        return base64.b64encode(text.encode()).decode()
    if re.search(r"\bSAMLRequest\s*[=:]", text):
        words = "This is the SAML request that goes to Entra ID: copy SAMLResponse of the POST to AWS."
        raise DocumentError(words, reason="saml-request")
    return text


def _in_json(text: str) -> str:
    try:
        found = set(_values(json.loads(text)))
    except (ValueError, RecursionError):
        raise DocumentError("The text begins like JSON, and is not whole: save the HAR file again.", reason="not-json") from None
    if not found:
        words = "The JSON holds no SAMLResponse: record the sign-in with the network tab open, and export it with its content."
        raise DocumentError(words, reason="no-response")
    return _one(found)


def _values(node: Any) -> Iterator[str]:
    """Yield every value that is called SAMLResponse: of a key, of a pair of name and value, or inside the text of a request (HAR 1.2)."""
    if isinstance(node, list):
        for item in node:
            yield from _values(item)
    elif isinstance(node, dict):
        if node.get("name") == _FIELD and isinstance(node.get("value"), str):
            yield node["value"]
        for key, item in node.items():
            if key.replace("_", "").lower() == _FIELD.lower() and isinstance(item, str):
                yield item
            else:
                yield from _values(item)
    elif isinstance(node, str) and f"{_FIELD}=" in node:
        yield from (match[1] for match in _IN_TEXT.finditer(node))


def _one(found: set[str]) -> str:
    texts = {_base64(value) for value in found}
    if len(texts) > 1:
        words = "There are several SAML responses in it: record one sign-in, or paste the value of one."
        raise DocumentError(words, reason="several-responses")
    return texts.pop()


def _base64(text: str) -> str:
    """Undo what a form and base64url make of it."""
    plain = "".join(html.unescape(unquote(text) if "%" in text else text).split()).strip(_QUOTES)
    plain = plain.replace("-", "+").replace("_", "/").rstrip("=")
    padded = plain + "=" * (-len(plain) % 4)
    try:
        base64.b64decode(padded, validate=True)
    except (binascii.Error, ValueError):
        raise DocumentError("The text is not base64: copy the value of SAMLResponse whole.", reason="not-base64") from None
    return padded
