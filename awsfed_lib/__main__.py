"""The `awsfed` command: init, list, run, runs, sandbox, demo. It parses and prints; the work is done elsewhere."""

from __future__ import annotations

import contextlib
import importlib
import shlex
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from awsfed_lib.core.errors import AwsfedError, ParameterError
from awsfed_lib.doors.runs import runs

if TYPE_CHECKING:
    from awsfed_lib.doors.runner import Result

USAGE, FAILED, INTERRUPTED = 2, 1, 130
PATIENCE = 4  # who asks that often wants it to end at once
EXIT_CODES = """\b
Exit codes:
  0    done, or nothing to do
  1    failed, or sent and not seen live in time (the record says what)
  2    wrong usage or parameters; nothing was started
  3    planned; waits for --approved
  4    findings at or above fail_on
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
    """Lay out notebooks/ and parameters/ in DIRECTORY. Files that are there stay as they are."""
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
    read = parameter_file.load(_found(file)) if file else None
    with _stoppable():
        result = runner.execute(runner.Task(book, read, given, deadline * 60))
    same = [*(["-f", str(file)] if file else []), *(part for pair in pairs for part in ("-p", pair))]
    _tell(result, shlex.join(["awsfed", "run", book.number, *same]))
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


def _found(file: Path) -> Path:
    """Return the parameter file where it was named, or else below ROOT/parameters."""
    from awsfed_lib.edges.records import where

    if file.exists() or file.is_absolute():
        return file
    below = where.parameters() / file
    return below if below.exists() else file


@contextlib.contextmanager
def _stoppable(words: str = "Stopping; the record is being sealed.") -> Iterator[None]:
    """Let Ctrl-C and SIGTERM interrupt the run, once: while the kernel is stopped and the record is sealed, `words` is the answer.

    SIGTERM would otherwise kill the runner with its kernel still sending (github.com/nteract/papermill issue 508).
    """
    asked = 0

    def stop(*_: object) -> None:
        nonlocal asked
        asked += 1
        if asked in (1, PATIENCE):
            raise KeyboardInterrupt
        _complain(words)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(result: Result, command: str) -> None:
    """Print how a run ended, on standard output: verdict, record, digest, and what to do next."""
    from awsfed_lib.core.settings.verdict import MEANING

    folder = result.record.folder
    click.echo(f"verdict  {result.verdict}: {MEANING[result.verdict]}")
    if result.problem and result.problem != MEANING[result.verdict]:
        click.echo(f"problem  {result.problem}")
    click.echo(f"record   {folder}")
    click.echo(f"digest   {result.record.digest}")
    for plan in result.plans:
        click.echo(f"next     read {folder / 'record.html'}, then: {command} --approved {plan}")


main.add_command(runs)


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
        _stoppable("The sandbox stops."),
        serve.Sandbox(where.sandbox_file().parent, size) as served,
    ):
        click.echo(f"Entra ID and Graph  {served.entra.url}\nAWS                 {served.aws.url}\ndescribed in        {served.file}")
        click.echo("Try, in another terminal: awsfed run 00 -f parameters/sandbox.yml    Stop with Ctrl-C.")
        signal.pause()


@main.command()
def demo() -> None:
    """Walk through the runbooks against the sandbox, to a proven sign-in."""
    with _stoppable():
        _extra("awsfed_lib.doors.demo").demo(click.echo)


def _extra(module: str) -> Any:
    """Import a module that needs the extra `sandbox`."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("awsfed_lib"):
            raise
        package = (error.name or "a package").partition(".")[0]
        raise ParameterError(f"The sandbox needs {package}, which is not installed.", remedy="pip install 'awsfed[sandbox]'") from None


if __name__ == "__main__":
    main()
