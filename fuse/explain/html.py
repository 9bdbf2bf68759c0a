"""An explanation as HTML: a fragment for notebooks and a page of its own, with neither scripts nor external
resources.

The layout is a stack of cards: one per kernel, then what was not compiled, what is materialised, the notes
and the times. Colours follow the reader's light or dark setting.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from fuse.explain import Explanation, Kernel, Timings, milliseconds

_STYLE = """
.fuse { font: 14px/1.45 system-ui, sans-serif; color-scheme: light dark; max-width: 70rem }
.fuse h1 { font-size: 1.3rem; margin: 0 0 .2rem; }
.fuse h2 { font-size: 1.05rem; margin: 0 0 .4rem; }
.fuse .card { border: 1px solid #8886; border-left: 4px solid #2a9d6f; border-radius: 6px; padding: .7rem
  1rem; margin: .7rem 0; }
.fuse .library { border-left-color: #d1603d; }
.fuse .between { border-left-color: #c99a2e; }
.fuse .plain { border-left-color: #8886; }
.fuse table { border-collapse: collapse; }
.fuse td, .fuse th { padding: .1rem .9rem .1rem 0; text-align: left; vertical-align: top; }
.fuse th { font-weight: 600; opacity: .75; }
.fuse code { font-family: ui-monospace, monospace; font-size: .92em; }
.fuse details { margin-top: .3rem; }
.fuse summary { cursor: pointer; opacity: .8; }
.fuse .bar { display: inline-block; height: .7em; background: #2a9d6f; border-radius: 2px; }
"""


def page(found: Explanation) -> str:
    """A complete document."""
    title = escape(found.title or "fuse")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
        f'<body style="margin:2rem">{fragment(found)}</body></html>\n'
    )


def fragment(found: Explanation) -> str:
    """The cards inside one element, with their style."""
    steps = [(step.call, step.reason, step.location) for step in found.library_steps]
    between = [(item.name, item.type, item.because) for item in found.intermediates]
    cards = [
        *map(_kernel, found.kernels),
        _table("Not compiled", "library", ("step", "why", "line"), steps),
        _table("Materialised between", "between", ("array", "type", "why"), between),
        _table("Holds while", "plain", ("Python saw",), [(guard,) for guard in found.guards]),
        _table("Optimizer", "plain", ("note",), [(note,) for note in found.notes]),
        _timings(found.timings) if found.timings is not None else "",
    ]
    head = f"<h1>{escape(found.title or 'fuse')}</h1><p>{escape(found.summary())}</p>"
    return f'<div class="fuse"><style>{_STYLE}</style>{head}{"".join(cards)}</div>'


def _kernel(kernel: Kernel) -> str:
    lines = [(line.location, ", ".join(line.ops)) for line in kernel.lines]
    loads = [(load.name, load.dtype, f"{load.bytes_per_row:g}") for load in kernel.loads]
    body = "".join((
        _rows(("line", "operations"), lines),
        _details(f"reads {kernel.bytes_per_row:g} B a row", _rows(("array", "dtype", "bytes a row"), loads)),
        _details(f"{len(kernel.stages)} stages", _list(kernel.stages)),
        _details(f"writes {len(kernel.outputs)}", _list(kernel.outputs)),
    ))  # fmt: skip
    title = f"Kernel {kernel.number} over <code>{escape(kernel.domain)}</code>: {kernel.nodes} operations"
    return f'<section class="card"><h2>{title}</h2>{body}</section>'


def _table(title: str, kind: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    return f'<section class="card {kind}"><h2>{title}</h2>{_rows(heads, rows)}</section>' if rows else ""


def _rows(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = (
        "<tr>" + "".join(f"<td><code>{escape(cell)}</code></td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><tr>{head}</tr>{''.join(body)}</table>"


def _details(title: str, body: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{body}</details>" if body else ""


def _list(items: Iterable[str]) -> str:
    entries = "".join(f"<li><code>{escape(item)}</code></li>" for item in items)
    return f"<ul>{entries}</ul>" if entries else ""


def _timings(timings: Timings) -> str:
    longest = max(value for _, value in timings.rows) or 1.0
    rows = "".join(
        f"<tr><td>{name}</td><td>{milliseconds(value)}</td>"
        f'<td><span class="bar" style="width:{value / longest * 20:.1f}rem"></span></td></tr>'
        for name, value in timings.rows
    )
    return f'<section class="card plain"><h2>Time</h2><table>{rows}</table></section>'
