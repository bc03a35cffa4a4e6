"""The fourteen faults of Azure's HTTP fault injector, by its names.

github.com/Azure/azure-sdk-tools, tools/http-fault-injector (FaultInjectingMiddleware.cs, Utils.cs): p is half an answer, n none,
pq half a request, nq none of its body; then c closes (TCP FIN), a aborts (TCP RST), n ends as if whole, nothing waits for ever.
Here nothing waits for ever: a hang is reset after `Faults.hang` seconds, later than the client's patience.
After p, pc, pa, pn, n, nc and na the request was carried out; after pq… and nq… it was not.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from awsfed_lib.sandbox.faults.broken import Ending, Reply
from awsfed_lib.sandbox.faults.passage import Passage, replaced
from awsfed_lib.sandbox.faults.plan import Mode

ENDINGS: Mapping[str, Ending] = {"": "hang", "c": "fin", "a": "rst"}


def _whole(passage: Passage) -> Reply:
    return passage.forward()


def _half_ending_well(passage: Passage) -> Reply:
    """Half of the content, with the length of that half: the client cannot tell by the wire."""
    reply = passage.forward()
    return replaced(reply, reply.content[: len(reply.content) // 2])


def _half_answer(ending: Ending) -> Mode:
    def mode(passage: Passage) -> Reply:
        raise passage.broken(ending, passage.forward())

    return mode


def _no_answer(ending: Ending) -> Mode:
    def mode(passage: Passage) -> Reply:
        passage.forward()
        raise passage.broken(ending)

    return mode


def _half_request(ending: Ending) -> Mode:
    def mode(passage: Passage) -> Reply:
        passage.read_half()
        raise passage.broken(ending)

    return mode


def _no_request(ending: Ending) -> Mode:
    def mode(passage: Passage) -> Reply:
        raise passage.broken(ending)

    return mode


MODES: Mapping[str, Mode] = MappingProxyType(
    {"f": _whole, "pn": _half_ending_well}
    | {f"p{letter}": _half_answer(ending) for letter, ending in ENDINGS.items()}
    | {f"n{letter}": _no_answer(ending) for letter, ending in ENDINGS.items()}
    | {f"pq{letter}": _half_request(ending) for letter, ending in ENDINGS.items()}
    | {f"nq{letter}": _no_request(ending) for letter, ending in ENDINGS.items()}
)
