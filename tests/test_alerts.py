"""Alerts against a real HTTP server and a real mail server: told once, tried again within bounds, silent about secrets, harmless to the run."""

import json
import ssl
from datetime import UTC, datetime
from types import SimpleNamespace

import hostile
import pandas as pd
import pytest
import scripted
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from click.testing import CliRunner
from scripted import Says

from awsfed_lib.core.alerts import messages
from awsfed_lib.core.alerts.alert import OCCASIONS, Kept, alert, kept, occasions
from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.settings.verdict import CODES
from awsfed_lib.doors import alerts, kernel
from awsfed_lib.edges.alerts.delivery import LONGEST, PAUSES, deliver
from awsfed_lib.edges.alerts.targets import targets
from awsfed_lib.edges.records.record import create

TOKEN = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjYW5hcnkifQ.c2ln"
FINDING = {
    "finding_id": "finding-1",
    "severity": "high",
    "check": "disabled but emitted",
    "subject": "arn:aws:iam::012345678901:role/Admin",
}
RUN = {
    "schema": "awsfed.run/1", "runbook": "09-audit", "title": "Audit", "verdict": "findings", "exit_code": 4, "problem": "", "awsfed": "0.1.0",
    "started": "2026-11-24T08:00:00+00:00", "finished": "2026-11-24T08:00:43+00:00", "parameters": {"tenant_id": "t-1", "application_id": "a-1", "cloud": "global", "break_glass": ["x"]},
    "counts": {"plans": [], "findings": {"critical": 0, "high": 1}}, "who": {"entra": {"user_name": "ann@contoso.example"}}, "files": {"a": "b"},
}  # fmt: skip
MADE = alert("20261124T080000Z-09-audit-x", RUN, Kept((FINDING,)))


def as_it_is(value):
    return value


# --- when ---


@pytest.mark.parametrize(("verdict", "said"), [("failed", "failure"), ("leaked", "failure"), ("unverified", "failure"), ("unfinished", "failure"), ("", "failure"), ("findings", "findings"), ("planned", "waiting"), ("applied", ""), ("done", ""), ("nothing to do", "")])  # fmt: skip
def test_verdict_is_an_occasion_or_none(verdict, said):
    assert occasions({"verdict": verdict}) == ((said,) if said else ())


def test_every_verdict_has_an_answer():
    """A verdict that is new must be thought of: whatever has no exit code 0 is told."""
    for verdict, code in CODES.items():
        assert bool(occasions({"verdict": verdict})) == (code != 0), verdict


@pytest.mark.parametrize(("check", "severity", "said"), [("certificate expires", "high", ("expiry",)), ("certificate expires", "low", ()), ("drift of appRoles", "medium", ("drift",)), ("missing in aws", "note", ())])  # fmt: skip
def test_findings_tell_of_drift_and_expiry(check, severity, said):
    assert occasions({"verdict": "done"}, Kept(({"severity": severity, "check": check},))) == said


def test_drift_since_the_last_run_is_told_and_what_was_accepted_is_not():
    moved = {
        "state": "drifted since the record",
        "kind": "assignment",
        "subject": "Ann → Admin",
        "recorded": "absent",
        "live": "assigned: User",
    }
    moved |= {
        "severity": "high",
        "changed_by": "bob@contoso.example",
        "changed_at": datetime(2026, 11, 24, 3, 0, tzinfo=UTC),
        "basis": "{}",
    }
    tables = kept(
        [FINDING, {**FINDING, "accepted": "until 2027-01-01 by ann"}],
        [
            moved,
            {**moved, "state": "still drifted"},
            {**moved, "state": "unread"},
            {**moved, "severity": ""},
            {**moved, "severity": "note"},
        ],
    )
    counts = {"drift": {"headline": "1 change since 2026-11-23 03:00 UTC, in no approved run (record x)."}}
    made = alert("x", {"verdict": "done", "problem": "one\n  two", "counts": counts}, tables)
    assert made.occasions == ("drift",)
    assert made.lines == (
        "one",
        "two",
        "1 change since 2026-11-23 03:00 UTC, in no approved run (record x).",
        f"high: disabled but emitted: {FINDING['subject']}",
        "assignment Ann → Admin: absent → assigned: User, by bob@contoso.example",
    )
    assert [row["changed_at"] for row in made.content["drift"]] == ["2026-11-24 03:00:00+00:00"]
    assert "basis" not in made.content["drift"][0]


def test_stale_plan_is_drift_and_failure():
    run = {"verdict": "failed", "problem": "StalePlan: The live app_roles are no longer those of the plan."}
    assert occasions(run) == ("failure", "drift")


# --- what ---


def test_generic_message_says_how_it_went_and_no_more():
    said = messages.plain(MADE)
    assert said["schema"] == "awsfed.alert/1"
    assert (said["verdict"], said["exit_code"], said["occasions"]) == ("findings", 4, ["findings"])
    assert said["target"] == {"tenant_id": "t-1", "application_id": "a-1", "cloud": "global"}
    assert said["findings"] == [FINDING]
    assert not {"who", "files", "parameters", "packages"} & set(said)


def test_teams_message_is_an_adaptive_card_in_a_message():
    """learn.microsoft.com microsoftteams/platform/webhooks-and-connectors: type message, one attachment with its content type."""
    said = messages.teams(MADE)
    assert said["type"] == "message"
    (attachment,) = said["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert "findings: 1 high" in json.dumps(card)


def test_slack_message_has_a_text_and_blocks():
    """docs.slack.dev: header 150 letters, section 3000."""
    said = messages.slack(alert("x" * 200, {**RUN, "problem": "y" * 9000}, Kept((FINDING,) * 200)))
    assert said["text"] == "awsfed 09-audit: findings"
    assert [block["type"] for block in said["blocks"]] == ["header", "section", "section"]
    assert all(len(block["text"]["text"]) <= 3000 and block["text"]["type"] == "plain_text" for block in said["blocks"])
    assert "and 189 more, in the record" in said["blocks"][2]["text"]["text"]


def test_no_hostile_name_is_markup_anywhere():
    """`<!channel>` calls everybody, [x](…) makes a link in a TextBlock, a line break ends a header of a mail."""
    for name in [*hostile.EVERYTHING, "<!channel>", "<https://example.invalid|sign in>", "x\r\nBcc: all@contoso.example"]:
        made = alert(
            name,
            {**RUN, "runbook": name, "problem": name, "title": name},
            Kept(({**FINDING, "subject": name},), ({"table": name, "change": name, "row": name},)),
        )
        slack, teams, (subject, text) = messages.slack(made), messages.teams(made), messages.mail(made)
        assert "<" not in slack["text"]
        assert {block["text"]["type"] for block in slack["blocks"]} == {"plain_text"}
        assert {inline["type"] for block in teams["attachments"][0]["content"]["body"] for inline in block["inlines"]} == {"TextRun"}
        assert "\n" not in subject
        assert "\r" not in subject + text
        json.dumps([slack, teams], ensure_ascii=False).encode()
        subject.encode()
        text.encode()


# --- where to ---


def test_environment_names_targets():
    found = targets({"AWSFED_ALERT_TEAMS": "https://a.example/w?sig=1 https://b.example/w", "AWSFED_ALERT_JSON": "http://127.0.0.1:1/x", "AWSFED_ALERT_SMTP": "smtp://u:p%20w@mail.example:587",
                     "AWSFED_ALERT_FROM": "awsfed@contoso.example", "AWSFED_ALERT_TO": "ann@contoso.example, ops@contoso.example", "AWSFED_ALERT_ON": "failure,drift", "PATH": "/bin"})  # fmt: skip
    assert [hook.name for hook in found.webhooks] == ["teams at a.example", "teams at b.example", "json at 127.0.0.1"]
    assert found.mails[0].to == ("ann@contoso.example", "ops@contoso.example")
    assert found.on == {"failure", "drift"}
    assert "sig=1" not in repr(found)
    assert "p%20w" not in repr(found)
    assert not targets({})


def test_file_names_targets(tmp_path):
    file = tmp_path / "alerts.toml"
    file.write_text(
        'teams = ["https://a.example/w"]\non = ["waiting"]\nsmtp = "smtp://mail.example"\nfrom = "a@x.example"\nto = ["b@x.example"]\n'
    )
    file.chmod(0o600)
    found = targets({"AWSFED_ALERT_FILE": str(file), "AWSFED_ALERT_ON": "failure"})
    assert (len(found.webhooks), len(found.mails), found.on) == (1, 1, {"failure"})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"TEAMS": "http://a.example/secret-w"}, "not https"), ({"SLACK": "secret-w"}, "not https"), ({"JSON": "ftp://secret-w"}, "not https"), ({"JSON": "file:///secret-w"}, "not https"),
        ({"ON": "secret-w"}, "no occasion"), ({"SMTP": "smtp://secret-w"}, "sender"), ({"SMTP": "https://secret-w", "FROM": "a", "TO": "b"}, "no smtp://"), ({"EMAIL": "secret-w"}, "AWSFED_ALERT_EMAIL is none"),
        ({"FILE": "/nowhere/at/all"}, "cannot be read"),
    ],
)  # fmt: skip
def test_wrong_setup_is_told_without_its_secrets(given, words):
    with pytest.raises(ParameterError, match=words) as error:
        targets({f"AWSFED_ALERT_{name}": value for name, value in given.items()})
    assert words == "no occasion" or "secret-w" not in str(error.value)


@pytest.mark.parametrize(("mode", "text", "words"), [(0o644, 'on = "failure"', "read by others"), (0o600, "on = ", "no TOML"), (0o600, "on = 7", "neither text"), (0o600, "teams = [1]", "neither text")])  # fmt: skip
def test_wrong_file_is_refused(tmp_path, mode, text, words):
    file = tmp_path / "alerts.toml"
    file.write_text(text)
    file.chmod(mode)
    with pytest.raises(ParameterError, match=words):
        targets({"AWSFED_ALERT_FILE": str(file)})


def test_no_kernel_gets_the_addresses():
    given = {"AWSFED_ALERT_TEAMS": "https://a.example/w", "AWSFED_ALERT_FILE": "/x", "AWSFED_ROOT": "/r"}
    assert kernel.environment(given, "global") == kernel.environment(given, "sandbox") == {"AWSFED_ROOT": "/r"}


# --- over HTTP ---


@pytest.fixture
def trusting(server, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(server.ca_file))
    return server


def to(server, *formats):
    return targets({f"AWSFED_ALERT_{name.upper()}": f"{server.url}/hook/secret-of-the-hook" for name in formats})


@pytest.mark.parametrize("name", messages.FORMATS)
def test_alert_is_posted_once(trusting, hours, name):
    trusting.play(Says(202))
    (told,) = deliver(MADE, to(trusting, name), as_it_is, clock=hours.clock)
    assert (told.problem, told.tries) == ("", 1)
    assert [(asked.method, asked.path) for asked in trusting.asked] == [("POST", "/hook/secret-of-the-hook")]
    assert trusting.asked[0].json == json.loads(json.dumps(messages.FORMATS[name](MADE)))
    assert trusting.asked[0].headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("first", [Says(500), Says(503), Says(429), Says(drop=True), Says(408)])
def test_passing_trouble_is_tried_again(trusting, hours, first):
    trusting.play(first, first, Says(200, b"ok"))
    (told,) = deliver(MADE, to(trusting, "slack"), as_it_is, clock=hours.clock)
    assert (told.problem, told.tries) == ("", 3)
    assert hours.slept == list(PAUSES[:2])


def test_tries_and_pauses_are_bounded(trusting, hours):
    trusting.play(Says(429, headers={"Retry-After": "86400"}))
    (told,) = deliver(MADE, to(trusting, "json"), as_it_is, clock=hours.clock)
    assert (told.problem, told.tries) == ("HTTP 429", 4)
    assert hours.slept == [LONGEST] * 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 301, 302])
def test_refusal_is_not_tried_again_and_no_redirect_is_followed(trusting, hours, status):
    with scripted.serve_plain() as thief:
        trusting.play(Says(status, headers={"Location": f"{thief.url}/x"} if status < 400 else {}))
        (told,) = deliver(MADE, to(trusting, "json"), as_it_is, clock=hours.clock)
        assert thief.asked == []
    assert told.problem == f"HTTP {status}"
    assert len(trusting.asked) == 1
    assert "secret-of-the-hook" not in str(told)


def test_host_that_is_not_trusted_gets_nothing(server, hours, monkeypatch):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    (told,) = deliver(MADE, to(server, "json"), as_it_is, clock=hours.clock)
    assert told.problem == "no answer (SSLError)"
    assert server.asked == []


def test_one_target_that_fails_hides_no_other(trusting, hours):
    trusting.script = lambda asked: Says(404) if "attachments" in asked.body else Says(200)
    told = deliver(MADE, to(trusting, "teams", "slack", "json"), as_it_is, clock=hours.clock)
    assert [bool(one.problem) for one in told] == [True, False, False]


# --- by mail ---


class Sink:
    """A mail server that keeps what it gets."""

    def __init__(self):
        self.mails, self.signed_in = [], []

    async def handle_DATA(self, _, session, envelope):  # noqa: N802  as aiosmtpd has it
        self.mails.append(SimpleNamespace(text=envelope.content.decode(), to=envelope.rcpt_tos, tls=session.ssl is not None))
        return "250 OK"

    def authenticate(self, server, session, envelope, mechanism, data):
        self.signed_in.append((data.login, data.password))
        return AuthResult(success=data.password == b"pass word", handled=False)


class OnAnyPort(Controller):
    """aiosmtpd's controller asks for a port that is known beforehand; here the system chooses one."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def sink(authority, tmp_path, monkeypatch):
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    monkeypatch.setenv("SSL_CERT_FILE", str(ca))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    kept = Sink()
    served = OnAnyPort(
        kept, hostname="127.0.0.1", port=0, tls_context=context, authenticator=kept.authenticate, auth_required=True, require_starttls=True
    )
    served.start()
    kept.port = served.port
    yield kept
    served.stop()


def by_mail(port, user="me:pass%20word@", **more):
    return targets(
        {
            "AWSFED_ALERT_SMTP": f"smtp://{user}127.0.0.1:{port}",
            "AWSFED_ALERT_FROM": "awsfed@contoso.example",
            "AWSFED_ALERT_TO": "ann@contoso.example,ops@contoso.example",
            **more,
        }
    )


def test_mail_goes_out_over_tls_with_a_sign_in(sink, hours):
    (told,) = deliver(MADE, by_mail(sink.port), as_it_is, clock=hours.clock)
    assert told.problem == ""
    (mail,) = sink.mails
    assert mail.tls
    assert sink.signed_in == [(b"me", b"pass word")]
    assert mail.to == ["ann@contoso.example", "ops@contoso.example"]
    assert "Subject: awsfed 09-audit: findings" in mail.text
    assert "Auto-Submitted: auto-generated" in mail.text
    assert "high: disabled but emitted: arn:aws:iam::012345678901:role/Admin" in mail.text.replace("=\r\n", "").replace("=\n", "")


def test_wrong_password_is_told_once_and_not_shown(sink, hours):
    (told,) = deliver(MADE, by_mail(sink.port, user="me:wrong-secret@"), as_it_is, clock=hours.clock)
    assert (told.problem, told.tries) == ("SMTP 535", 1)
    assert "wrong-secret" not in str(told)
    assert not sink.mails


def test_password_is_never_sent_without_tls(hours):
    kept = Sink()
    served = OnAnyPort(kept, hostname="127.0.0.1", port=0, authenticator=kept.authenticate, auth_require_tls=False)
    served.start()
    try:
        (told,) = deliver(MADE, by_mail(served.port), as_it_is, clock=hours.clock)
        (plain,) = deliver(MADE, by_mail(served.port, user=""), as_it_is, clock=hours.clock)
    finally:
        served.stop()
    assert "STARTTLS" in told.problem
    assert kept.signed_in == []
    assert plain.problem == ""
    assert len(kept.mails) == 1


def test_mail_server_that_is_not_there_is_tried_and_told(hours):
    (told,) = deliver(MADE, by_mail(9), as_it_is, clock=hours.clock)
    assert (told.problem, told.tries) == ("no answer (ConnectionRefusedError)", 4)


# --- at the door ---


@pytest.fixture
def record(tmp_path):
    made = create(tmp_path, "20261124T080000Z-09-audit-x", {})
    made.update(**RUN | {"problem": f"it said {TOKEN} and a-client-secret-9"})
    made.keep_table("findings", pd.DataFrame([FINDING]))
    return made.folder


def test_what_is_sent_holds_no_secret(trusting, record, monkeypatch, capsys):
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "a-client-secret-9")
    monkeypatch.setenv("AWSFED_ALERT_JSON", f"{trusting.url}/hook/secret-of-the-hook")
    trusting.play(Says(200))
    alerts.tell(record)
    (asked,) = trusting.asked
    assert TOKEN not in asked.body
    assert "a-client-secret-9" not in asked.body
    assert asked.json["problem"] == "it said [a token (JWT), removed] and [a secret of this run, removed]"
    assert capsys.readouterr().err == "alert    json at 127.0.0.1: told\n"


@pytest.mark.parametrize(("on", "number"), [("findings", 1), ("failure,waiting", 0), ("drift,findings", 1)])
def test_only_the_chosen_occasions_are_told(trusting, record, monkeypatch, on, number):
    monkeypatch.setenv("AWSFED_ALERT_JSON", trusting.url)
    monkeypatch.setenv("AWSFED_ALERT_ON", on)
    trusting.play(Says(200))
    alerts.tell(record)
    assert len(trusting.asked) == number


@pytest.mark.parametrize("broken", ["no run.json", "no json", "wrong setup", "a list"])
def test_nothing_that_goes_wrong_fails_the_run(record, monkeypatch, capsys, broken):
    monkeypatch.setenv("AWSFED_ALERT_JSON", "http://secret-w.example" if broken == "wrong setup" else "https://127.0.0.1:9/x")
    if broken == "no run.json":
        (record / "run.json").unlink()
    if broken in ("no json", "a list"):
        (record / "run.json").write_text("{" if broken == "no json" else "[]")
    alerts.tell(record)
    said = capsys.readouterr().err
    assert said.startswith("awsfed: alerts: ")
    assert "secret-w" not in said


def test_without_targets_nothing_happens(record, monkeypatch, capsys):
    for name in ("TEAMS", "SLACK", "JSON", "SMTP", "FILE"):
        monkeypatch.delenv(f"AWSFED_ALERT_{name}", raising=False)
    alerts.tell(record)
    assert capsys.readouterr().err == ""


def test_command_lists_hosts_and_tries_them(trusting, monkeypatch):
    monkeypatch.setenv("AWSFED_ALERT_SLACK", f"{trusting.url}/hook/secret-of-the-hook")
    listed = CliRunner().invoke(alerts.alerts, ["list"])
    assert listed.output == f"slack at 127.0.0.1\non {', '.join(OCCASIONS)}\n"
    trusting.play(Says(200))
    assert CliRunner().invoke(alerts.alerts, ["try"]).exit_code == 0
    assert "only a trial" in trusting.asked[0].body
    trusting.play(Says(404))
    assert CliRunner().invoke(alerts.alerts, ["try"]).exit_code == 1
