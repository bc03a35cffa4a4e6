"""Making the application from the gallery, and finding it again: POST instantiate is not idempotent.

Each POST makes another pair of objects (learn.microsoft.com graph/api/applicationtemplate-instantiate). So one that was
made is recognised first by awsfed's own tag, then by template and display name, and never by guessing among several.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from awsfed_lib.core import facts
from awsfed_lib.core.change import Basis, Change, Request, Settled, Subject, as_json
from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.plan import Plan

AWS_TEMPLATE = "8b1025e4-1dd2-430b-a150-2ef79cd700f5"  # in the global cloud; in others it is looked up by its name
# By name, best first: the gallery of US Government and China may lack AWS, and "Custom" is any application of one's own
# (graph/api/applicationtemplate-instantiate lists its id in each cloud); claims and roles are set up in either.
TEMPLATES = ("AWS Single-Account Access", "Custom")
LONGEST_NAME = 90  # longer ones were refused (github.com/microsoftgraph/microsoft-graph-docs issue 10565)
TITLE = "Application from the gallery"


@dataclass(frozen=True)
class Wanted:
    """The application to make: its display name, and the gallery template of this cloud."""

    display_name: str
    template_id: str = AWS_TEMPLATE

    def __post_init__(self) -> None:
        if not 1 <= len(self.display_name) <= LONGEST_NAME or not self.display_name.isprintable():
            raise ParameterError(
                f"The name of the application must have 1 to {LONGEST_NAME} characters on one line.",
                remedy="Set application_name, or application_id where the application is there already.",
            )

    @property
    def tag(self) -> str:
        """The mark by which it is found again, whatever people call it later: a tag, which is searched without ConsistencyLevel."""
        return f"awsfed:{'-'.join(self.display_name.split())}"


def found(wanted: Wanted, live: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Find the service principal that was made for `wanted`; None when there is none.

    `live`: service principals of the tenant as Graph sends them, those with the tag and those of the template with the
    name. Raises ParameterError when several could be it: a person must say which.
    """
    marked = [entry for entry in live if wanted.tag in entry.get("tags", [])]
    if not marked:
        marked = [entry for entry in live if _looks_like(wanted, entry) and not _marks(entry)]
    if len(marked) > 1:
        ids = ", ".join(sorted(str(entry["id"]) for entry in marked))
        raise ParameterError(
            f"{len(marked)} applications could be {wanted.display_name!r}: {ids}.",
            remedy="Set application_id to the one that is meant; delete those that nobody uses.",
        )
    return marked[0] if marked else None


def _looks_like(wanted: Wanted, entry: Mapping[str, Any]) -> bool:
    return entry.get("applicationTemplateId") == wanted.template_id and entry.get("displayName") == wanted.display_name


def _marks(entry: Mapping[str, Any]) -> list[str]:
    return [tag for tag in entry.get("tags", []) if tag.startswith("awsfed:")]


def instance_facts(live: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Write the facts of the live table "instances" of one display name."""
    return tuple(facts.instance(str(entry.get("displayName")), str(entry.get("applicationTemplateId"))) for entry in live)


def plan(tenant: Subject, live: Sequence[Mapping[str, Any]], wanted: Wanted) -> Plan:
    """Instantiate when there is none, mark when it has no mark yet, nothing when it is there; run again in between.

    Raises ParameterError as `found` does.
    """
    entry = found(wanted, live)
    if entry is None:
        return _instantiate(tenant, [item for item in live if item.get("displayName") == wanted.display_name], wanted)
    if wanted.tag in entry.get("tags", []):
        keep = Change("keep", "application", wanted.tag, f"{entry.get('displayName')} ({entry['id']})", why="Found by its mark.")
        return Plan(TITLE, tenant, (keep,), (), (), ())
    return _mark(tenant, entry, wanted)


def _instantiate(tenant: Subject, named: Sequence[Mapping[str, Any]], wanted: Wanted) -> Plan:
    made = facts.instance(wanted.display_name, wanted.template_id)
    before = instance_facts(named)
    basis = Basis.over("instances", wanted.display_name, before)
    request = Request(
        "POST",
        f"/applicationTemplates/{wanted.template_id}/instantiate",
        as_json({"displayName": wanted.display_name}),
        f"Make {wanted.display_name} from the gallery",
        Settled("instances", wanted.display_name, (made,)),
        basis,
        creates=f"application {wanted.display_name}",
        by_id="instance",
    )
    why = "Run again afterwards: it is marked once its id is known."
    change = Change("add", "application", wanted.tag, wanted.display_name, after=f"from template {wanted.template_id}", why=why)
    return Plan(TITLE, tenant, (change,), (request,), (basis,), (Basis.over("instances", wanted.display_name, (*before, made)),))


def _mark(tenant: Subject, entry: Mapping[str, Any], wanted: Wanted) -> Plan:
    """PATCH of tags replaces the list, so the live ones go along; Entra's own tag makes it show among the applications."""
    tags = [*entry.get("tags", []), wanted.tag]
    of = str(entry["id"])
    before, after = (tuple(facts.setting("tag", tag) for tag in listed) for listed in (entry.get("tags", []), tags))
    basis = Basis.over("tags", of, before)
    settled = Settled("tags", of, (facts.setting("tag", wanted.tag),))
    request = Request("PATCH", f"/servicePrincipals/{of}", as_json({"tags": tags}), f"Mark {wanted.display_name}", settled, basis)
    change = Change("update", "application", wanted.tag, wanted.display_name, ", ".join(entry.get("tags", [])), ", ".join(tags))
    return Plan(TITLE, tenant, (change,), (request,), (basis,), (Basis.over("tags", of, after),))
