"""The example of `architecture.md`, and what each stage of the compiler prints for it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

SOURCE = """\
import fuse
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import StandardScaler

scaler, model = StandardScaler(), LinearRegression()  # as if fitted, with numbers that are easy to follow
scaler.n_features_in_ = model.n_features_in_ = 2
scaler.mean_, scaler.var_, scaler.scale_ = np.array([2.0, 1.0]), np.array([0.25, 4.0]), np.array([0.5, 2.0])
model.coef_, model.intercept_ = np.array([1.5, -3.0]), 0.25

@fuse.jit
def score(df):
    df = df[df["amount"] > 0]
    X = np.column_stack([np.log1p(df["amount"]), df["km"] / df["amount"]])
    return model.predict(scaler.transform(X))

df = pd.DataFrame({"amount": np.linspace(-1.0, 9.0, 10_000), "km": np.linspace(3.0, 30.0, 10_000)})
"""


_DRIVER = """
import sys
scope = {"__name__": "example"}
exec(compile(sys.stdin.read(), "example.py", "exec"), scope)
scope["score"](scope["df"])
print(scope["score"].explain(scope["df"]))
"""


@cache
def _run() -> tuple[str, str]:
    """What is printed while the example compiles, and its explanation.

    In a process of its own, so that the numbers of slots and nodes are those of a fresh start.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FUSE_")}
    ended = subprocess.run(
        [sys.executable, "-c", _DRIVER],
        input=SOURCE,
        env={**kept, "FUSE_DUMP": "graph,optimize,kernels", "FUSE_CACHE": "0", "PYTHONIOENCODING": "utf-8"},
        cwd=Path(__file__).resolve().parents[1],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return ended.stderr, ended.stdout


def _fenced(text: str, language: str = "text") -> str:
    return f"```{language}\n{text.rstrip()}\n```"


def source() -> str:
    """The program."""
    return _fenced(SOURCE, "python")


def graph() -> str:
    """The recorded graph."""
    return _fenced(_between(r"--- graph\n", r"\n(?=# after|---)"))


def optimized() -> str:
    """The graph after the last pass that changed it, named."""
    last = re.findall(r"# after \w+ \(.*? ms\)\n.*?\n\n", _run()[0], re.DOTALL)[-1]
    return _fenced(re.sub(r" \(.*? ms\)", "", last, count=1))


def kernels() -> str:
    """The first step: the kernel."""
    return _fenced(_between(r"--- step 0\n", r"\n(?=--- step 1)"))


def explained() -> str:
    """What the user sees of it."""
    return _fenced(_run()[1])


def _between(start: str, end: str) -> str:
    match = re.search(f"{start}(.*?){end}", _run()[0] + "\n---", re.DOTALL)
    assert match is not None, f"the dump has no {start!r}"
    return match[1]
