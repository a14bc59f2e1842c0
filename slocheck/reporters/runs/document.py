"""Building blocks of pages on several runs: one HTML file, without script or network, under a strict CSP."""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from slocheck.comparison.words import value_text
from slocheck.reporters.escape import for_html
from slocheck.spec.model import IndicatorKind

STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--dim:#57606a;--paper:#fff;--line:#d0d7de;--band:#ddf0e3;
--bad:#b42318}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#9da7b1;--paper:#0d1117;--line:#30363d;
--band:#16382a;--bad:#ff9b8f}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:1rem auto;
max-width:72rem;padding:0 1rem;overflow-wrap:anywhere}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{border-bottom:1px solid var(--line);padding:.3rem .6rem .3rem 0;text-align:left;vertical-align:top;
overflow-wrap:break-word}th{white-space:nowrap}
svg{width:100%;min-width:38rem;max-width:60rem;height:auto}svg text{font-size:13px;fill:var(--dim)}
.axis{stroke:var(--line)}.band{fill:var(--band)}.curve{fill:none;stroke:var(--ink);stroke-width:1.5;vector-effect:non-scaling-stroke}
.old{stroke:var(--dim);stroke-dasharray:5 4}.point{fill:var(--ink)}
.worse{fill:var(--bad)}.better{fill:var(--paper);stroke:var(--ink);stroke-width:2}
@media(max-width:40rem){svg{min-width:0}svg text{font-size:22px}table{width:max-content}td{max-width:16rem}}
p.bad{color:var(--bad);font-weight:600}h2,h3{margin-bottom:.3rem}
"""
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 720, 200, 104, 12, 100, 26
_ROOM = 0.15


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear axis of values, in pixels from the top."""

    low: float
    high: float

    def y(self, value: float) -> float:
        """Return where a value is."""
        span = (self.high - self.low) or 1.0
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (self.high - value) / span, 1)

    def ticks(self, kind: IndicatorKind) -> Iterator[str]:
        """Yield lines at both ends and in the middle, each with its value."""
        for value in (self.low, (self.low + self.high) / 2, self.high):
            y = self.y(value)
            yield f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
            yield label(LEFT - 8, y + 4, value_text(kind, value), "end")


def axis_for(values: Sequence[float]) -> Axis:
    """Return an axis with room around the values; it does not go below 0 if none of them does."""
    low, high = min(values), max(values)
    room = _ROOM * ((high - low) or abs(high) or 1.0)
    return Axis(max(0.0, low - room) if low >= 0 else low - room, high + room)


def page(title: str, parts: Iterable[str]) -> str:
    """Return a whole page; `title` and `parts` are HTML already."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"/>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
        + "\n".join(parts)
        + "\n</main>\n</body>\n</html>\n"
    )


def curve(points: Sequence[tuple[float, float]], classes: str) -> str:
    """Return a line through points."""
    return f'<polyline class="{classes}" points="{" ".join(f"{x},{y}" for x, y in points)}"/>'


def label(x: float, y: float, said: str, anchor: str = "start") -> str:
    """Return a text in a drawing."""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{for_html(said)}</text>'


def drawing(title: str, description: str, body: Iterable[str]) -> str:
    """Return a chart that is as wide as the page; on a phone its texts are larger."""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="Chart of {for_html(title)}">'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>{for_html(title)}</title>'
        f"<desc>{for_html(description)}</desc>{''.join(body)}</svg></div>"
    )


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of texts, which are scrolled where they do not fit."""
    titles = "".join(f'<th scope="col">{for_html(cell)}</th>' for cell in head)
    lines = "\n".join(f"<tr>{''.join(f'<td>{for_html(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{for_html(caption)}">'
        f"<table>\n<thead><tr>{titles}</tr></thead>\n<tbody>\n{lines}\n</tbody></table></div>"
    )


def folded(summary: str, part: str) -> str:
    """Return a part that is shown when asked for."""
    return f"<details><summary>{for_html(summary)}</summary>{part}</details>"
