"""The few shapes that every output is built of, as HTML and as text, and the view that carries both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from awsfed_lib.core.change import SIGNS
from awsfed_lib.core.view.escape import escaped, visible
from awsfed_lib.core.view.style import STYLE, Tone

INDENT = "  "

# What a word looks like, in tables and in cards: its sign and its tone. The word itself is always written beside it.
ACTIONS: Mapping[str, tuple[str, Tone]] = {
    "add": (SIGNS["add"], "good"),
    "update": (SIGNS["update"], "news"),
    "disable": (SIGNS["disable"], "warn"),
    "remove": (SIGNS["remove"], "bad"),
    "keep": (SIGNS["keep"], "calm"),
}
SEVERITIES: Mapping[str, tuple[str, Tone]] = {
    "critical": ("!!!", "bad"),
    "high": ("!!", "bad"),
    "medium": ("!", "warn"),
    "low": ("·", "news"),
    "note": ("i", "calm"),
}
FATES: Mapping[str, tuple[str, Tone]] = {
    "sent": ("✓", "good"),
    "adopted": ("✓", "good"),
    "refused": ("✕", "bad"),
    "indeterminate": ("?", "warn"),
    "not sent": ("-", "calm"),
}
VERDICTS: Mapping[str, tuple[str, Tone]] = {
    "done": ("✓", "good"),
    "nothing to do": ("=", "good"),
    "planned": ("…", "news"),
    "applied": ("✓", "good"),
    "unverified": ("?", "warn"),
    "findings": ("!", "warn"),
    "failed": ("✕", "bad"),
    "leaked": ("✕", "bad"),
    "unfinished": ("?", "bad"),
    "not read": ("?", "bad"),
    "differs": ("!", "bad"),
    "too early": ("…", "news"),
    "interrupted": ("?", "warn"),
    "taken": ("✓", "good"),
    "conditional": ("!", "warn"),
    "skipped": ("-", "calm"),
    "effective": ("✓", "good"),
    "effective (appRole disabled)": ("!", "warn"),
    "nested": ("!", "warn"),
    "dangling": ("!", "warn"),
    "untrusted": ("!", "warn"),
    "unread": ("?", "warn"),
    "nobody": ("-", "calm"),
    "works": ("✓", "good"),
    "console only": ("!", "warn"),
    "broken": ("✕", "bad"),
    "unknown": ("?", "warn"),
    "passed": ("✓", "good"),
    "not checked": ("?", "warn"),
    "entered": ("✓", "good"),
    "refused": ("✕", "bad"),
    "as expected": ("✓", "good"),
    "unexpected": ("!", "warn"),
    "missing": ("✕", "bad"),
    "unreadable": ("✕", "bad"),
}
RESULTS: Mapping[str, tuple[str, Tone]] = {
    "ok": ("✓", "good"),
    "look": ("!", "warn"),
    "missing": ("✕", "bad"),
    "unknown": ("?", "warn"),
    "note": ("i", "calm"),
}
STATES: Mapping[str, tuple[str, Tone]] = {
    "ready": ("✓", "good"),
    "waiting": ("…", "news"),
    "blocked": ("✕", "bad"),
    "unknown": ("?", "warn"),
    "excluded": ("-", "calm"),
    "no provider": ("-", "calm"),
    "signs": ("✓", "good"),
    "active": ("=", "news"),
    "inactive": ("-", "calm"),
    "not yet valid": ("…", "news"),
    "expired": ("✕", "bad"),
}
WORDS: Mapping[str, Mapping[str, tuple[str, Tone]]] = {
    "action": ACTIONS,
    "severity": SEVERITIES,
    "fate": FATES,
    "verdict": VERDICTS,
    "result": RESULTS,
    "state": STATES,
    "status": STATES,
}


@dataclass(frozen=True)
class View:
    """Something to look at: `html` for a browser, `text` for a terminal, a log and a screen reader."""

    text: str
    html: str

    def __str__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": self.text, "text/html": self.html}


def output(inner: str) -> str:
    """Make one output: a block that brings its own style sheet, since a cell may be the only one that somebody sees."""
    return f'<div class="awsfed"><style>{STYLE}</style>{inner}</div>'


def card(title: str, inner: str, tone: Tone = "calm") -> str:
    """Frame a block; `title` is text, `inner` is HTML."""
    return output(f'<div class="awsfed-card awsfed-{tone}"><p class="awsfed-title">{escaped(title)}</p>{inner}</div>')


def box(inner: str, tone: Tone) -> str:
    """Colour what must not be overlooked; `inner` is HTML."""
    return f'<div class="awsfed-box awsfed-{tone}">{inner}</div>'


def chip(sign: str, word: str, tone: Tone) -> str:
    """Put a sign and a word in a tone."""
    return f'<span class="awsfed-chip awsfed-{tone}">{escaped(sign)} {escaped(word)}</span>'


def chips(parts: Iterable[str]) -> str:
    """Put chips in a row."""
    return f'<div class="awsfed-chips">{" ".join(parts)}</div>'


def worded(column: str, word: str) -> str:
    """Give `word` as a chip when the column has words with a look of their own, else ''."""
    look = WORDS.get(column, {}).get(word)
    return chip(look[0], word, look[1]) if look else ""


def terms(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and what they stand for; both are text, and a pair without a value is left out."""
    rows = "".join(f"<dt>{escaped(name)}</dt><dd>{inline(value)}</dd>" for name, value in pairs if value)
    return f"<dl>{rows}</dl>" if rows else ""


def terms_text(pairs: Iterable[tuple[str, str]]) -> str:
    """Give the same for a terminal."""
    shown = [(name, visible(value)) for name, value in pairs if value]
    width = max((len(name) for name, _ in shown), default=0)
    return "\n".join(f"{INDENT}{name:<{width}}  {value}" for name, value in shown)


def inline(value: object) -> str:
    """Put a name inside a sentence: isolated, so that a right-to-left name does not reorder its neighbours."""
    return f"<bdi>{escaped(value)}</bdi>"


def code(value: object) -> str:
    """Give an id to copy: one click selects it whole."""
    return f'<code class="awsfed-id">{escaped(value)}</code>'


def folded(summary: str, inner: str) -> str:
    """Fold a block, to open without any script; `summary` is text, `inner` is HTML."""
    return f"<details><summary>{escaped(summary)}</summary>{inner}</details>"


def scroll(name: str, inner: str) -> str:
    """Let what is too wide or too long move in a box of its own, which the keyboard reaches and a screen reader names.

    A group and no region: a record has dozens, and none is a place to jump to.
    """
    return f'<div class="awsfed-scroll" role="group" tabindex="0" aria-label="{escaped(name)}">{inner}</div>'


def block(name: str, inner: str) -> str:
    """Keep lines as they are in a box that scrolls; `name` is text, `inner` HTML of text only."""
    return f'<pre role="group" tabindex="0" aria-label="{escaped(name)}">{inner}</pre>'


def listed(name: str, heads: Iterable[str], rows: str) -> str:
    """Make a list of things, one a row, which stands as cards on a phone; `name` is its caption, `rows` are HTML."""
    columns = "".join(f'<th scope="col">{escaped(head)}</th>' for head in heads)
    inner = f"<caption>{escaped(name)}</caption><thead><tr>{columns}</tr></thead><tbody>{rows}</tbody>"
    return scroll(name, f'<table class="awsfed-list">{inner}</table>')


def quiet(sentence: str) -> str:
    """Remark in small print; text."""
    return f'<p class="awsfed-quiet">{escaped(sentence)}</p>'


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 request`, `1,812 requests`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def duration(seconds: float) -> str:
    """Write seconds for people: `0.4 s`, `41 s`, `2 min 05 s`, `1 h 02 min`."""
    whole = round(seconds)
    if seconds < 10 and seconds != whole:  # noqa: PLR2004  below ten, tenths say something
        return f"{seconds:.1f} s"
    minutes, rest = divmod(whole, 60)
    hours, left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {left:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{whole} s"
