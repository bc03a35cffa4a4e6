"""Requests and answers on the wire: AWS Query (IAM, STS, CloudFormation) and JSON 1.1 (Organizations, CloudTrail), as botocore's service models describe them."""

import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

NAMESPACES = {
    "iam": "https://iam.amazonaws.com/doc/2010-05-08/", "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
    "cloudformation": "http://cloudformation.amazonaws.com/doc/2010-05-15/",
}  # fmt: skip
JSON_SERVICES = ("organizations", "cloudtrail")


class AwsError(Exception):
    """A refusal in AWS's own words: `code` is what botocore puts into `error.response["Error"]["Code"]`."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True)
class Signature:
    """The Authorization header of Signature Version 4, taken apart."""

    access_key: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    value: str


@dataclass(frozen=True)
class Call:
    """One request: which action of which service, with what, and who says so.

    `params` are the Query parameters as they came (`Tags.member.1.Key`), or the members of the JSON body.
    """

    service: str
    action: str
    params: Mapping[str, Any]
    body: bytes
    environ: dict[str, Any] = field(repr=False)
    signature: Signature | None

    @property
    def region(self) -> str:
        """The region that the request was signed for; unsigned requests are taken to be for us-east-1."""
        return self.signature.region if self.signature else "us-east-1"

    def text(self, name: str, default: str = "") -> str:
        """One parameter as text."""
        return str(self.params.get(name, default))

    def whole(self, name: str, default: int) -> int:
        """One parameter as a whole number; raises AwsError for anything else."""
        raw = self.params.get(name, default)
        try:
            return int(raw)
        except (TypeError, ValueError):
            raise AwsError("MalformedInput", f"Invalid value for {name}") from None

    def members(self, name: str) -> list[str]:
        """A list of strings, `Name.member.1`, `Name.member.2`, in order."""
        found: list[str] = []
        while (key := f"{name}.member.{len(found) + 1}") in self.params:
            found.append(str(self.params[key]))
        return found

    def tags(self) -> list[tuple[str, str]]:
        """The `Tags` of a Query request."""
        found: list[tuple[str, str]] = []
        while (start := f"Tags.member.{len(found) + 1}") + ".Key" in self.params:
            found.append((str(self.params[start + ".Key"]), str(self.params.get(start + ".Value", ""))))
        return found


@dataclass(frozen=True)
class Answer:
    """What goes back: status, body and content type."""

    body: bytes
    status: int = 200
    content_type: str = "text/xml"


def read(environ: dict[str, Any]) -> Call:
    """Take a WSGI request apart; raises AwsError when it names no action."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    signature = signature_of(environ.get("HTTP_AUTHORIZATION", ""))
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        service = next((name for name in JSON_SERVICES if name in target.lower()), target)
        return Call(service, target.rpartition(".")[2], _object(body), body, environ, signature)
    params = dict(parse_qsl((body or environ.get("QUERY_STRING", "").encode()).decode(), keep_blank_values=True))
    service = signature.service if signature else "sts"
    if "Action" not in params:
        raise AwsError("MissingAction", "Missing Action", 400)
    return Call(service, params["Action"], params, body, environ, signature)


def _object(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body or b"{}")
    except ValueError:
        raise AwsError("SerializationException", "The request body is not JSON.") from None
    return parsed if isinstance(parsed, dict) else {}


def signature_of(header: str) -> Signature | None:
    """Parse `AWS4-HMAC-SHA256 Credential=…/20261101/us-east-1/iam/aws4_request, SignedHeaders=…, Signature=…`; None without one."""
    match = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, *SignedHeaders=([^,]+), *Signature=(\w+)", header
    )
    if match is None:
        return None
    key, date, region, service, headers, value = match.groups()
    return Signature(key, date, region, service, tuple(headers.split(";")), value)


def refusal(service: str, error: AwsError) -> Answer:
    """The error body of that service's protocol."""
    if service in NAMESPACES:
        kind = "Sender" if error.status < 500 else "Receiver"
        inner = f"<Error><Type>{kind}</Type><Code>{error.code}</Code><Message>{escape(error.message)}</Message></Error>"
        xml = f'<ErrorResponse xmlns="{NAMESPACES[service]}">{inner}<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>'
        return Answer(xml.encode(), error.status)
    body = json.dumps({"__type": error.code, "Message": error.message})
    return Answer(body.encode(), error.status, "application/x-amz-json-1.1")


def result(call: Call, inner: str | bytes = "") -> Answer:
    """A successful Query answer around the result's own XML."""
    return Answer(envelope(call.service, call.action, inner if isinstance(inner, bytes) else inner.encode()))


def envelope(service: str, action: str, inner: bytes) -> bytes:
    """The outer elements of a Query answer."""
    head = f'<{action}Response xmlns="{NAMESPACES[service]}"><{action}Result>'
    tail = f"</{action}Result><ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata></{action}Response>"
    return head.encode() + inner + tail.encode()


def document(value: dict[str, Any]) -> Answer:
    """A successful JSON 1.1 answer."""
    return Answer(json.dumps(value).encode(), 200, "application/x-amz-json-1.1")


def element(name: str, value: object) -> str:
    """One XML element with escaped text; nothing at all for None."""
    return "" if value is None else f"<{name}>{escape(str(value))}</{name}>"


def tag_list(tags: Iterable[tuple[str, str]]) -> str:
    """The `Tags` element."""
    inner = "".join(f"<member>{element('Key', key)}{element('Value', value)}</member>" for key, value in tags)
    return f"<Tags>{inner}</Tags>"


def replay(call: Call) -> dict[str, Any]:
    """The request once more, unread, for another WSGI application."""
    return call.environ | {"wsgi.input": BytesIO(call.body), "CONTENT_LENGTH": str(len(call.body))}
