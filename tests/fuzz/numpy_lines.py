"""What a line of a random NumPy program may be: templates whose holes `numpy_programs` fills.

The tables differ in what they do to a value that is only nearly known (a transcendental function's, a sum's):
moving it about keeps it so, continuous functions too, and all others make anything of it.

Holes, the first of which is the line's anchor: x any array, f i k z d p one of floats, integers, truths,
complex numbers, dates, durations; v A of one axis, of two or more; w one to write to; y an operand that
broadcasts with the anchor or a number; b one that broadcasts into it; m a mask of its shape; s a basic index,
h any index; n a list of places along axis 0; a an axis; r parameters of a reduction; e a shape of as many
elements; t c o u q a dtype, a number, a binary function, a function of one operand, a small integer.
"""

from __future__ import annotations

MOVES = (
    "{x}", "{x}[{s}]", "{x}[{s}]", "{x}[{h}]", "{x}[{m}]", "{x}.T", "{x}.copy()", "{x}.reshape({e})",
    "{x}.ravel()", "np.ravel({x}, order='F')", "{x}.flatten()", "{x}.reshape(-1)",
    "np.reshape({x}, {e}, order='F')", "{x}[..., None]", "{x}[None]", "{x}[::-1]", "{x}[1:]", "{x}[::2]",
    "{x}[-3:]", "{x}[:0]", "np.transpose({x})", "{A}.swapaxes(0, -1)", "np.moveaxis({A}, 0, -1)",
    "{A}[:, 0]", "{A}[:, ::-1]", "{A}[0]", "{A}[..., -1]", "{A}[:, 1:]", "{A}[1:-1, ::2]",
    "np.squeeze({x})", "np.expand_dims({x}, 0)", "np.atleast_2d({x})", "np.atleast_1d({x})",
    "np.broadcast_to({x}, (2, *{x}.shape))", "np.flip({x})", "np.flip({x}, {a})", "np.fliplr({A})",
    "np.flipud({x})", "np.rot90({A})", "np.rot90({A}, -1)", "np.roll({x}, {q})", "np.roll({x}, {q}, {a})",
    "np.tile({x}, 2)", "np.tile({x}, (2, 1))", "np.repeat({x}, 2)", "np.repeat({x}, 2, {a})",
    "np.concatenate([{x}, {x}])", "np.concatenate([{x}, {b}])", "np.concatenate([{x}, {x}], axis={a})",
    "np.stack([{x}, {x}])", "np.stack([{x}, {b}], axis=-1)", "np.vstack([{x}, {x}])",
    "np.hstack([{x}, {x}])", "np.column_stack([{v}, {v}])", "np.dstack([{x}, {x}])",
    "np.split({x}, [1])[0]", "np.array_split({x}, 2)[1]", "np.array_split({x}, 3, {a})[0]",
    "np.pad({x}, 1)", "np.pad({x}, 1, mode='edge')", "np.pad({x}, 2, mode='wrap')",
    "np.pad({v}, (1, 2), mode='reflect')", "np.pad({x}, 1, constant_values=7)", "np.take({x}, {n})",
    "np.take({x}, {n}, axis=0)", "{x}[{n}]", "{v}.take({n}, mode='wrap')", "np.take({v}, {n}, mode='clip')",
    "np.compress([True, False, True], {x}, axis=0)", "np.diagonal({A})", "np.diag({v})", "np.tril({A})",
    "np.triu({A}, 1)", "np.append({x}, {x})", "np.delete({v}, 0)", "np.insert({v}, 1, {v}[:1])",
    "np.append({A}, {A}, axis=0)", "np.array({x})", "np.array({x}, copy=True, ndmin=2)", "np.asarray({x})",
    "np.ascontiguousarray({x})", "np.asfortranarray({x})", "np.zeros_like({x})", "np.resize({x}, (2, 3))",
    "np.lib.stride_tricks.sliding_window_view({v}, 2)", "np.swapaxes({A}, 0, 1)", "{x}.transpose()",
    "np.broadcast_arrays({x}, {y})[0] + 0", "np.meshgrid({v}, {v})[0]", "np.extract({m}, {x})",
    "{x}[{m}][::-1]", "np.where({m}, {x}, {x})", "np.block([{v}, {v}])", "np.c_[{v}, {v}]",
    "np.r_[{v}, {v}]", "np.trim_zeros({v})", "{x}.view()", "np.unstack({A})[0]", "np.permute_dims({A})",
    "{x}[()]", "{x}[...]", "np.take_along_axis({x}, np.zeros({x}.shape, int), {a})",
)  # fmt: skip

CONTINUOUS = (
    "{x} + {y}", "{x} - {y}", "{x} * {y}", "{y} + {x}", "{y} - {x}", "{y} * {x}", "-{x}", "+{x}",
    "abs({x})", "{x} + 1", "{x} * 2", "{x} - 1", "np.add({x}, {y})", "np.multiply({x}, {y})",
    "np.subtract({x}, {y})", "np.abs({x})", "np.maximum({x}, {y})", "np.minimum({x}, {y})",
    "np.clip({x}, -1, 2)", "{x}.clip(0, 3)", "np.where({m}, {x}, {y})", "np.where({m}, {y}, {x})",
    "np.negative({x})", "np.absolute({f})", "np.fabs({f})", "{x}.max({r})", "{x}.min({r})",
    "np.max({x}, {r})", "np.amin({x}, {r})", "np.ptp({x}, {a})", "np.ptp({x})", "np.positive({x})",
    "np.diff({x})", "np.diff({x}, axis={a})", "np.diff({v}, n=2)", "np.ediff1d({x})",
    "np.maximum.accumulate({x})", "np.minimum.accumulate({x}, axis={a})", "np.add.outer({v}, {v})",
    "np.subtract.outer({v}, {v})", "np.multiply.outer({v}, {v})", "np.real({x})", "{z}.real", "{z}.imag",
    "np.conj({x})", "np.add({x}, {y}, dtype='f8')", "np.nan_to_num({x})", "np.square({x})", "{x} ** 2",
    "np.outer({v}, {v})", "{x}[1:] - {x}[:-1]", "{x}[:, None] + {x}", "{x}[..., None] * {x}[None]",
    ("np.add({x}, {y}, where={m}, out=np.zeros(np.broadcast_shapes(np.shape({x}), np.shape({y})), "
     "np.result_type({x}, {y})))"),
    "np.select([{m}, {m}], [{x}, {b}], 0)", "np.nanmax({x}, {r})", "np.nanmin({x}, {r})",
    "np.max({x}, initial=1)", "np.max({x}, axis={a}, where={m}, initial=0)",
    "np.fmax.reduce({x}, axis={a})", "np.maximum.reduce({x}, axis=None)", "np.choose({k} * 1, [{y}, {x}])",
    "np.astype({x}, 'f8')", "{x}.astype('c16')", "{x} / 2", "{x} * 0.5", "np.sort({x})",
    "np.sort({x}, axis={a})",
)  # fmt: skip

OTHERS = (
    "{x} / {y}", "{x} // {y}", "{x} % {y}", "{y} / {x}", "{y} // {x}", "{y} % {x}", "divmod({x}, {y})[1]",
    "divmod({x}, {y})[0]", "np.fmod({x}, {y})", "np.remainder({x}, {y})", "np.floor_divide({x}, {y})",
    "np.true_divide({x}, {y})", "{x} ** {y}", "{x} ** 3", "{c} ** {x}", "{i} ** {i}", "np.power({x}, {y})",
    "{x} > {y}", "{x} <= {y}", "{x} == {y}", "{x} != {y}", "{x} < {y}", "{x} >= {y}", "{k} & {k}",
    "{k} | {k}", "~{k}", "{k} ^ {k}", "{i} & {y}", "{i} | {y}", "{i} ^ {i}", "~{i}", "{i} << 2", "{i} >> 1",
    "{i} << {i}", "{i} >> {i}", "np.invert({i})", "np.bitwise_count({i})", "np.gcd({i}, {i})",
    "np.lcm({i}, {i})", "np.left_shift({i}, 3)", "np.sqrt({x})", "np.sqrt({f})", "np.floor({x})",
    "np.ceil({x})", "np.trunc({x})", "np.rint({x})", "np.sign({x})", "np.signbit({f})",
    "np.copysign({f}, {y})", "np.nextafter({f}, {y})", "np.spacing({f})", "np.frexp({f})[0]",
    "np.frexp({f})[1]", "np.modf({f})[0]", "np.modf({f})[1]", "np.ldexp({f}, 2)", "np.isnan({x})",
    "np.isfinite({x})", "np.isinf({x})", "np.heaviside({f}, 0.5)", "np.reciprocal({x})", "np.round({x}, 1)",
    "np.round({x})", "{x}.round(-1)", "np.around({x}, 2)", "np.fix({f})", "{x}.astype({t})",
    "{x}.astype({t})", "np.asarray({x}, {t})", "np.array({x}, dtype={t})", "np.logical_and({x}, {y})",
    "np.logical_or({x}, {y})", "np.logical_not({x})", "np.logical_xor({x}, {y})", "np.exp({x})",
    "np.log({x})", "np.log1p({f})", "np.sin({f})", "np.cos({f})", "np.tanh({f})", "np.arctan2({f}, {y})",
    "np.hypot({f}, {y})", "np.expm1({f})", "np.log2({f})", "np.exp2({f})", "np.cbrt({f})", "np.tan({f})",
    "np.sinh({f})", "np.arcsin({f})", "np.arccosh({f})", "np.logaddexp({f}, {y})", "np.float_power({x}, 2)",
    "np.degrees({f})", "np.sinc({f})", "{x}.sum({r})", "{x}.mean({r})", "{x}.prod({r})", "{x}.std({r})",
    "{x}.var({r})", "np.sum({x}, {r})", "np.mean({x}, {r})", "np.sum({x}, axis={a}, where={m})",
    "np.sum({x}, initial=3)", "np.prod({x}, axis={a}, initial=2)", "np.mean({x}, where={m})",
    "np.std({f}, axis={a}, where={m})", "np.var({x}, ddof=1)", "np.sum({x}, dtype={t})",
    "np.sum({x}, axis={a}, dtype='f4')", "{x}.any({r})", "{x}.all({r})", "np.any({x}, axis={a}, where={m})",
    "{x}.argmax()", "{x}.argmin({a})", "np.argmax({x}, axis={a})",
    "np.argmin({x}, axis={a}, keepdims=True)", "np.count_nonzero({x})", "np.count_nonzero({x}, axis={a})",
    "np.cumsum({x})", "np.cumsum({x}, axis={a})", "np.cumprod({x}, axis={a})", "{x}.cumsum()",
    "np.nancumsum({f})", "np.add.accumulate({x})", "np.multiply.accumulate({x})", "np.add.reduce({x})",
    "np.add.reduce({x}, axis={a}, keepdims=True)", "np.multiply.reduce({x}, axis=None)",
    "np.logical_or.reduce({x})", "np.bitwise_and.reduce({i})", "np.bitwise_xor.reduce({i}, axis={a})",
    "np.add.reduceat({v}, [0, 1])", "np.subtract.reduce({x})", "np.logical_and.accumulate({k})",
    "np.greater.outer({v}, {v})", "np.equal({x}, {y})", "np.nansum({x}, {r})", "np.nanmean({f}, {r})",
    "np.nanstd({f}, axis={a})", "np.nanvar({f})", "np.nanprod({x})", "np.nanargmax({f})",
    "np.nanmedian({f})", "np.median({f})", "np.median({x}, axis={a})", "np.percentile({f}, 30)",
    "np.quantile({f}, 0.25, axis={a})", "np.argsort({x}, axis={a}, kind='stable')",
    "np.searchsorted(np.sort({v}), {b})", "np.searchsorted(np.sort({v}), {v}, side='right')",
    "np.digitize({v}, [-1, 0, 2])", "np.unique({x})", "np.unique({v}, return_counts=True)[1]",
    "np.nonzero({x})[0]", "np.flatnonzero({x})", "np.argwhere({x})", "np.where({m})[0]",
    "np.where({k}, {c}, {c})", "np.bincount(np.abs({i}).ravel() % 5)",
    "np.histogram({v}, bins=3, range=(-2, 2))[0]", "np.interp({f}, [0, 1, 3], [5, 6, 4])", "{A} @ {A}.T",
    "{v} @ {v}", "np.dot({A}, {A}.T)", "np.inner({v}, {v})", "np.vdot({v}, {v})",
    "np.tensordot({A}, {A}.T, 1)", "np.einsum('i,i->', {v}, {v})", "np.einsum('ij->j', {A})",
    "np.einsum('ij,ij->i', {A}, {A})", "np.trace({A})", "np.linalg.norm({v})", "np.linalg.norm({f})",
    "np.cross({v}[:3], {v}[:3])", "np.convolve({v}, [1, 2])", "np.average({f})",
    "np.average({x}, axis={a})", "np.corrcoef({v})", "np.cov({v})", "np.gradient({v})", "np.trapezoid({v})",
    "np.isin({x}, [0, 1, 2])", "np.isclose({x}, {y})", "np.allclose({x}, {y})", "np.array_equal({x}, {y})",
    "np.piecewise({f}, [{m}], [1, -1])", "np.select([{m}], [{x}], {c})", "np.arange({x}.size)",
    "np.ones({x}.shape, {t})", "np.full({x}.shape, {c})", "np.full_like({x}, 3)",
    "np.linspace(0, 1, {x}.size)", "np.eye(3)", "np.indices({x}.shape)[0]", "{x}.size", "{x}.shape",
    "{x}.ndim", "len({v})", "{x}.dtype.str", "np.float32({c}) * {x}", "{x} + np.int8(5)",
    "{x} * np.float32(0.5)", "{x} + True", "{x} * 1j", "np.isreal({x})", "np.angle({z})", "np.abs({z})",
    "np.iscomplex({x})", "{x}.tolist()", "{x}.nbytes", "float(np.sum({i}))", "bool(np.any({k}))",
    "{d} + {p}", "{d} - {d}", "{p} * 2", "{p} // {p}", "{p} / {p}", "{p} % {p}", "{d} > {d}",
    "np.isnat({d})", "{d}.astype('M8[D]')", "{p}.astype('i8')", "{p} + {p}", "{p} / 2", "-{p}", "{d}.max()",
    "{d}.min({a})", "{p}.sum()", "np.diff({d})", "{d} + np.timedelta64(3, 's')", "abs({p})", "{d}.argmax()",
    "np.sort({d})", "np.cumsum({p})", "np.all({x} == {x})", "np.partition({v}, 0)[0]", "np.lexsort(({v},))",
    "np.packbits({k})", "np.ravel_multi_index(([1],), (3,))", "np.maximum.outer({v}, {v})",
    "np.fmin({x}, {y})", "np.fmax({x}, {y})", "np.matvec({A}, {A}[0])", "np.vecdot({A}, {A})",
    "{x}.view('u1')", "{x}.item(0)", "{k}.sum()", "{k}.mean(axis={a})", "{k}.cumsum()", "{x}.astype(bool)",
    "np.polyval([1, 2, 3], {x})", "np.kron({v}, [1, 2])", "np.union1d({v}, {v})",
    "np.nan_to_num({x}, nan=1.5, posinf=9)", "np.array([1.5, {c}])", "np.apply_along_axis(np.sum, 0, {x})",
    "np.vander({v}, 3)", "np.isscalar({x})", "np.unwrap({f})", "np.cumulative_sum({v})",
    "np.fromiter({v}, float)",
)  # fmt: skip

WRITES = (
    "{w}[{s}] = {c}", "{w}[{h}] = {c}", "{w}[{m}] = {c}", "{w}[...] = {b}", "{w}[:] = {b}",
    "{w}[{s}] = {w}[{s}]", "{w}[::-1] = {w}", "{w}[1:] = {w}[:-1]", "{w}[:-1] = {w}[1:]",
    "{w}[{m}] = {b}[{m}]", "{w}[{n}] = {w}[{n}]", "{w}[0] = {w}[-1]", "{w}.fill({c})", "{w}.T[0] = {c}",
    "{w}.T[...] = {b}.T", "{w}.reshape(-1)[0] = {c}", "{w}.ravel()[:2] = {c}", "np.copyto({w}, {b})",
    "np.copyto({w}, {b}, where={m})", "np.copyto({w}, {c}, casting='unsafe')", "np.put({w}, {n}, 2)",
    "{w}.put([0], 7)", "np.fill_diagonal({w}, 5)", "np.place({w}, {m}, [1, 2])",
    "np.putmask({w}, {m}, {b})", "{w}.flat[0] = 1", "{w}.flat = {c}", "{w}[{s}][{m}] = 0", "{w}.real = 1",
    "{w}.sort()", "np.add.at({w}, 0, 0)", "{w}[None, ...][0] = {c}", "{w}.shape = {e}",
    "np.put_along_axis({w}, np.zeros((1,) * {w}.ndim, int), 3, 0)", "{w}[{h}] = {w}[{h}]",
    "{w}[..., 0] = {c}", "{w}[-1:] = {b}[:1]",
)  # fmt: skip

UPDATES = (
    "{w} += {b}", "{w} -= {b}", "{w} *= {b}", "{w} += 1", "{w} *= 2", "{w}[{s}] += 1", "{w}[{s}] *= 2",
    "{w}[{s}] -= {w}[{s}]", "{w}[1:] += {w}[:-1]", "{w}[:-1] -= {w}[1:]", "{w}[::-1] += {w}",
    "{w}[{m}] += 1", "{w}[{m}] *= {c}", "{w}[{n}] += 1", "np.add({w}, {b}, out={w})",
    "np.multiply({w}, 2, out={w})", "np.subtract({b}, {w}, out={w})", "np.negative({w}, out={w})",
    "np.add({w}, 1, out={w}, where={m})", "np.clip({w}, 0, 2, out={w})", "np.maximum({w}, {b}, out={w})",
    "{w}.clip(-1, 1, out={w})", "np.add.at({w}, {n}, 1)", "np.subtract.at({w}, [0, 0], 2)",
    "np.maximum.at({w}, {n}, 1)", "{w}.T[...] += 1", "np.add({w}[1:], {w}[:-1], out={w}[1:])",
    "np.add({w}[:-1], {w}[1:], out={w}[:-1])", "{w}[{h}] += {c}", "{w}[{h}] *= 2", "np.abs({w}, out={w})",
    "{w}.T[::2] *= 2", "{w}.ravel()[1:] += 1", "{w}.reshape({e})[0] += 1", "{w}[..., None][0] += 1",
    "np.minimum({w}, 1, {w})", "for _i in range(3):\n    {w} += _i",
    "for _i in range(2):\n    {w}[1:] = {w}[:-1] + {w}[1:]",
)  # fmt: skip

HARSH_UPDATES = (
    "{w} /= {b}", "{w} //= {b}", "{w} %= 3", "{w} **= 2", "{w} &= {b}", "{w} |= {b}", "{w} ^= {b}",
    "{w} <<= 1", "{w} >>= 1", "np.cumsum({w}, out={w})", "np.floor({w}, out={w})", "np.sqrt({w}, out={w})",
    "np.exp({w}, out={w})", "np.divide({w}, {b}, out={w}, where={m})", "np.sum({w}, axis=0, out={w}[0])",
    "np.sum({w}, axis=-1, out={w}[..., 0])", "np.equal({w}, {b}, out={w})", "np.round({w}, 1, out={w})",
    "{w}[{s}] /= 2", "{w}[{m}] //= 2", "np.logical_not({w}, out={w})",
    "np.add({w}, {b}, out={w}, casting='unsafe')", "np.add.accumulate({w}, out={w})", "{w}[{s}] **= 2",
    "np.mean({w}, axis=0, out={w}[0])", "{w} @= {b}", "np.rint({w}, {w})",
    "np.max({w}, axis=0, out={w}[0])",
)  # fmt: skip

BLOCKS = (
    "if {x}.sum() > 0:\n    {new} = {x} * 2\nelse:\n    {new} = {x} + 1",
    "if {x}.size > 5:\n    {new} = {x}.max()\nelse:\n    {new} = {x} + 1",
    "if ({x} > 0).all():\n    {new} = {x}[1:]\nelse:\n    {new} = {x}[:1]",
    "{new} = 0\nfor _row in {x}:\n    {new} = {new} + _row", "{new} = [_row * 2 for _row in {A}]",
    "{new} = {{'one': {x}, 'two': {x} + 1}}['two']", "{new} = sum({v})", "{new} = max({v})",
    "{new}, _other = {x}, {x} * 2\n{new} = {new} + _other",
    "def _inner(p, q=2):\n    p[...] = p * q\n    return p\n{new} = _inner({w})",
    "_v = {w}[{s}]\n_v += 1\n{new} = {w} * 1", "_v = {w}.T\n_v[...] = {c}\n{new} = _v",
    "_v = {w}.reshape({e})\n_v[0] = {c}\n{new} = {w} + 0",
    "_v = {w}[::2]\n_u = _v[::-1]\n_u[...] = _v\n{new} = _u", "{new} = {x}[0] if {x}.ndim else {x}",
    "try:\n    {new} = {x} + np.ones((2, 5, 7))\nexcept ValueError:\n    {new} = {x}",
    "_k = {x} > 0\n{new} = {x}[_k] - {x}[_k].min(initial=0)",
    "_k = {w} > {c}\n{w}[_k] = -{w}[_k]\n{new} = {w}.copy()",
)  # fmt: skip

TABLES: tuple[tuple[tuple[str, ...], float], ...] = (
    (MOVES, 5), (CONTINUOUS, 4), (OTHERS, 8), (WRITES, 3), (UPDATES, 3), (HARSH_UPDATES, 1.2), (BLOCKS, 1),
)  # fmt: skip
SMOOTH = frozenset((*MOVES, *CONTINUOUS, *WRITES, *UPDATES))
STATEMENTS = frozenset((*WRITES, *UPDATES, *HARSH_UPDATES))
