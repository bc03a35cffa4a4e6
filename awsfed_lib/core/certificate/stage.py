"""One stage of a rollover, as a person sees it: where the campaign is, why, what is planned, and who would be locked out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

import pandas as pd

from awsfed_lib.core.errors import UnsafePlan
from awsfed_lib.core.finding import finding
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.shapes import ROLLOUT
from awsfed_lib.core.tables import FINDINGS, frame
from awsfed_lib.core.view.escape import escaped, visible
from awsfed_lib.core.view.markup import View, card, chip, chips
from awsfed_lib.core.view.style import Tone

Name = Literal["create", "distribute-canary", "distribute-waves", "gate", "activate", "proof", "soak", "retire", "done", "refused"]
Row = Mapping[str, object]
MEANING: Mapping[Name, str] = {
    "create": "Entra ID makes the new certificate; it signs nothing yet.",
    "distribute-canary": "The canary accounts get metadata with both certificates, and nobody else.",
    "distribute-waves": "The other accounts get metadata with both certificates, wave by wave.",
    "gate": "Nothing is activated before every SAML provider that appRoles name was seen to hold the new certificate, or is excluded.",
    "activate": "Entra ID signs with the new certificate from now on.",
    "proof": "A sign-in with the new certificate is to be proven.",
    "soak": "The old certificate stays for a while, so that going back is one request.",
    "retire": "The old certificate goes: from the accounts first, from Entra ID last.",
    "done": "The application signs with the certificate of the parameter file, and nothing else is left of the rollover.",
    "refused": "The campaign does not go on; nothing was planned that could be sent.",
}
_TONES: Mapping[Name, Tone] = {"gate": "bad", "refused": "bad", "done": "good", "proof": "warn", "soak": "calm"}


class Realm(Protocol):
    """A service as far as it is chosen by."""

    realm: str


Chosen = TypeVar("Chosen", bound=Realm)


@dataclass(frozen=True)
class Stage:
    """The next stage: its `name`, what there is to know (`reasons`), its `plan`, the accounts and who `would_fail`, as ROLLOUT rows."""

    name: Name
    reasons: tuple[str, ...]
    plan: Plan
    accounts: tuple[Row, ...] = ()
    would_fail: tuple[Row, ...] = ()

    @property
    def table(self) -> pd.DataFrame:
        """ROLLOUT: where each account is."""
        return frame(ROLLOUT, self.accounts)

    @property
    def locked_out(self) -> pd.DataFrame:
        """ROLLOUT of the accounts that would be locked out if the new certificate were activated now, unread ones included."""
        return frame(ROLLOUT, self.would_fail)

    @property
    def findings(self) -> pd.DataFrame:
        """FINDINGS: what keeps the gate shut is high; what only waits is a note."""
        return frame(FINDINGS, list(self._findings()))

    def _findings(self) -> Iterator[dict[str, str]]:
        severity = "high" if self.name == "gate" else "note"
        for words in self.reasons:
            yield finding(severity, f"rollover-{self.name}", words.partition(":")[0], cause=words, remedy=self.meaning)

    @property
    def meaning(self) -> str:
        """What the stage means. That every provider was seen is said only when none was excluded."""
        seen = self.name == "activate" and all(row["state"] in ("ready", "no provider") for row in self.accounts)
        return f"{'Every SAML provider was seen to hold the new certificate. ' if seen else ''}{MEANING[self.name]}"

    def service(self, *services: Chosen) -> Chosen:
        """Choose the service that the plan is for: Entra ID or the accounts."""
        realm = self.plan.subject.realm
        return next((one for one in services if one.realm == realm), services[0])

    def raise_for_refusal(self) -> None:
        """Raise UnsafePlan when the campaign is refused."""
        if self.name == "refused":
            raise UnsafePlan(" ".join(self.reasons), where=self.plan.subject.name, remedy="See what each refusal says; nothing was sent.")

    @property
    def view(self) -> View:
        """The stage as text and HTML: all stages with the one of now marked, what it means, and the reasons."""
        names = [name for name in MEANING if name != "refused" or self.name == "refused"]
        passed = names[: names.index(self.name)] if self.name != "refused" else []
        signs = {name: ("✓", "good") if name in passed else ("·", "calm") for name in names} | {self.name: self._look}
        lines = [self.meaning, *self.reasons]
        inner = chips(chip(sign, name, tone) for name, (sign, tone) in signs.items())  # type: ignore[arg-type]  # tones are literals
        text = "\n".join(visible(line) for line in (f"Certificate rollover: {self.name}", *(f"  {line}" for line in lines)))
        return View(text, card(f"Certificate rollover: {self.name}", inner + "".join(f"<p>{escaped(line)}</p>" for line in lines)))

    @property
    def _look(self) -> tuple[str, Tone]:
        return "→", _TONES.get(self.name, "news")

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return self.view._repr_mimebundle_()

    def __str__(self) -> str:
        return self.view.text
