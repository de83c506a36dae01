"""Flat programs: the primitive operations of a loss one after the other, with calls, custom rules and loops entered.

Only the value of the loss is computed: of a function with a rule for its derivative the function is entered, and the
rule left out. A `scan` is unrolled; in its iterations equal operations have equal parameters, for the number of a row
is a constant of the program.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from xcheck.trace import Place, UntraceableError
from xcheck_jax.operations import runner
from xcheck_jax.writer import CALLS, Writer

# Operations of an unrolled program, a fifth of a millisecond each before anything is computed: a guess, two seconds.
_MOST_STEPS = 10_000
# What an iteration reads and writes of stacked arrays.
ROW, STACK = "row", "stack"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Step:
    """One operation.

    Attributes:
        name: of the primitive; "row" takes a row of a stacked array, whose number it reads, and "stack" makes one.
        params: of the primitive.
        inputs: the numbers of the values that it reads.
        outputs: the numbers of the values that it returns.
        run: arrays of the inputs -> arrays of the outputs.
        place: the person's line; None where it is not known.
    """

    name: str
    params: Mapping[str, Any]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    run: Callable[..., list[Any]]
    place: Place | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FlatProgram:
    """Operations in order; values have numbers.

    Attributes:
        inputs: the numbers of the parameters.
        output: the number of the loss.
        literals: numbers written in the program.
        constants: arrays that it holds.
        avals: shape and dtype of each value.
        steps: each reads what stands before it.
    """

    inputs: tuple[int, ...]
    output: int
    literals: Mapping[int, Any]
    constants: Mapping[int, Any]
    avals: Mapping[int, Any]
    steps: tuple[Step, ...]

    def shape(self, number: int) -> tuple[int, ...]:
        """Return the shape of a value."""
        return tuple(self.avals[number].shape)


def flat_program(closed: Any) -> FlatProgram:
    """Return the operations of a ClosedJaxpr that returns a loss.

    Raises:
        UntraceableError: numbers leave JAX on the way, or there are too many iterations of a loop.
    """
    writer = _Writer()
    inputs, (output,) = writer.write(closed)
    return FlatProgram(
        inputs=tuple(inputs),
        output=output,
        literals=writer.literals,
        constants=writer.constants,
        avals=writer.avals,
        steps=tuple(writer.steps),
    )


@dataclass(slots=True)
class _Writer(Writer):
    """Appends the operations of traces to a flat program."""

    entered: ClassVar[Collection[str]] = CALLS | {"custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr"}
    steps: list[Step] = field(default_factory=list)

    def step(self, name: str, inputs: Sequence[int], avals: Sequence[Any], run: Any, **more: Any) -> list[int]:
        """Append an operation, and return the numbers of what it returns."""
        if len(self.steps) >= _MOST_STEPS:
            raise UntraceableError(f"its loops take more than {_MOST_STEPS:,} operations")
        outputs = [self.new(aval) for aval in avals]
        known = {"params": {}, "place": None, **more}
        self.steps.append(Step(name=name, inputs=tuple(inputs), outputs=tuple(outputs), run=run, **known))
        return outputs

    def append(self, equation: Any, inputs: Sequence[int], place: Place | None) -> Sequence[int]:
        """Append an operation, or the iterations of a loop."""
        name = equation.primitive.name
        if "callback" in name:
            raise UntraceableError(f"numbers leave JAX at `{name}`{'' if place is None else f' at {place}'}")
        if name == "scan":
            return self._unroll(equation.params, inputs, place)
        avals = [variable.aval for variable in equation.outvars]
        return self.step(name, inputs, avals, runner(equation), params=equation.params, place=place)

    def _unroll(self, params: Mapping[str, Any], given: Sequence[int], place: Place | None) -> list[int]:
        """Append the iterations of a `scan`: (constants, carry, rows) -> (carry, rows), again and again."""
        constants, kept, length = params["num_consts"], params["num_consts"] + params["num_carry"], params["length"]
        carry, stacked = list(given[constants:kept]), given[kept:]
        made: list[list[int]] = [[] for _ in params["jaxpr"].out_avals[params["num_carry"] :]]
        for row in reversed(range(length)) if params["reverse"] else range(length):
            number = self.constant(jnp.asarray(row))
            rows = [self._row(each, number, place) for each in stacked]
            outputs = self.enter(params["jaxpr"], [*given[:constants], *carry, *rows], place)
            carry = outputs[: len(carry)]
            for rows_so_far, each in zip(made, outputs[len(carry) :], strict=True):
                rows_so_far.append(each)
        if params["reverse"]:
            made = [rows[::-1] for rows in made]
        avals = params["jaxpr"].out_avals[len(carry) :]
        return [*carry, *(self._stacked(rows, aval, length, place) for rows, aval in zip(made, avals, strict=True))]

    def _row(self, stacked: int, number: int, place: Place | None) -> int:
        def run(array: Any, row: Any) -> list[Any]:
            return [jax.lax.dynamic_index_in_dim(array, row, keepdims=False)]

        aval = self.avals[stacked]
        (found,) = self.step(ROW, [stacked, number], [aval.update(shape=aval.shape[1:])], run, place=place)
        return found

    def _stacked(self, rows: Sequence[int], aval: Any, length: int, place: Place | None) -> int:
        whole = aval.update(shape=(length, *aval.shape))
        if not rows:
            return self.constant(jnp.zeros(whole.shape, whole.dtype))
        (found,) = self.step(STACK, rows, [whole], lambda *rows: [jnp.stack(rows)], place=place)
        return found
