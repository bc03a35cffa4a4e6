"""The `awsfed` command: init, list, run, batch, runs, alerts, sandbox, lab, demo. It parses and prints; the work is done elsewhere."""

from __future__ import annotations

import contextlib
import importlib
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from awsfed_lib.core.errors import AwsfedError, ParameterError
from awsfed_lib.doors.alerts import alerts, tell
from awsfed_lib.doors.runs import runs
from awsfed_lib.doors.stoppable import stoppable

if TYPE_CHECKING:
    from awsfed_lib.doors.runner import Result

USAGE, FAILED, INTERRUPTED = 2, 1, 130
EXIT_CODES = """\b
Exit codes:
  0    done, or nothing to do
  1    failed, sent and not seen live in time, or leaked a secret (the record says what)
  2    wrong usage or parameters; nothing was started
  3    planned; waits for --approved
  4    findings at or above fail_on, or what a run made differs from what is live
  5    too early to verify; nothing was read
  6    nothing was read, or less than by the last good run
  130  interrupted; run it again, and it goes on from what is live"""


class Command(click.Group):
    """Says an error as what happened, where, and what to do next, and never as a stack."""

    def main(self, *arguments: Any, **options: Any) -> NoReturn:
        """Run the command line and exit with one of the documented codes."""
        try:
            super().main(*arguments, **{**options, "standalone_mode": False})
        except AwsfedError as error:
            _complain(str(error))
            sys.exit(USAGE if isinstance(error, ParameterError) else FAILED)
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except (KeyboardInterrupt, click.Abort):
            _complain("Interrupted. Run it again: it goes on from what is live.")
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            sys.stderr.close()
            sys.exit(FAILED)
        sys.exit(0)


def _complain(text: str) -> None:
    click.echo(f"awsfed: {text}", err=True)


def _version(context: click.Context, _: click.Parameter, asked: bool) -> None:  # noqa: FBT001  as click has it
    if asked:
        from awsfed_lib.edges.records import provenance

        click.echo(f"awsfed {provenance.version()}")
        context.exit()


@click.group(cls=Command, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
def main() -> None:
    """Runbooks for SAML federation from Microsoft Entra ID into many AWS accounts.

    A runbook reads, plans and shows the plan. It sends only what is approved by the id of exactly that plan.
    """


@main.command(name="list")
def list_() -> None:
    """List the runbooks: what each is for, and what it changes."""
    from awsfed_lib.edges.records import runbooks

    books = runbooks.catalogue()
    width = max((len(book.id) for book in books), default=0)
    for book in books:
        click.echo(f"{book.id:<{width}}  changes {book.changes:<13}  {book.title}")


@main.command()
@click.argument("directory", type=click.Path(path_type=Path))
def init(directory: Path) -> None:
    """Lay out notebooks/, parameters/ and schedules/ in DIRECTORY. Files that are there stay as they are."""
    from awsfed_lib.edges.records import layout

    laid = layout.lay_out(directory)
    for name in laid.kept:
        click.echo(f"kept  {name}")
    for name in laid.made:
        click.echo(f"new   {name}")
    click.echo(f"Next: cd {directory}, copy parameters/example.yml, and run `awsfed run 00 -f parameters/YOURS.yml`.")


@main.command(epilog=EXIT_CODES)
@click.argument("runbook")
@click.option("-f", "--file", type=click.Path(path_type=Path), help="Parameter file (YAML), here or below parameters/.")
@click.option("--approved", metavar="ID", help="Id of the plan to carry out, as the preview shows it.")
@click.option("-p", "pairs", metavar="NAME=VALUE", multiple=True, help="One parameter, as text; a list with commas. Wins over the file.")
@click.option("--deadline", type=click.FloatRange(0.01, 24 * 60), default=120, show_default=True, help="Minutes for the whole run.")
def run(runbook: str, file: Path | None, approved: str | None, pairs: tuple[str, ...], deadline: float) -> None:
    """Execute RUNBOOK, by number (4), word (approles) or id (04-approles), and write its record to runs/."""
    from awsfed_lib.edges.records import runbooks

    book = runbooks.find(runbook)
    from awsfed_lib.doors import runner
    from awsfed_lib.edges.records import parameter_file

    given = _given(pairs) | ({} if approved is None else {"approved": approved})
    read = parameter_file.load(parameter_file.found(file)) if file else None
    with stoppable(_complain):
        result = runner.execute(runner.Task(book, read, given, deadline * 60))
    same = [*(["-f", str(file)] if file else []), *(part for pair in pairs for part in ("-p", pair))]
    _tell(result, shlex.join(["awsfed", "run", book.number, *same]))
    tell(result.record.folder)
    sys.exit(result.code)


def _given(pairs: tuple[str, ...]) -> dict[str, object]:
    from awsfed_lib.core.settings import parameters

    given: dict[str, object] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise click.UsageError("-p takes NAME=VALUE.")
        if name in given:
            raise click.UsageError(f"-p {name} is given twice.")
        given[name] = parameters.from_text(name, value)
    return given


def _tell(result: Result, command: str) -> None:
    """Print how a run ended, on standard output: verdict, record, digest, and what to do next."""
    from awsfed_lib.core.settings.verdict import MEANING
    from awsfed_lib.core.view.escape import visible

    folder = result.record.folder
    click.echo(f"verdict  {result.verdict}: {MEANING[result.verdict]}")
    if said := (result.record.run().get("coverage") or {}).get("said"):
        click.echo(f"read     {said}")
    if result.problem and result.problem != MEANING[result.verdict]:
        click.echo(f"problem  {result.problem}")
    for line in result.record.run().get("counts", {}).get("waiting", ()):
        click.echo(f"not yet  {visible(line)}")
    click.echo(f"record   {folder}")
    click.echo(f"digest   {result.record.digest}")
    for plan in result.plans:
        click.echo(f"next     read {folder / 'record.html'}, then: {command} --approved {plan}")


@main.command(epilog=EXIT_CODES)
@click.argument("runbook")
@click.option("-f", "--file", "files", multiple=True, required=True, help="Parameter file of one target; give it once for each.")
@click.option("-p", "pairs", metavar="NAME=VALUE", multiple=True, help="One parameter for all targets, as text. Wins over the files.")
@click.option("--workers", type=click.IntRange(1, 64), default=4, show_default=True, help="Targets at a time.")
@click.option("--scheduler", metavar="ADDRESS", help="Run on the workers of this dask scheduler instead; they share this folder.")
@click.option("--deadline", type=click.FloatRange(0.01, 24 * 60), default=120, show_default=True, help="Minutes for each run.")
def batch(runbook: str, files: tuple[str, ...], pairs: tuple[str, ...], **how: Any) -> None:
    """Execute RUNBOOK on many targets at a time: a record for each, one verdict for all, and one page with them."""
    from awsfed_lib.doors import batch as batches
    from awsfed_lib.doors import batch_record
    from awsfed_lib.edges.records import opening, runbooks

    twice = sorted({file for file in files if files.count(file) > 1})
    if twice:
        raise click.UsageError(f"-f {twice[0]} is given twice.")
    order, began = batches.Order(runbooks.find(runbook).id, _given(pairs), how["deadline"] * 60), opening.now()
    with stoppable(_complain, "Stopping; the records are being sealed."):
        if how["scheduler"]:
            ended = _extra("awsfed_lib.doors.fleet", "fleet").run(order, files, scheduler=how["scheduler"], say=click.echo)
        else:
            ended = batches.on_this_machine(order, files, workers=how["workers"], say=click.echo)
    made = batch_record.keep(order, ended, began=began)
    click.echo(f"page     {made.folder / batch_record.PAGE}\ndigest   {made.digest}")
    sys.exit(batches.code(ended))


main.add_command(runs)
main.add_command(alerts)


@main.command()
@click.option("--seed", default=1, show_default=True, help="Another seed, another world; the same seed, the same world.")
@click.option("--accounts", type=click.IntRange(3, 10_000), default=24, show_default=True, help="AWS accounts of the organization.")
@click.option("--partition", type=click.Choice(["aws", "aws-us-gov", "aws-cn"]), default="aws", show_default=True)
@click.option("--world", type=click.Choice(["messy", "empty"]), default="messy", show_default=True, help="Empty: no federation yet.")
@click.option("--cloud", type=click.Choice(["global", "usgov", "china"]), default="global", show_default=True, help="Of Microsoft.")
def sandbox(seed: int, accounts: int, **of: str) -> None:
    """Serve Entra ID, Graph and an AWS organization on this machine, to try everything on."""
    serve = _extra("awsfed_lib.sandbox.serve")
    from awsfed_lib.edges.records import where

    size = serve.Size(seed, accounts, **of)
    with (
        contextlib.suppress(KeyboardInterrupt),
        stoppable(_complain, "The sandbox stops."),
        serve.Sandbox(where.sandbox_file().parent, size) as served,
    ):
        click.echo(f"Entra ID and Graph  {served.entra.url}\nAWS                 {served.aws.url}\ndescribed in        {served.file}")
        click.echo("Try, in another terminal: awsfed run 00 -f parameters/sandbox.yml    Stop with Ctrl-C.")
        while True:
            time.sleep(3600)


@main.command()
@click.option("-f", "--file", default="", metavar="FILE", help="Parameter file that notebooks take what they lack from.")
@click.option("--sandbox", "served", is_flag=True, help="Serve the sandbox as well, and take parameters/sandbox.yml.")
@click.option("--port", type=click.IntRange(1, 65_535), help="Port on this machine; by default the first free one from 8888 on.")
@click.option("--no-browser", "browser", is_flag=True, help="Only print the address.")
def lab(file: str, served: bool, port: int | None, browser: bool) -> None:  # noqa: FBT001  as click has it
    """Open the runbooks in JupyterLab, on this machine only."""
    from awsfed_lib.doors import lab as labs
    from awsfed_lib.edges.records import where

    desk = labs.Desk(file or (labs.SANDBOX_FILE if served else ""), port or 0, ["--no-browser"] if browser else [])
    with contextlib.suppress(KeyboardInterrupt), contextlib.ExitStack() as beside, stoppable(_complain, "JupyterLab stops."):
        if served:
            beside.enter_context(_extra("awsfed_lib.sandbox.serve").Sandbox(where.sandbox_file().parent))
        sys.exit(labs.lab(desk, click.echo))


@main.command()
def demo() -> None:
    """Walk through the runbooks against the sandbox, to a proven sign-in."""
    with stoppable(_complain):
        _extra("awsfed_lib.doors.demo").demo(click.echo)


@main.command()
@click.option("--accounts", type=click.IntRange(3, 1_000), default=6, show_default=True, help="AWS accounts of the organization.")
@click.option("--cloud", type=click.Choice(["global", "usgov", "china"]), default="global", show_default=True, help="Of Microsoft.")
def tutorial(accounts: int, cloud: str) -> None:
    """Walk Microsoft's tutorial from an empty tenant to a proven sign-in for every role, against the sandbox."""
    with stoppable(_complain):
        _extra("awsfed_lib.doors.tutorial").tutorial(click.echo, accounts, cloud)


def _extra(module: str, extra: str = "sandbox") -> Any:
    """Import a module that needs an extra of this package."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("awsfed_lib"):
            raise
        package = (error.name or "a package").partition(".")[0]
        raise ParameterError(f"The {extra} needs {package}, which is not installed.", remedy=f"pip install 'awsfed[{extra}]'") from None


if __name__ == "__main__":
    main()
