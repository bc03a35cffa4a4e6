"""What a secret looks like, by name and by value; a guess, on the safe side, that never repeats what it found.

Rules of form only catch what has a form: a password that is an ordinary word has none. The fence is that no secret is
ever asked for where it would be written down; these rules catch the slip.

Forms: docs.aws.amazon.com IAM/latest/UserGuide/reference_identifiers (AKIA, ASIA); RFC 7519 (a JWT begins with the
base64 of `{"`); RFC 7468 (PEM); learn.microsoft.com rest/api/storageservices/create-service-sas (`sig=`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from awsfed_lib.core.view.escape import visible


class Rule(NamedTuple):
    """`kind` names what `form` recognises; a text that holds none of `signs` does not hold it, and is not searched."""

    kind: str
    form: re.Pattern[str]
    signs: tuple[str, ...] = ()

    def places(self, text: str) -> list[tuple[int, int]]:
        """Return where in `text` it stands: first letter, and the one behind the last."""
        return [match.span() for match in self.form.finditer(text)] if self._signs_in(text) else []

    def _signs_in(self, text: str) -> bool:
        return not self.signs or any(sign in text for sign in self.signs)


def _rule(kind: str, *forms: str, signs: tuple[str, ...] = ()) -> Rule:
    """Join several forms into a rule; `~B` stands for a base64 letter, `~U` for one of base64url, `~^X` for a place that no X precedes.

    The end of a terminal's colour sequence (ESC [31m) ends in a letter, and is such a place too. Repetitions are bounded
    where a hostile text could make the search slow.
    """
    form = re.sub(r"~\^(~?[A-Z]|\[.*?\])", r"(?:(?<!\1)|(?<=[0-9]m))", "|".join(forms))
    return Rule(kind, re.compile(form.replace("~B", "[A-Za-z0-9+/]").replace("~U", "[A-Za-z0-9_-]"), re.DOTALL), signs)


# What stands between the name of a value and the value, in XML, JSON, JSON in a cell of a CSV, Python and a shell.
_LABEL = r"(?i:{})\\?(?:\"\"|[\"'>]|&quot;|&gt;|&#x27;|&#39;)?\s{{0,4}}[:=]?\s{{0,4}}\\?(?:\"\"|[\"']|&quot;|&#x27;|&#39;|&lt;)?"
# A hit takes its own value and no more: a name that merely begins like a key or an assertion must not hide what stands after it.
_ARMOUR = r"(?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
_BETWEEN = r"[\s\\\"',|>]{0,60}"
_PEM_BODY = rf"(?:{_BETWEEN}(?:Proc-Type|DEK-Info|Version|Comment): [^\n\\]{{1,100}})*(?:{_BETWEEN}[A-Za-z0-9+/=]{{16,}})*"
_PEM_END = rf"(?:{_BETWEEN}[A-Za-z0-9+/=]{{0,80}}{_BETWEEN}=?[A-Za-z0-9+/=]{{0,8}}{_BETWEEN}-----END {_ARMOUR})?"
_XML_ATTRIBUTES = r"(?:\s{1,40}[A-Za-z0-9:.-]{1,60}=\\?[\"']{1,2}[^\"'<>]{0,1000}\\?[\"']{1,2})*\s{0,40}"
_XML_END = r"(?:>.{0,200000}?</[A-Za-z0-9:]*(?:Assertion|Response)>)?"
ANYWHERE = (
    _rule(
        "a private key",
        f"-----BEGIN {_ARMOUR}{_PEM_BODY}{_PEM_END}",
        r"~^~BMII~B{1,3}(?:IBADANBgkqhkiG9w0BAQEFAASC|IBAAKC[AQ])~B{20,}={0,2}",
        # SEC1 and PKCS#8 of P-256, P-384 and P-521, Ed25519 and X25519 (RFC 5915, 5958, 8410)
        r"~^~B(?:MHcCAQEE|MIGkAgEBBD|MIHcAgEBBE|MIG[2H]AgEAMB[AM]GByqGSM49|MIHuAgEAMBAGByqGSM49|MC4CAQAwBQYDK2V)~B{20,}={0,2}",
        r"~^~Bb3BlbnNzaC1rZXktdjE~B{40,}={0,2}",  # OpenSSH, without its armour
        r"~^~BMII~B{3}IBAzC[ABC]~B{60,}={0,2}",  # PKCS#12: a sequence that begins with version 3 (RFC 7292)
        r"\\?\"{1,2}d\\?\"{1,2}\s{0,4}:\s{0,4}\\?\"{1,2}~U{40,}",  # JWK: the private part is named d (RFC 7518, 6.2.2, 6.3.2)
        signs=("PRIVATE KEY", "MII", "MHcC", "MIG", "MIH", "MC4C", "b3BlbnNzaC1rZXktdjE", '"kty'),
    ),
    _rule("a token (JWT)", r"~^~UeyJ~U{8,4000}\.~U{4,}(?:\.~U*)*", signs=("eyJ",)),
    _rule("an AWS access key", r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])", signs=("AKIA", "ASIA")),
    _rule("an AWS session token", r"~^~B(?:FwoG|IQoJ|FQoG)~B{60,}={0,2}", signs=("FwoG", "IQoJ", "FQoG")),
    _rule("an AWS session token", _LABEL.format("session_?token") + r"[A-Za-z0-9+/_-]{40,}={0,2}"),
    _rule("an AWS secret access key", _LABEL.format("secret_?access_?key|secret_?key") + r"[A-Za-z0-9+/_-]{40}(?![A-Za-z0-9+/_-])"),
    _rule("an Entra client secret", r"[\w~.-]{3}[0-9]Q~[\w~.-]{31,40}", signs=("Q~",)),
    _rule("an Entra refresh token", r"~^~U[01]\.A~U{40,}(?:\.~U*)*", signs=("0.A", "1.A")),
    _rule(
        "a SAML assertion",
        r"<saml[A-Za-z0-9]*:(?:Assertion|Response)\b" + _XML_ATTRIBUTES + _XML_END,
        r"<(?:[A-Za-z0-9]+:)?(?:Assertion|Response)\b[^<>]{0,2000}urn:oasis:names:tc:SAML[^<>]{0,2000}" + _XML_END,
        r"%3Csaml[A-Za-z0-9%._~+-]{40,}",
        r"~^~B(?:PHNhbW[wx]|PEFzc2VydGlv|PFJlc3BvbnNl)~B{40,}={0,2}",
        signs=("Assertion", "Response", "%3Csaml", "PHNhbW", "PEFzc2VydGlv", "PFJlc3BvbnNl"),
    ),
    _rule(
        "a storage signature (SAS)",
        r"(?<![A-Za-z0-9_])sig=[A-Za-z0-9%+/=_-]{20,}",
        r"SharedAccessSignature\s*=\S+",
        r"AccountKey=\S{20,}",
        signs=("sig=", "SharedAccessSignature", "AccountKey="),
    ),
    _rule(
        "a connection string",
        r"(?i:\b(?:server|data source|endpoint|host|user id|uid|hostname)=[^;\n]{1,200};(?:[^;=\n]{1,60}=[^;\n]{0,300};){0,9}"
        r"(?:password|pwd|sharedaccesskey|accesskey)=)[^;\s\"'<&\\]{6,}",
        signs=("assword=", "ASSWORD=", "wd=", "WD=", "ccesskey=", "ccessKey=", "CCESSKEY="),
    ),
    _rule("a password in an address", r"~^[a-z0-9+.-][a-z][a-z0-9+.-]{1,20}://[^\s/@:\"'<>]{1,100}:[^\s/@\"'<>]{1,200}@", signs=("://",)),
    _rule(
        "the address of a webhook",
        r"https://hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/[\w/-]{10,}",
        r"https://[a-z0-9.-]{1,80}\.webhook\.office\.com/[\w@/-]{20,}",
        r"https://(?:[a-z]{1,20}\.)?discord(?:app)?\.com/api/webhooks/[\w/-]{20,}",
        signs=("hooks.slack", "webhook.office", "/api/webhooks/"),
    ),
    _rule(
        "a password of HTTP (Basic)",
        r"(?i:authorization)\\?(?:\"\"|[\"']|&quot;|&#x27;)?\s{0,4}[:=,]?\s{0,4}\\?(?:\"\"|[\"']|&quot;|&#x27;)?Basic\s{1,4}~B{8,}={0,2}",
        signs=("Basic",),
    ),
    _rule(
        "a password",
        r"\\?(?:\"\"|[\"']|&quot;|&#x27;)(?i:password|passwd|passphrase|client_?secret)\\?(?:\"\"|[\"']|&quot;|&#x27;)\s{0,4}:\s{0,4}"
        r"\\?(?:\"\"|[\"']|&quot;|&#x27;)[^\"'<>\\&\s]{6,200}",
        signs=("assword", "ASSWORD", "asswd", "assphrase", "ecret"),
    ),
    _rule("a bearer token", r"[Bb]earer\s+[A-Za-z0-9._~+/-]{20,}={0,2}", signs=("earer",)),
    _rule(
        "a token of a code host",
        r"~^[A-Za-z0-9_](?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-~U{20,}|xox[abprs]-~U{10,})",
        signs=("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox"),
    ),
)
_MIXED = r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])"
WHOLE = (
    _rule("an XML document in base64", r"PD94bWwg~B{40,}={0,2}"),
    _rule("a key or certificate file in base64", r"MI[I-K]~B{60,}={0,2}"),
    _rule("an AWS secret access key", _MIXED + r"~B{40}"),
    _rule("a key in base64", _MIXED + r"(?:~B{43}=|~B{86}==)"),
    _rule("an assignment of a secret", r"(?i:.*\b(?:password|passwd|pwd|secret|api[_-]?key|token)\s*[:=]\s*\S{6,}.*)"),
)
_NAME = re.compile(
    r"secret|passw|passphrase|pwd|token|credential|private_?key|api_?key|access_?key|session_?key|account_?key"
    r"|assertion|bearer|\bsas\b|sas_|_sas|pfx|pkcs12|\bpem\b|_pem|cookie",
    re.IGNORECASE,
)
_RANDOM = re.compile(r"(?=\S*[a-z])(?=\S*[A-Z])(?=\S*[0-9])[A-Za-z0-9+=~!$%^&*?#_.-]{16,}")


def named(name: str) -> bool:
    """Tell whether `name` is the name of something secret."""
    return bool(_NAME.search(name.replace("-", "_")))


def kind(value: str) -> str:
    """Say in words what secret the whole of `value` looks like; "" when it looks like none."""
    text = value.strip()
    found = [rule.kind for rule in ANYWHERE if rule.form.search(text)] or [rule.kind for rule in WHOLE if rule.form.fullmatch(text)]
    return found[0] if found else ""


def redacted(text: str) -> str:
    """Replace everything in `text` that has the form of a secret by what it was; other text comes back as it is.

    Only the rules that are sure inside a longer text take part: base64 of 40 characters may well be a digest.
    """
    for rule in ANYWHERE:
        if rule.places(text):
            text = rule.form.sub(removed(rule.kind), text)
    return text


def masked(texts: Iterable[str]) -> dict[str, str]:
    """Return what `redacted` takes out of `texts`, each once, with its kind."""
    return {text[slice(*place)]: rule.kind for text in texts for rule in ANYWHERE for place in rule.places(text)}


def removed(kind: str) -> str:
    """Say what stood here; the words hold nothing that JSON, HTML or CSV would have to escape."""
    return f"[{kind}, removed]"


def shown(value: object, limit: int = 60) -> str:
    """Return `value` for a message: on one line, cut, and masked when it looks like a secret or like random letters."""
    text = str(value)
    if kind(text) or _RANDOM.search(text[: 4 * limit]):
        return "(not shown: it looks like a secret)"
    return visible(text, limit) or "empty"
