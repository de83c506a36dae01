"""Segments: what lies between the cuts of a program, compiled piece by piece and run for many moved nodes at once.

What precedes a node is computed once. Each piece is compiled once for all that come after it, and pieces with the same
operations on the same shapes, such as blocks of a network and iterations of a loop, are one program.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from xcheck_jax.nodes.program import FlatProgram, Step
from xcheck_jax.programs import UNKNOWN, describe_parameter

# Bytes of moved values at a time: they should stay in the cache. More than so many at a time gain nothing: guesses.
_CACHE, _MOST = 8 << 20, 256


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Segment:
    """Operations between two cuts that depend on what is moved before.

    Attributes:
        steps: the operations.
        moving: the numbers of what they read that may have been moved.
        still: the numbers of what they read that nothing moves.
        outputs: the numbers of what is read later.
        run: arrays of `moving`, each with an axis for the losses in front, and of `still` -> arrays of `outputs`.
    """

    steps: tuple[Step, ...]
    moving: tuple[int, ...]
    still: tuple[int, ...]
    outputs: tuple[int, ...]
    run: Any


class Segments:
    """A program in pieces.

    Args:
        program: the loss.
        cut: the numbers of the values that are moved, in order.
    """

    def __init__(self, program: FlatProgram, cut: Sequence[int]) -> None:
        self.program = program
        self._compiled: dict[str, Any] = {}
        ends = {number: place for place, number in enumerate(cut)}
        moved: set[int] = set()
        pieces: list[list[Step]] = [[]]
        self._starts: dict[int, int] = {}
        for step in program.steps:
            if moved.intersection(step.inputs):
                moved.update(step.outputs)
                pieces[-1].append(step)
            for number in step.outputs:
                if number in ends:
                    moved.add(number)
                    pieces.append([])
                    self._starts[number] = len(pieces) - 1
        self._moved = frozenset(moved)
        self.pieces = self._make(pieces)

    def _make(self, pieces: Sequence[Sequence[Step]]) -> list[Segment]:
        """Return segments, the last of which is looked at first: what is read later is known by then."""
        read, found = {self.program.output}, []
        for steps in reversed(pieces):
            made = {number for step in steps for number in step.outputs}
            outputs = tuple(sorted(made & read))
            inputs = sorted({number for step in steps for number in step.inputs} - made - self.program.literals.keys())
            moving = tuple(number for number in inputs if number in self._moved)
            still = tuple(number for number in inputs if number not in self._moved)
            read.update(moving)
            found.append(Segment(steps=tuple(steps), moving=moving, still=still, outputs=outputs, run=None))
        return [self._with_program(segment) for segment in reversed(found)]

    def _with_program(self, segment: Segment) -> Segment:
        text = _describe(self.program, segment)
        # A function of Python is known by its address alone: it may be another one.
        if text not in self._compiled or UNKNOWN in text:
            self._compiled[text] = jax.jit(_runner(segment, self.program.literals))
        values = {name: getattr(segment, name) for name in ("steps", "moving", "still", "outputs")}
        return Segment(**values, run=self._compiled[text])

    @cached_property
    def needed(self) -> frozenset[int]:
        """Numbers of the values at θ that `losses` needs."""
        return frozenset(number for each in self.pieces for number in (*each.moving, *each.still)) | {
            *self._starts,
            self.program.output,
        }

    @cached_property
    def bytes_each(self) -> int:
        """What moved values take up for each loss: those that the largest piece reads and makes."""
        sizes = [
            sum(_bytes(self.program, number) for number in {*each.moving, *(o for s in each.steps for o in s.outputs)})
            for each in self.pieces
        ]
        return max(sizes, default=8)

    @cached_property
    def width(self) -> int:
        """How many losses to evaluate at a time, a power of two."""
        fitting = min(max(_CACHE // max(self.bytes_each, 1), 1), _MOST)
        return 1 << (int(fitting).bit_length() - 1)

    def losses(self, values: Mapping[int, Any], number: int, moves: Any) -> Any:
        """Return J with a value of the cut moved, shape (k,).

        Args:
            values: those that are `needed`, at θ.
            number: of the value.
            moves: by how much, shape (k, ...).
        """
        state = {number: values[number] + moves}
        for segment in self.pieces[self._starts[number] :]:
            moving = [state[each] if each in state else _repeated(values[each], len(moves)) for each in segment.moving]
            found = segment.run(moving, [values[each] for each in segment.still])
            state.update(zip(segment.outputs, found, strict=True))
        return state[self.program.output]


def _bytes(program: FlatProgram, number: int) -> int:
    return 8 * int(np.prod(program.shape(number), dtype=np.int64))


def _repeated(array: Any, count: int) -> Any:
    return jnp.broadcast_to(array, (count, *array.shape))


def _runner(segment: Segment, literals: Mapping[int, Any]) -> Any:
    """Return (arrays of `moving`, arrays of `still`) -> arrays of `outputs`."""

    def run(moving: Sequence[Any], still: Sequence[Any]) -> list[Any]:
        def one(*moving: Any) -> list[Any]:
            known = {**literals, **dict(zip(segment.still, still, strict=True))}
            known.update(zip(segment.moving, moving, strict=True))
            for step in segment.steps:
                known.update(zip(step.outputs, step.run(*[known[each] for each in step.inputs]), strict=True))
            return [known[each] for each in segment.outputs]

        return jax.vmap(one)(*moving) if moving else []

    return run


def _describe(program: FlatProgram, segment: Segment) -> str:
    """Return a text that is the same for segments that are the same program."""
    numbers: dict[int, int] = {}

    def name(number: int) -> str:
        if number in program.literals:
            return f"{program.literals[number].tobytes().hex()}:{program.avals[number]}"
        return f"{numbers.setdefault(number, len(numbers))}:{program.avals[number]}"

    parts = [" ".join(map(name, segment.moving)), " | ", " ".join(map(name, segment.still))]
    for step in segment.steps:
        parts.append(f"\n{step.name} {' '.join(map(name, step.inputs))} -> {' '.join(map(name, step.outputs))}")
        for key, value in step.params.items():
            parts.append(f" {key}=")
            parts.extend(describe_parameter(value, custom=False))
    parts.append(f"\nreturn {' '.join(map(name, segment.outputs))}")
    return "".join(parts)
