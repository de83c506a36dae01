"""The backward pass of a loss in JAX, operation by operation; see `xcheck.trace.backward`.

What an operation reads is what it reads where the loss is differentiated, for that is where its backward pass has been:
if a rule for a derivative computes another value, what follows starts from that value. What it writes is given as the
function computes it from there, and as the rule does.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np

from xcheck.backend.function_objective import WEIGHT
from xcheck.errors import quote
from xcheck.layout import Vector
from xcheck.trace import BackwardPass, Call, Read, UntraceableError, Written
from xcheck.trace.model import Array
from xcheck_jax.differentiated import Differentiated, Start, differentiate
from xcheck_jax.inside import start_inside
from xcheck_jax.programs import Program, fingerprint, program_of
from xcheck_jax.responses import Arrays, moved_outputs, response, responses_along, responses_to
from xcheck_jax.settings import own_settings
from xcheck_jax.straight_line import Instruction, Loop, straight_line

# By what is computed, in which straight line, from which inputs that depend on θ: iterations of a loop share them.
Programs = dict[tuple[Any, ...], Program]


def backward_pass_of(closed: Any, arrays: Sequence[Any], device: jax.Device) -> "JaxBackwardPass":
    """Return the backward pass of a trace of a loss.

    Args:
        closed: the trace, of one real number.
        arrays: θ by tensors.
        device: where it is computed.

    Raises:
        UntraceableError: there are complex numbers on the way, the loss is not one number, or JAX cannot take an
            operation by itself.
    """
    line, result = straight_line(closed), closed.out_avals[0]
    if result.shape != ():
        raise UntraceableError(f"the loss has shape {result.shape}")
    start = Start(
        line=line,
        arguments={**line.constants, **dict(zip(line.inputs, arrays, strict=True))},
        live=dict.fromkeys(line.inputs, True),
        # A rule that does not look at what arrives is wrong, and would not be for a cotangent of 1.
        seeds={line.outputs[0]: np.full((), WEIGHT, result.dtype)},
    )
    try:
        return JaxBackwardPass(start, device, {})
    except UntraceableError:
        raise
    except Exception as error:  # the person's gradient has been computed: whatever fails here is no fault of theirs
        raise UntraceableError(f"its backward pass cannot be followed: {quote(error)}") from error


# Points at which one operation is evaluated at once, and numbers in them: guesses, 32 MiB.
_POINTS, _NUMBERS = 64, 1 << 22


class JaxBackwardPass(BackwardPass):
    """A straight line, differentiated: its operations at which a cotangent arrives.

    Attributes:
        gradients: what arrives at the inputs of the straight line, in order; None where nothing does.

    Args:
        start: what is differentiated; its seeds are times `WEIGHT`.
        device: where it is computed.
        programs: those that are compiled, to which more are added.
        one_by_one: whether its operations are all the same, so that one program serves for each of them.
    """

    def __init__(self, start: Start, device: jax.Device, programs: Programs, *, one_by_one: bool = False) -> None:
        self._start, self._device, self._programs, self._one_by_one = start, device, programs, one_by_one
        with own_settings(device):
            self._found = self._differentiate()
            self._values = {**start.line.literals, **start.arguments, **self._found.values}
            self._places = {number: self._variables(number) for number in self._found.handed}
            # By call: which operation it is.
            self._numbers = [number for number, places in self._places.items() if places]
            self.calls = list(map(self._call, self._numbers))
            self.gradients = [
                _wide(self._found.arrived[number]) / WEIGHT if number in self._found.arrived else None
                for number in start.line.inputs
            ]

    def _differentiate(self) -> Differentiated:
        line, live = self._start.line, self._start.live

        def whole(arguments: Mapping[int, Any], seeds: Mapping[int, Any]) -> Differentiated:
            return differentiate(line, live, arguments, seeds)

        # Iterations are compiled by themselves, all at once they would be a large program.
        program = whole if self._one_by_one else self._program("differentiate", whole, *self._given())
        found: Differentiated = program(*self._given())
        return found

    def _given(self) -> tuple[Mapping[int, Any], Mapping[int, Any]]:
        return self._start.arguments, self._start.seeds

    def _program(self, what: str, function: Callable[..., Any], *arguments: Any) -> Program:
        """Return a compiled function; one that has been compiled for this straight line is taken again."""
        key = (what, self._start.line, *sorted(self._start.live.items()))
        if key not in self._programs:
            traced = jax.jit(function).trace(*arguments)
            self._programs[key] = program_of(traced, self._device, fingerprint(traced.jaxpr))
        return self._programs[key]

    # --- calls ------------------------------------------------------------------------------------------------------

    def _instruction(self, number: int) -> Instruction:
        return self._start.line.instructions[number]

    def _variables(self, number: int) -> list[int]:
        """Return the places of the inputs of an operation that depend on θ, and are variables of it."""
        variables = self._instruction(number).domain.variables
        return [place for place in self._found.handed[number] if variables is None or place in variables]

    def _arrays(self, number: int) -> Arrays:
        """Return what an operation has to do with."""
        instruction = self._instruction(number)
        outputs = [instruction.outputs[place] for place in instruction.floating]
        values = [self._values[output] for output in outputs]
        return Arrays(
            given=[self._values[each] for each in instruction.inputs],
            arrived=[self._found.arrived[output] for output in outputs],
            plain=self._found.plain.get(number, values),
            differentiated=values,
        )

    def _call(self, number: int) -> Call:
        """Return an operation in the words of xcheck."""
        instruction, arrays = self._instruction(number), self._arrays(number)
        names = instruction.names or tuple(map(str, range(len(instruction.inputs))))
        handed = {
            place: instruction.domain.cotangent(self._found.handed[number][place]) for place in self._places[number]
        }
        written = zip(arrays.plain, arrays.arrived, arrays.differentiated, strict=True)
        return Call(
            name=instruction.name,
            rule=instruction.rule,
            place=instruction.place,
            reads=tuple(
                Read(
                    names[place] if len(instruction.inputs) > 1 else "",
                    _wide(arrays.given[place]),
                    _wide(cotangent) / WEIGHT,
                )
                for place, cotangent in handed.items()
            ),
            writes=tuple(
                Written(_wide(plain), _wide(arrived) / WEIGHT, _wide(other)) for plain, arrived, other in written
            ),
            step=instruction.step or self._start.step,
        )

    # --- other inputs -----------------------------------------------------------------------------------------------

    def run(self, number: int, inputs: Sequence[Array]) -> list[Array]:
        """Return what a call writes where it reads other arrays, by JAX's own operation."""
        number = self._numbers[number]
        with own_settings(self._device):
            given = self._arrays(number).given
            outputs = moved_outputs(self._instruction(number), self._places[number], given, inputs)
            return list(map(_wide, outputs))

    def responses(self, moves: Sequence[Sequence[Array]], steps: Vector) -> Vector:
        """Return ⟨ȳ, f(x + t u) − f(x)⟩ of every call for every t, shape (k, calls), by one program for all calls."""
        # A program may round f(x) otherwise than the one that has computed it: what counts is the change from t = 0.
        times = np.array([0.0, *steps])
        arrays, listed = list(map(self._arrays, self._numbers)), list(map(list, moves))
        with own_settings(self._device):
            respond = self._respond_one_by_one if self._one_by_one else self._respond_at_once
            rows = respond(times, arrays, listed).reshape(len(times), len(listed))
        return (rows[1:] - rows[0]) / WEIGHT

    def responses_at(self, number: int, inputs: Sequence[Array]) -> Vector:
        """Return ⟨ȳ, f(x') − f(x)⟩ of one call at k points x', shape (k,), by one program for many points."""
        moves = [array - read.array for array, read in zip(inputs, self.calls[number].reads, strict=True)]
        at_once = int(np.clip(_NUMBERS // max(1, sum(move[0].size for move in moves)), 1, _POINTS))
        found = [
            self._respond_to(self._numbers[number], [move[start : start + at_once] for move in moves], at_once)
            for start in range(0, len(moves[0]), at_once)
        ]
        return np.concatenate(found) / WEIGHT

    def _respond_to(self, number: int, moves: list[Array], at_once: int) -> Vector:
        count, operation = len(moves[0]), (self._instruction(number), self._places[number])
        # First no move at all, as in `responses`; then those that are asked for, filled up to the same number.
        filled = [np.zeros((1 + at_once, *move.shape[1:])) for move in moves]
        for whole, move in zip(filled, moves, strict=True):
            whole[1 : 1 + count] = move
        key = ("moves", operation[0].run, *operation[1])
        with own_settings(self._device):
            if key not in self._programs:
                self._programs[key] = jax.jit(partial(responses_to, operation))
            found = np.asarray(self._programs[key](self._arrays(number), filled))
        return np.asarray(found[1 : 1 + count] - found[0])

    def _respond_at_once(self, times: Vector, arrays: list[Arrays], moves: list[list[Array]]) -> Vector:
        operations = [(self._instruction(number), self._places[number]) for number in self._numbers]

        def whole(time: Any, arrays: list[Arrays], moves: list[list[Array]]) -> list[Any]:
            return [response(*each, time) for each in zip(operations, arrays, moves, strict=True)]

        program = self._program("responses", whole, 0.0, arrays, moves)
        return np.array([program(float(time), arrays, moves) for time in times])

    def _respond_one_by_one(self, times: Vector, arrays: list[Arrays], moves: list[list[Array]]) -> Vector:
        columns = []
        for number, each, move in zip(self._numbers, arrays, moves, strict=True):
            instruction, places = self._instruction(number), self._places[number]
            key = ("response", instruction.run, *places)
            if key not in self._programs:
                self._programs[key] = jax.jit(partial(responses_along, (instruction, places)))
            columns.append(np.asarray(self._programs[key](each, move, times)))
        return np.array(columns).T

    def inside(self, number: int) -> BackwardPass | None:
        """Return the iterations of a loop, the operations of one, or those of the branch that is taken."""
        number = self._numbers[number]
        instruction, arrays = self._instruction(number), self._arrays(number)
        arrived = dict(zip(instruction.floating, arrays.arrived, strict=True))
        outputs = [arrived.get(place) for place in range(len(instruction.outputs))]
        with own_settings(self._device):
            start = start_inside(instruction, arrays.given, self._places[number], outputs, self._start.step)
            if start is None:
                return None
            try:
                is_loop = isinstance(instruction.inside, Loop)
                return JaxBackwardPass(start, self._device, self._programs, one_by_one=is_loop)
            except Exception:  # noqa: BLE001 - what cannot be taken apart stays whole
                return None


def _wide(array: Any) -> Array:
    return np.asarray(array).astype(np.float64)
