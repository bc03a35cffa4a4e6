"""One row of FINDINGS, with an id that is the same on every run."""

from __future__ import annotations

import hashlib


def finding(severity: str, check: str, subject: str, *, cause: str, remedy: str, key: str = "") -> dict[str, str]:  # noqa: PLR0913  its columns
    """Make a row of FINDINGS; its id names the check, and depends on `key` alone, which is the subject where none is given."""
    mark = hashlib.sha256(f"{check}\n{key or subject}".encode()).hexdigest()[:10]
    return {
        "finding_id": f"{check.replace(' ', '-')}-{mark}",
        "severity": severity,
        "check": check,
        "subject": subject,
        "cause": cause,
        "remedy": remedy,
    }
