"""The SAML attributes that AWS reads, and what it takes as their values.

Source: docs.aws.amazon.com IAM/latest/UserGuide/id_roles_providers_create_saml_assertions.html; names keep their case and
stay the same in every partition.
"""

from __future__ import annotations

import re

NAMESPACE = "https://aws.amazon.com/SAML/Attributes"
ROLE, SESSION_NAME, SESSION_DURATION = f"{NAMESPACE}/Role", f"{NAMESPACE}/RoleSessionName", f"{NAMESPACE}/SessionDuration"
SOURCE_IDENTITY, PRINCIPAL_TAG, TRANSITIVE_KEYS = (
    f"{NAMESPACE}/{name}" for name in ("SourceIdentity", "PrincipalTag:", "TransitiveTagKeys")
)
NAME_ID = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"
SHORTEST_SESSION, LONGEST_SESSION = 900, 43_200
LONGEST_RESPONSE = 100_000  # characters of the base64 text that AssumeRoleWithSAML takes
LONGEST_KEY, LONGEST_TAG = 128, 256
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_TAG = re.compile(r"[\w\s.:/=+\-@]*")


def session_name_problem(name: str) -> str:
    """Why AWS refuses `name` as RoleSessionName; "" when it does not."""
    if not name:
        return "RoleSessionName is empty."
    if "#EXT#" in name.upper():
        return "A guest's user name holds #EXT#, and # is no character of a RoleSessionName."
    if not 2 <= len(name) <= 64:  # noqa: PLR2004  AWS's limits, said in the message
        return f"RoleSessionName has {len(name)} characters; AWS takes 2 to 64."
    if not _SESSION_NAME.fullmatch(name):
        wrong = "".join(sorted(set(re.sub(r"[\w+=,.@-]", "", name, flags=re.ASCII))))
        return f"RoleSessionName holds {wrong!r}; AWS takes letters, digits and _+=,.@- only."
    return ""


def source_identity_problem(value: str) -> str:
    """Why AWS refuses `value` as SourceIdentity; "" when it does not (IAM UserGuide id_credentials_temp_control-access_monitor)."""
    if value.lower().startswith("aws:") or not _SESSION_NAME.fullmatch(value):
        return f"SourceIdentity is {value!r}; AWS takes 2 to 64 letters, digits and _+=,.@-, not beginning with aws:."
    return ""


def tag_problem(key: str, value: str) -> str:
    """Why AWS refuses a session tag; "" when it does not (IAM UserGuide id_session-tags)."""
    if not 1 <= len(key) <= LONGEST_KEY or key.lower().startswith("aws:"):
        return f"PrincipalTag:{key} is no key of a session tag: 1 to {LONGEST_KEY} characters, not beginning with aws:."
    if len(value) > LONGEST_TAG or not _TAG.fullmatch(value):
        return f"PrincipalTag:{key} is {value!r}; AWS takes up to {LONGEST_TAG} letters, digits, spaces and _.:/=+-@."
    return ""


def duration_problem(text: str) -> str:
    """Why AWS refuses `text` as SessionDuration; "" when it does not."""
    if not re.fullmatch(r"[0-9]{1,6}", text, re.ASCII):
        return f"SessionDuration is {text!r}, and must be a whole number of seconds."
    if not SHORTEST_SESSION <= int(text) <= LONGEST_SESSION:
        return f"SessionDuration is {text} seconds; AWS takes {SHORTEST_SESSION} to {LONGEST_SESSION}."
    return ""
