"""Signature Version 4 on the receiving side: a request signed with another account's secret or without its token is refused.

Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html.
"""

import hashlib
import hmac
from functools import lru_cache
from urllib.parse import quote

from awsfed_lib.sandbox.amazon.wire import AwsError, Call, Signature


def require(call: Call, signature: Signature, secret: str) -> None:
    """Raise AwsError (SignatureDoesNotMatch, 403) unless the request was signed with that secret."""
    scope = f"{signature.date}/{signature.region}/{signature.service}/aws4_request"
    stamp = call.environ.get("HTTP_X_AMZ_DATE", "")
    digest = hashlib.sha256(_canonical(call, signature).encode()).hexdigest()
    wanted = hmac.new(
        _key(secret, signature.date, signature.region, signature.service),
        f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}".encode(),
        hashlib.sha256,
    ).hexdigest()
    if not hmac.compare_digest(wanted, signature.value):
        raise AwsError("SignatureDoesNotMatch", _message(), 403)


def _message() -> str:
    return (
        "The request signature we calculated does not match the signature you provided. "
        "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
    )


def _canonical(call: Call, signature: Signature) -> str:
    headers = "".join(f"{name}:{_header(call, name)}\n" for name in signature.signed_headers)
    path = quote(call.environ.get("PATH_INFO") or "/", safe="/~-_.")
    query = "&".join(sorted(call.environ.get("QUERY_STRING", "").split("&")))
    payload = hashlib.sha256(call.body).hexdigest()
    return "\n".join((call.environ["REQUEST_METHOD"], path, query, headers, ";".join(signature.signed_headers), payload))


def _header(call: Call, name: str) -> str:
    if name in ("content-type", "content-length"):
        return str(call.environ.get(name.upper().replace("-", "_"), ""))
    return " ".join(str(call.environ.get("HTTP_" + name.upper().replace("-", "_"), "")).split())


@lru_cache(maxsize=4096)
def _key(secret: str, date: str, region: str, service: str) -> bytes:
    key = b"AWS4" + secret.encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
