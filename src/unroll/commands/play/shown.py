"""A text coloured by a unit's activity, and the probabilities at a place, as HTML."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLUE, RED = "36 99 166", "200 50 40"
STRONGEST = 0.6         # opacity of the largest value, at which letters can still be read
TOP = 15

CSS = """
.unroll-text {font-family: var(--font-mono); font-size: 15px; line-height: 1.65; white-space: pre-wrap;
  overflow-wrap: anywhere; max-height: 460px; overflow-y: auto; color: var(--body-text-color);}
.unroll-text span {cursor: pointer; padding: 2px 0;}
.unroll-text span.here {outline: 2px solid #d9730d; outline-offset: -1px;}
.unroll-text i {font-style: normal; opacity: .35;}
.unroll-legend {display: flex; align-items: center; gap: 10px; margin-bottom: 10px; font-size: 13px;
  color: var(--body-text-color-subdued); font-variant-numeric: tabular-nums;}
.unroll-legend b {flex: 0 0 120px; height: 10px; border-radius: 5px;}
.unroll-bars {display: grid; grid-template-columns: minmax(2.4em, max-content) 1fr 4.2em; gap: 3px 10px;
  align-items: center; font-size: 14px; font-variant-numeric: tabular-nums; color: var(--body-text-color);}
.unroll-bars code {font-family: var(--font-mono); font-size: 15px; text-align: right; white-space: pre;
  background: none; padding: 0;}
.unroll-bars u {display: block; height: 12px; min-width: 1px; border-radius: 2px; background: #2463a6; opacity: .55;}
.unroll-bars em {font-style: normal; text-align: right;}
.unroll-bars .came {color: #d9730d; font-weight: 600;}
.unroll-bars u.came {background: #d9730d; opacity: 1;}
.unroll-note {margin-bottom: 10px; font-size: 13px; color: var(--body-text-color-subdued);}
.unroll-note code {color: var(--body-text-color); background: none; padding: 0; white-space: pre-wrap;}
"""


def coloured(parts: Sequence[str], values: NDArray[np.float32], place: int, name: str) -> str:
    """The text, each symbol coloured by its value (T,), blue below 0 and red above; the one before `place` marked."""
    most = max(float(np.abs(values).max(initial=0)), 1e-6)
    spans = []
    for at, (part, value) in enumerate(zip(parts, values.tolist(), strict=True), 1):
        colour = f"rgb({RED if value > 0 else BLUE} / {STRONGEST * abs(value) / most:.2f})"
        here = ' class="here"' if at == place else ""
        text = escape(part).replace("\n", "<i>⏎</i>\n")
        spans.append(f'<span data-place="{at}"{here} title="{value:+.2f}" style="background:{colour}">{text}</span>')
    ramp = f"linear-gradient(90deg, rgb({BLUE} / {STRONGEST}), transparent, rgb({RED} / {STRONGEST}))"
    legend = f'−{most:.2f} <b style="background:{ramp}"></b> +{most:.2f} <span>{escape(name)}</span>'
    return f'<div class="unroll-legend">{legend}</div><div class="unroll-text">{"".join(spans)}</div>'


def plain(parts: Sequence[str], place: int) -> str:
    """The text of a model without hidden units; its symbols can be clicked, too."""
    return coloured(parts, np.zeros(len(parts), np.float32), place, "no hidden units").partition("</div>")[2]


def bars(names: Sequence[str], probabilities: NDArray[np.float64], came: int | None, before: str) -> str:
    """The most probable symbols (V,) as bars, with the actual one highlighted, if need be below the others."""
    ranked = np.argsort(-probabilities, kind="stable").tolist()
    rows = [_bar(names[symbol], probabilities[symbol], probabilities[ranked[0]], symbol == came)
            for symbol in ranked[:TOP]]
    if came is not None and came in ranked[TOP:]:
        rows.append(f"<code>⋮</code><span></span><em>no. {ranked.index(came) + 1}</em>")
        rows.append(_bar(names[came], probabilities[came], probabilities[ranked[0]], True))
    after = f"after <code>{escape(before)}</code>" if before else "at the start"
    then = "nothing has come yet" if came is None else f"then came <code>{escape(names[came])}</code>"
    return f'<div class="unroll-note">{after}, {then}</div><div class="unroll-bars">{"".join(rows)}</div>'


def _bar(name: str, share: Any, best: Any, came: bool) -> str:
    mark = ' class="came"' if came else ""
    return (f"<code{mark}>{escape(name)}</code><span><u{mark} style=\"width:{100 * share / best:.1f}%\"></u></span>"
            f"<em{mark}>{share:.1%}</em>")
