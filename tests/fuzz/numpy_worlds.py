"""One NumPy program in four worlds: plain NumPy, `fuse.jit` call after call, and `fuse.numpy` in NumPy's
place, which records everything (`face`) or leaves small arrays to NumPy at once (`small`).

Values, dtypes, shapes, the kind of exception, and what became of the arguments must agree, as exactly as the
values are known (`known`).
"""

from __future__ import annotations

import linecache
import random
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import fuse
import fuse.numpy as fnp
from fuse import config
from tests.fuzz.array_arguments import CALLS, Call, values_of
from tests.fuzz.compare import same_bits
from tests.fuzz.known import NEAR, OPEN, SIGN, WILD, Tracer
from tests.fuzz.numpy_programs import NumpyProgram
from tests.fuzz.shrink_lines import shrink_lines

_RTOL = {2: 2e-2, 4: 2e-4, 8: 1e-10, 16: 1e-10}


@dataclass(frozen=True)
class Expected:
    """What plain NumPy gives: results and arguments by name, or the exception; and how well they are known.

    vague: a line depended on values that nobody can tell; caught: the program caught an IndexError.
    """

    values: Mapping[str, Any]
    error: Exception | None
    known: Mapping[str, int]
    peak: float
    vague: bool
    caught: bool


def calls_of(seed: int, count: int) -> tuple[Call, ...]:
    """The first call, and some of the others in their order."""
    chosen = sorted(random.Random(seed).sample(range(1, len(CALLS)), count))
    return (CALLS[0], *(CALLS[number] for number in chosen))


def complaint(program: NumpyProgram, calls: Sequence[Call]) -> str | None:
    """What differs, or None."""
    jitted = fuse.jit(_function(program.source, np, f"jit{program.seed}"))
    faces = _function(program.source, fnp, f"face{program.seed}")
    with config.config(raise_internal=True, min_rows=1, eager_bytes=0):
        for number, call in enumerate(calls):
            said = _differs(program, call, expect(program, call), jitted, "jit")
            if said is None and not call.sharing and call.rows < 1000 and number < 2:
                expected = expect(program, call, np.array)
                said = _differs(program, call, expected, faces, "face")
                if said is None and number == 0:
                    with config.config(min_rows=4096, eager_bytes=1 << 20):
                        said = _differs(program, call, expected, faces, "small")
            if said is not None:
                return f"{call}\n{said}"
    return None


def shrunk_complaint(program: NumpyProgram, calls: Sequence[Call]) -> str | None:
    """What differs in the smallest program that differs so, with that program; None when nothing does."""
    first = complaint(program, calls)
    if first is None:
        return None
    smallest, fewest = shrink_lines(
        program, calls, lambda some, given: _sort(complaint(some, given)) == _sort(first)
    )
    kinds = ", ".join(f"{a.name}: {a.dtype}{a.shape} {a.layout}" for a in smallest.arguments)
    draws = [call.draw for call in fewest]
    return f"{complaint(smallest, fewest) or first}\ncalls {draws} of {kinds}\n{smallest.source}"


def _sort(said: str | None) -> str | None:
    """What kind of a complaint it is, roughly."""
    return None if said is None else re.sub(r"\d+", "", said.split("\n", 1)[1])[:12]


def expect(program: NumpyProgram, call: Call, given: Callable[[Any], Any] = lambda array: array) -> Expected:
    """The plain program, line by line, on arguments that `given` made of the call's arrays."""
    names = [argument.name for argument in program.arguments]
    arrays = map(given, values_of(program.arguments, program.seed, call))
    tracer = Tracer({"np": np, **dict(zip(names, arrays, strict=True))})
    error = None
    vague = caught = False
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for line in program.lines:
            vague = vague or any(tracer.known.get(name, 0) & (OPEN | WILD) for name in line.used)
            try:
                tracer.run(line)
                caught = caught or (line.caught and str(tracer.scope.get(line.made or "_")) == "IndexError")
            except Exception as raised:  # noqa: BLE001  # it is what we compare
                error = raised
                break
    missing = [name for name in program.returned if name not in tracer.scope]
    if missing and error is None:
        error = NameError(f"name {missing[0]!r} is not defined")
    values = {name: tracer.scope.get(name) for name in (*program.returned, *names)}
    return Expected(values, error, tracer.known, tracer.peak, vague, caught)


def _function(source: str, module: Any, name: str) -> Callable[..., Any]:
    file = f"/fuzz/{name}.py"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    scope = {"np": module}
    exec(compile(source, file, "exec"), scope)
    found: Callable[..., Any] = scope["program"]
    return found


def _differs(program: NumpyProgram, call: Call, expected: Expected, run: Any, world: str) -> str | None:
    arrays = values_of(program.arguments, program.seed, call)
    with config.config(num_threads=call.threads), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            given = arrays if world == "jit" else [fnp.array(array) for array in arrays]
            found, error = _outcome(run, given)
            if world != "jit":
                found, error = (
                    _outcome(lambda: [_real(value) for value in found or ()])
                    if error is None
                    else (found, error)
                )
                after = [_real(value) for value in given]
            else:
                after = arrays
        except Exception as failure:  # noqa: BLE001  # any failure of ours is the finding
            return f"{world} failed: {' <- '.join(_causes(failure))}"
    if expected.vague and (expected.error or error):
        return None
    if isinstance(expected.error, NameError):
        return None
    wanted = (expected.error, IndexError() if expected.caught else None)
    if world != "jit" and any(isinstance(found, IndexError) for found in (*wanted, error)):
        return None  # an index that the data decide is an error where the result is looked at, if it is
    if (expected.error is None) != (error is None) or type(expected.error) is not type(error):
        return f"{world}: expected {expected.error!r}, found {error!r}"
    left = [] if error is not None else list(zip(program.returned, found, strict=True))
    left += [(argument.name, array) for argument, array in zip(program.arguments, after, strict=True)]
    for name, value in left:
        said = difference(expected.values[name], value, expected.known.get(name, 0), expected.peak)
        if said is not None:
            return f"{world}: {name}: {said}"
    return None


def _outcome(run: Callable[..., Any], values: Sequence[Any] = ()) -> tuple[Any, Exception | None]:
    try:
        return run(*values), None
    except fuse.FuseError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever it is, it is what we compare
        return None, error


def _real(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return type(value)(map(_real, value))
    found = fuse.evaluate(value)
    return found[()] if isinstance(found, np.ndarray) and isinstance(value, np.generic) else found


def _causes(error: BaseException | None) -> list[str]:
    found = []
    while error is not None:
        found.append(f"{type(error).__name__}: {error}")
        error = error.__cause__ or error.__context__
    return found


def difference(expected: Any, found: Any, known: int, peak: float) -> str | None:
    """How a result differs from NumPy's beyond what is known of it."""
    if known & WILD and type(expected) is not type(found):
        return None
    if type(expected) is not type(found):
        return f"a {type(expected).__name__} became a {type(found).__name__}: {expected!r} {found!r}"[:1500]
    if isinstance(expected, tuple | list):
        if len(expected) != len(found):
            return None if known & WILD else f"{len(expected)} items became {len(found)}"
        pairs = zip(expected, found, strict=True)
        return next((text for e, f in pairs if (text := difference(e, f, known, peak))), None)
    if isinstance(expected, np.ndarray | np.generic):
        return _arrays(np.asarray(expected), np.asarray(found), known, peak)
    if known or (expected is found):
        return None
    if isinstance(expected, float | complex):
        return _arrays(np.asarray(expected), np.asarray(found), known, peak)
    return None if expected == found else f"{expected!r} became {found!r}"[:1500]


def _arrays(expected: np.ndarray, found: np.ndarray, known: int, peak: float) -> str | None:
    if expected.dtype != found.dtype:
        return f"{expected.dtype}{expected.shape} became {found.dtype}{found.shape}"
    if known & WILD:
        return None
    if expected.shape != found.shape:
        return f"{expected.dtype}{expected.shape} became {found.dtype}{found.shape}"
    if known & OPEN or _agree(expected, found, known, peak):
        return None
    return f"{expected.dtype}{expected.shape}: {_brief(expected)} became {_brief(found)}"


def _brief(array: np.ndarray) -> str:
    return re.sub(r"\s+", " ", np.array2string(array, threshold=40))[:600]


def _agree(expected: np.ndarray, found: np.ndarray, known: int, peak: float) -> bool:
    if expected.dtype.kind in "mM":
        return bool(np.array_equal(expected.view("i8"), found.view("i8")))
    if expected.dtype.kind == "O":
        return repr(expected.tolist()) == repr(found.tolist())
    if same_bits(expected, found):
        return True
    if expected.dtype.kind not in "fc":
        return False
    left, right = (np.atleast_1d(_parts(array)) for array in (expected, found))
    if known & SIGN:
        left, right = left + 0.0, right + 0.0
    return _near(left, right, peak) if known & NEAR else same_bits(left, right)


def _parts(array: np.ndarray) -> np.ndarray:
    """Complex numbers as pairs."""
    if array.dtype.kind != "c":
        return array
    return np.stack([array.real, array.imag])


def _near(left: np.ndarray, right: np.ndarray, peak: float) -> bool:
    """Within a part of the largest number around; unless that comes near to overflow."""
    rtol, limit = _RTOL[left.dtype.itemsize], float(np.finfo(left.dtype).max)
    if not peak * peak < limit / 1e4:
        return True
    if not np.array_equal(np.isfinite(left), np.isfinite(right)):
        return False
    finite = np.isfinite(left)
    if not np.array_equal(left[~finite], right[~finite], equal_nan=True):
        return False
    return bool(
        (np.abs(left[finite].astype("f8") - right[finite].astype("f8")) <= rtol * max(1.0, peak) ** 2).all()
    )
