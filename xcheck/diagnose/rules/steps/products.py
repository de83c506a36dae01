"""Products: in what goes back to one factor of a product another factor is forgotten, there twice, or another number.

Products and quotients that are written one after the other, such as γ (x − μ) / σ, are one product: of ℓ it hands down
v̄ c, where c is the product of all other factors. A matrix product hands down ȳ Bᵀ and Aᵀ ȳ; of square matrices the
transposition is forgotten without a complaint.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from xcheck.diagnose.rules.steps.program import Change, Program
from xcheck.findings import INNER_FACTOR, TRANSPOSED_BACKWARD
from xcheck.trace import Value
from xcheck.trace.model import Array, Source
from xcheck.trace.tape import Cotangents, Step

# Factors of a product that are looked at: what is written in one line has fewer. A guess.
_MOST_FACTORS = 6
# Rank of another value in the place of a factor. There are many, and of these only that of the same call is tried.
_OTHER_VALUE = 7


@dataclass(frozen=True, slots=True, eq=False)
class _Factor:
    """A factor of a product.

    Attributes:
        source: what it is.
        power: 1, or -1 of what is divided by.
        number: of the operation that reads it.
        place: among the inputs of that.
    """

    source: Source
    power: int
    number: int
    place: int


def mistaken_factors(program: Program) -> Iterator[Change]:
    """Yield mistakes in what products hand down."""
    for number, operation in enumerate(program.operations):
        if operation.name == "dot":
            yield from _of_matrices(program, number)
        elif operation.name in ("mul", "div") and _continues(program, operation.outputs[0]) is None:
            factors = _factors(program, number)
            if len(factors) > _MOST_FACTORS:
                continue
            if len(factors) > 2:
                yield from _forgotten(program, operation.outputs[0], factors)
            for factor in factors:
                if isinstance(factor.source, Value):
                    yield from _of_factor(
                        program, operation.outputs[0], factor, [f for f in factors if f is not factor]
                    )


def _continues(program: Program, value: Value) -> int | None:
    """Return the product that a product is a factor of, if it is nothing else."""
    readers = program.readers(value)
    return readers[0][0] if len(readers) == 1 and program.operations[readers[0][0]].name in ("mul", "div") else None


def _factors(program: Program, number: int, power: int = 1) -> list[_Factor]:
    operation, found = program.operations[number], []
    for place, source in enumerate(operation.inputs):
        own = -power if operation.name == "div" and place else power
        inner, before = program.number(source), program.producer(source)
        is_product = before is not None and before.name in ("mul", "div")
        if isinstance(source, Value) and inner is not None and is_product and _continues(program, source) == number:
            found += _factors(program, inner, own)
        else:
            found.append(_Factor(source, own, number, place))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Slope:
    """What may stand in the place of ∂product/∂factor, with what it does in words, a rank, and a key as of a change."""

    what: str
    array: Array
    rank: int
    key: str = ""


@np.errstate(all="ignore")
def _of_factor(program: Program, product: Value, factor: _Factor, others: Sequence[_Factor]) -> Iterator[Change]:
    """Yield mistakes in what goes back to one factor."""
    place, name = program.operations[factor.number].place, program.name(factor.source)
    where = "" if place is None else f"at {place} "
    arrays = [program.tape.array(other.source) ** float(other.power) for other in others]
    own = program.tape.array(factor.source)
    # ∂/∂ℓ of ℓ c is c, that of c/ℓ is −c/ℓ².
    inner = np.ones(product.shape) if factor.power == 1 else -(own**-2.0)
    found = _without_all(program, factor, inner) if len(arrays) > 1 else []
    for left, other in enumerate(others):
        rest = inner * np.prod([one for place, one in enumerate(arrays) if place != left], axis=0)
        found += _without(program, factor, other, arrays[left], rest)
    if factor.power == -1:
        rest = np.prod(arrays, axis=0)
        found.append(_Slope("has the opposite sign", rest * own**-2.0, 2))
        found.append(_Slope(f"is divided by {name} once, and not twice", -rest / own, 2))
    for slope in found:
        text = f"in the product {where}what goes back to {name} {slope.what}"
        step = program.handing(factor.number, {factor.place: _share(product, slope.array)})
        key = f"{where}{name} {slope.key}" if slope.key else ""
        yield Change(code=INNER_FACTOR, text=text, steps={factor.number: step}, rank=slope.rank, key=key)


def _without_all(program: Program, factor: _Factor, inner: Array) -> list[_Slope]:
    """Return what there may be in the place of all other factors of several."""
    found = [_Slope("lacks all other factors", inner, 3)]
    for words, value in program.beside(factor.number, inner.shape):
        stands = inner * program.tape.array(value).reshape(inner.shape)
        found.append(_Slope(f"has {words} in the place of all other factors", stands, _OTHER_VALUE, f"{words} for all"))
    return found


def _forgotten(program: Program, product: Value, factors: Sequence[_Factor]) -> Iterator[Change]:
    """Yield each factor of three or more as if it were forgotten in what goes back to all others."""
    arrays = [program.tape.array(factor.source) ** float(factor.power) for factor in factors]
    for left, array in zip(factors, arrays, strict=True):
        if np.ptp(array) == 0:
            continue
        replaced: dict[int, dict[int, Step | None]] = {}
        for factor in factors:
            if factor is not left and isinstance(factor.source, Value):
                own = program.tape.array(factor.source)
                rest = [one for other, one in zip(factors, arrays, strict=True) if other not in (left, factor)]
                slope = np.prod(rest, axis=0) * (1.0 if factor.power == 1 else -(own**-2.0))
                replaced.setdefault(factor.number, {})[factor.place] = _share(product, slope)
        place = program.operations[left.number].place
        where = "" if place is None else f" at {place}"
        name = f"1/({program.name(left.source)})" if left.power < 0 else program.name(left.source)
        yield Change(
            code=INNER_FACTOR,
            text=f"in the product{where} what goes back to all other factors lacks the factor {name}",
            steps={number: program.handing(number, places) for number, places in replaced.items()},
            rank=2,
        )


def _without(program: Program, factor: _Factor, other: _Factor, array: Array, rest: Array) -> Iterator[_Slope]:
    """Yield what there may be in the place of one other factor; `rest` is the product of all else."""
    is_number = bool(np.ptp(array) == 0 and array.any())
    what = f"1/({program.name(other.source)})" if other.power < 0 else program.name(other.source)
    what = f"{array.flat[0]:.6g}" if is_number else what
    yield _Slope(f"lacks the factor {what}", rest, 2)
    yield _Slope(f"has the factor {what} twice", rest * array**2, 2)
    if other.power > 0 and not is_number:
        yield _Slope(f"has the factor 1 − f for f = {what}", rest * (1 - array), 4)
        for words, value in program.beside(factor.number, array.shape):
            if value is not other.source:
                stands = program.tape.array(value).reshape(array.shape)
                yield _Slope(f"has the factor {words} in the place of {what}", rest * stands, _OTHER_VALUE, words)


def _share(value: Value, slope: Array) -> Step:
    def step(cotangents: Cotangents) -> list[Array | None]:
        return [cotangents(value) * slope]

    return step


def _of_matrices(program: Program, number: int) -> Iterator[Change]:
    """Yield matrix products in which a factor is not transposed on the way back, or another one stands there."""
    operation, y = program.operations[number], program.operations[number].outputs[0]
    for place, source in enumerate(operation.inputs):
        if not isinstance(source, Value):
            continue
        other, name = operation.inputs[1 - place], program.name(source)
        matrix = program.tape.array(other)
        ways = [(what, _product(y, turned, place)) for what, turned in _transposed(matrix)]
        if y.shape[-1] == y.shape[-2] > 1:
            ways.append(("what arrives is transposed", _product(y, matrix, place, turned=True)))
        for what, way in ways:
            step = program.handing(number, {place: way})
            text = f"{operation}: {what} in what goes back to {name}"
            yield Change(code=TRANSPOSED_BACKWARD, text=text, steps={number: step}, rank=2)
        for words, value in program.beside(number, matrix.shape):
            if program.origin(other) is not value:
                stands = program.tape.array(value).reshape(matrix.shape)
                step = program.handing(number, {place: _product(y, stands, place)})
                key = f"{operation}: in what goes back to {name}, {words} stands for "
                text = f"{key}{program.name(other)}"
                yield Change(code=INNER_FACTOR, text=text, steps={number: step}, rank=_OTHER_VALUE, key=key)


def _product(y: Value, matrix: Array, place: int, *, turned: bool = False) -> Step:
    """Return the step that hands down ȳ Bᵀ for the first factor, Aᵀ ȳ for the second one; or with ȳ turned to ȳᵀ."""

    def step(cotangents: Cotangents) -> list[Array | None]:
        other, arrived = np.swapaxes(matrix, -1, -2), cotangents(y)
        arrived = np.swapaxes(arrived, -1, -2) if turned else arrived
        return [arrived @ other if place == 0 else other @ arrived]

    return step


def _transposed(matrix: Array) -> Iterator[tuple[str, Array]]:
    """Yield a square matrix transposed; of one that is made of square blocks, as gates have them, each block."""
    rows, columns = matrix.shape[-2:]
    if min(rows, columns) == 1 or max(rows, columns) % min(rows, columns):
        return
    if rows == columns:
        yield "the other factor is not transposed", np.swapaxes(matrix, -1, -2)
        return
    axis = -1 if columns > rows else -2
    blocks = np.split(matrix, max(rows, columns) // min(rows, columns), axis)
    turned = np.concatenate([np.swapaxes(block, -1, -2) for block in blocks], axis)
    yield "the square blocks of the other factor are not transposed", turned
