"""How outputs look: one palette, one small style sheet that travels with every output.

Colour never speaks alone: each tone comes with a sign and a word. Every pair of text and ground has a contrast of at
least 4.5 to 1 (WCAG 2.2, success criterion 1.4.3), and a border keeps the shape where a printer drops the grounds.
JupyterLab's own variables give the colours of its theme, light or dark; elsewhere the second value holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

Tone = Literal["good", "news", "warn", "bad", "calm"]


class Paint(NamedTuple):
    """Text, ground and edge of a tone."""

    text: str
    ground: str
    edge: str


PALETTE: Mapping[Tone, Paint] = MappingProxyType(
    {
        "good": Paint("#0f5323", "#e6f6ea", "#5fae74"),
        "news": Paint("#0b4a8f", "#e7f1fd", "#6fa8e0"),
        "warn": Paint("#7a4100", "#fff3dc", "#d39a3a"),
        "bad": Paint("#8c1420", "#fdeaec", "#d9707b"),
        "calm": Paint("#3f4954", "#f1f3f5", "#a9b2bc"),
    }
)
INK, QUIET, PAPER, LINE = "#1c2128", "#57606a", "#ffffff", "#d5dae0"

_VARIABLES = f"""
.awsfed {{
  --awsfed-ink: var(--jp-content-font-color1, {INK});
  --awsfed-quiet: var(--jp-content-font-color2, {QUIET});
  --awsfed-paper: var(--jp-layout-color1, {PAPER});
  --awsfed-line: var(--jp-border-color2, {LINE});
}}
"""

_TONES = "\n".join(
    f".awsfed-{tone} {{ color: {paint.text}; background: {paint.ground}; border-color: {paint.edge}; }}" for tone, paint in PALETTE.items()
)

# Lists of things as cards. A container scopes counters, by which other pages say how many rows they show: so only where it is asked for.
_CARDS = """
.awsfed.awsfed .awsfed-list, .awsfed.awsfed .awsfed-list :is(caption, tbody, tr, th, td) { display: block; max-width: none; }
.awsfed.awsfed .awsfed-list thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
.awsfed.awsfed .awsfed-list tr { border-bottom: 1px solid var(--awsfed-line); padding: 8px 0; }
.awsfed.awsfed .awsfed-list tr > * { border: 0; padding: 2px 0; }
.awsfed-list td[data-name]::before { content: attr(data-name) " "; }
"""
_NARROW = f"""
.awsfed-fitting {{ container-type: inline-size; }}
@container (max-width: 860px) {{ {_CARDS} }}
@media (max-width: 560px) {{ {_CARDS} }}
"""

# The doubled class outweighs what JupyterLab says of tables and lists in an output.
_SHEET = """
.awsfed.awsfed {
  color: var(--awsfed-ink); margin: 4px 0 10px; max-width: 100%;
  font: 14px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
}
.awsfed.awsfed p, .awsfed.awsfed ul, .awsfed.awsfed ol { margin: 6px 0; }
.awsfed.awsfed ul, .awsfed.awsfed ol { padding-left: 22px; }
.awsfed.awsfed code, .awsfed.awsfed pre {
  font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 12.5px;
  background: none; color: inherit; overflow-wrap: anywhere;
}
.awsfed.awsfed strong { font-weight: 600; }
.awsfed.awsfed .awsfed-title { font-size: 16px; font-weight: 600; margin: 0 0 2px; }
.awsfed.awsfed .awsfed-quiet { color: var(--awsfed-quiet); }
.awsfed-card { border: 1px solid; border-left-width: 4px; border-radius: 6px; padding: 12px 16px; }
.awsfed.awsfed .awsfed-card {
  background: none; color: inherit;
  border-top-color: var(--awsfed-line); border-right-color: var(--awsfed-line); border-bottom-color: var(--awsfed-line);
}
.awsfed-box { border: 1px solid; border-left-width: 4px; border-radius: 4px; padding: 8px 12px; margin: 10px 0; }
.awsfed.awsfed .awsfed-box p:first-child { margin-top: 0; }
.awsfed.awsfed .awsfed-box :last-child { margin-bottom: 0; }
.awsfed-chip {
  display: inline-block; border: 1px solid; border-radius: 4px; padding: 0 7px;
  font-size: 12.5px; line-height: 1.55; white-space: nowrap;
}
.awsfed-chips { display: flex; flex-wrap: wrap; gap: 6px; margin: 8px 0; }
.awsfed.awsfed .awsfed-id {
  border: 1px solid var(--awsfed-line); border-radius: 4px; padding: 1px 6px;
  user-select: all; -webkit-user-select: all; white-space: nowrap;
}
.awsfed.awsfed dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 8px 0; }
.awsfed.awsfed dt { color: var(--awsfed-quiet); font-weight: 400; margin: 0; width: auto; float: none; padding: 0; }
.awsfed.awsfed dd { margin: 0; padding: 0; width: auto; overflow-wrap: anywhere; }
.awsfed-scroll {
  overflow-x: auto; margin: 8px 0 4px;
  background:
    linear-gradient(transparent, var(--awsfed-paper) 70%) bottom / 100% 34px no-repeat local,
    linear-gradient(to right, transparent, var(--awsfed-paper) 70%) right / 34px 100% no-repeat local,
    linear-gradient(transparent, rgb(31 35 40 / 18%)) bottom / 100% 12px no-repeat scroll,
    linear-gradient(to right, transparent, rgb(31 35 40 / 18%)) right / 12px 100% no-repeat scroll;
}
.awsfed-tall .awsfed-scroll { max-height: min(620px, 75vh); overflow-y: auto; }
.awsfed-tall thead th { position: sticky; top: 0; background: var(--awsfed-paper); box-shadow: inset 0 -1px currentColor; }
.awsfed-scroll:focus-visible, .awsfed pre:focus-visible, .awsfed a:focus-visible, .awsfed summary:focus-visible {
  outline: 2px solid #0b4a8f; outline-offset: 2px;
}
.awsfed.awsfed table {
  border-collapse: collapse; table-layout: auto; margin: 0; color: inherit;
  font-size: 13px; line-height: 1.45; font-variant-numeric: tabular-nums;
}
.awsfed.awsfed caption { caption-side: top; text-align: left; font-weight: 600; padding: 0 0 6px; color: inherit; }
.awsfed-scroll a:focus-visible { outline-offset: -1px; }
.awsfed-tall caption { background: var(--awsfed-paper); }
.awsfed.awsfed caption span { position: sticky; left: 0; display: inline-block; max-width: min(72ch, 82vw); }
.awsfed.awsfed th, .awsfed.awsfed td {
  border: 0; border-bottom: 1px solid var(--awsfed-line); padding: 5px 20px 5px 0; max-width: 62ch;
  text-align: left; vertical-align: top; font-weight: 400; white-space: pre-wrap; overflow-wrap: anywhere;
}
.awsfed.awsfed thead th {
  color: var(--awsfed-quiet); border-bottom-color: currentColor;
  font-weight: 600; white-space: nowrap; vertical-align: bottom;
}
.awsfed thead wbr { display: none; }
.awsfed.awsfed th.awsfed-number, .awsfed.awsfed td.awsfed-number { text-align: right; }
.awsfed.awsfed td.awsfed-short, .awsfed.awsfed tbody th.awsfed-short { white-space: pre; }
.awsfed.awsfed.awsfed table .awsfed-moment { white-space: nowrap; }
.awsfed.awsfed th.awsfed-middle { min-width: 25ch; }
.awsfed.awsfed th.awsfed-long { min-width: 44ch; }
.awsfed.awsfed tbody tr, .awsfed.awsfed tbody tr:nth-child(even), .awsfed.awsfed tbody tr:hover { background: none; }
.awsfed.awsfed details { margin: 8px 0; }
.awsfed.awsfed summary { cursor: pointer; width: fit-content; min-height: 24px; }
.awsfed.awsfed pre {
  border: 1px solid var(--awsfed-line); border-radius: 4px; padding: 8px 10px; margin: 6px 0 10px;
  max-height: 460px; overflow: auto; white-space: pre; overflow-wrap: normal; line-height: 1.45;
}
.awsfed.awsfed .awsfed-box pre { border: 0; padding: 0; white-space: pre-wrap; overflow-wrap: anywhere; word-break: normal; }
.widget-html-content > .awsfed { contain: inline-size; }
@media (max-width: 560px) {
  .awsfed-card { padding: 10px 12px; }
  .awsfed.awsfed .awsfed-id { white-space: normal; }
  .awsfed.awsfed dl { grid-template-columns: minmax(0, 6.5em) 1fr; gap: 2px 10px; }
  .awsfed.awsfed th.awsfed-middle { min-width: 18ch; }
  .awsfed.awsfed th.awsfed-long { min-width: 26ch; }
}
@media print {
  .awsfed-box, .awsfed.awsfed tr, .awsfed-chips { break-inside: avoid; }
  .awsfed-scroll, .awsfed-tall .awsfed-scroll { overflow: visible; max-height: none; background: none; }
  .awsfed-tall thead th { position: static; box-shadow: none; }
  .awsfed.awsfed thead { display: table-header-group; }
  .awsfed.awsfed thead wbr { display: inline; }
  .awsfed.awsfed table { font-size: 7.5pt; line-height: 1.3; width: 100%; }
  .awsfed.awsfed.awsfed table :is(th, td) { padding: 2px 6px 2px 0; min-width: 0; max-width: none; white-space: pre-wrap; }
  .awsfed.awsfed table :is(thead th, .awsfed-short, .awsfed-number) { overflow-wrap: break-word; }
  .awsfed.awsfed details::details-content { display: block; content-visibility: visible; block-size: auto; }
  .awsfed-chip { font-size: inherit; padding: 0 4px; }
  .awsfed.awsfed pre { max-height: none; white-space: pre-wrap; overflow-wrap: anywhere; }
  .awsfed.awsfed details pre { columns: 3; column-rule: 1px solid var(--awsfed-line); font-size: 6.5pt; line-height: 1.25; }
}
"""

STYLE = _VARIABLES + _SHEET + _NARROW + _TONES + "\n"
