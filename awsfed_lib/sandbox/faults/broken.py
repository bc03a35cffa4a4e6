"""How an application asks its server to break a connection instead of answering."""

from __future__ import annotations

from typing import Literal, NamedTuple

Ending = Literal["hang", "fin", "rst"]


class Reply(NamedTuple):
    """An answer as WSGI has it, whole."""

    status: str
    headers: list[tuple[str, str]]
    content: bytes

    @property
    def code(self) -> int:
        """The status as a number."""
        return int(self.status.partition(" ")[0])


class Broken(ConnectionError):
    """The connection ends here. With `part`: its head and the first half of its content go out before that.

    Endings: `hang` says nothing for `seconds` and then resets; `fin` closes (TCP FIN); `rst` aborts (TCP RST).
    """

    def __init__(self, ending: Ending, part: Reply | None = None, *, seconds: float = 0.0) -> None:
        super().__init__(f"broken on purpose: {ending}")
        self.ending, self.part, self.seconds = ending, part, seconds
