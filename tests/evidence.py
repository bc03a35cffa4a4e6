"""Runbooks executed over recorded answers, of which one at a time is taken away: what the law of evidence is tested with.

Everything that Microsoft Graph and AWS answer a clean run is kept where the bytes arrive. A case executes the same cells
over the same answers, but one: refused, emptied, cut in the middle or after its first page, or with one field gone.
"""

import contextlib
import io
import json
import re
import shutil
from dataclasses import dataclass, field
from unittest import mock
from urllib.parse import unquote, urlsplit

import requests
from botocore.awsrequest import AWSResponse
from botocore.httpsession import URLLib3Session
from executed import execute
from requests.adapters import HTTPAdapter
from urllib3.response import HTTPResponse

ENTRA, AWS = "entra", "aws"
GRAPH_REFUSAL = {"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges to complete the operation."}}
JSON_REFUSAL = {"__type": "AccessDeniedException", "Message": "User is not authorized to perform this action"}
XML_REFUSAL = b"<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not authorized</Message></Error></ErrorResponse>"
PAGED = ("ListRoles", "GetAccountAuthorizationDetails", "ListAccounts", "LookupEvents")


@dataclass(frozen=True)
class Read:
    """One read: of which service, under which name, and what tells it from others of that name."""

    service: str
    name: str
    key: str


@dataclass
class Tape:
    """What was answered, by read, and the one change that is made to it."""

    answers: dict = field(default_factory=dict)  # raw key → (status, headers, body)
    asked: dict = field(default_factory=dict)  # Read → body of its clean answer
    read: Read | None = None
    mode: str = ""
    fired: int = 0

    def change(self, read, status, body):
        """Note the read; give status and body as they are, or as the case has them."""
        self.asked.setdefault(read, body)
        if read != self.read:
            return status, body
        self.fired += 1
        return (less_of_graph if read.service == ENTRA else less_of_aws)(body, self.mode)


class Raw:
    """What AWSResponse reads a body of."""

    def __init__(self, body):
        self.body = body

    def stream(self, **_):
        yield self.body


@contextlib.contextmanager
def recorded(tape):
    """Answer from the tape; what is not on it yet is asked of the sandbox."""
    http, boto = HTTPAdapter.send, URLLib3Session.send

    def entra(self, request, **options):
        raw = (request.method, timeless(unquote(request.url)), "" if "oauth2" in request.url else str(request.body))
        if raw not in tape.answers:
            found = http(self, request, **options)
            tape.answers[raw] = found.status_code, dict(found.headers), found.content
        status, headers, body = tape.answers[raw]
        path = timeless(unquote(urlsplit(request.url).path + "?" + urlsplit(request.url).query)).rstrip("?")
        if path.endswith("/$batch"):
            body = batched(tape, json.loads(request.body), body)
        elif "oauth2" not in path:
            status, body = tape.change(
                Read(ENTRA, named(path), path + (str(request.body) if request.method == "POST" else "")), status, body
            )
        response = requests.Response()
        response.status_code, response.headers = (
            status,
            requests.structures.CaseInsensitiveDict(headers | {"Content-Length": str(len(body))}),
        )
        response.raw, response.url, response.request = HTTPResponse(), request.url, request
        response._content = body
        return response

    def amazon(self, request):
        body = request.body.decode() if isinstance(request.body, bytes) else str(request.body or "")
        account = re.search(rb"Credential=([A-Z0-9]+)/", bytes(str(request.headers.get("Authorization")), "ascii"))
        target = request.headers.get("X-Amz-Target") or b""
        target = target.decode() if isinstance(target, bytes) else target
        stable = re.sub(r'"(Start|End)Time": ?[0-9.]+,? ?', "", body)
        raw = (request.url, account[1], target, stable)
        if raw not in tape.answers:
            found = boto(self, request)
            tape.answers[raw] = found.status_code, dict(found.headers), found.content
        status, headers, answer = tape.answers[raw]
        name = target.rpartition(".")[2] or re.search(r"Action=(\w+)", body)[1]
        status, answer = tape.change(Read(AWS, name, f"{account[1].decode()} {stable}"), status, answer)
        return AWSResponse(request.url, status, headers | {"Content-Length": str(len(answer))}, Raw(answer))

    with mock.patch.object(HTTPAdapter, "send", entra), mock.patch.object(URLLib3Session, "send", amazon):
        yield tape


def batched(tape, asked, body):
    """Every item of a $batch is a read of its own."""
    envelope = json.loads(body)
    paths = {item["id"]: unquote(item["url"]) for item in asked["requests"]}
    for item in envelope["responses"]:
        path = paths[item["id"]]
        status, inner = tape.change(Read(ENTRA, named(path), path), item["status"], json.dumps(item.get("body")).encode())
        item["status"] = status
        with contextlib.suppress(ValueError):
            item["body"] = json.loads(inner)
            continue
        item["body"] = None
    return json.dumps(envelope).encode()


def timeless(url):
    """The same question at another time is the same read."""
    return re.sub(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z", "then", url)


def named(path):
    """The path of a request without ids and values: `/groups/{id}/members`."""
    bare = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "{id}", path.partition("?")[0])
    filtered = re.search(r"\$filter=(\w+)", path)
    return re.sub(r"^/(v1.0|beta)(?=/)", "", bare) + (f" by {filtered[1]}" if filtered else "")


def fields(read, body):
    """The fields of an answer of which each may be missing."""
    if read.service == AWS:
        text = body.decode()
        found = re.findall(r"<(\w+)>[^<]+</\1>", text) if text.lstrip().startswith("<") else re.findall(r'"(\w+)": ?["\[{0-9tf]', text)
        return sorted(set(found) - {"RequestId", "ResponseMetadata"})
    document = json.loads(body) if body[:1] == b"{" else {}
    entries = document["value"] if isinstance(document.get("value"), list) else [document]
    return sorted(
        {name for entry in entries if isinstance(entry, dict) for name, cell in entry.items() if cell is not None and "@" not in name}
    )


def less_of_graph(body, mode):
    """Give status and body of an answer of Graph of which something was taken away."""
    if mode == "denied":
        return 403, json.dumps(GRAPH_REFUSAL).encode()
    if mode == "cut" or body[:1] != b"{":
        return 200, body[: len(body) // 2]
    document = json.loads(body)
    entries = document["value"] if isinstance(document.get("value"), list) else None
    if mode == "emptied" and entries is None:
        document = {name: [] if isinstance(cell, list) else cell for name, cell in document.items()}
    elif mode == "emptied":
        document["value"] = []
    elif mode == "hidden":
        document["value"] = entries[1:]
    elif mode == "paged":
        document |= {"value": entries[: len(entries) // 2], "@odata.nextLink": "https://graph.invalid/v1.0/next"}
    else:
        name = mode.removeprefix("without ")
        for entry in [document] if entries is None else entries:
            entry.update({name: None} if name in entry else {})
    return 200, json.dumps(document).encode()


def less_of_aws(body, mode):
    """Give status and body of an answer of AWS of which something was taken away."""
    xml = body.lstrip().startswith(b"<")
    if mode == "denied":
        return (403, XML_REFUSAL) if xml else (400, json.dumps(JSON_REFUSAL).encode())
    if mode == "cut":
        return 200, body[: len(body) // 2]
    return 200, (less_of_xml(body.decode(), mode) if xml else json.dumps(less_of_json(json.loads(body), mode))).encode()


def less_of_xml(text, mode):
    if mode == "emptied":
        return re.sub(r"<(\w+List|Roles)>(?:(?!</\1>).)*</\1>", r"<\1/>", text, flags=re.DOTALL)
    if mode == "paged":
        return text.replace("<IsTruncated>false", "<IsTruncated>true")
    name = mode.removeprefix("without ")
    return re.sub(rf"<{name}>[^<]+</{name}>", "", text)


def less_of_json(document, mode):
    if mode in ("emptied", "hidden"):
        return {name: cell[1 if mode == "hidden" else len(cell) :] if isinstance(cell, list) else cell for name, cell in document.items()}
    return document | {"NextToken": "AAAA"} if mode == "paged" else without(document, mode.removeprefix("without "))


def without(value, name):
    if isinstance(value, list):
        return [without(one, name) for one in value]
    return {key: without(one, name) for key, one in value.items() if key != name} if isinstance(value, dict) else value


def modes(read, body):
    """What can be taken away of one answer."""
    listed = read.service == ENTRA and body[:1] == b"{" and bool(json.loads(body).get("value"))
    kinds = {
        "emptied": listed or read.name in (*PAGED, "ListSAMLProviders", "/servicePrincipals/{id}"),
        "paged": listed or read.name in PAGED,
        "hidden": read.name in ("ListAccounts", "/directoryObjects/getByIds"),
    }
    return ["denied", "cut", *(f"without {name}" for name in fields(read, body)), *(kind for kind, holds in kinds.items() if holds)]


class Scene:
    """Runs over one tape in one root. After a case its record is taken away, so that the next one sees the same past."""

    def __init__(self, root, tape, **given):
        self.root, self.tape, self.given = root, tape, given
        self.file = root / "parameters/sandbox.yml"
        self.runs = root / "runs"

    def clean(self, number):
        """Execute a runbook over everything; its record stays. Gives the names at its end, and the reads that it made."""
        self.tape.asked, self.tape.read = {}, None
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return _with_record(execute(number, self.file, approve=False, **self.given)), dict(self.tape.asked)

    def case(self, number, read, mode):
        """Execute it with one answer changed: the names at its end, or the error that ended it."""
        before = {path: path.read_bytes() if path.is_file() else None for path in self.runs.iterdir()}
        self.tape.read, self.tape.mode, self.tape.fired = read, mode, 0
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                return _with_record(execute(number, self.file, approve=False, **self.given))
        except Exception as error:  # noqa: BLE001  whatever ends a run, it failed
            return error
        finally:
            self.tape.read = None
            for path in self.runs.iterdir():
                if path not in before:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                elif before[path] is not None:
                    path.write_bytes(before[path])


def _with_record(names):
    return names | {"said": names["run"].record.run()}
