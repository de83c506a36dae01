"""Blame: the operations whose backward pass does not do with what comes in what it should.

For a random move u of what an operation reads, x̄·u is held against the slope of ⟨ȳ, f(x + t u)⟩, see
`xcheck.trace.backward`. Each number moves by a part of itself, so that none leaves the operation's domain, or the side
of a kink that it is on. Numbers that are zero, or almost, are moved where nothing else is found. What is wrong must be
so along two moves.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xcheck.diagnose.operations.slopes import STEPS, slopes_of
from xcheck.dtypes import FLOAT64
from xcheck.layout import Vector
from xcheck.oracle.estimate import CERTAIN
from xcheck.seeds import FIXED, Stream, generator
from xcheck.trace import BackwardPass, Call
from xcheck.trace.backward import weighted
from xcheck.trace.model import Array

# What rounding may do to x̄·u: so many roundings of the operation's own terms, and of the largest terms of all
# operations, by whose rounding a ȳ that should vanish does not. Guesses, for sums and for what cancels.
_OWN, _OF_ALL = 2.0**17, 2.0**13
# Of what is computed in bfloat16 or float16 nothing is said: steps that show a slope are as large as its rounding.
_COARSE = 2.0**-20
# A number that is so much smaller than the others of its array is moved as zero is: by as much as they are.
_TINY = 2.0**-20
# Calls in loops within loops that are opened, a guess: what is deeper is named by the loop that it is in.
_DEPTH = 4


@dataclass(frozen=True, slots=True, eq=False)
class Blamed:
    """A call whose backward pass is wrong.

    Attributes:
        run: the backward pass that it is part of.
        number: of the call in it.
        reads: which of its reads have got a wrong cotangent.
        error: |x̄·u − slope| relative to the larger of both.
        within: iterations of the same loop whose calls are wrong, too, it included; 0 outside of loops.
    """

    run: BackwardPass
    number: int
    reads: tuple[int, ...]
    error: float
    within: int = 0

    @property
    def call(self) -> Call:
        """The call."""
        return self.run.calls[self.number]


def find_blamed(run: BackwardPass, depth: int = _DEPTH) -> list[Blamed]:
    """Return the calls with a wrong backward pass, in the order of the forward pass; loops and branches are opened."""
    judge = _Judge(run)
    for small in (False, True):
        wrong = judge.wrong_calls(small=small)
        if wrong:
            return [inner for each in wrong for inner in _opened(each, depth)]
    return []


def _opened(blamed: Blamed, depth: int) -> list[Blamed]:
    """Return what is wrong inside of a call; the call itself where that is one operation, or all is right inside."""
    inside = blamed.run.inside(blamed.number) if depth else None
    if inside is None:
        return [blamed]
    found = find_blamed(inside, depth - 1)
    if not found:
        return [blamed]
    if not any(each.call.step for each in found):
        return found
    # Every iteration of a loop does the same: the one that errs most stands for all.
    worst = max(found, key=lambda each: each.error)
    same = [each for each in found if each.call.step == worst.call.step]
    steps = len({each.call.step for each in found})
    return [Blamed(each.run, each.number, each.reads, each.error, steps) for each in same]


class _Judge:
    """Holds what backward passes of calls have handed down against slopes of these calls.

    Args:
        run: the calls.
    """

    def __init__(self, run: BackwardPass) -> None:
        self._run = run
        self._roundoff = np.array([max(FLOAT64, call.roundoff) for call in run.calls])
        # What the operation's rounding goes with, in the numbers that it returns.
        self._level = np.array([math.hypot(*(_norm(w.cotangent, w.array) for w in call.writes)) for call in run.calls])
        outgoing = [sum(float(np.abs(weighted(r.cotangent, r.array)).sum()) for r in call.reads) for call in run.calls]
        self._terms = self._level + np.array(outgoing, dtype=np.float64)
        self._of_all = _OF_ALL * float(np.nanmax(self._terms * self._roundoff, initial=0.0))

    def wrong_calls(self, *, small: bool) -> list[Blamed]:
        """Return the calls that are wrong along two moves, in order."""
        every = range(len(self._run.calls))
        if not every:
            return []
        moves = [self._move(number, 0, small=small) for number in every]
        once = self._errors(every, moves, self._run.responses(moves, STEPS))
        # A second time only what was wrong once: by chance an error of the difference is seen along one move.
        suspects = [number for number in every if once[number]]
        twice = [(number, self._error(number, self._move(number, 1, small=small))) for number in suspects]
        return [
            Blamed(self._run, number, self._wrong_reads(number, small=small), error) for number, error in twice if error
        ]

    def _move(self, number: int, draw: int, *, small: bool) -> list[Array]:
        """Return random moves of what a call reads; of the numbers that are almost zero alone, or of all others."""
        random = generator(FIXED, Stream.BACKWARD, number, draw)
        return [_move_of(read.array, random, small=small) for read in self._run.calls[number].reads]

    def _error(self, number: int, move: Sequence[Array]) -> float:
        """Return how wrong one call is along a move."""
        return float(self._errors([number], [move], self._run.response(number, move, STEPS)[:, None])[0])

    def _errors(self, numbers: Sequence[int], moves: Sequence[Sequence[Array]], responses: Vector) -> Vector:
        """Return how wrong calls are along moves, relative to their slopes, shape (k,); 0 where they are right."""
        rows = np.array(numbers, dtype=np.intp)
        slopes = slopes_of(responses, self._level[rows] * self._roundoff[rows])
        claimed = np.array([self._claimed(number, move) for number, move in zip(numbers, moves, strict=True)])
        allowed = CERTAIN * slopes.bar + _OWN * self._roundoff[rows] * self._terms[rows] + self._of_all
        off = np.maximum(slopes.lower - claimed, claimed - slopes.upper)
        # What has no slope, or no number, is not comparable: nothing is said of it.
        wrong = np.isfinite(off) & np.isfinite(allowed) & (off > allowed) & (self._roundoff[rows] <= _COARSE)
        size = np.maximum(np.abs(claimed), np.abs(slopes.value))
        return np.divide(off, size, out=np.zeros(len(off)), where=wrong)

    def _claimed(self, number: int, move: Sequence[Array]) -> float:
        reads = self._run.calls[number].reads
        return sum(float(weighted(read.cotangent, u).sum()) for read, u in zip(reads, move, strict=True))

    def _wrong_reads(self, number: int, *, small: bool) -> tuple[int, ...]:
        """Return which reads of a wrong call have got a wrong cotangent."""
        whole = self._move(number, 0, small=small)
        if len(whole) == 1:
            return (0,)
        alone = [
            [u if place == moved else np.zeros_like(u) for place, u in enumerate(whole)] for moved in range(len(whole))
        ]
        return tuple(place for place, move in enumerate(alone) if self._error(number, move))


def _norm(cotangent: Array, array: Array) -> float:
    return float(np.sqrt(np.sum(weighted(cotangent, array) ** 2)))


def _move_of(x: Array, random: np.random.Generator, *, small: bool) -> Array:
    size = np.abs(x)
    known = size[np.isfinite(size) & (size > 0)]
    # Of all zeros nobody knows how large they would be: 1 is as good as any.
    typical = float(np.sqrt(np.mean(known**2))) if known.size else 1.0
    almost_zero = size <= _TINY * typical
    draws = random.standard_normal(x.shape)
    # What is infinite, such as a mask, stays where it is.
    size, almost_zero = np.where(np.isfinite(x), size, 0.0), almost_zero & np.isfinite(x)
    if small:
        # All to one side, so that of kinks at zero the claims of all may lie between the slopes of both sides.
        return np.where(almost_zero, np.abs(draws) * typical, 0.0)
    return np.where(almost_zero, 0.0, draws * size)
