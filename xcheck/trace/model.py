"""Trace: the operations of one call of a loss at given shapes, in order, as values that no framework owns.

A backend makes one of what its framework has traced, in the words of this table; what the framework calls an operation
stands beside it (`Operation.label`), for people. Whatever reads a trace reads no framework.

| name | inputs -> outputs | attributes |
|---|---|---|
| exp, log, tanh, ... | one array, element by element, as NumPy or SciPy name them | |
| add, sub, mul, div, max, min, pow, atan2, ... | two arrays of one shape | |
| bessel_i0e, bessel_i1e | x -> exp(-|x|) I0(x), exp(-|x|) I1(x) | |
| j0, j1, y0, y1, k0, k1, k0e, k1e | x -> Bessel functions, as SciPy names them | |
| jv, yv, iv, kv | v, x -> Bessel functions of order v, as SciPy names them | |
| airy_ai, spherical_bessel_j0 | x -> Ai(x), sin(x) / x | |
| exp1, expi, erfi, dawsn, ellipk, ellipe | x -> integrals, as SciPy names them | |
| fresnel_s, fresnel_c, lambertw | x -> Fresnel's integrals; the principal branch of Lambert's W | |
| igamma, igammac | a, x -> P(a, x), Q(a, x), the regularized incomplete gamma functions | |
| regularized_incomplete_beta | a, b, x -> I_x(a, b) | |
| zeta, polygamma | s, q -> Hurwitz's ζ(s, q); n, x -> ψ⁽ⁿ⁾(x) | |
| xlogy, xlog1py, logaddexp, logaddexp2, hypot | two arrays, as NumPy or SciPy name them | |
| integer_pow | x -> x^y | y: int |
| lt, le, gt, ge, eq, ne | two arrays of one shape -> bool | |
| total_lt, total_le | two arrays of one shape -> bool; -0 comes before 0 | |
| select | which (bool or int), cases of one shape -> case number `which` | |
| move | arrays -> every element of an input, or a fill | `run` works on arrays of any dtype |
| sum, prod, reduce_max, reduce_min, logsumexp | x -> without the axes | axes |
| argmax, argmin | x -> the first extreme along the axes | axes |
| cumsum, cumprod, cummax, cummin, cumlogsumexp | x -> the same shape | axis, reverse |
| dot | (batch, m, k), (batch, k, n) -> (batch, m, n) | |
| scatter_add | operand, indices, updates -> operand | positions(indices): flat, -1 where nothing is added |
| sort | arrays of one shape -> arrays, ordered by the first | axis |
| cast | x -> another floating dtype | |
| scan | constants, carry, stacked inputs -> carry, stacked outputs | body, constants, carry, length, reverse |
| while | constants of the condition, of the body, carry -> carry | condition, body, constants: (int, int) |
| cond | number of a branch, operands -> outputs | branches |
| cholesky | A, of which the lower triangle is read -> L | |
| triangular_solve | A, B -> X of op(A) X = B, or X op(A) = B | left, lower, transposed, unit: bool |
| lu | A -> L and U in one matrix, pivots, permutation of the rows | |
| qr | A -> Q, R, with LAPACK's signs | full: bool |
| eigh | A -> eigenvalues, rising; eigenvectors as columns | lower: the triangle that is read |
| svd | A -> singular values, falling; U, Vᵀ if there are three outputs | full: bool |
| solve, inv, det, slogdet | as in `numpy.linalg`; solve takes matrices | |
| expm | A -> e^A | |
| guard | integers or truth values -> nothing: the program goes on as these say | expected: the array that they are |
| floor_divide, remainder, fmod | two arrays of one shape | |
| dft | (batch, n), (batch, n) -> the same: Σ x_j e^(-2πi jk/n) of complex x by their parts | inverse: with + |
| exact | no floating input, or none that matters -> `run` | |

Of complex arrays a backend writes the same names, and those below; `xcheck.trace.parts` makes of them what real arrays
do. No trace that a backend hands over has complex arrays in it: each is two, its real and its imaginary part.

| name | inputs -> outputs | attributes |
|---|---|---|
| real, imag, conj, angle | one complex array | |
| complex | two real arrays -> a complex one | |
| fft | x -> its transform | kind: fft, ifft, rfft, irfft; axes; length of the last; norm, a divisor: none, root, n |
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

# How the name of an operation on complex arrays begins that nothing real stands for.
COMPLEX = "complex "


class UntraceableError(Exception):
    """A function cannot be traced, or does what no trace can hold; the text says what, and where."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a person's program.

    Attributes:
        file: its path.
        line: counted from 1.
        function: the function that the line is in.
    """

    file: str
    line: int
    function: str = ""

    def __str__(self) -> str:
        # As a person would type it: from the folder where the check runs, if it is inside.
        try:
            file = str(Path(self.file).relative_to(Path.cwd()))
        except (ValueError, OSError):
            file = self.file
        return f"{file}:{self.line}"


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """A result of an operation, or an input; one is no other, whatever their shapes.

    Attributes:
        shape: of the array.
        dtype: its name.
    """

    shape: tuple[int, ...]
    dtype: str

    @property
    def is_floating(self) -> bool:
        """Whether it holds real numbers in floating point."""
        return self.dtype.startswith(("float", "bfloat"))


@dataclass(frozen=True, slots=True, eq=False)
class Constant:
    """An array that does not depend on the inputs: data, or a number in the program."""

    array: Array


Source: TypeAlias = Value | Constant


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Operation:
    """One operation of a trace.

    Attributes:
        name: what it does, in the words of this module.
        inputs: what it reads.
        outputs: what it writes.
        run: the framework's own operation: arrays of the inputs -> arrays of the outputs.
        attributes: what belongs to the name.
        label: what the framework calls it.
        place: the person's line; None where it is not known.
    """

    name: str
    inputs: tuple[Source, ...]
    outputs: tuple[Value, ...]
    run: Callable[..., Sequence[Array]]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""
    place: Place | None = None

    def __str__(self) -> str:
        what = f"`{self.label or self.name}`"
        return what if self.place is None else f"{what} at {self.place}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trace:
    """The operations of one call.

    Attributes:
        inputs: θ by tensors, in the order of its layout; of a body, what is handed to it.
        outputs: the loss; of a body, what it returns.
        operations: in order: each reads what stands before it.
    """

    inputs: tuple[Value, ...]
    outputs: tuple[Source, ...]
    operations: tuple[Operation, ...]

    def last_uses(self) -> list[list[Value]]:
        """Return for each operation the values that nothing after it reads."""
        kept = {id(source) for source in self.outputs}
        found: list[list[Value]] = [[] for _ in self.operations]
        for number in range(len(self.operations) - 1, -1, -1):
            for source in (*self.operations[number].inputs, *self.operations[number].outputs):
                if isinstance(source, Value) and id(source) not in kept:
                    kept.add(id(source))
                    found[number].append(source)
        return found


def array_of(value: Any) -> Array:
    """Return an array of what a framework's operation returns; a random key, which is no array of NumPy, as it is."""
    dtype = getattr(value, "dtype", None)
    foreign = dtype is not None and not isinstance(dtype, np.dtype)
    found: Array = value if foreign else np.asarray(value)
    return found


def is_floating(array: Array) -> bool:
    """Return whether an array holds real numbers in floating point, the narrow ones of other packages included."""
    dtype: Any = array.dtype
    return isinstance(dtype, np.dtype) and (dtype.kind == "f" or "float" in dtype.name)
