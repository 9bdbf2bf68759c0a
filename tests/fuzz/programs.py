"""Random user programs: Python source over numpy and pandas, grown line by line on real values.

A line is a template whose holes are filled with what the program already has: each line runs in the plain
libraries at once, so that holes are filled by the values' real types and a line that raises is (nearly
always) left out. Values that depend on transcendental functions or on sums are `inexact`; ties of zeros in
`fmin` and `fmax` are added to 0, because NumPy's sign of them depends on the place in its vectors.
"""

from __future__ import annotations

import random
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from tests.fuzz.tables import arguments

ARGUMENTS = ("df", "v", "M", "W", "k", "q", "h", "z")
CONSTANTS = (
    "0", "1", "2", "-1", "3", "-3", "7", "0.5", "-0.5", "1.5", "0.1", "1e-3", "-0.0", "255", "100", "True",
    "np.float32(0.1)", "np.int8(5)", "np.float64(2.5)", "np.nan",
)  # fmt: skip
DTYPES = (
    '"float64"', '"float32"', '"int64"', '"int32"', '"int8"', '"uint8"', '"bool"', '"float16"', '"uint64"',
    "int", "float", "bool",
)  # fmt: skip

_INEXACT = re.compile(
    r"\b(exp|exp2|expm1|log|log1p|log2|log10|sin|cos|tan|tanh|arctan|arctan2|sinh|cbrt|hypot|logaddexp|sum|mean|std|"
    r"var|prod|cumprod|dot|norm|average|nansum|nanmean|nanstd|power|corr|total|scaled|standard|predict\w*|float_power|interp|"
    r"transform|decision_function|pct_change|rolling|agg)\b|\*\*|@|groupby"
)

SERIES = (
    "{n} + {N}", "{n} - {N}", "{n} * {N}", "{n} / {N}", "{n} // {N}", "{n} % {N}", "{c} - {n}", "{c} / {n}",
    "{c} // {n}", "{c} % {n}", "-{n}", "abs({n})", "{n}.abs()", "+{n}", "{n} ** 2", "{n} ** {c}",
    "{n} ** 0.5", "np.log1p({n}.abs())", "np.sqrt({n})", "np.exp({n} / 50)", "np.floor({n})", "np.ceil({n})",
    "np.sign({n})", "np.square({n})", "np.rint({n})", "np.trunc({n})", "np.sin({n})", "np.tanh({n})",
    "np.log({n})", "np.maximum({n}, {N})", "np.minimum({n}, {N})", "np.fmin({n}, {N}) + 0",
    "np.fmax({n}, {N}) + 0", "np.hypot({n}, {n})", "np.where({k}, {n}, {N})", "np.where({k}, {c}, {n})",
    "{n}.clip({c}, {c})", "{n}.clip(lower={c})", "{n}.clip(0, 10)", "{n}.fillna({c})", "{n}.fillna({n})",
    "{n}.fillna({n}.mean())", "{n}.round(1)", "{n}.round()", "{n}.astype({t})", "{n}.fillna(0).astype({t})",
    "{n}.where({k})", "{n}.where({k}, {N})", "{n}.mask({k}, {N})", "{n}.mask({k})", "{n} * 1", "{n} + 0",
    "{n} * {k}", "{k} * {n}", "{n}.isna()", "{n}.notna()", "np.isnan({n})", "np.isfinite({n})",
    "{n}.shift(1)", "{n}.diff()", "{n}.cumsum()", "{n}.rank()", "{n}.between({c}, {c})",
    "{n}.isin([0, 1, 2.0, 7])", "{n}.map({{0: 1, 1: 2, 2: 5}})", "{n}.add({n}, fill_value=0)",
    "{n}.rsub({c})", "{n}.div({n})", "{n}.mul({c})", "{n}.pow(2)", "{n}.mod(3)", "{n}.floordiv({c})",
    "({n} - {n}.mean()) / {n}.std()", "{n} - {n}.min()", "{n} / {n}.sum()", "{n} * {n}.max()",
    "({n} - {n}.min()) / ({n}.max() - {n}.min())", "{n} - {n}[{k}].mean()", "{n} > {n}.mean()",
    "{n}.replace(0, {c})", "{n}.copy()", "{n}.to_numpy()", "{n}.values", "{n}.apply(lambda x: x * 2)",
    "{n}.sort_values()", "{n}.reset_index(drop=True)", "{n}.rename('other')", "{n}.iloc[::-1]",
    "{n}.head(3)", "{n}.iloc[1:]", "{n}.drop_duplicates()", "{n}.rolling(3).mean()", "{n}.pipe(np.square)",
    "{d}.dt.hour", "{d}.dt.dayofweek", "{d}.dt.month", "{d}.dt.year", "{d}.dt.day", "{d}.dt.minute",
    "{d}.dt.dayofyear", "{d}.dt.quarter", "{d}.dt.second", "{d}.dt.normalize()", "{d}.dt.date", "{d}.isna()",
    "{d} - {d}.min()", "({d} - pd.Timestamp('2001-02-03')).dt.days",
    "{d}.fillna(pd.Timestamp('2000-01-01'))", "({d} - pd.Timestamp('2001-02-03')).dt.total_seconds()",
    "{w}.dt.total_seconds()", "{w}.dt.days", "{w}.dt.seconds", "{d} + {w}", "{d} - {w}", "{w} * 2",
    "{w} / pd.Timedelta('1h')", "{w} // pd.Timedelta('1D')", "-{w}", "{w}.abs()",
    "{d} + pd.Timedelta('90min')", "{d}.astype('int64')", "{w} > pd.Timedelta(0)", "{d} >= '1999-12-31'",
    "{d}.dt.floor('h')", "{d}.dt.is_month_end", "{d}.dt.weekday >= 5", "{d}.dt.strftime('%Y-%m')",
    "{d}.diff()", "{s}.str.len()", "{s}.str.upper()", "{s} == 'red'", "{s} != 'blue'",
    "{s}.isin(['red', ''])", "{s}.isna()", "{s}.str.contains('e')", "{s}.str.startswith('g')",
    "{s}.fillna('none')", "{s} + '!'", "{s} < 'h'", "{s}.map({{'red': 1, 'blue': 2}})",
    "{s}.astype('category')", "{s}.str.strip().str.lower()", "{s} == {s}", "{g} == 'x'", "{g} != 'y'",
    "{g}.cat.codes", "{g}.isin(['x', 'zed'])", "{g}.isna()", "{g}.astype(str)",
    "{g}.map({{'x': 1.5, 'y': 2.0}})", "{g}.astype('str') == 'x'",
    "{n}.groupby({g}, observed=True).transform('mean')", "{n}.groupby({k}).transform('sum')",
    "{n}.groupby({s}).mean()", "pd.Series({a}, index={n}.index) + {n}", "pd.to_numeric({n})", "pd.isna({n})",
    "pd.concat([{n}, {n}])", "pd.cut({n}, [-10, 0, 10])", "{n}.combine_first({n})", "np.add({n}, {N})",
    "np.divide({n}, {N})", "np.remainder({n}, {c})", "np.abs({n} - {n}.median())", "{n}.quantile(0.5)",
    "scaled({n})", "scaled({n}, 3)", "bump({n})", "standard({n})",
)  # fmt: skip

MASKS = (
    "{n} > {c}", "{n} <= {c}", "{n} == {N}", "{n} != {N}", "{n} < {N}", "{n} >= {N}", "{k} & {k}",
    "{k} | {k}", "~{k}", "{k} ^ {k}", "({n} > 0) & ({n} < 20)", "{n}.notna()", "{n}.isna() | ({n} > 0)",
    "{g} == 'x'", "{s} == 'red'", "{d} > pd.Timestamp('2000-01-01')", "{n}.gt(0)", "{n}.between(-10, 10)",
    "{n}.isin([1, 2, 3])", "{n} > 0", "{n} > {n}.mean()", "np.logical_and({k}, {k})", "np.isfinite({n})",
)  # fmt: skip

SCALARS = (
    "{n}.sum()", "{n}.mean()", "{n}.std()", "{n}.var()", "{n}.min()", "{n}.max()", "{n}.count()",
    "{n}.any()", "{n}.all()", "{k}.sum()", "{k}.mean()", "{k}.any()", "{k}.all()", "{n}.std(ddof=0)",
    "{n}.prod()", "len({n})", "{n}.median()", "{n}.sum(skipna=False)", "{n}.mean(skipna=False)",
    "{n}.max(skipna=False)", "{n}.idxmax()", "{n}.argmax()", "{n}.nunique()", "{n}.sum(min_count=1)",
    "{n}.is_unique", "{d}.max()", "{d}.min()", "{w}.sum()", "{n}.iloc[0]", "{n}.iloc[-1]", "{n}.dtype",
    "{n}.shape", "{n}.size", "float({n}.sum())", "int({k}.sum())", "{a}.sum()", "{a}.mean()", "{a}.std()",
    "{a}.min()", "{a}.max()", "{a}.argmax()", "{a}.argmin()", "{a}.any()", "np.all({a} > {c})",
    "np.any({a} > {c})", "np.nanmean({a})", "np.nansum({a})", "np.nanmax({a})", "{a}.var(ddof=1)",
    "np.argmax({a})", "np.nanargmin({a})", "np.count_nonzero({a})", "np.median({a})", "{a}[0]", "{a}[-1]",
    "np.ptp({a})", "{a} @ {a}", "np.linalg.norm({a})", "np.dot({a}, {a})", "{a}.prod()",
    "{a}[{a} > 0].sum()", "{a}[{a} > 0].max()", "np.sum({a}, where={a} > 0)", "np.max({a}, initial=5)",
    "{A}.sum()", "{A}.mean()", "{A}.max()", "{A}.argmax()", "np.isnan({A}).any()", "np.percentile({a}, 30)",
    "np.array_equal({a}, {a})", "np.allclose({a}, {a})",
)  # fmt: skip

FRAMES = (
    "{D}[{k}]", "{D}.loc[{k}]", "{D}[{D}['a'] > 0]", "{D}[({D}['a'] > {c}) & ({D}['i'] < 20)]",
    "{D}[['a', 'b', 'i']]", "{D}.assign(x={n}, y=lambda f: f['a'] * 2)", "{D}.assign(a={n})",
    "{D}.drop(columns=['s'])", "{D}.copy()", "{D}.rename(columns={{'a': 'A'}})", "{D}[['a', 'b', 'e']] * 2",
    "{D}[['a', 'b', 'e']].fillna(0)", "{D}[['a', 'b', 'e']].clip(-1, 1)", "{D}[['i', 'j', 't']] + 1",
    "{D}[['a', 'b']] > 0", "{D}.dropna()", "{D}.dropna(subset=['a'])", "{D}.sort_values('a')",
    "{D}.reset_index(drop=True)", "{D}.head(7)", "{D}.iloc[::2]", "{D}.iloc[2:-1]",
    "{D}.query('a > 0 and i < 10')", "{D}.fillna({{'a': 0.0, 'e': 1}})", "{D}.astype({{'i': 'f4'}})",
    "{D}.groupby('g', observed=True)[['a', 'i']].sum()", "{D}.groupby('s')['a'].mean().reset_index()",
    "{D}.groupby('j', as_index=False).agg(low=('a', 'min'), n=('i', 'sum'))", "{D}[['a', 'b']].abs()",
    "{D}.merge(pd.DataFrame({{'g': ['x', 'y'], 'r': [1.0, 2.0]}}), on='g', how='left')",
    "{D}.select_dtypes('number')", "{D}[['a', 'b', 'e']].mean()", "{D}[['a', 'b', 'i']].sum(axis=1)",
    "{D}[['a', 'b']].max(axis=1)", "{D}[['a', 'i', 'u']].to_numpy()", "{D}[['a', 'b']].values",
    "np.log1p({D}[['a', 'b']].abs())", "{D}.isna().sum()", "pd.get_dummies({D}['g'])",
    "{D}.drop_duplicates('j')", "{D}[['a', 'b', 'e']].isna().any(axis=1)", "pd.concat([{D}, {D}])",
    "pd.DataFrame({{'p': {n}, 'r': {n} * 2}})", "pd.DataFrame({A}, columns=['p', 'q', 'r'])",
    "{D}.set_index('i')", "{D}[{D}.columns[::-1]]",
    "{D}[['a', 'b', 'e']].where({D}[['a', 'b', 'e']] > 0, -1)", "{D}.loc[{k}, 'a']",
    "{D}.loc[{k}, ['a', 'i']]", "{D}.eval('a + b * 2')", "{D}[['a', 'b', 'i']].std()",
    "{D}[['a', 'b']].sub({D}[['a', 'b']].mean())", "{D}[['b', 'a']] - {D}[['a', 'b']]", "{D}.shape",
    "list({D}.columns)", "{D}.describe()", "{D}.nlargest(3, 'a')",
    "{D}[['a', 'b']].apply(lambda c: c - c.min())", "{D}.isna()", "{D}[['a', 'b']].T",
    "{D}[['a', 'b', 'e']].idxmax(axis=1)", "{D}.sample(frac=1, random_state=0)",
)  # fmt: skip

ARRAYS = (
    "{a} + {b}", "{a} - {b}", "{a} * {b}", "{a} / {b}", "{a} // {b}", "{a} % {b}", "{c} - {a}", "{a} ** 2",
    "-{a}", "+{a}", "np.abs({a})", "np.sqrt({a})", "np.exp({a} / 100)", "np.log1p(np.abs({a}))",
    "np.where({a} > {c}, {a}, {b})", "np.where({a} > 0, 1, 0)", "np.clip({a}, -1, 1)", "{a}.clip({c}, {c})",
    "np.maximum({a}, {b})", "np.minimum({a}, 0)", "np.fmin({a}, {b}) + 0", "np.fmax({a}, -0.0) + 0",
    "{a}.astype({t})", "np.round({a}, 1)", "np.floor({a})", "np.sign({a})", "{a}[1:]", "{a}[::-1]",
    "{a}[::2]", "{a}[-3:]", "{a}[:-1]", "{a}[1:] - {a}[:-1]", "{a}[{a} > 0]", "{a}[{a} > {c}] * 2",
    "{a}[np.argsort({a})]", "np.sort({a})", "np.cumsum({a})", "np.diff({a})", "np.column_stack([{a}, {b}])",
    "np.column_stack([{a}, {a}, {b}])", "np.concatenate([{a}, {b}])", "np.stack([{a}, {b}])",
    "np.stack([{a}, {b}], axis=1)", "np.hstack([{a}, {b}])", "np.vstack([{a}, {b}])", "{a}[:, None] * k",
    "{a}[:, None] + {a}[None, :]", "{a}.reshape(-1, 1)", "{a}[:, None]", "np.outer({a}, k)",
    "np.zeros_like({a})", "np.ones(len({a}))", "np.full({a}.shape, 3)", "np.arange(len({a})) * {a}",
    "np.isnan({a})", "np.isfinite({a}) & ({a} > 0)", "np.nan_to_num({a})", "np.unique({a})", "np.flip({a})",
    "np.roll({a}, 2)", "np.tile({a}, 2)", "np.repeat({a}, 2)",
    "np.searchsorted(np.array([-1.0, 0.0, 1.0]), {a})", "np.digitize({a}, [-1, 0, 1])",
    "np.take({a}, [0, 1, -1])", "{a}[[0, -1, 0]]", "{a} > {b}", "{a} == {b}", "{a} != {c}", "{A} @ W",
    "{A} @ k", "{A} * k", "{A} + k[None, :]", "{A} - {A}.mean(axis=0)",
    "({A} - {A}.mean(axis=0)) / {A}.std(axis=0)", "{A} / {A}.sum(axis=1, keepdims=True)", "{A}.max(axis=1)",
    "{A}.argmax(axis=1)", "{A}.argmin(axis=0)", "{A}.sum(axis=0)", "{A}.sum(axis=1)", "{A}.mean(axis=1)",
    "{A}.T", "{A}[:, 0]", "{A}[:, 1:]", "{A}[:, ::-1]", "{A}[:, -1] * {A}[:, 0]", "{A}[1:-1, ::2]",
    "{A}[{a} > 0]", "{A}[{A}[:, 0] > 0]", "{A}[:, [2, 0]]", "{A}.reshape(-1)", "{A}.ravel()", "{A}.T @ {A}",
    "{A} > 0", "({A} > 0).any(axis=1)", "({A} > 0).all(axis=0)", "np.hstack([{A}, {A}])",
    "np.concatenate([{A}, {A}], axis=0)", "np.c_[{A}, {a}]", "np.exp({A} - {A}.max(axis=1, keepdims=True))",
    "{A}.min(axis=0)", "{A}.std(axis=0)", "{A}.cumsum(axis=0)", "np.where({A} > 0, {A}, k)",
    "np.dot({A}, W)", "np.einsum('ij,j->i', {A}, k)", "np.maximum({A}, 0)", "{A}.flatten()",
    "np.nanmax({A}, axis=0)", "np.nanmean({A}, axis=1)", "np.any(np.isnan({A}), axis=1)",
    "np.broadcast_to(k, {A}.shape) * 1", "np.transpose({A})[0]", "{A}.swapaxes(0, 1)",
    "np.linalg.norm({A}, axis=1)", "np.array([{a}.min(), {a}.max()])", "np.array({a})", "{a}.copy()",
    "np.asarray({a})", "scaled({a})", "bump({a})", "({a} > 0) * {a}", "{a} & 3", "{a} | 1", "{a} ^ {b}",
    "{a} << 2", "{a} >> 1", "~{a}", "np.invert({a})", "np.bitwise_and({a}, 7)", "divmod({a}, 3)",
    "np.divmod({a}, {b})", "np.select([{a} > 1, {a} > 0], [{a}, {b}], default=-1)",
    "np.piecewise({a}, [{a} > 0], [1, -1])", "np.interp({a}, [0, 1], [5, 6])", "np.sin({a})", "np.cos({a})",
    "np.tanh({a})", "np.arctan2({a}, {b})", "np.power({a}, 2)", "np.float_power({a}, 2)", "np.cbrt({a})",
    "np.modf({a})", "np.frexp({a})", "np.copysign({a}, {b})", "np.signbit({a})", "np.heaviside({a}, 0.5)",
    "np.square({a})", "np.reciprocal({a})", "np.rint({a})", "np.trunc({a})", "np.mod({a}, 3)",
    "np.fmod({a}, {b})", "np.floor_divide({a}, {b})", "np.nextafter({a}, 0)", "np.gradient({a})",
    "np.append({a}, 1)", "np.pad({a}, 1)", "np.split({a}, [3])[0]", "np.squeeze({a})", "np.atleast_2d({a})",
    "np.nonzero({a})[0]", "np.argwhere({a} > 0)", "np.flatnonzero({a} > 0)", "np.ravel({A}, order='F')",
    "{n}.to_numpy()", "{n}.to_numpy()[::-1]", "np.asarray({n})", "np.column_stack([{n}, {n}, {n}])",
)  # fmt: skip

STATEMENTS = (
    "{a}[0] = 5", "{a}[1:3] = 0", "{a}[::-1] += 1", "{a}[{a} > 0] = 0", "{a}[{a} < {c}] = 1",
    "{a}[{a} > 0] *= 2", "{a} += 1", "{a} *= {b}", "{a}[1:] += {a}[:-1]", "{a}[1:] = {a}[:-1]",
    "{a}[-1] -= 2", "{A}[:, 0] = 1", "{A}[:, 1] = {a}", "{A}[{A} > 1] = 1", "{A}[0] += k",
    "{A} -= {A}.mean(axis=0)", "{A} *= k", "{A}[:, 0] += {A}[:, 1]", "{A}[::2] = 0", "{D}['x'] = {n}",
    "{D}['a'] = {D}['a'] * 2", "{D}['a'] += 1", "{D}.loc[{k}, 'a'] = 0.0", "{D}.loc[{k}, 'i'] = 3",
    "{D}['y'] = {c}", "{D}['b'] = np.where({k}, {n}, 0)", "{D}.insert(0, 'first', {n})", "del {D}['e']",
    "{D}['b'] = {D}['b'].fillna(0)", "{a}.fill(3)", "{a}.sort()", "np.add({a}, 1, out={a})",
    "np.clip({a}, 0, 1, out={a})", "{D}.columns = [c + '_' for c in {D}.columns]", "{D}.iloc[0, 0] = 9",
    "{D}.at[{D}.index[0], 'i'] = 4", "np.copyto({a}, {b})", "np.copyto({a}, 0, where={a} > 1)",
    "np.put({a}, [0], 2)", "{D}[['a', 'b']] = {D}[['b', 'a']]",
    "for _c in ('a', 'b'):\n        {D}[_c] = {D}[_c] - {D}[_c].min()", "{D}['t2'] = {D}['t'] * {D}['t']",
    "{D}['ratio'] = {D}['i'] / {D}['j']", "{D}['q'] = {D}['i'] // {D}['j']",
    "{D}['q'] = {D}['i'] % {D}['j']",
)  # fmt: skip

BRANCHES = (
    "if {n}.sum() > 0:\n        {new} = {n} * 2\n    else:\n        {new} = {n} - 1",
    "if {n}.isna().any():\n        {new} = {n}.fillna(0)\n    else:\n        {new} = {n} + 1",
    "if ({a} > 0).all():\n        {new} = {a} + 1\n    else:\n        {new} = {a}.sum()",
    "if len({n}) > 20:\n        {new} = {n}.mean()\n    else:\n        {new} = {n}.max()",
    "if {k}.any():\n        {new} = {n}[{k}]\n    else:\n        {new} = {n}",
    "if np.isnan({a}).any():\n        raise ValueError('missing in ' + str({a}.dtype))\n    {new} = {a} * 2",
    "assert ({a} < 1e300).all(), 'too large'\n    {new} = {a}",
    "{new} = 0\n    for _c in ('a', 'i', 'u'):\n        {new} = {new} + {D}[_c]",
    "{new} = [{n} * _f for _f in (1, 2)]", "{new} = {{_c: {D}[_c].mean() for _c in ('a', 'b')}}",
    "_x, _y = {n}, {n}\n    {new} = _x - _y", "{new} = {n} if {n}.max() > 10 else -{n}",
    "try:\n        {new} = {D}['nowhere']\n    except KeyError:\n        {new} = {D}['a']",
    "{new} = (lambda x, y=2: x * y + len({n}))({n})", "_m = {n} > 0\n    {new} = {n}[_m] - {n}[_m].mean()",
    "_m = {n}.to_numpy() > 0\n    {new} = np.column_stack([{n}.to_numpy()[_m], {n}.to_numpy()[_m] * 0])",
)  # fmt: skip

PRELUDE = """
factor = 2.5
def scaled(x, by=factor):
    return x * by
def bump(x):
    x = x + 1
    return x
def standard(x):
    return (x - x.mean()) / x.std()
"""


@dataclass(frozen=True)
class UserProgram:
    """A function's source, whether each returned value is inexact, and the layout of its arguments."""

    seed: int
    lines: tuple[str, ...]
    returned: tuple[str, ...]
    inexact: frozenset[str]
    layout: int
    form: str

    @property
    def source(self) -> str:
        body = "".join(f"    {line}\n" for line in self.lines)
        return f"{PRELUDE}\ndef program({', '.join(ARGUMENTS)}):\n{body}    return {self._result()}\n"

    def _result(self) -> str:
        if self.form == "dict":
            return "{" + ", ".join(f"'{name}': {name}" for name in self.returned) + "}"
        if self.form == "single" and len(self.returned) == 1:
            return self.returned[0]
        return "(" + "".join(f"{name}, " for name in self.returned) + ")"


@dataclass
class _Growth:
    """What a program has so far: lines, and the real value of each variable."""

    random: random.Random
    scope: dict[str, Any]
    extra: tuple[str, ...] = ()
    lines: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    inexact: set[str] = field(default_factory=set)

    def grow(self) -> None:
        """One more line, if a template fits."""
        table, _ = self.random.choices(_TABLES, weights=[w for _, w in _TABLES])[0]
        template = self.random.choice(table)
        filled = self._fill(template)
        if filled is None:
            return
        name = f"x{len(self.made)}"
        if "{new}" in template or "\n" in template:
            line = filled.replace("\0", name)
        elif table is STATEMENTS:
            line = filled
        else:
            line = f"{name} = {filled}"
        self._accept(name, line, table is STATEMENTS)

    def _accept(self, name: str, line: str, is_statement: bool) -> None:
        before = self.scope.copy()
        try:
            exec(line.replace("\n    ", "\n"), self.scope)
        except Exception:  # noqa: BLE001  # a line that raises is rarely kept
            self.scope.clear()
            self.scope.update(before)
            if self.random.random() > 0.02:
                return
        self.lines.append(line)
        used = set(re.findall(r"\b(?:x\d+|df|v|M|W|k|q|h|z)\b", line))
        if _INEXACT.search(line) or used & self.inexact:
            self.inexact |= (used if is_statement else set()) | {name}
        if name in self.scope:
            self.made.append(name)

    def _fill(self, template: str) -> str | None:
        """The template with holes filled by values of one length and index."""
        anchor: list[Any] = []
        failed = False

        def hole(match: re.Match[str]) -> str:
            nonlocal failed
            kind = match[1]
            if kind == "new":
                return "\0"
            found = self._choose(kind, anchor)
            failed = failed or found is None
            return found or ""

        text = re.sub(r"\{(\w+)\}", hole, template.replace("{{", "\1").replace("}}", "\2"))
        return None if failed else text.replace("\1", "{").replace("\2", "}")

    def _choose(self, kind: str, anchor: list[Any]) -> str | None:
        if kind == "c":
            return self.random.choice(CONSTANTS)
        if kind == "t":
            return self.random.choice(DTYPES)
        if kind in "Nb" and self.random.random() < 0.35:
            return self.random.choice(CONSTANTS)
        if kind == "N" and self.random.random() < 0.1 and anchor:
            kind = "a"
        fits = _KINDS["n" if kind == "N" else "a" if kind == "b" else kind]
        found = [(text, value) for text, value in self._values() if fits(value)]
        if anchor and self.random.random() > 0.01:
            found = [(text, value) for text, value in found if _aligned(value, anchor[0])]
        if not found:
            return None
        newest = found[-6:] if self.random.random() < 0.5 else found
        text, value = self.random.choice(newest)
        if not anchor:
            anchor.append(value)
        return text

    def _values(self) -> list[tuple[str, Any]]:
        found = []
        for name in (*ARGUMENTS, *self.made):
            value = self.scope.get(name)
            if isinstance(value, pd.DataFrame):
                columns = [c for c in value.columns if isinstance(c, str)]
                found += [(f"{name}[{c!r}]", value[c]) for c in columns if columns.count(c) == 1]
            found.append((name, value))
        return found


def _aligned(value: Any, anchor: Any) -> bool:
    if isinstance(value, pd.DataFrame | pd.Series) and isinstance(anchor, pd.DataFrame | pd.Series):
        return value.index.equals(anchor.index)
    return bool(len(value) == len(anchor))


def _series(kinds: str) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, pd.Series) and isinstance(value.dtype, np.dtype) and value.dtype.kind in kinds
    )


_KINDS: dict[str, Callable[[Any], bool]] = {
    "n": _series("iufb"),
    "k": _series("b"),
    "d": _series("M"),
    "w": _series("m"),
    "s": lambda value: isinstance(value, pd.Series) and value.dtype == "str",
    "g": lambda value: isinstance(value, pd.Series) and isinstance(value.dtype, pd.CategoricalDtype),
    "D": lambda value: isinstance(value, pd.DataFrame),
    "a": lambda value: isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind in "iufb",
    "A": lambda value: isinstance(value, np.ndarray) and value.ndim == 2 and value.dtype.kind in "iufb",
}
_TABLES: tuple[tuple[tuple[str, ...], float], ...] = (
    (SERIES, 7), (MASKS, 2), (SCALARS, 2), (FRAMES, 2.5), (ARRAYS, 6), (STATEMENTS, 2), (BRANCHES, 1),
)  # fmt: skip


def random_user_program(seed: int, steps: int = 12) -> UserProgram:
    """The program of a seed."""
    source = random.Random(seed)
    layout = source.randrange(420)
    scope: dict[str, Any] = {"np": np, "pd": pd, **arguments(seed, 23, "clean", layout)}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        exec(PRELUDE, scope)
        growth = _Growth(source, scope)
        for _ in range(source.randint(2, steps)):
            growth.grow()
    return UserProgram(
        seed, tuple(growth.lines), *_returned(growth), layout, source.choice(("tuple", "dict", "single"))
    )


def _returned(growth: _Growth) -> tuple[tuple[str, ...], frozenset[str]]:
    names = growth.made or ["df"]
    chosen = growth.random.sample(names, min(len(names), growth.random.choice((1, 2, 3, 6))))
    if growth.random.random() < 0.15:
        chosen.append(growth.random.choice(ARGUMENTS))
    return tuple(dict.fromkeys(chosen)), frozenset(growth.inexact)
