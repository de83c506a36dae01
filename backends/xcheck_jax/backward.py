"""The backward pass of a loss in JAX, operation by operation; see `xcheck.trace.backward`.

What an operation reads is what it reads where the loss is differentiated, for that is where its backward pass has been:
if a rule for a derivative computes another value, what follows starts from that value. What it writes is given as the
function computes it from there, and as the rule does.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from xcheck.backend.function_objective import WEIGHT
from xcheck.errors import quote
from xcheck.layout import Vector
from xcheck.trace import BackwardPass, Call, Read, UntraceableError, Written
from xcheck.trace.model import Array
from xcheck_jax.differentiated import Differentiated, differentiate, run_moved
from xcheck_jax.programs import Program, fingerprint, program_of
from xcheck_jax.settings import own_settings
from xcheck_jax.straight_line import Instruction, StraightLine, straight_line

# Points at which one operation is evaluated at once, and numbers in them: guesses, 32 MiB.
_POINTS, _NUMBERS = 64, 1 << 22


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
    arguments = {**line.constants, **dict(zip(line.inputs, arrays, strict=True))}
    # A rule that does not look at what arrives is wrong, and would not be for a cotangent of 1.
    seeds = {line.outputs[0]: np.full((), WEIGHT, result.dtype)}
    try:
        return JaxBackwardPass(line, arguments, dict.fromkeys(line.inputs, True), seeds, device)
    except UntraceableError:
        raise
    except Exception as error:  # the person's gradient has been computed: whatever fails here is no fault of theirs
        raise UntraceableError(f"its backward pass cannot be followed: {quote(error)}") from error


class JaxBackwardPass(BackwardPass):
    """A straight line, differentiated: its operations at which a cotangent arrives.

    Attributes:
        gradients: what arrives at the inputs of the straight line, in order.

    Args:
        line: the operations.
        arguments: by number: its inputs and constants.
        live: by number: the inputs that depend on θ; False for what depends on it behind a `stop_gradient` alone.
        seeds: by number: the cotangents that arrive at its outputs, times `WEIGHT`.
        device: where it is computed.
    """

    def __init__(
        self,
        line: StraightLine,
        arguments: Mapping[int, Any],
        live: Mapping[int, bool],
        seeds: Mapping[int, Any],
        device: jax.Device,
    ) -> None:
        self._line, self._arguments, self._device = line, arguments, device

        def whole(arguments: Mapping[int, Any], seeds: Mapping[int, Any]) -> Differentiated:
            return differentiate(line, arguments, live, seeds)

        with own_settings(device):
            self._found: Differentiated = _compile(whole, device, arguments, seeds)(arguments, seeds)
            self._values = {**line.literals, **arguments, **self._found.values}
            # By call: which operation it is, and the places of its reads.
            self._instructions = [line.instructions[number] for number in self._found.handed]
            self._places = [list(handed) for handed in self._found.handed.values()]
            self.calls = list(map(self._call, self._found.handed, self._instructions))
            self.gradients = [
                _numbers(self._found.arrived[number]) / WEIGHT
                if number in self._found.arrived
                else np.zeros(np.shape(arguments[number]))
                for number in line.inputs
            ]
        self._respond: Program | None = None
        self._respond_alone: dict[int, Program] = {}

    def _call(self, number: int, instruction: Instruction) -> Call:
        """Return an operation in the words of xcheck."""
        handed = self._found.handed[number]
        names = instruction.names or tuple(map(str, range(len(instruction.inputs))))
        outputs = [instruction.outputs[place] for place in instruction.floating]
        differentiated = [_numbers(self._values[output]) for output in outputs]
        plain = list(map(_numbers, _plain(instruction, number, self._values, self._found)))
        return Call(
            name=instruction.name,
            rule=instruction.rule,
            place=instruction.place,
            reads=tuple(
                Read(
                    names[place] if len(instruction.inputs) > 1 else "",
                    _numbers(self._values[instruction.inputs[place]]),
                    _numbers(cotangent) / WEIGHT,
                )
                for place, cotangent in handed.items()
            ),
            writes=tuple(
                Written(array, _numbers(self._found.arrived[output]) / WEIGHT, other)
                for array, output, other in zip(plain, outputs, differentiated, strict=True)
            ),
        )

    def run(self, number: int, inputs: Sequence[Array]) -> list[Array]:
        """Return what a call writes where it reads other arrays, by JAX's own operation."""
        instruction = self._instructions[number]
        with own_settings(self._device):
            places = self._places[number]
            given = [self._values[each] for each in instruction.inputs]
            moved = [jnp.asarray(array, given[place].dtype) for place, array in zip(places, inputs, strict=True)]
            outputs = run_moved(instruction, given, places, moved)
            return [_numbers(outputs[place]) for place in instruction.floating]

    def responses(self, moves: Sequence[Sequence[Array]], steps: Vector) -> Vector:
        """Return ⟨ȳ, f(x + t u) − f(x)⟩ of every call for every t, shape (k, calls), by one program for all calls."""
        with own_settings(self._device):
            # Literals stay in the program: what is compiled knows them.
            values = {**self._arguments, **self._found.values}
            given = (values, self._found, list(map(list, moves)))
            if self._respond is None:
                self._respond = _compile(self._responses_at, self._device, 0.0, *given)
            # This program may round f(x) otherwise than the one that has computed it.
            rest = np.asarray(self._respond(0.0, *given))
            rows = [np.asarray(self._respond(float(step), *given)) - rest for step in steps]
        return np.reshape(rows, (len(steps), len(moves))) / WEIGHT

    def responses_at(self, number: int, inputs: Sequence[Array]) -> Vector:
        """Return ⟨ȳ, f(x') − f(x)⟩ of one call at k points x', shape (k,), by one program for many points."""
        moves = [array - read.array for array, read in zip(inputs, self.calls[number].reads, strict=True)]
        rows = int(np.clip(_NUMBERS // max(1, sum(move[0].size for move in moves)), 1, _POINTS))
        found = [
            self._responses_to(number, [move[start : start + rows] for move in moves], rows)
            for start in range(0, len(moves[0]), rows)
        ]
        return np.concatenate(found) / WEIGHT

    def _responses_to(self, number: int, moves: Sequence[Array], rows: int) -> Array:
        """Return the same, not yet divided, of so many moves at most; no move comes before them, for what it rounds."""
        count = len(moves[0])
        filled = [np.zeros((1 + rows, *move.shape[1:])) for move in moves]
        for whole, move in zip(filled, moves, strict=True):
            whole[1 : 1 + count] = move
        operation, instruction = list(self._found.handed)[number], self._instructions[number]

        def respond(moves: Sequence[Any], values: Mapping[int, Any], found: Differentiated) -> Any:
            return _response(instruction, operation, {**self._line.literals, **values}, found, moves)

        with own_settings(self._device):
            given = (filled, {**self._arguments, **self._found.values}, self._found)
            if number not in self._respond_alone:
                many = jax.vmap(respond, in_axes=(0, None, None))
                self._respond_alone[number] = _compile(many, self._device, *given)
            responses = np.asarray(self._respond_alone[number](*given))
        return np.asarray(responses[1 : 1 + count] - responses[0])

    def _responses_at(
        self, step: Any, values: Mapping[int, Any], found: Differentiated, moves: Sequence[Sequence[Any]]
    ) -> Any:
        """Return ⟨ȳ, f(x + t u) − f(x)⟩ of every call, shape (calls,)."""
        values = {**self._line.literals, **values}
        return jnp.stack(
            [
                _response(instruction, number, values, found, [step * u for u in move])
                for number, instruction, move in zip(found.handed, self._instructions, moves, strict=True)
            ]
        )


def _response(
    instruction: Instruction, number: int, values: Mapping[int, Any], found: Differentiated, move: Sequence[Any]
) -> Any:
    given = [values[each] for each in instruction.inputs]
    places = list(found.handed[number])
    moved = [(given[place] + u).astype(given[place].dtype) for place, u in zip(places, move, strict=True)]
    outputs = run_moved(instruction, given, places, moved)
    total = 0.0
    for place, plain in zip(instruction.floating, _plain(instruction, number, values, found), strict=True):
        arrived = found.arrived[instruction.outputs[place]].astype("float64")
        change = outputs[place].astype("float64") - plain.astype("float64")
        # Where nothing arrives, nothing counts, a difference of two infinities neither.
        total += jnp.sum(jnp.where(arrived == 0, 0.0, arrived * change))
    return total


def _plain(instruction: Instruction, number: int, values: Mapping[int, Any], found: Differentiated) -> list[Any]:
    """Return the floating outputs of an operation where it is not differentiated."""
    outputs = [values[instruction.outputs[place]] for place in instruction.floating]
    return found.plain.get(number, outputs)


def _numbers(array: Any) -> Array:
    return np.asarray(array).astype(np.float64)


def _compile(function: Callable[..., Any], device: jax.Device, *arguments: Any) -> Program:
    traced = jax.jit(function).trace(*arguments)
    return program_of(traced, device, fingerprint(traced.jaxpr))
