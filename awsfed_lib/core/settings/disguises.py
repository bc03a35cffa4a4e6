"""The forms in which a known secret may stand in a file: plain, and as every encoder on the way to a file writes it.

Base64 of a longer text shows a secret in one of three alignments (RFC 4648): the letters that depend on nothing but the
secret are looked for in each. A long secret is looked for by its pieces, since views cut and wrap long texts.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

SHORTEST = 8  # letters; what is shorter stands in too many innocent texts
SHORTEST_WORD = 16  # letters of a secret that is one word, or digits alone
PIECE = 48
_FIRST_OWN = (0, 2, 3)  # of base64, behind 0, 1 and 2 foreign bytes: the first letter that is the secret's alone


def searchable(secret: str) -> bool:
    """Tell whether a search for `secret` finds the secret, and not a word that anybody writes."""
    plain = secret.strip()
    return len(plain) >= (SHORTEST_WORD if plain.isalpha() or plain.isdecimal() else SHORTEST)


def disguises(secret: str) -> frozenset[bytes]:
    """Return every form of `secret` to look for; none when it is not `searchable`."""
    if not searchable(secret):
        return frozenset()
    return frozenset(form for piece in _pieces(secret.strip()) for form in _forms(piece) if len(form) >= SHORTEST)


def _pieces(secret: str) -> tuple[str, ...]:
    """Begin, middle and end of a long secret; a short one whole."""
    if len(secret) <= PIECE:
        return (secret,)
    middle = (len(secret) - PIECE) // 2
    return secret[:PIECE], secret[middle : middle + PIECE], secret[-PIECE:]


def _forms(text: str) -> Iterator[bytes]:
    raw = text.encode("utf-8", "surrogatepass")
    yield raw
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    yield from _base64(raw)
    yield from _base64(base64.b64encode(raw).rstrip(b"="))  # a header in a header, a secret of Kubernetes in a manifest
    for written in (text, "".join(text.split())):
        for form in _written(written):
            yield form.encode("utf-8", "surrogatepass")


def _base64(raw: bytes) -> Iterator[bytes]:
    for offset, start in enumerate(_FIRST_OWN):
        end = (offset + len(raw)) * 8 // 6
        padded = bytes(offset) + raw
        yield base64.b64encode(padded)[start:end]
        yield base64.urlsafe_b64encode(padded)[start:end]


def _written(text: str) -> Iterator[str]:
    """Yield the text as URLs, JSON, HTML, CSV and Python write it, and the combinations that records hold."""
    shown = html.escape(text)
    escaped = json.dumps(text)[1:-1]
    # `errors`: half a surrogate pair has no UTF-8, and must not stop the search for the rest.
    once = quote(text, safe="", errors="surrogatepass")
    yield from (text, shown, shown.replace("&#x27;", "&#39;"), shown.replace("&quot;", "&#34;").replace("&#x27;", "'"))
    yield from (html.escape(text, quote=False), html.escape(escaped), json.dumps(shown)[1:-1])
    yield from (escaped, escaped.replace("/", "\\/"), json.dumps(text, ensure_ascii=False)[1:-1], json.dumps(escaped)[1:-1])
    yield from (once, _lower(once), quote(once, safe=""), quote_plus(text, errors="surrogatepass"), quote(text, errors="surrogatepass"))
    yield from (text.replace('"', '""'), escaped.replace('"', '""'), json.dumps(text, ensure_ascii=False)[1:-1].replace('"', '""'))
    yield from (repr(text)[1:-1], text.translate(_UNICODE))


def _lower(quoted: str) -> str:
    """Percent escapes with small letters, as some clients write them."""
    parts = quoted.split("%")
    return "%".join([parts[0], *(part[:2].lower() + part[2:] for part in parts[1:])])


_UNICODE = {ord(char): f"\\u{ord(char):04x}" for char in "<>&'\"/=+"}  # JSON that is safe inside HTML
