"""Plant bugs one at a time in a copy of the tree, and show that the tests named beside each go red.

    python tools/planted_bugs.py              all of them; exit 1 when one survives, or no longer fits the code
    python tools/planted_bugs.py msiam lock   only those with such a word in their name

A suite that stays green on broken code proves nothing. Each bug is one replacement of text, and is caught by the few
tests that hold its law, so that all of them take minutes. The unbroken copy must pass the same tests first.
"""

# ruff: noqa: E501  a bug is its text, and stands on one line

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, NoReturn

import hypothesis  # noqa: F401  imported once, for all children
import pandas as pd  # noqa: F401
import pydantic  # noqa: F401
import pytest
import requests  # noqa: F401

ROOT = Path(__file__).parents[1]
COPIED = ("awsfed_lib", "tests", "notebooks", "parameters", "tools", "docs", "pyproject.toml", "README.md")
APPROLES, STAGES, BODY = "core/roles/approles.py", "core/roles/stages.py", "core/roles/body.py"
APPLY, PLAN, GUARD = "core/apply.py", "core/plan.py", "core/guard.py"
JOURNAL, LOCK = "edges/records/journal.py", "edges/records/exclusive.py"
BODIES, MATRIX, TEST_APPLY = "tests/faults/test_bodies.py", "tests/faults/test_crash_matrix.py", "tests/test_apply.py"


class Bug(NamedTuple):
    """A bug: its name, the file below awsfed_lib, what stands there, what stands there instead, and the tests that catch it."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


BUGS = (
    # The body
    Bug("drop msiam_access from the body", STAGES, "live = [decision.entry for decision in decisions]\n    gone",
        'decisions = [one for one in decisions if parse(one.entry["value"] or "")]\n    live = [decision.entry for decision in decisions]\n    gone',
        (BODIES,)),
    Bug("key live entries by value: the second of two nulls is lost", STAGES, 'enabled = _switched(decisions, {"update": True})',
        'decisions = list({one.entry["value"]: one for one in decisions}.values())\n    enabled = _switched(decisions, {"update": True})', (BODIES,)),
    Bug("write kept entries anew from six keys", STAGES, "if decision.action in states else decision.entry for decision",
        'if decision.action in states else {k: v for k, v in decision.entry.items() if k != "isPreAuthorizationRequired"} for decision',
        (BODIES,)),
    Bug("strip the origin of kept entries", "core/roles/collection.py", 'as_json({"appRoles": list(after)})',
        'as_json({"appRoles": [{k: v for k, v in one.items() if k != "origin"} for one in after]})', (BODIES,)),
    Bug("send null as empty text", "core/change.py", "return json.dumps(value, ensure_ascii=False",
        'return json.dumps(json.loads(json.dumps(value).replace("null", \'""\')), ensure_ascii=False', (BODIES,)),
    Bug("give new entries a random id", STAGES, "while (new := str(uuid5(NAMESPACE, name))) in taken:",
        'while (new := str(__import__("uuid").uuid4())) in taken:', (BODIES,)),
    Bug("make new ids of the role alone, so that order decides whose is whose", STAGES,
        'name = f"{application_id}/{row[\'value\']}"', 'name = f"{application_id}/{row[\'value\'].split(\':saml-provider\')[0]}"', (BODIES,)),
    Bug("edit a value in place: ARNs in our order under the old id", STAGES, 'return Decision(row["entry"], "keep")\n\n\ndef _unwanted',
        'return Decision({**row["entry"], "value": want["value"]}, "keep")\n\n\ndef _unwanted', (BODIES,)),
    Bug("remove without disabling first", STAGES, '{"update": True, "disable": False, "remove": False}', '{"update": True, "disable": False}',
        (BODIES,)),
    Bug("ignore the case of values when one is added", STAGES, 'if row["value"].casefold() not in staying]', "if row]",
        ("tests/test_approles.py::test_trap_8_two_values_that_differ_in_case_only_are_never_sent_together",)),
    Bug("forget the limit of 700", BODY, "if now > max(LIMIT, used):", "if False:", ("tests/test_approles.py::test_trap_4_the_limit_of_700_counts_scopes_msiam_access_and_disabled_ones",)),
    Bug("send additions into a full object at once", STAGES, "early = added if fits(live, [*enabled, *added], scopes) else []", "early = added",
        ("tests/test_approles.py::test_trap_4_at_the_limit_an_exchange_waits_until_there_is_room",)),
    Bug("build the collection on an object without msiam_access", "core/roles/collection.py",
        'if not any(row["display_name"] == DEFAULT_ROLE for row in live):', "if False:", ("tests/test_approles.py::test_a_collection_without_msiam_access_is_another_object",)),
    # What may go
    Bug("remove what an unread account has", STAGES, "if pair.account_id not in bounds.accounts:", "if False:",
        ("tests/test_approles.py::test_trap_27_what_was_not_looked_at_is_not_absent",)),
    Bug("take max_removed 0 for no limit", GUARD, "if removed <= guards.max_removed:", "if not guards.max_removed or removed <= guards.max_removed:",
        ("tests/test_plan.py::test_i19_max_removed_counts_both_and_0_is_none",)),
    Bug("remove although max_removed is 0", APPROLES, "guards.max_removed > 0, scopes", "True, scopes", ("tests/test_approles.py::test_without_removals_dangling_roles_stay_and_say_so",)),
    Bug("let a protected role go", APPROLES, 'change.action in ("remove", "disable")', 'change.action in ("never",)', ("tests/test_approles.py::test_a_protected_role_is_not_removed",)),
    Bug("let a break-glass principal lose a role", GUARD, '(("break-glass", guards.break_glass), ', "(", ("tests/test_approles.py::test_i12_who_must_never_lose_a_role_keeps_the_plan_from_being_sent",)),
    Bug("let a protected group lose a role", GUARD, ', ("protected", guards.protected_groups))', ",)", ("tests/test_approles.py::test_i12_who_must_never_lose_a_role_keeps_the_plan_from_being_sent",)),
    Bug("do not count assignments against max_removed", GUARD, "removed = roles + assignments", "removed = roles", ("tests/test_plan.py::test_i19_max_removed_counts_both_and_0_is_none",)),
    Bug("remove a role although its successor is not assigned", STAGES,
        "if waiting := _without_successor(entry, pair, _ids_of_successors(pair, owners, wanted), bounds):", 'if waiting := "":',
        ("tests/test_approles.py::test_i4b_a_role_with_a_new_provider_keeps_its_old_entry_until_every_holder_has_the_new_one",)),
    Bug("revoke before adding", APPROLES, "grown = course.grown if lost else course.live", "grown = course.live", ("tests/test_approles.py::test_i10_what_is_added_is_there_before_anything_is_taken_away",)),
    Bug("leave the revocations to the cascade", APPROLES, "for row, role in lost), collection.next_wave", "for row, role in lost[:0]), collection.next_wave",
        ("tests/test_approles.py::test_trap_3_assignments_go_before_the_role_is_disabled_and_are_counted",)),
    Bug("ignore a running role import", "core/roles/collection.py", 'get("state") == "Active"', 'get("state") == "active"', ("tests/test_approles.py::test_trap_10_nothing_is_sent_beside_an_active_role_import",)),
    Bug("remove extra assignments before the wanted ones are there", "core/roles/assignments.py",
        "first = grants[-1].wave + 1 if grants else 0", "first = 0", ("tests/test_apply.py::test_i10_an_assignment_that_is_refused_keeps_the_old_one_from_being_taken",)),
    Bug("take an unknown group for an extra", "core/roles/assignments.py", 'row["app_role_id"] in wanted.unsettled,', "False,",
        ("tests/test_assignments.py::test_who_has_a_role_keeps_it_until_its_own_group_is_there",)),
    # Sending
    Bug("retry a POST blind", APPLY, "        settled = _read_back(unknown, service)\n", "        settled = []\n", ("tests/test_apply.py::test_i21_a_lost_answer_is_read_back_and_adopted_or_sent_again",)),
    Bug("take a lost answer for a failure and go on", APPLY, '"unknown": "indeterminate"', '"unknown": "sent"', ("tests/test_apply.py::test_i21_a_lost_answer_is_read_back_and_adopted_or_sent_again",)),
    Bug("adopt on one read whatever it shows", "core/change.py", "return live.issuperset(self.present) and live.isdisjoint(self.absent)", "return True",
        ("tests/test_apply.py::test_i21_a_lost_answer_is_read_back_and_adopted_or_sent_again",)),
    Bug("take an unreadable table for an empty one", APPLY, "    except AwsfedError:\n        return None\n", "    except AwsfedError:\n        return ()\n",
        ("tests/test_apply.py::test_i20_a_table_that_cannot_be_read_shows_nothing_as_done",)),
    Bug("ignore drift between plan and apply", APPLY, "        if now != basis:\n", "        if False:\n", ("tests/test_plan.py::test_i14_what_changed_since_the_plan_makes_it_stale",)),
    Bug("ignore an edit between the last read and the PATCH", APPLY,
        "    return not conditions or agree(", "    return True or agree(", ("tests/test_apply.py::test_f11_what_is_added_at_the_portal_meanwhile_is_not_overwritten",)),
    Bug("forget the assignments beside a removal", APPROLES, "beside = (remaining,) if course.removed else ()", "beside = ()", ("tests/test_apply.py::test_i8_who_is_assigned_meanwhile_to_a_role_that_goes_is_not_lost_in_silence",)),
    Bug("one agreeing read is enough", APPLY, "if streak == reads:", "if streak == 1:", ("tests/test_apply.py::test_i22_agreeing_reads_are_counted_in_a_row",)),
    Bug("agreeing reads need not be in a row", APPLY, "streak = streak + 1 if _seen(seen) else 0", "streak = streak + bool(_seen(seen))", ("tests/test_apply.py::test_i22_agreeing_reads_are_counted_in_a_row",)),
    Bug("go on after a refusal", APPLY, '        failed |= {sent.request.account_id for sent in results.values() if sent.fate not in ("sent", "adopted")}\n', "",
        ("tests/test_apply.py::test_a_refusal_stops_the_rest_and_the_next_run_goes_on",)),
    Bug("say applied without reading back", PLAN, "if not verified(service, self.goal):", "if False:", ("tests/test_plan.py::test_i22_what_was_sent_and_not_seen_is_unverified_with_numbers",)),
    Bug("send before the intent is noted", APPLY,
        '    for request in wave:\n        journal.note("intent", method=request.method, path=request.path, body=request.body)\n', "", ("tests/test_apply.py::test_i17_plan_and_snapshots_are_kept_before_the_first_intent_and_each_intent_before_its_request",)),
    Bug("send before the snapshot", PLAN, "                journal.keep(basis.name, service.snapshot(basis.table, basis.of))\n", "                pass\n",
        ("tests/test_apply.py::test_i17_plan_and_snapshots_are_kept_before_the_first_intent_and_each_intent_before_its_request",)),
    Bug("do not look at the state again after the snapshot", PLAN,
        "            refuse_drift(service, self.basis)  # what", "            pass  # what", ("tests/test_apply.py::test_i17_the_snapshot_lies_between_two_readings_of_what_was_planned_from",)),
    Bug("take no lock", PLAN, "with journal.hold(self.subject.key):", "with suppress(RecordError):", ("tests/test_plan.py::test_two_runs_on_one_application_lock_each_other_out",)),
    Bug("accept any approval", PLAN, "if approved != self.id:", "if not approved:", ("tests/test_plan.py::test_another_approval_sends_nothing",)),
    Bug("leave the bodies out of the id", PLAN, 'fields = ("method", "path", "body", "purpose", "wave")', 'fields = ("method", "path", "purpose", "wave")',
        ("tests/test_plan.py::test_the_id_stands_for_every_literal_request",)),
    Bug("cross the border of the tenant", PLAN, "if service.realm != self.subject.realm:", "if False:", ("tests/test_plan.py::test_a_plan_stays_in_its_tenant",)),
    Bug("send a plan that its guards forbid", PLAN, "        if self.refusals:\n            raise", "        if False:\n            raise", ("tests/test_plan.py::test_a_plan_that_its_guards_forbid_is_shown_and_never_sent",)),
    Bug("an approval holds for ever", PLAN, "if age > APPROVAL_HOLDS:", "if False:", ("tests/test_plan.py::test_i14_an_approval_expires",)),
    Bug("a run that sends counts as a showing", "edges/records/approval.py", 'said["event"] == SHOWN and', "", ("tests/test_approval.py::test_a_run_that_sends_is_no_showing",)),
    # Records
    Bug("skip fsync of the journal", JOURNAL, "            os.fsync(self._descriptor)\n", "", ("tests/test_journal.py::test_a_journal_that_cannot_be_written_stops_the_run",)),
    Bug("overwrite a journal that is there", JOURNAL, "os.O_RDWR | os.O_CREAT | os.O_EXCL)", "os.O_RDWR | os.O_CREAT)", ("tests/test_journal.py::test_a_journal_is_never_begun_twice",)),
    Bug("write on behind a torn line", JOURNAL, "            os.ftruncate(self._descriptor, self._length)\n", "", ("tests/test_journal.py::test_interrupted_write_does_not_stand_in_the_middle",)),
    Bug("trust a journal with a changed line", JOURNAL, "    return line if raw == expected else None\n", "    return line\n", ("tests/test_journal.py::test_every_flipped_byte_is_found",)),
    Bug("skip fsync of a snapshot", "edges/records/durable.py", "            os.fsync(file.fileno())\n", "", ("tests/test_record.py::test_full_disk_leaves_nothing_half_written",)),
    Bug("lock nothing", LOCK, "fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)", "fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)",
        ("tests/test_lock.py::test_another_process_is_refused_and_told_who_holds_it",)),
    Bug("leave formulas in a CSV", "core/view/safe_csv.py", "return f\"'{text}\" if", "return text if", ("tests/test_record.py::test_no_cell_of_a_csv_begins_a_formula",)),
    Bug("read account ids as numbers", "edges/amazon/accounts_file.py", "dtype=str, ", "", ("tests/test_accounts_file.py::test_reads_text_whatever_it_looks_like",)),
    Bug("take account ids of any length", "core/tables.py", 'if name == "account_id":', "if False:", ("tests/test_tables.py::test_an_account_id_that_lost_its_zeros_is_refused_with_the_reason",)),
    # Wire
    Bug("print a token", "edges/entra/tokens.py", "    def __str__(self) -> str:\n        return HIDDEN\n", "", ("tests/test_tokens.py::test_token_shows_itself_to_nobody",)),
    Bug("follow a foreign nextLink", "edges/entra/pages.py", "origin(link) != origin(transport.cloud.graph_url)", "False", ("tests/test_pages.py::test_next_page_elsewhere_gets_no_token",)),
    Bug("take half an answer for an empty list", "edges/entra/pages.py", '    found = document.get("value")\n', '    found = document.get("value", [])\n',
        ("tests/test_pages.py::test_what_is_not_whole_is_unread_and_never_empty",)),
    Bug("take one page for all", "edges/entra/pages.py", "    link = document.get(NEXT)\n", "    link = None\n", ("tests/test_pages.py::test_all_pages_come_in_order",)),
    Bug("let the gate pass every write", "edges/entra/gate.py", "        return literal in self._open\n", "        return True\n", ("tests/test_gate.py::test_anything_but_the_literal_request_is_stopped",)),
    Bug("take 503 to a write for a refusal", "edges/entra/writes.py", "    if reply.status >= 500 or", "    if reply.status >= 505 or", ("tests/test_writes.py::test_write_without_a_clear_answer_is_unknown_and_never_sent_again",)),
    Bug("send before Retry-After", "edges/entra/pace.py", "return asked + min(own, 1.0) * self.clock.jitter()", "return own", ("tests/test_pace.py::test_never_before_due_and_never_past_the_deadline",)),
    # Certificates
    Bug("replace metadata without a common key", "core/certificate/distribution.py", 'return "no-overlap:', 'return "" and "no-overlap:',
        ("tests/test_rollover.py::test_i24_metadata_without_a_common_valid_key_is_not_replaced",)),
    Bug("make a certificate while the active one has expired", "core/certificate/rollover.py",
        'refusals = late if campaign.mode == "planned" else ()', "refusals = ()", ("tests/test_rollover.py::test_i26_no_certificate_is_made_when_the_active_one_has_expired",)),
)  # fmt: skip


class Tree(NamedTuple):
    """A copy of what the tests need."""

    folder: Path

    def run(self, tests: tuple[str, ...]) -> tuple[int, str]:
        """Run these tests of the copy until the first that fails, in a child that has the big libraries already: exit code and output."""
        log = self.folder / "output.txt"
        child = os.fork()
        if not child:
            self._become_pytest(tests, log)
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status), log.read_text(encoding="utf-8", errors="replace")

    def _become_pytest(self, tests: tuple[str, ...], log: Path) -> NoReturn:
        """Never return; the copy comes before the installed package."""
        code = 99
        try:
            with log.open("w", encoding="utf-8") as out:
                os.dup2(out.fileno(), 1)
                os.dup2(out.fileno(), 2)
                os.chdir(self.folder)
                os.environ.update({"PYTHONPATH": str(self.folder), "AWSFED_BODIES": "120"})
                sys.path.insert(0, str(self.folder))
                sys.dont_write_bytecode = True  # two bugs within one second would share one compiled file
                code = int(
                    pytest.main(
                        [
                            "-x",
                            "-q",
                            "-p",
                            "no:cacheprovider",
                            "-p",
                            "no:xdist",
                            "-W",
                            "ignore::pytest.PytestAssertRewriteWarning",
                            f"--rootdir={self.folder}",
                            *tests,
                        ]
                    )
                )
        except BaseException as error:  # noqa: BLE001  a child must never return into the loop of its parent
            print(repr(error))
        finally:
            sys.stdout.flush()
            os._exit(code)

    def plant(self, bug: Bug) -> str:
        """Try one bug: caught, or what is wrong."""
        path = self.folder / "awsfed_lib" / bug.file
        whole = path.read_text(encoding="utf-8")
        if whole.count(bug.old) != 1:
            return f"DOES NOT APPLY: its text stands {whole.count(bug.old)} times in {bug.file}"
        path.write_text(whole.replace(bug.old, bug.new), encoding="utf-8")
        try:
            code, output = self.run(bug.tests)
        finally:
            path.write_text(whole, encoding="utf-8")
        if code == 1:
            return "caught by " + next(
                (line.split("::")[-1].split(" - ")[0] for line in output.splitlines() if line.startswith("FAILED")), "?"
            )
        return "SURVIVES" if code == 0 else f"DOES NOT RUN: {output.strip()[-300:]}"


def copied(folder: Path) -> Tree:
    """Copy what the tests need, without what was compiled."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, folder / name)
    return Tree(folder)


def refuse_red(tree: Tree, bugs: list[Bug]) -> None:
    """Stop unless the unbroken copy passes all tests that are to catch something, and is what they import."""
    where = tree.folder / "tests/test_copy.py"
    where.write_text(
        f"import awsfed_lib\n\n\ndef test_copy():\n    assert awsfed_lib.__file__.startswith({str(tree.folder)!r})\n", encoding="utf-8"
    )
    code, output = tree.run(("tests/test_copy.py", *sorted({test for bug in bugs for test in bug.tests})))
    if code:
        sys.exit(f"The tests are red without any bug:\n{output[-3000:]}")


def main() -> None:
    """Print one line a bug and the count; exit 1 unless every one is caught."""
    words = [word.casefold() for word in sys.argv[1:]]
    bugs = [bug for bug in BUGS if not words or any(word in bug.name.casefold() for word in words)]
    began, bad = time.monotonic(), 0
    with TemporaryDirectory() as folder:
        tree = copied(Path(folder))
        refuse_red(tree, bugs)
        for number, bug in enumerate(bugs, 1):
            result = tree.plant(bug)
            bad += not result.startswith("caught")
            print(f"{number:3}  {bug.name:62}  {result}", flush=True)
    print(f"{len(bugs) - bad} of {len(bugs)} planted bugs were caught, in {time.monotonic() - began:.0f} s.")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
