"""The fourteen faults of Azure's HTTP fault injector, seen on a raw socket: what came, how it ended, and whether it was carried out.

Without TLS: OpenSSL tells a reset behind unread session tickets as an end of file, so only TCP itself shows which it was.
"""

import json

import pytest
import raw

from awsfed_lib.sandbox.faults import wire_faults
from awsfed_lib.sandbox.faults.injector import Injector
from awsfed_lib.sandbox.front import Front
from awsfed_lib.sandbox.server import Server

AFTER = {"": "open", "c": "fin", "a": "rst"}


@pytest.fixture
def asked(twin):
    """Send one request with the writer's token under one fault."""
    token = twin.session("writer").source.token().header
    bearer = str.__str__(token)
    twin.faults.hang = 0.4

    def ask(mode, method, path, body=None):
        twin.faults.plan({"mode": mode})
        content = json.dumps(body).encode() if body is not None else b""
        return raw.ask(plain.url, raw.text(method, path, content, Authorization=bearer))

    with Server(Injector(Front(twin.tenant), twin.faults)) as plain:
        yield ask
    twin.faults.clear()


def tags(twin):
    return twin.service_principal["tags"]


def change(twin):
    return "PATCH", f"/v1.0/servicePrincipals/{twin.application_id}", {"tags": ["changed"]}


def read(twin):
    return "GET", f"/v1.0/servicePrincipals/{twin.application_id}"


def test_there_are_fourteen_of_them_by_azures_names():
    names = {"f", "p", "pc", "pa", "pn", "n", "nc", "na", "pq", "pqc", "pqa", "nq", "nqc", "nqa"}
    assert set(wire_faults.MODES) == names


def test_f_is_the_whole_answer_and_the_connection_stays(twin, asked):
    heard = asked("f", *read(twin))
    assert (heard.status, heard.ending, len(heard.content)) == (200, "open", heard.promised)
    assert heard.json["id"] == twin.application_id


@pytest.mark.parametrize(("letter", "ending"), AFTER.items())
def test_p_is_the_head_and_half_of_the_answer(twin, asked, letter, ending):
    heard = asked(f"p{letter}", *read(twin))
    assert (heard.status, heard.ending) == (200, ending)
    assert len(heard.content) == heard.promised // 2


def test_pn_is_half_an_answer_whose_length_fits(twin, asked):
    heard = asked("pn", *read(twin))
    assert (heard.status, heard.ending, len(heard.content)) == (200, "open", heard.promised)
    with pytest.raises(ValueError, match=r"Unterminated|Expecting|delimiter"):
        _ = heard.json


@pytest.mark.parametrize("mode", ["n", "nc", "na", "p", "pc", "pa", "pn"])
def test_n_and_p_were_carried_out(twin, asked, mode):
    asked(mode, *change(twin))
    assert tags(twin) == ["changed"]


@pytest.mark.parametrize(("letter", "ending"), AFTER.items())
@pytest.mark.parametrize("start", ["n", "nq", "pq"])
def test_n_nq_and_pq_say_nothing(twin, asked, start, letter, ending):
    heard = asked(f"{start}{letter}", *change(twin))
    assert (heard.raw, heard.ending) == (b"", ending)


@pytest.mark.parametrize("letter", AFTER)
@pytest.mark.parametrize("start", ["nq", "pq"])
def test_nq_and_pq_were_not_carried_out(twin, asked, start, letter):
    before = tags(twin)
    asked(f"{start}{letter}", *change(twin))
    assert tags(twin) == before
    assert ("PATCH", f"/v1.0/servicePrincipals/{twin.application_id}", 204) not in twin.asked


def test_a_hang_is_over_after_the_time_that_was_set(twin, asked):
    """Nobody waits for ever here: the injector of Azure does, and a test that forgets its timeout would never end."""
    twin.faults.hang = 0.05
    assert asked("n", *read(twin)).ending == "rst"


def test_the_next_connection_is_as_if_nothing_had_happened(twin, asked):
    asked("na", *read(twin))
    assert asked("f", *read(twin)).status == 200
