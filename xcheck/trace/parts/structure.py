"""Operations along axes of complex arrays, by their real and imaginary parts.

What moves elements, adds them up or chooses among them does the same with both parts.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from xcheck.trace.model import Array, Constant, Operation, Source, Value
from xcheck.trace.parts import elementwise, fourier, matrices
from xcheck.trace.parts.writer import Parts, Writer, dtype_of, is_complex, part_of, shape_of

# What stands for one input or output: both parts, or a value that is no complex one.
Given: TypeAlias = "Parts | Source"
Expansion: TypeAlias = Callable[[Writer, Operation, Sequence[Given]], "Sequence[Given]"]


def as_parts(given: Given) -> Parts:
    """Return both parts; of real numbers the imaginary one is 0."""
    if isinstance(given, Parts):
        return given
    return Parts(given, Constant(np.zeros(shape_of(given), dtype_of(given))))


def _of_each_part(w: Writer, operation: Operation, given: Sequence[Given]) -> list[Given]:
    """The operation itself, once on the real and once on the imaginary parts; what holds integers is read twice."""
    sides = [[_side(one, number) for one in given] for number in (0, 1)]
    dtype = part_of(operation.outputs[0].dtype)
    run = _in(dtype, operation.run)
    found = [
        w.emit(
            operation.name,
            run,
            side,
            [Value(output.shape, dtype) for output in operation.outputs],
            **operation.attributes,
        )
        for side in sides
    ]
    return [Parts(re, im) for re, im in zip(*found, strict=True)]


def _in(dtype: str, run: Callable[..., Sequence[Array]]) -> Callable[..., Sequence[Array]]:
    """Return an operation on parts: what the framework makes complex numbers of them for is their real part."""

    def real(*given: Array) -> Sequence[Array]:
        found = [np.asarray(one) for one in run(*given)]
        return [one.real.astype(dtype) if one.dtype.kind == "c" else one for one in found]

    return real


def _side(one: Given, number: int) -> Source:
    is_real = not isinstance(one, Parts) and dtype_of(one).startswith(("float", "bfloat"))
    return as_parts(one)[number] if is_real or isinstance(one, Parts) else one


def _dot(w: Writer, operation: Operation, given: Sequence[Given]) -> list[Given]:
    """(A + i B) (C + i D) = (A C - B D) + i (A D + B C)."""
    shape, dtype = operation.outputs[0].shape, part_of(operation.outputs[0].dtype)
    x, y = map(as_parts, given)

    def times(a: Source, b: Source) -> Source:
        return w.one("dot", np.matmul, [a, b], Value(shape, dtype))

    re = w.apply("sub", times(x.re, y.re), times(x.im, y.im))
    return [Parts(re, w.apply("add", times(x.re, y.im), times(x.im, y.re)))]


def _product(w: Writer, operation: Operation, given: Sequence[Given]) -> list[Given]:
    """One factor after the other."""
    z, axes = as_parts(given[0]), operation.attributes["axes"]
    shape = shape_of(z.re)
    rest = [axis for axis in range(len(shape)) if axis not in axes]
    count, kept = math.prod(shape[axis] for axis in axes), [shape[axis] for axis in rest]

    def factor(number: int) -> Parts:
        def pick(a: Array) -> Array:
            return np.transpose(a, (*rest, *axes)).reshape(*kept, count)[..., number]

        return Parts(*(w.move(pick, [part], kept) for part in z))

    found = factor(0) if count else elementwise.one(Parts(*(Constant(np.zeros(kept, dtype_of(part))) for part in z)))
    for number in range(1, count):
        found = elementwise.multiply(w, found, factor(number))
    return [found]


def _cumulative_product(w: Writer, operation: Operation, given: Sequence[Given]) -> list[Given]:
    """One factor after the other, from the last one where it is reversed."""
    z, axis = as_parts(given[0]), operation.attributes["axis"]
    shape = shape_of(z.re)
    kept = [length for number, length in enumerate(shape) if number != axis]
    order = list(range(shape[axis]))[:: -1 if operation.attributes.get("reverse", False) else 1]

    def factor(number: int) -> Parts:
        return Parts(*(w.move(lambda a: np.take(a, number, axis), [part], kept) for part in z))

    found: list[Parts] = []
    for number in order:
        found.append(elementwise.multiply(w, found[-1], factor(number)) if found else factor(number))
    if not found:
        return [z]
    # Both lists stand in the order of the axis again.
    lists = zip(*(found[order.index(number)] for number in range(len(found))), strict=True)
    return [Parts(*(w.move(lambda *arrays: np.stack(arrays, axis), list(one), shape) for one in lists))]


def _cast(w: Writer, operation: Operation, given: Sequence[Given]) -> list[Given]:
    """To fewer digits part by part; to real numbers the real part."""
    if is_complex(operation.outputs[0]):
        return _of_each_part(w, operation, [as_parts(one) for one in given])
    return [as_parts(given[0]).re]


def _tested(w: Writer, operation: Operation, given: Sequence[Given]) -> list[Given]:
    """Finite in both parts, or nan in one."""
    z, combine = as_parts(given[0]), np.logical_and if operation.name == "is_finite" else np.logical_or
    parts = [
        w.one(
            operation.name,
            np.isfinite if operation.name == "is_finite" else np.isnan,
            [part],
            Value(shape_of(part), "bool"),
        )
        for part in z
    ]
    return [w.both(combine, *parts)]


def _of_one(function: Callable[[Writer, Parts], Given]) -> Expansion:
    return lambda w, operation, given: [function(w, as_parts(given[0]))]


def _of_two(function: Callable[[Writer, Parts, Parts], Given]) -> Expansion:
    return lambda w, operation, given: [function(w, *map(as_parts, given))]


def _together(w: Writer, operation: Operation, given: Sequence[Given]) -> list[Given]:
    """Two real arrays."""
    re, im = (as_parts(one).re for one in given)
    return [Parts(re, im)]


EXPANSIONS: Mapping[str, Expansion] = {
    **{name: _of_one(function) for name, function in elementwise.OF_ONE.items()},
    **{name: _of_one(function) for name, function in elementwise.TO_REAL.items()},
    **{name: _of_two(function) for name, function in elementwise.OF_TWO.items()},
    **dict.fromkeys(("move", "sum", "select", "scatter_add", "cumsum", "stop_gradient"), _of_each_part),
    **dict.fromkeys(
        ("eq", "ne"), lambda w, operation, given: [elementwise.compare(w, operation, *map(as_parts, given))]
    ),
    **dict.fromkeys(("is_finite", "is_nan"), _tested),
    "is_nonzero": _of_one(elementwise.is_nonzero),
    "integer_pow": lambda w, operation, given: [
        elementwise.whole_power(w, as_parts(given[0]), operation.attributes["y"])
    ],
    "complex": _together,
    "cast": _cast,
    "dot": _dot,
    "prod": _product,
    "cumprod": _cumulative_product,
    **dict.fromkeys(
        ("inv", "expm"), lambda w, operation, given: [matrices.function_of_matrix(w, operation, as_parts(given[0]))]
    ),
    "solve": lambda w, operation, given: [matrices.solve(w, operation, *map(as_parts, given))],
    "fft": lambda w, operation, given: [fourier.transform(w, operation, as_parts(given[0]))],
}
