"""A plan and an outcome in which every name is hostile, for the notebook that shows them."""

from awsfed_lib.core.change import Basis, Change, Loss, Request, Settled, Subject
from awsfed_lib.core.outcome import Outcome, Sent
from awsfed_lib.core.plan import Plan


def plan(names, short):
    """A plan whose title, subject, refusals and every change, request and loss are such names."""
    return Plan(
        title=names[0],
        subject=Subject("servicePrincipal", names[1], names[2], "tenant"),
        changes=tuple(Change("add", "appRole", name, name, before=name, after=name, why=name) for name in short),
        requests=tuple(Request("PATCH", f"/groups/{number}", "{}", name, Settled("groups", "x")) for number, name in enumerate(short)),
        basis=(Basis.over("groups", "x", ()),),
        goal=(Basis.over("groups", "x", tuple(short)),),
        losses=tuple(Loss(name, name, name) for name in short),
        refusals=tuple(names[:40]),
    )


def outcome(of, names):
    """What became of that plan: every request refused, in such words."""
    sent = tuple(Sent(request, "refused", 400, request.purpose, request.purpose) for request in of.requests)
    return Outcome(of.id, names[0], of.subject, "failed", sent, names[3], tuple(names[:60]))
