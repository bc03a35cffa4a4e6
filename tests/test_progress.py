"""Progress: lines that a record can keep, a bar only where somebody watches."""

import io
import itertools
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from awsfed_lib.core.view.markup import duration
from awsfed_lib.edges.records import progress as progress_module
from awsfed_lib.edges.records.progress import HEADLESS, Told, headless, progress, told


class Clock:
    """Time that passes only when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Read the clock."""
        return self.now


def run(items: Any, seconds: float, **more: Any) -> list[str]:
    """Tell of `items`, each of which takes `seconds`; the lines."""
    clock, out = Clock(), io.StringIO()
    teller = Told("accounts", more["total"] if "total" in more else len(items), out, clock)
    for _ in told(items, teller, more.get("problem", lambda _: False)):
        clock.now += seconds
    return out.getvalue().splitlines()


def test_one_line_at_the_end_when_it_is_quick() -> None:
    assert run(range(212), 0.01) == ["accounts 212/212 in 2.1 s"]


def test_a_line_every_five_seconds_and_not_more() -> None:
    lines = run(range(10), 2.0)
    assert lines == ["accounts 4/10 after 6 s", "accounts 7/10 after 12 s", "accounts 10/10 after 18 s", "accounts 10/10 in 20 s"]


def test_problems_are_counted() -> None:
    assert run(range(212), 0.2, problem=lambda at: at < 3)[-1] == "accounts 212/212 in 42 s, 3 problems"
    assert run(range(2), 0.2, problem=lambda at: at == 0)[-1].endswith(", 1 problem")


def test_no_total_no_slash() -> None:
    assert run(iter("abc"), 0.1, total=None) == ["accounts 3 in 0.3 s"]


def test_no_items_at_all() -> None:
    assert run([], 0.0) == ["accounts 0/0 in 0 s"]


def test_an_error_on_the_way_is_told_and_raised() -> None:
    def broken() -> Any:
        yield 1
        raise ValueError

    out = io.StringIO()
    with pytest.raises(ValueError):  # noqa: PT011  ours, and bare
        list(told(broken(), Told("accounts", 5, out, Clock()), lambda _: False))
    assert out.getvalue() == "accounts 1/5 stopped after 0 s\n"


def test_whoever_stops_early_is_told_too() -> None:
    out = io.StringIO()
    items = told(range(5), Told("accounts", 5, out, Clock()), lambda _: False)
    next(items)
    items.close()
    assert out.getvalue() == "accounts 1/5 stopped after 0 s\n"


def test_items_come_through_unchanged_and_lazily(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv(HEADLESS, "1")
    taken: list[int] = []
    source = (taken.append(at) or at for at in range(3))
    items = progress(source, "accounts", 3)
    assert (next(items), taken) == (0, [0])
    assert list(items) == [1, 2]
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("accounts 3/3 in 0")
    assert captured.err.count("\n") == 1


def test_length_gives_the_total(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv(HEADLESS, "1")
    list(progress({"a": 1, "b": 2}, "roles"))
    assert capsys.readouterr().err.startswith("roles 2/2 in 0")


def kernel(monkeypatch: pytest.MonkeyPatch, asks: Any) -> None:
    """Stand in for IPython in a kernel whose stdin is on (JupyterLab) or off (papermill)."""
    shell = SimpleNamespace(kernel=SimpleNamespace(_allow_stdin=asks))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))


@pytest.mark.parametrize(("said", "expected"), [("1", True), ("0", False), ("true", True)])
def test_the_environment_decides_first(monkeypatch: pytest.MonkeyPatch, said: str, expected: bool) -> None:  # noqa: FBT001
    kernel(monkeypatch, asks=True)
    monkeypatch.setenv(HEADLESS, said)
    assert headless() is expected


@pytest.mark.parametrize(("asks", "expected"), [(True, False), (False, True)])
def test_a_kernel_that_may_ask_is_live(monkeypatch: pytest.MonkeyPatch, asks: bool, expected: bool) -> None:  # noqa: FBT001
    """Under papermill and nbclient `kernel._allow_stdin` is False, in JupyterLab it is True (ipykernel 7.4)."""
    monkeypatch.delenv(HEADLESS, raising=False)
    kernel(monkeypatch, asks)
    assert headless() is expected


@pytest.mark.parametrize(
    "module", [None, SimpleNamespace(), SimpleNamespace(get_ipython=lambda: None), SimpleNamespace(get_ipython=object)]
)
def test_in_doubt_headless(monkeypatch: pytest.MonkeyPatch, module: Any) -> None:
    monkeypatch.delenv(HEADLESS, raising=False)
    monkeypatch.setitem(sys.modules, "IPython", module)
    assert headless()


@pytest.mark.parametrize(("takes", "says"), [(4, "accounts 3/3 in 0"), (1, "accounts 1/3 stopped after 0")], ids=["all", "stopped"])
def test_live_a_bar_gives_way_to_the_line_that_a_saved_notebook_keeps(monkeypatch: pytest.MonkeyPatch, takes: int, says: str) -> None:
    """What tqdm's widget keeps as its text is how it began, `0%` (github.com/nteract/papermill issue 617)."""
    import IPython.display

    shown: list[tuple[str, Any]] = []
    monkeypatch.setenv(HEADLESS, "0")
    monkeypatch.setattr(IPython.display, "display", lambda drawn, *, display_id: shown.append((display_id, drawn)))
    monkeypatch.setattr(IPython.display, "update_display", lambda drawn, *, display_id: shown.append((display_id, drawn)))
    items = progress([1, 2, 3], "accounts", problem=lambda at: at == 1)
    assert list(itertools.islice(items, takes)) == [1, 2, 3][:takes]
    items.close()  # type: ignore[attr-defined]  # a generator
    next(items, None)
    (first, bar), (second, line) = shown
    assert first == second
    assert (bar.children[1].value, bar.children[1].max) == (min(takes, 3), 3)
    assert str(line).startswith(says)
    assert str(line).endswith(", 1 problem")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (3, "3 s"),
        (10, "10 s"),
        (41.4, "41 s"),
        (59.6, "1 min 00 s"),
        (125, "2 min 05 s"),
        (3720, "1 h 02 min"),
    ],
)
def test_durations_for_people(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_importing_progress_imports_no_bar() -> None:
    assert "tqdm" not in vars(progress_module)
