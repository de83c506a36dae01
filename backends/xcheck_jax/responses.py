"""How what arrives at an operation changes when it reads other arrays: ⟨ȳ, f(x + t u) − f(x)⟩.

With ȳ = ∂J/∂Re y − i ∂J/∂Im y, as JAX has it, that is Re Σ ȳ (f(x + t u) − f(x)) where y is complex.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp

from xcheck_jax.arrays import from_real
from xcheck_jax.differentiated import replaced
from xcheck_jax.straight_line import Instruction

# An operation, and the places of those of its inputs that are moved.
Moved: TypeAlias = tuple[Instruction, Sequence[int]]
# Function of a row, and rows -> results: see `at_once` and `one_by_one`.
Each: TypeAlias = Callable[[Callable[[Any], Any], Any], Any]


class Arrays(NamedTuple):
    """What an operation has to do with.

    Attributes:
        given: all inputs.
        arrived: the cotangents of its floating outputs.
        plain: its floating outputs where it is not differentiated.
        differentiated: its floating outputs where it is.
    """

    given: list[Any]
    arrived: list[Any]
    plain: list[Any]
    differentiated: list[Any]


def moved_outputs(
    instruction: Instruction, places: Sequence[int], given: Sequence[Any], inputs: Sequence[Any]
) -> list[Any]:
    """Return the floating outputs of an operation where some of its inputs are others.

    Args:
        instruction: the operation.
        places: of the inputs that are others.
        given: all inputs as they were.
        inputs: the others, in their own dtypes; of moves for which its derivative does not hold, the part for which it
            does is taken.
    """
    domain = instruction.domain
    if domain.symmetric:
        inputs = [given[place] + domain.move(array - given[place]) for place, array in zip(places, inputs, strict=True)]
    outputs = (domain.moved or instruction.run)(*replaced(given, places, inputs))
    return [outputs[place] for place in instruction.floating]


def response(instruction: Instruction, places: Sequence[int], arrays: Arrays, move: Sequence[Any], time: Any) -> Any:
    """Return ⟨ȳ, f(x + t u) − f(x)⟩, a number of 64 bits.

    Args:
        instruction: f.
        places: of those of its inputs that are moved.
        arrays: x, ȳ and f(x).
        move: u by places, as `real_array` gives it.
        time: t.
    """
    inputs = [
        # What is infinite, such as a mask, stays where it is.
        jnp.where(jnp.isfinite(x), x + from_real(time * u, x.dtype), x)
        for x, u in zip([arrays.given[place] for place in places], move, strict=True)
    ]
    outputs = moved_outputs(instruction, places, arrays.given, inputs)
    total = jnp.zeros((), "float64")
    for output, plain, arrived in zip(outputs, arrays.plain, arrays.arrived, strict=True):
        change = _in_64_bits(output) - _in_64_bits(plain)
        # Where nothing arrives, nothing counts, not even a difference of two infinities.
        total += jnp.sum(jnp.where(arrived == 0, 0.0, jnp.real(_in_64_bits(arrived) * change)))
    return total


def _in_64_bits(array: Any) -> Any:
    return array.astype(jnp.promote_types(array.dtype, "float64"))


def responses_to(
    each: Each, instruction: Instruction, places: Sequence[int], arrays: Arrays, moves: Sequence[Any]
) -> Any:
    """Return ⟨ȳ, f(x + u) − f(x)⟩ for k moves u, shape (k,); each array of `moves` has shape (k, ...)."""
    return each(lambda move: response(instruction, places, arrays, move, 1.0), moves)


def responses_along(
    each: Each, operations: Sequence[Moved], times: Any, arrays: Sequence[Arrays], moves: Sequence[Sequence[Any]]
) -> Any:
    """Return ⟨ȳ, f(x + t u) − f(x)⟩ of operations for every t of `times`, shape (k, operations)."""

    def at(time: Any) -> Any:
        of_each = zip(operations, arrays, moves, strict=True)
        return jnp.stack([response(*operation, own, move, time) for operation, own, move in of_each])

    return each(at, times)


def at_once(function: Callable[[Any], Any], rows: Any) -> Any:
    """Return the results of a function for every row: all of them are in memory at once."""
    return jax.vmap(function)(rows)


def one_by_one(function: Callable[[Any], Any], rows: Any) -> Any:
    """Return the results of a function for every row, in a loop."""
    return jax.lax.map(function, rows)
