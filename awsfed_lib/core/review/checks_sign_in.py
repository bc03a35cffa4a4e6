"""Checks of signing in as such: what stops everybody, or some people, wherever they want to go; the table of them is in audit.py."""

from __future__ import annotations

from collections.abc import Iterator

from awsfed_lib.core.review.evidence import Evidence, Item
from awsfed_lib.core.review.links import BROKEN, Link, Terms, of_everybody, of_person
from awsfed_lib.core.review.paths import called


def nobody_can_sign_in(_: Evidence, terms: Terms) -> Iterator[Item]:
    """Find what stops every sign-in: a disabled application, a claim that AWS refuses or does not find."""
    return _of_the_application(link for link in of_everybody(terms.keys) if link.state == BROKEN)


def sign_in_not_known(_: Evidence, terms: Terms) -> Iterator[Item]:
    """Find what depends on a condition, or could not be told, for every sign-in."""
    return _of_the_application(link for link in of_everybody(terms.keys) if link.state != BROKEN)


def _of_the_application(links: Iterator[Link]) -> Iterator[Item]:
    for link in links:
        yield Item(link.name, f"the application: {link.name}", f"{link.cause} {link.remedy}")


def assignment_not_required(_: Evidence, terms: Terms) -> Iterator[Item]:
    """Find an application that answers everybody in the tenant: without a role for most of them."""
    if not terms.keys.assignment_required:
        yield Item("", "the application", "Assignment is not required: everybody in the tenant, guests too, is sent a response.")


def refused_by_its_claims(evidence: Evidence, terms: Terms) -> Iterator[Item]:
    """Find people whose session name, tags or source identity AWS refuses, or who lack what it requires."""
    for identity, person in evidence.people.items():
        for link in of_person(terms.keys, person):
            if link.name == "claims" and link.state == BROKEN:
                yield Item(identity, called(person), link.cause)
