"""Builder: operations in the words of `xcheck.trace`, put one after the other, with torch's arithmetic behind each.

What depends on no parameter is computed at once and stands in the trace as a constant.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import torch

from xcheck.trace import Constant, Operation, Place, Value
from xcheck.trace.model import Array, Source
from xcheck_torch.lowering.arrays import (
    dtype_of,
    is_complex,
    is_inexact,
    name_of,
    number,
    shape_of,
    to_array,
    to_tensor,
    torch_dtype,
)

Operand: TypeAlias = Value | Constant | float

# What is named alike is looked up in torch and torch.special; the rest:
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "logistic": torch.sigmoid,
    "erf_inv": torch.erfinv,
    "max": torch.maximum,
    "min": torch.minimum,
    "is_nan": torch.isnan,
    "is_finite": torch.isfinite,
    "cbrt": lambda x: x.sign() * x.abs().pow(1 / 3),
    "is_nonzero": lambda x: x != 0,
    "bessel_i0e": torch.special.i0e,
    "bessel_i1e": torch.special.i1e,
    "j0": torch.special.bessel_j0,
    "j1": torch.special.bessel_j1,
    "y0": torch.special.bessel_y0,
    "y1": torch.special.bessel_y1,
    "k0": torch.special.modified_bessel_k0,
    "k1": torch.special.modified_bessel_k1,
    "k0e": torch.special.scaled_modified_bessel_k0,
    "k1e": torch.special.scaled_modified_bessel_k1,
    "igamma": torch.special.gammainc,
    "igammac": torch.special.gammaincc,
}


def function_of(name: str) -> Callable[..., Any]:
    """Return torch's function of an operation on elements."""
    if name in _FUNCTIONS:
        return _FUNCTIONS[name]
    found: Callable[..., Any] = getattr(torch, name, None) or getattr(torch.special, name)
    return found


class Builder:
    """Collects operations.

    Attributes:
        operations: in order.
        label: what torch calls that which is being taken apart.
        place: the person's line of it.
    """

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.label = ""
        self.place: Place | None = None

    def emit(
        self,
        name: str,
        function: Callable[..., Any],
        inputs: Sequence[Source],
        outputs: Sequence[Value],
        **attributes: Any,
    ) -> list[Source]:
        """Add an operation, and return its outputs.

        Args:
            name: in the words of `xcheck.trace`.
            function: of tensors, one or several.
            inputs: what it reads.
            outputs: what it writes.
            attributes: what belongs to the name.
        """
        # Arithmetic is carried out in one dtype; only casts have another one before than behind.
        dtypes = [outputs[0].dtype if outputs[0].dtype == "bfloat16" else dtype_of(source) for source in inputs]
        if name in ("cast", "exact"):
            dtypes = [dtype_of(source) for source in inputs]

        def run(*given: Array) -> Sequence[Array]:
            found = function(*map(to_tensor, given, dtypes))
            return tuple(map(to_array, found if isinstance(found, tuple | list) else (found,)))

        constants = [source.array for source in inputs if isinstance(source, Constant)]
        if len(constants) == len(inputs):
            return [Constant(array) for array in run(*constants)]
        self.operations.append(
            Operation(
                name=name,
                inputs=tuple(inputs),
                outputs=tuple(outputs),
                run=run,
                attributes=attributes,
                label=self.label,
                place=self.place,
            )
        )
        return list(outputs)

    def one(
        self, name: str, function: Callable[..., Any], inputs: Sequence[Source], output: Value, **attributes: Any
    ) -> Source:
        """Add an operation of one output, and return it."""
        (found,) = self.emit(name, function, inputs, [output], **attributes)
        return found

    def guard(self, source: Source, expected: Array) -> None:
        """Note that the program goes on as these truth values or integers say; constants always say the same."""
        if isinstance(source, Value):
            self.operations.append(
                Operation(
                    name="guard",
                    inputs=(source,),
                    outputs=(),
                    run=lambda array: (),
                    attributes={"expected": expected},
                    label=self.label,
                    place=self.place,
                )
            )

    # --- shapes and dtypes ------------------------------------------------------------------------------------------

    def constant(self, value: Any, shape: Sequence[int], dtype: str) -> Constant:
        """Return a number of the program, as often as a shape asks for."""
        return Constant(np.broadcast_to(number(value, dtype), tuple(shape)))

    def move(self, function: Callable[..., Any], inputs: Sequence[Source], shape: Sequence[int], **more: Any) -> Source:
        """Return elements in other places; the function works on tensors of integers, too, with 0 for what it fills."""
        return self.one("move", function, inputs, Value(tuple(shape), dtype_of(inputs[0])), **more)

    def reshape(self, x: Source, shape: Sequence[int]) -> Source:
        """Return the same elements in another shape."""
        shape = tuple(shape)
        return x if shape_of(x) == shape else self.move(lambda a: a.reshape(shape), [x], shape)

    def permute(self, x: Source, axes: Sequence[int]) -> Source:
        """Return x with its axes in another order."""
        return self.move(lambda a: a.permute(*axes), [x], [shape_of(x)[axis] for axis in axes])

    def broadcast(self, x: Operand, shape: Sequence[int], dtype: str) -> Source:
        """Return x in a shape and a dtype."""
        if not isinstance(x, Value | Constant):
            return self.constant(x, shape, dtype)
        x, shape = self.cast(x, dtype), tuple(shape)
        if shape_of(x) == shape:
            return x
        if isinstance(x, Constant):
            return Constant(np.broadcast_to(x.array, shape))
        return self.move(lambda a: a.broadcast_to(shape), [x], shape)

    def cast(self, x: Source, dtype: str) -> Source:
        """Return x in a dtype."""
        old = dtype_of(x)
        if old == dtype or (isinstance(x, Constant) and dtype == "bfloat16" and old == "float32"):
            return x
        if is_complex(old) and is_inexact(dtype) and not is_complex(dtype):
            name = "real"
        elif is_inexact(old) and is_inexact(dtype):
            precise = torch.finfo(torch_dtype(dtype)).eps <= torch.finfo(torch_dtype(old)).eps
            wide = torch.finfo(torch_dtype(dtype)).max >= torch.finfo(torch_dtype(old)).max
            name = "move" if precise and wide else "cast"
        elif is_inexact(old):
            name = "is_nonzero" if dtype == "bool" else "to_integer"
        else:
            name = "exact"

        def change(a: Any) -> Any:
            # The numbers of elements stay as they are.
            is_numbers = name == "move" and not (a.is_floating_point() or a.is_complex())
            return a if is_numbers else (a.real if name == "real" else a).to(torch_dtype(dtype))

        return self.one(name, change, [x], Value(shape_of(x), dtype))

    # --- elements ---------------------------------------------------------------------------------------------------

    def alike(self, *given: Operand) -> list[Source]:
        """Return operands of one shape and one floating, or complex, dtype."""
        sources = [one for one in given if isinstance(one, Value | Constant)]
        shape = torch.broadcast_shapes(*[shape_of(one) for one in sources])
        floating = [dtype_of(one) for one in sources if is_inexact(dtype_of(one))]
        # A constant in bfloat16 stands in float32.
        narrow = [one.dtype for one in sources if isinstance(one, Value) and one.dtype == "bfloat16"]
        dtype = narrow[0] if narrow else _widest(floating)
        return [self.broadcast(one, shape, dtype) for one in given]

    def apply(self, name: str, *given: Operand, **attributes: Any) -> Source:
        """Return what an operation on elements gives."""
        alike = self.alike(*given)
        values = [one for one in alike if isinstance(one, Value)]
        dtype = values[0].dtype if values else dtype_of(alike[0])
        return self.one(name, function_of(name), alike, Value(shape_of(alike[0]), dtype), **attributes)

    def add(self, x: Operand, y: Operand) -> Source:
        """Return x + y."""
        return self.apply("add", x, y)

    def sub(self, x: Operand, y: Operand) -> Source:
        """Return x - y."""
        return self.apply("sub", x, y)

    def mul(self, x: Operand, y: Operand) -> Source:
        """Return x y; a factor of exactly 1 is none."""
        for one, other in ((x, y), (y, x)):
            if not isinstance(one, Value | Constant) and one == 1 and isinstance(other, Value | Constant):
                return other
        return self.apply("mul", x, y)

    def div(self, x: Operand, y: Operand) -> Source:
        """Return x / y."""
        return self.apply("div", x, y)

    def compare(self, name: str, x: Operand, y: Operand) -> Source:
        """Return where lt, le, gt, ge, eq or ne holds."""
        alike = self.alike(x, y)
        return self.one(name, function_of(name), alike, Value(shape_of(alike[0]), "bool"))

    def select(self, which: Source, no: Operand, yes: Operand) -> Source:
        """Return `yes` where it holds, `no` elsewhere."""
        no, yes = self.alike(no, yes)
        shape = torch.broadcast_shapes(shape_of(which), shape_of(no))
        which = self.truth(which, shape)
        cases = [self.broadcast(one, shape, dtype_of(one)) for one in (no, yes)]
        dtype = next((one.dtype for one in cases if isinstance(one, Value)), dtype_of(cases[0]))
        return self.one("select", lambda c, a, b: torch.where(c, b, a), [which, *cases], Value(tuple(shape), dtype))

    def truth(self, which: Source, shape: Sequence[int]) -> Source:
        """Return truth values in a shape."""
        shape = tuple(shape)
        if shape_of(which) == shape:
            return which
        return self.one("exact", lambda a: a.broadcast_to(shape), [which], Value(shape, dtype_of(which)))

    def power(self, x: Source, exponent: int) -> Source:
        """Return x to an integer."""
        return self.one("integer_pow", lambda a: a.pow(exponent), [x], Value(shape_of(x), dtype_of(x)), y=exponent)

    # --- along axes -------------------------------------------------------------------------------------------------

    def reduce(self, name: str, x: Source, axes: Sequence[int], *, keep: bool = False) -> Source:
        """Return sum, prod, reduce_max, reduce_min or logsumexp over axes."""
        shape = shape_of(x)
        axes = tuple(sorted(axis % max(len(shape), 1) for axis in axes)) if shape else ()
        rest = [length for axis, length in enumerate(shape) if axis not in axes]
        kept = [1 if axis in axes else length for axis, length in enumerate(shape)]
        found = x
        if axes or not shape:
            found = self.one(name, _REDUCTIONS[name](axes), [x], Value(tuple(rest), dtype_of(x)), axes=axes)
        return self.reshape(found, kept) if keep else found

    def sum(self, x: Source, axes: Sequence[int], *, keep: bool = False) -> Source:
        """Return the sum over axes."""
        return self.reduce("sum", x, axes, keep=keep)

    def mean(self, x: Source, axes: Sequence[int], *, keep: bool = False) -> Source:
        """Return the mean over axes."""
        shape = shape_of(x)
        count = math.prod(shape[axis] for axis in axes) if shape else 1
        return self.div(self.sum(x, axes, keep=keep), count)

    def dot(self, a: Source, b: Source) -> Source:
        """Return products of matrices, shapes (batch, m, k) and (batch, k, n) -> (batch, m, n)."""
        a, b = (self.cast(one, dtype_of(a)) for one in (a, b))
        (batch, rows, _), columns = shape_of(a), shape_of(b)[2]
        dtype = next((one.dtype for one in (a, b) if isinstance(one, Value)), dtype_of(a))
        return self.one("dot", torch.bmm, [a, b], Value((batch, rows, columns), dtype))

    def scatter_add(self, operand: Source, positions: Source, updates: Source) -> Source:
        """Return an operand with every update added where its flat position says; nowhere where that is -1."""

        def add_up(into: Any, where: Any, what: Any) -> Any:
            flat, kept = into.reshape(-1).clone(), where.reshape(-1) >= 0
            return flat.index_add(0, where.reshape(-1)[kept], what.reshape(-1)[kept]).reshape(into.shape)

        output = Value(shape_of(operand), dtype_of(updates))
        return self.one("scatter_add", add_up, [operand, positions, updates], output, positions=lambda found: found)


def _widest(dtypes: Sequence[str]) -> str:
    """Return the dtype that all of these become together."""
    found = torch_dtype(dtypes[0])
    for dtype in dtypes[1:]:
        found = torch.promote_types(found, torch_dtype(dtype))
    return name_of(found)


_REDUCTIONS: dict[str, Callable[[tuple[int, ...]], Callable[..., Any]]] = {
    "sum": lambda axes: lambda a: a.sum(axes) if axes else a,
    "reduce_max": lambda axes: lambda a: a.amax(axes) if axes else a,
    "reduce_min": lambda axes: lambda a: a.amin(axes) if axes else a,
    "logsumexp": lambda axes: lambda a: a.logsumexp(axes) if axes else a,
    "prod": lambda axes: lambda a: _product(a, axes),
}


def _product(a: Any, axes: tuple[int, ...]) -> Any:
    for axis in reversed(axes):
        a = a.prod(axis)
    return a
