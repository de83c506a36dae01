"""Slopes of a loss along directions, with enclosures that are proved, or one sentence why there are none.

The precision is raised until every comparison is decided and the enclosures are narrow. At a kink both one-sided slopes
are proved. A value that differs from the loss at t = 0 itself on one side is a jump; one that is smaller than the
enclosure of the loss, 2**-75 of it, is not seen.

What "proved" stands on: that FLINT's arithmetic is right; that the rules of this package are right; that the trace
computes the loss. Nothing of any framework's rules for derivatives is among them.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb, ctx

from xcheck.certificates.balls import Array, Balls, as_array, constant, in_balls
from xcheck.certificates.decisions import Decisions, KinkError, NotProvedError, SecondOrderError, UnsureError
from xcheck.certificates.evaluate import evaluate
from xcheck.certificates.rules.registry import Known
from xcheck.trace import Trace

# Bits of the midpoints. 128 cost what 53 do; depth takes more: measured, a transformer of 12 blocks needs 256, an LSTM
# of 400 steps 512.
PRECISIONS = (128, 256, 512, 1024)
# An enclosure narrower than this share of its slope is worth no more bits: rounding in float64 is 2**22 times larger.
_NARROW = 2.0**-75


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slopes:
    """What one evaluation proves.

    Attributes:
        value: the loss, a ball.
        slopes: along each direction, a ball each; on the right (t > 0) where there is a kink.
        left: the slopes for t < 0 where there is a kink; None elsewhere.
        kinks: the operations that have one.
        ties: how many numbers sit on one.
        remarks: what the slopes are not the slopes of, such as casts.
        precision: in bits.
    """

    value: Any
    slopes: tuple[Any, ...]
    left: tuple[Any, ...] | None = None
    kinks: tuple[str, ...] = ()
    ties: int = 0
    remarks: tuple[str, ...] = ()
    precision: int = PRECISIONS[0]


@contextmanager
def at_precision(bits: int) -> Iterator[None]:
    """Compute with so many bits; FLINT's precision is global and is put back."""
    before = ctx.prec
    ctx.prec = bits
    try:
        yield
    finally:
        ctx.prec = before


def prove_slopes(
    trace: Trace,
    arrays: Sequence[Array],
    directions: Sequence[Sequence[Array]],
    watch: Callable[[], None] | None = None,
) -> Slopes:
    """Return the loss and its slopes at θ, proved.

    Args:
        trace: of the loss.
        arrays: θ, one array for each input.
        directions: each like `arrays`.
        watch: called before each operation; what it raises ends the evaluation.

    Raises:
        NotProvedError: nothing can be proved; the text says why, with the operation and its line.
    """
    why = ""
    for bits in PRECISIONS:
        with at_precision(bits):
            try:
                found = _slopes_at(trace, arrays, directions, watch)
            except UnsureError as error:
                why = str(error)
                continue
            if not found.value.is_finite():
                why = "the loss is not finite"
                continue
            slopes = (*found.slopes, *(found.left or ()))
            if all(map(_is_narrow, slopes)):
                return found
            why = f"the enclosure of a slope stays wide: {found.slopes[0]}"
            if not all(slope.is_finite() for slope in slopes):
                why = "the slope is not finite"
    raise NotProvedError(f"{why} (with {PRECISIONS[-1]} bits)")


def _is_narrow(slope: Any) -> bool:
    return bool(slope.is_finite() and (slope == 0 or slope.rad() <= _NARROW * abs(slope) or slope.rad() < 2.0**-500))


def _slopes_at(
    trace: Trace, arrays: Sequence[Array], directions: Sequence[Sequence[Array]], watch: Callable[[], None] | None
) -> Slopes:
    given = [
        Balls(constant(array).values, tuple(np.asarray(one[number], np.float64) for one in directions))
        for number, array in enumerate(arrays)
    ]
    remarks: dict[str, None] = {}
    try:
        value, slopes = _loss(evaluate(trace, given, Decisions(watch=watch), remarks), len(directions))
    except KinkError:
        return _on_both_sides(trace, given, len(directions), watch)
    return Slopes(value=value, slopes=slopes, remarks=tuple(remarks), precision=ctx.prec)


def _loss(outputs: Sequence[Known], directions: int) -> tuple[Any, tuple[Any, ...]]:
    (loss,) = outputs
    if not isinstance(loss, Balls):
        raise NotProvedError("the loss is no real number")
    single = [as_array(in_balls(one).reshape(())) for one in (loss.values, *(loss.slopes or ()))]
    value, *slopes = (one[()] for one in single)
    return value, tuple(slopes) or (arb(0),) * directions


def _on_both_sides(trace: Trace, given: Sequence[Balls], directions: int, watch: Callable[[], None] | None) -> Slopes:
    """Return the slopes for t > 0 and t < 0, direction by direction: each has its own sides."""
    remarks: dict[str, None] = {}
    kinks: dict[str, None] = {}
    value, _ = _loss(evaluate(trace, given, Decisions(at_zero=True, watch=watch), {}), directions)
    if not value.is_finite():
        raise UnsureError("the loss is not finite")
    ties = 0
    right: list[Any] = []
    left: list[Any] = []
    for number in range(directions):
        alone = [Balls(one.values, None if one.slopes is None else (one.slopes[number],)) for one in given]
        for side, found in ((1, right), (-1, left)):
            limit, slope, met = _on_one_side(trace, alone, side, remarks, watch)
            if not (_is_narrow(value) and _is_narrow(limit)):
                raise UnsureError("a jump would hide in the enclosure of the loss, which is wide")
            # The same operations on the same balls, but for what the ties choose: equal numbers overlap.
            if not limit.overlaps(value):
                raise NotProvedError(f"the loss jumps at θ itself: {', '.join(dict.fromkeys(met))}")
            kinks.update(dict.fromkeys(met))
            ties = max(ties, len(met))
            found.append(slope)
    return Slopes(
        value=value,
        slopes=tuple(right),
        left=tuple(left),
        kinks=tuple(kinks),
        ties=ties,
        remarks=tuple(remarks),
        precision=ctx.prec,
    )


def _on_one_side(
    trace: Trace,
    given: Sequence[Balls],
    side: int,
    remarks: dict[str, None],
    watch: Callable[[], None] | None,
) -> tuple[Any, Any, list[str]]:
    """Return what the loss tends to, its slope and the kinks that were met, along one direction."""
    decisions = Decisions(side=side, watch=watch)
    try:
        limit, (slope,) = _loss(evaluate(trace, given, decisions, remarks), 1)
    except SecondOrderError:
        decisions = Decisions(side=side, seconds=True, watch=watch)
        limit, (slope,) = _loss(evaluate(trace, [_to_second_order(one) for one in given], decisions, remarks), 1)
    return limit, slope, decisions.kinks


def _to_second_order(one: Balls) -> Balls:
    """Return θ + t v with its second coefficients, which are 0; where v is 0, it does not move."""
    if one.slopes is None:
        return one
    moving = np.logical_or.reduce([np.asarray(slope != 0) for slope in one.slopes])
    return Balls(one.values, one.slopes, moving, tuple(np.zeros(one.shape) for _ in one.slopes))
