"""The backward pass of a loss in JAX, operation by operation; see `xcheck.trace.backward`.

What an operation reads is what it reads where the loss is differentiated, for that is where its backward pass has been:
if a rule for a derivative computes another value, what follows starts from that value. What it writes is given as the
function computes it from there, and as the rule does. Complex numbers are shown as their real and imaginary parts, in a
last axis of two.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np

from xcheck.backend.cotangents import WEIGHT
from xcheck.errors import quote
from xcheck.layout import Vector
from xcheck.trace import BackwardPass, Call, Read, UntraceableError, Written
from xcheck.trace.model import Array
from xcheck_jax.arrays import from_real, real_array, real_cotangent
from xcheck_jax.differentiated import Differentiated, Pull, Start, cotangents_of, differentiate, outputs_of
from xcheck_jax.evaluation import program_for
from xcheck_jax.inside import start_inside
from xcheck_jax.programs import Program
from xcheck_jax.responses import Arrays, at_once, moved_outputs, one_by_one, responses_along, responses_to
from xcheck_jax.settings import own_settings
from xcheck_jax.straight_line import Instruction, Loop, straight_line

# By what is computed, in which straight line, from which inputs that depend on θ: iterations of a loop share them.
Programs = dict[tuple[Any, ...], Program]
# Points at which one operation is evaluated by one call of a program, and numbers in them: guesses, 32 MiB.
_POINTS, _NUMBERS = 63, 1 << 22


def backward_pass_of(closed: Any, arrays: Sequence[Any], device: jax.Device) -> "JaxBackwardPass":
    """Return the backward pass of a trace of a loss.

    Args:
        closed: the trace, of one real number.
        arrays: θ by tensors.
        device: where it is computed.

    Raises:
        UntraceableError: the loss is not one number, or JAX cannot take an operation by itself.
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
    except Exception as error:  # the person's gradient has been computed: whatever fails here is no fault of theirs
        raise UntraceableError(f"its backward pass cannot be followed: {quote(error)}") from error


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
                real_cotangent(self._found.arrived[number]) / WEIGHT if number in self._found.arrived else None
                for number in start.line.inputs
            ]

    def _differentiate(self) -> Differentiated:
        line, live = self._start.line, self._start.live

        def whole(arguments: Mapping[int, Any], seeds: Mapping[int, Any]) -> Differentiated:
            return differentiate(line, live, arguments, seeds)

        if self._one_by_one:
            # All iterations at once would be a large program.
            return differentiate(line, live, *self._given(), take=self._take_by_programs)
        found: Differentiated = self._program("differentiate", whole, given=self._given())(*self._given())
        return found

    def _take_by_programs(
        self, instruction: Instruction, given: list[Any], reads: list[int], *, live: bool
    ) -> tuple[Pull, list[Any]]:
        """Return what `by_vjp` does, by programs that all iterations of a loop share."""
        function = partial(outputs_of, instruction, reads)
        outputs, plain = self._shared("forward", instruction, reads, function, given=(given,))(given)

        def pull(cotangents: list[Any]) -> tuple[Any, ...]:
            both = given, cotangents
            function = partial(cotangents_of, instruction, reads)
            handed: tuple[Any, ...] = self._shared("backward", instruction, reads, function, given=both)(*both)
            return handed

        return Pull(pull, reads, live, plain), outputs

    def _shared(
        self,
        what: str,
        instruction: Instruction,
        places: Sequence[int],
        *functions: Callable[..., Any],
        given: tuple[Any, ...],
    ) -> Program:
        """Return a program of one operation; iterations of a loop share it."""
        key = (what, instruction.run, *places, *map(np.shape, jax.tree.leaves(given)))
        return self._kept(key, *functions, given=given)

    def _kept(self, key: tuple[Any, ...], *functions: Callable[..., Any], given: tuple[Any, ...]) -> Program:
        """Return the program that has this key.

        Args:
            key: of it.
            functions: what is evaluated; a second one is the same as NumPy is to evaluate it.
            given: its arguments.
        """
        if key not in self._programs:
            self._programs[key] = program_for(functions[0], given, self._device, *functions[1:])
        return self._programs[key]

    def _given(self) -> tuple[Mapping[int, Any], Mapping[int, Any]]:
        return self._start.arguments, self._start.seeds

    def _program(self, what: str, *functions: Callable[..., Any], given: tuple[Any, ...]) -> Program:
        """Return a program of the straight line; another start of the same line shares it."""
        key = (what, self._start.line, *sorted(self._start.live.items()), *map(np.shape, jax.tree.leaves(given)))
        return self._kept(key, *functions, given=given)

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
                    real_array(arrays.given[place]),
                    real_cotangent(cotangent) / WEIGHT,
                )
                for place, cotangent in handed.items()
            ),
            writes=tuple(
                Written(real_array(plain), real_cotangent(arrived) / WEIGHT, real_array(other))
                for plain, arrived, other in written
            ),
            step=instruction.step or self._start.step,
            roundoff=instruction.roundoff,
        )

    # --- other inputs -----------------------------------------------------------------------------------------------

    def run(self, number: int, inputs: Sequence[Array]) -> list[Array]:
        """Return what a call writes where it reads other arrays, by JAX's own operation."""
        number = self._numbers[number]
        with own_settings(self._device):
            given = self._arrays(number).given
            places = self._places[number]
            moved = [from_real(array, given[place].dtype) for place, array in zip(places, inputs, strict=True)]
            return list(map(real_array, moved_outputs(self._instruction(number), places, given, moved)))

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
        """Return ⟨ȳ, f(x') − f(x)⟩ of one call at k points x', shape (k,), by one program for many points.

        Args:
            number: of the call.
            inputs: of each of its reads k arrays, shape (k, ...).
        """
        reads = self.calls[number].reads
        moves = [array - read.array for array, read in zip(inputs, reads, strict=True)]
        rows = max(1, min(_POINTS, _NUMBERS // max(1, sum(read.array.size for read in reads))))
        parts = range(0, len(moves[0]), rows)
        found = [self._respond_to(number, [move[start : start + rows] for move in moves]) for start in parts]
        return np.concatenate([np.zeros(0), *found])

    def _respond_to(self, number: int, moves: Sequence[Array]) -> Vector:
        """Return the same for a few points; before them comes x itself, and after them it comes again."""
        number, count = self._numbers[number], len(moves[0])
        # Few programs do for every number of points: it is a power of two.
        filled = [np.zeros((1 << count.bit_length(), *move.shape[1:])) for move in moves]
        for zeros, move in zip(filled, moves, strict=True):
            zeros[1 : 1 + count] = move
        with own_settings(self._device):
            operation, given = self._operation(number), (self._arrays(number), filled)
            program = self._shared("to", *operation, *_both(responses_to, *operation), given=given)
            found = np.asarray(program(*given))
        return (found[1 : 1 + count] - found[0]) / WEIGHT

    def _operation(self, number: int) -> tuple[Instruction, list[int]]:
        return self._instruction(number), self._places[number]

    def _respond_at_once(self, times: Vector, arrays: list[Arrays], moves: list[list[Array]]) -> Vector:
        operations, given = list(map(self._operation, self._numbers)), (times, arrays, moves)
        program = self._program("responses", *_both(responses_along, operations), given=given)
        return np.asarray(program(*given))

    def _respond_one_by_one(self, times: Vector, arrays: list[Arrays], moves: list[list[Array]]) -> Vector:
        columns = []
        for number, each, move in zip(self._numbers, arrays, moves, strict=True):
            operation, given = self._operation(number), (times, [each], [move])
            program = self._shared("along", *operation, *_both(responses_along, [operation]), given=given)
            columns.append(np.asarray(program(*given))[:, 0])
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


def _both(function: Callable[..., Any], *first: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return a function of rows as it is compiled, and as NumPy evaluates it."""
    return partial(function, one_by_one, *first), partial(function, at_once, *first)
