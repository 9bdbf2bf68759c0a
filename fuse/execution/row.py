"""From a recorded graph to the code of a row function: plan, generate, keep on disk.

The key of the code is made of everything but the values of tables, the names of fields and the labels, so a
model that was trained again finds the code of its predecessor.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fuse import config
from fuse.execution.binding import address_of
from fuse.ir.node import ConstantArray, Node, located
from fuse.ir.types import STRING
from fuse.plan.row_program import NoRow, Place, RowProgram
from fuse.plan.rows import row_program
from fuse.runtime import cache, sources
from fuse.runtime.row import ExtraKeys, Field, Guard, Record, Result, Results, RowCode

__all__ = ["CompiledRow", "ExtraKeys", "Field", "Guard", "NoRow", "Record", "Result", "compile_row"]


@dataclass(frozen=True)
class CompiledRow:
    """What `fuse.runtime.row.row_function` takes: the code, and the tables that it reads."""

    code: RowCode
    tables: tuple[ConstantArray, ...]

    @property
    def addresses(self) -> list[int]:
        """Where the tables lie, for as long as this object lives."""
        return [address_of(table.array) for table in self.tables]


def compile_row(
    outputs: Sequence[Node],
    inputs: Sequence[Node],
    fields: Sequence[Field],
    result: Results | Sequence[Result],
    guards: Sequence[Guard] = (),
    extra_keys: ExtraKeys = "refuse",
) -> CompiledRow:
    """The code of a function from one row to its result.

    outputs: of the recorded graph, those of guards included; every `output` below is a place in them.
    inputs: the graph's; every element of their one row is the `input` or the `missing` of some field.
    result: one, or several as a tuple. extra_keys: whether a dict with more keys than fields goes the slow
    way.

    Raises NoRow when the graph or the result has a step or a dtype that only the library can do, ValueError
    when fields or results do not fit the nodes.
    """
    whole = _as_results(result)
    guarded = [guard.output for guard in guards]
    given = [number for number in range(len(outputs)) if number not in set(guarded)]
    order = [*given, *guarded]
    place = {number: position for position, number in enumerate(order)}
    with located(None):
        program = row_program([outputs[n] for n in given], inputs, [outputs[n] for n in guarded])
    whole = _moved(whole, place)
    checks = tuple(Guard(place[guard.output], guard.expected) for guard in guards)
    _check_fields(program, fields)
    _check_results(program, whole)
    _check_guards(program, checks)
    return _compiled(program, tuple(fields), whole, checks, extra_keys)


def _as_results(result: Results | Sequence[Result]) -> Results:
    if isinstance(result, Result | Record):
        return result
    return result[0] if len(result) == 1 else Record(tuple(result))


def _moved(result: Results, place: dict[int, int]) -> Results:
    if isinstance(result, Record):
        return Record(tuple(_moved(item, place) for item in result.items), result.names)
    if result.output not in place:
        raise ValueError(f"there is no output {result.output}")
    return Result(place[result.output], result.labels, result.names)


# Fields and results against the program


def _check_fields(program: RowProgram, fields: Sequence[Field]) -> None:
    filled: set[tuple[int, int]] = set()
    for field in fields:
        for number in (field.input,) if field.missing is None else (field.input, field.missing):
            if not 0 <= number < len(program.inputs) or not 0 <= field.element < program.inputs[number].size:
                raise ValueError(
                    f"{field.name!r} is element {field.element} of input {number}: there is none"
                )
            if (number, field.element) in filled:
                raise ValueError(f"element {field.element} of input {number} is filled twice")
            filled.add((number, field.element))
        _check_kind(program, field)
    wanted = {(n, e) for n, place in enumerate(program.inputs) for e in range(place.size)}
    if filled != wanted:
        number, element = min(wanted - filled)
        raise ValueError(f"no field fills element {element} of input {number}")


def _check_kind(program: RowProgram, field: Field) -> None:
    place = program.inputs[field.input]
    if field.missing is not None and program.inputs[field.missing].dtype != np.dtype(bool):
        raise ValueError(f"what is missing of {field.name!r} goes to a {program.inputs[field.missing].dtype}")
    if field.kind == "category":
        types = {type(label) for label in field.labels or ()}
        if place.dtype.kind != "i":
            raise ValueError(f"the codes of {field.name!r} go to a {place.dtype}")
        if len(types) > 1 or not types <= {str, int, float, bool}:
            raise NoRow(f"the labels of {field.name!r} are of types that code does not compare")
    elif field.kind != ("str" if place.dtype == STRING else place.dtype.name):
        raise ValueError(f"{field.name!r} is a {field.kind} and goes to a {place.dtype}")
    if place.dtype.kind == "f" and place.dtype.itemsize == 2:
        raise NoRow(f"{field.name!r} is a {place.dtype}")


def _check_results(program: RowProgram, result: Results) -> None:
    if isinstance(result, Record):
        for item in result.items:
            _check_results(program, item)
        count = len(result.items)
    else:
        count = _check_output(program.outputs[result.output], result)
    if result.names is not None and len(result.names) != count:
        raise ValueError(f"{count} values have {len(result.names)} names")


def _check_output(place: Place, result: Result) -> int:
    kinds = "iub" if result.labels is not None else "iubf"
    if place.dtype.kind not in kinds:
        raise NoRow(f"a result of dtype {place.dtype} is no number of Python")
    if len(place.shape) > 2 or (len(place.shape) == 2 and place.shape[0] != 1):
        raise NoRow(f"a result of shape {place.shape}")
    return place.size


def _check_guards(program: RowProgram, guards: Sequence[Guard]) -> None:
    for guard in guards:
        place = program.outputs[guard.output]
        size = place.size * place.itemsize
        if not place.is_contiguous or len(guard.expected) != size or place.dtype == STRING:
            raise NoRow(f"a guard of {len(guard.expected)} bytes on a value of shape {place.shape}")


# Code


def _compiled(
    program: RowProgram,
    fields: tuple[Field, ...],
    result: Results,
    guards: tuple[Guard, ...],
    extra_keys: ExtraKeys,
) -> CompiledRow:
    from fuse.codegen.row_call import RowCall
    from fuse.codegen.row_entry import emit_row_module
    from fuse.codegen.target import compile_to_object, current_target

    call, target = RowCall(program, fields, result, guards, extra_keys), current_target()
    key = sources.key("row", str(sys.implementation.cache_tag), target.key, call.to_text())
    dump = config.current().dump
    object_code = cache.get(key)
    if object_code is None or dump & {"llvm", "asm"}:
        object_code = compile_to_object(emit_row_module(call, target), target, dump)
        cache.put(key, object_code)
    lengths = tuple(table.array.shape[0] if table.array.ndim else 1 for table in program.tables)
    code = RowCode(object_code, fields, result, lengths, target.required)
    return CompiledRow(code, program.tables)
