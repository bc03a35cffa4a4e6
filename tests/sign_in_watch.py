"""Asked after every write that reaches the twin: may everybody still sign in who could, and is any assignment lost or doubled?"""

from collections import Counter


class Watch:
    """Hooks into the twin of Entra ID. `problems` are the sentences about what should never be.

    `allowed`: assignments (principal id, appRole id) that the plan names for removal. What somebody else takes away
    (`faults.acting`) is theirs, and leaves the list of what must stay.
    """

    def __init__(self, tenant, faults, allowed=()):
        self.tenant, self.faults, self.allowed = tenant, faults, frozenset(allowed)
        self.problems, self.writes = [], 0
        self.edges, self.sign_ins = self._edges(), self._sign_ins()
        self.may_end = self.sign_ins - self._sign_ins(without=self.allowed)
        tenant.after_write.append(self._look)

    def close(self):
        self.tenant.after_write.remove(self._look)

    def _look(self, tenant, writes):
        self.writes += 1
        edges, sign_ins = self._edges(), self._sign_ins()
        if self.faults.acting:
            self.edges &= edges
            self.sign_ins &= sign_ins
        self._note("lost assignment", self.edges - edges - self.allowed)
        self._note("sign-in lost", self.sign_ins - sign_ins - self.may_end)
        held = Counter((one["principalId"], one["appRoleId"]) for one in self._assigned())
        self._note("doubled assignment", {edge for edge, count in held.items() if count > 1})
        names = Counter(group["uniqueName"] for group in tenant.tables["groups"].values() if group.get("uniqueName"))
        self._note("doubled group", {name for name, count in names.items() if count > 1})

    def _note(self, what, which):
        self.problems += [f"{what}: {one}" for one in sorted(which)]

    def _assigned(self):
        return [one for one in self.tenant.tables["assignments"].values() if one["resourceId"] == self.tenant.world["main"]]

    def _edges(self):
        return {(one["principalId"], one["appRoleId"]) for one in self._assigned()}

    def _sign_ins(self, without=frozenset()):
        """(user, value of a role): as Entra ID emits it, through direct assignments and direct membership; disabled roles too."""
        members = self.tenant.tables["members"]
        roles = self.tenant.tables["servicePrincipals"][self.tenant.world["main"]]["appRoles"]
        values = {role["id"]: role["value"] for role in roles if role.get("value")}
        return {
            (user, values[role])
            for principal, role in self._edges() - without
            if role in values
            for user in (members.get(principal) or (principal,))
            if user in self.tenant.tables["users"]
        }
