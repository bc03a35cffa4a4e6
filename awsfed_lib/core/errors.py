"""Every error that awsfed raises on purpose.

::

    AwsfedError                 what happened, where, what to do next
    ├── ParameterError          a parameter, a parameter file or a command line is wrong; nothing was started
    ├── SignInError             Entra ID or AWS gave no credentials
    ├── ServiceError            Graph or AWS answered, and the answer is a refusal
    │   ├── GraphError          … with status, code and request id
    │   └── AwsError            … with account, operation and code
    ├── UnreadError             a read did not come back whole: the object is unknown, not absent
    ├── TableError              a table breaks its schema
    ├── DocumentError           a SAML document or a certificate cannot be used; `reason` names why
    ├── PlanError               a plan cannot be sent; nothing more was sent
    │   ├── NotApproved         the approved id is not the id of this plan
    │   ├── StalePlan           the live objects are no longer those of the plan
    │   ├── UnsafePlan          a guard of the parameter file forbids it
    │   └── OutcomeError        the plan was sent, and not all of it went through
    ├── WriteForbidden          a write that no approved plan holds; stopped before it left the machine
    ├── LockedError             another run holds the same target
    └── RecordError             a record or journal cannot be written or trusted

The message is for the person at the notebook: it names the account or object and the next step.
"""

from __future__ import annotations


class AwsfedError(Exception):
    """What happened (`what`), in which account or object (`where`), and what to do next (`remedy`).

    `code`: a stable name for the cause, for programs and tests; the text may be reworded at any time. Without one given,
    it is the code of the class.
    """

    code = "error"

    def __init__(self, what: str, *, code: str = "", where: str = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.remedy = what, where, remedy
        self.code = code or type(self).code

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.remedy:
            lines.append(f"  next:  {self.remedy}")
        return "\n".join(lines)

    def _render_traceback_(self) -> list[str]:
        """Give IPython our text instead of a stack: the person needs the next step, not our frames."""
        return [f"{type(self).__name__}: {self}"]


class ParameterError(AwsfedError):
    """A parameter, a parameter file or a command line is wrong; nothing was started."""

    code = "parameter"


class SignInError(AwsfedError):
    """Entra ID or AWS gave no credentials; carries their own words."""

    code = "sign-in"


class ServiceError(AwsfedError):
    """Graph or AWS answered, and the answer is a refusal."""

    def __init__(self, what: str, *, code: str = "", where: str = "", remedy: str = "") -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.code = code  # what the service calls it; "" where it gave no name


class GraphError(ServiceError):
    """Microsoft Graph refused: HTTP `status`, error `code` and the `request_id` that Microsoft's support asks for."""

    def __init__(  # noqa: PLR0913  an answer has this many parts
        self, what: str, *, status: int, code: str = "", request_id: str = "", where: str = "", remedy: str = ""
    ) -> None:
        super().__init__(what, code=code, where=where, remedy=remedy)
        self.status, self.request_id = status, request_id


class AwsError(ServiceError):
    """AWS refused `operation` in `account_id` with error `code`."""

    def __init__(  # noqa: PLR0913  an answer has this many parts
        self, what: str, *, account_id: str, operation: str, code: str = "", where: str = "", remedy: str = ""
    ) -> None:
        super().__init__(what, code=code, where=where or f"account {account_id}, {operation}", remedy=remedy)
        self.account_id, self.operation = account_id, operation


class UnreadError(AwsfedError):
    """A read did not come back whole: the object is unknown, and unknown is never absent."""

    code = "unread"


class TableError(AwsfedError):
    """A table breaks its schema; names the column and the rows."""

    code = "table"


class DocumentError(AwsfedError):
    """A SAML document (metadata, response) or a certificate cannot be used; `reason` is the name of the refusal."""

    def __init__(self, what: str, *, reason: str, where: str = "", remedy: str = "") -> None:
        super().__init__(what, code=reason, where=where, remedy=remedy)
        self.reason = reason


class PlanError(AwsfedError):
    """A plan cannot be sent; nothing more was sent."""

    code = "plan"


class NotApproved(PlanError):  # noqa: N818  it is a refusal, and reads as one
    """The approved id is not the id of this plan; nothing was sent."""

    code = "not-approved"


class StalePlan(PlanError):  # noqa: N818  see NotApproved
    """The live objects are no longer those that the plan was computed from; nothing more was sent."""

    code = "stale-plan"


class UnsafePlan(PlanError):  # noqa: N818  see NotApproved
    """A guard of the parameter file forbids the plan; nothing was sent."""

    code = "unsafe-plan"


class OutcomeError(PlanError):
    """The plan was sent, and not all of it went through; the record says what did."""

    code = "outcome"


class WriteForbidden(AwsfedError):  # noqa: N818  see NotApproved
    """A write that no approved plan holds; it was stopped before it left the machine."""

    code = "write-forbidden"


class LockedError(AwsfedError):
    """Another run holds the same target."""

    code = "locked"


class RecordError(AwsfedError):
    """A record or journal cannot be written or trusted."""

    code = "record"
