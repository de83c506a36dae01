"""Precision: the gradient is right but for how its numbers are stored: rounded, clipped, flushed to zero, conjugated.

A format with p bits has unit roundoff u = 2⁻ᵖ. Its rounding shows in two ways:

- g itself has no more than p bits, and equals r to one unit in its last place;
- terms were rounded before they were added. Each of m terms is off by u/√3 of itself on average, at random, so that
  their mean is off by about u M/√(3m), M the mean of their sizes; and the residual has no structure: its signs are as
  often those of r as not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from xcheck.diagnose.evidence import Evidence, Hypothesis, fits
from xcheck.diagnose.rules.factors import format_factor
from xcheck.findings import CLIPPED, CONJUGATE, ROUNDED, UNDERFLOW
from xcheck.layout import Tensor, Vector
from xcheck.oracle.estimate import CERTAIN


@dataclass(frozen=True, slots=True)
class _Format:
    """A format of floating-point numbers.

    Attributes:
        name: such as "float16".
        bits: of the significand.
        step: the smallest positive number, where it is not too small to matter.
    """

    name: str
    bits: int
    step: float = 0.0

    @property
    def roundoff(self) -> float:
        """The unit roundoff u."""
        return 2.0**-self.bits

    def holds(self, values: Vector) -> bool:
        """Return whether the numbers have no more than the bits of the format."""
        _, exponent = np.frexp(values)
        with np.errstate(all="ignore"):  # what is too small for a unit is none of the format's numbers
            unit = np.maximum(np.ldexp(1.0, exponent - self.bits), self.step)
            return bool((np.round(values / unit) * unit == values).all())


# Bits of the significand, the implicit one included. bfloat16 and float32 have the exponents of float32, so that their
# smallest numbers do not matter; float16 ends at 2⁻²⁴.
_FORMATS = (_Format("bfloat16", 8), _Format("float16", 11, 2.0**-24), _Format("float32", 24))
# TF32 has the significand of float16, and is found inside only: its results are float32.
_INSIDE = {8: "bfloat16", 11: "TF32 or float16", 24: "float32"}
# With fewer components than this, numbers may be short by chance, as small whole numbers are. A guess.
_LEAST = 4
# How far the typical residual may be from what rounding to a format does, as a factor. A guess: formats are 2³ to 2¹³
# apart, and how many terms were rounded, and how often, is not known.
_OFF = 8.0
# How far the largest residual may be above the median one, as a factor. A guess: among 10,000 Gaussian numbers it is 6
# times as large, and terms of different sizes add to that.
_WORST = 32.0
# θ is moved by a part h of itself. The residual of a formula then changes by a few times h of itself. Of terms that
# were rounded a share of about h/2u crosses to the next number, at most all of them, and each of these jumps by as much
# as it was off: the residual changes by about √(h/2u) of itself. Below 0.3 of that it is a formula. Both are guesses.
_MOVE, _SMOOTH = 1e-4, 0.3
# The residual of a formula with features narrower than that part of θ, such as kinks, moves wholly as well. Sixteen
# roundings move that of rounding, but for the part that comes from rounded data and stays: 0.28 of itself is the least
# that was seen. Below 0.1 it is a formula. Both are guesses; tests/checks/functions/test_residual.py holds them.
_NARROW, _SMOOTH_NARROW = 16, 0.1
# Decimals that a rounded number may have; with more of them rounding is below the tolerance.
_MOST_DECIMALS = 12
# How far a number may be from a whole number of units and still be one, relative to that: storing it rounds it.
_EXACT_DECIMAL = 1e-9
# Components above the limit that are equal to this part of them may be one component in several places.
_DISTINCT = 1e-6
# Correlations of n random residuals are about 1/√n, and the variances of their logarithms differ by about as much.
# Guesses: twice and one and a half times that, and for correlations 0.3 more, as small samples are uneven.
_CORRELATED, _DEVIATIONS, _SCATTER = 0.3, 2.0, 1.5


def conjugation(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose that the gradient of a complex parameter is conjugated, or ∂L/∂z, which is half of that.

    Then ∂L/∂Im has the opposite sign, and ∂L/∂Re is right, but for a factor of ½ in both.
    """
    convention = "the gradient is conjugated (the convention here is ∂L/∂Re + i ∂L/∂Im)"
    for tensor in evidence.wrong_tensors:
        if not tensor.name.endswith(".imag"):
            continue
        yield Hypothesis(
            CONJUGATE, f"the opposite sign: {convention}", {tensor.name: -evidence.trusted[tensor.span]}, value=-1.0
        )
        # The real part is wrong as well only if there is a factor of ½.
        real = next((t for t in evidence.wrong_tensors if t.name == f"{tensor.name.removesuffix('.imag')}.real"), None)
        if real is not None:
            both = {real.name: evidence.trusted[real.span] / 2, tensor.name: -evidence.trusted[tensor.span] / 2}
            yield Hypothesis(
                CONJUGATE, f"{convention}, and half of it: ∂L/∂z is ½ (∂L/∂Re − i ∂L/∂Im)", both, value=-0.5
            )


def clipping(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose that g = min(max(r, −c), c), with the same c for all tensors or one for each."""
    largest = {tensor.name: float(np.abs(evidence.gradient[tensor.span]).max()) for tensor in evidence.wrong_tensors}
    # Clipping by value has one limit for all; clipping by tensor leaves each with a largest component of its own.
    common = max(largest.values(), default=0.0)
    for limits in (dict.fromkeys(largest, common), largest):
        predicted, hits, spared = {}, 0, False
        for name, c in limits.items():
            span = evidence.layout[name].span
            g, r = np.abs(evidence.gradient[span]), np.abs(evidence.trusted[span])
            # The largest component alone, or two that are ± each other, look clipped and need not be.
            cut = r[(g == c) & (r > c)]
            expected = np.clip(evidence.trusted[span], -c, c)
            if evidence.fine * r.max() < c and len(cut) and fits(evidence, span, expected, None):
                predicted[name] = expected
                hits = max(hits, len(cut) if np.ptp(cut) > _DISTINCT * cut.max() else 1)
                spared |= bool((g < c).any())
        if spared and (hits > 1 or (limits is not largest and len(predicted) > 1)):
            where = f"±{format_factor(common)}" if limits is not largest else "the largest component that is left"
            yield Hypothesis(CLIPPED, f"clipped at {where}", predicted, value=common)


def underflow(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose that whatever is small is zero and all else right, with a limit for each tensor."""
    predicted, limits, count = {}, [], 0
    for tensor in evidence.wrong_tensors:
        g, r = evidence.gradient[tensor.span], evidence.trusted[tensor.span]
        lost = (g == 0) & evidence.wrong[tensor.span]
        # A tensor that is zero as a whole is detached.
        if lost.any() and not lost.all():
            limit = float(np.abs(r[lost]).max())
            predicted[tensor.name] = np.where(np.abs(r) <= limit, 0.0, r)
            limits.append(limit)
            count += int(lost.sum())
    if count > 1:
        text = f"what is small is flushed to zero ({count} components, the largest of them {max(limits):.2g})"
        yield Hypothesis(UNDERFLOW, text, predicted, value=max(limits))


def rounding(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose that g has the bits of a narrow format, or that the residual is what rounding to one does on the way."""
    left = list(evidence.wrong_tensors)
    for form in _FORMATS:
        # Narrow formats first: a number of bfloat16 is one of float32 as well.
        stored = [tensor for tensor in left if _stored(evidence, tensor, form)]
        if sum(int(np.count_nonzero(evidence.gradient[tensor.span])) for tensor in stored) < _LEAST:
            continue
        left = [tensor for tensor in left if tensor not in stored]
        predicted = {tensor.name: evidence.gradient[tensor.span].copy() for tensor in stored}
        yield Hypothesis(ROUNDED, f"rounded to {form.name} ({form.bits} bits)", predicted, value=form.roundoff)
    for tensor in list(left):
        decimals = _decimals(evidence, tensor)
        if decimals is not None:
            left.remove(tensor)
            predicted = {tensor.name: evidence.gradient[tensor.span].copy()}
            yield Hypothesis(ROUNDED, f"rounded to {decimals} decimals", predicted, value=10.0**-decimals)
    if left:
        yield from _inside(evidence, left)


def _stored(evidence: Evidence, tensor: Tensor, form: _Format) -> bool:
    g, r = evidence.gradient[tensor.span], evidence.trusted[tensor.span]
    if not g.any() or not form.holds(g):
        return False
    unit = 2 * form.roundoff * np.maximum(np.abs(g), np.abs(r)) + form.step
    return bool((np.abs(g - r) <= unit + evidence.uncertainty[tensor.span]).all())


def _decimals(evidence: Evidence, tensor: Tensor) -> int | None:
    """Return to how many decimals a tensor is rounded; None where it is not, or where it is off by more than that."""
    g, r = evidence.gradient[tensor.span], evidence.trusted[tensor.span]
    for decimals in range(1, _MOST_DECIMALS + 1):
        scaled = g * 10.0**decimals
        if g.any() and (np.abs(scaled - np.rint(scaled)) <= _EXACT_DECIMAL * np.maximum(1.0, np.abs(scaled))).all():
            unit = 0.5 * 10.0**-decimals
            return decimals if (np.abs(g - r) <= 1.01 * unit + evidence.uncertainty[tensor.span]).all() else None
    return None


def _inside(evidence: Evidence, tensors: Sequence[Tensor]) -> Iterator[Hypothesis]:
    """Propose that terms were rounded on the way, unless the residual moves smoothly with θ."""
    found = like_rounding(evidence, tensors)
    if found is None or _moves_smoothly(evidence, 2.0 ** -found[0]):
        return
    bits, typical = found
    text = (
        f"the numbers are rounded to {_INSIDE[bits]} on the way: the error has no structure, and is as large as such "
        f"roundings ({typical:.1e} of the terms; the unit roundoff is {2.0**-bits:.1e})"
    )
    predicted = {tensor.name: evidence.gradient[tensor.span].copy() for tensor in tensors}
    yield Hypothesis(ROUNDED, text, predicted, value=2.0**-bits)


def _moves_smoothly(evidence: Evidence, roundoff: float) -> bool:
    """Return whether the residual stays nearly the same where θ moves, as that of a formula does, not of rounding."""
    moves = {_MOVE: _SMOOTH}
    if _NARROW * roundoff < _MOVE:
        moves[_NARROW * roundoff] = _SMOOTH_NARROW
    for move, smooth in moves.items():
        change = evidence.probes.shift(move)
        if change is not None and change < smooth * np.sqrt(min(1.0, move / (2 * roundoff))):
            return True
    return False


def like_rounding(evidence: Evidence, tensors: Sequence[Tensor]) -> tuple[int, float] | None:
    """Return the format that terms may have been rounded to, by the residual at θ alone; None where there is none.

    Returns:
        Its bits, and the size of the residual relative to the terms.
    """
    parts = [_residual(evidence, tensor) for tensor in tensors]
    e, r, theta, size = (np.concatenate(column) for column in zip(*parts, strict=True))
    whole = sum(int((evidence.magnitude[tensor.span] > 0).sum()) for tensor in tensors)
    # Rounding on the way touches most components, and is no explanation of a few.
    if len(e) < 2 * _LEAST or len(e) < whole / 2 or not _is_random(e, r, theta, size):
        return None
    units = np.abs(e) / size
    typical = float(np.sqrt(np.mean(units**2)))
    # The format whose roundoff is nearest, on a logarithmic scale.
    bits = min(_INSIDE, key=lambda bits: abs(np.log(typical * 2.0**bits)))
    alike = units.max() <= _WORST * max(float(np.median(units)), 2.0 ** -(bits + 3))
    return (bits, typical) if alike and 1 / _OFF <= typical * 2.0**bits <= _OFF else None


def _is_random(e: Vector, r: Vector, theta: Vector, size: Vector) -> bool:
    """Return whether a residual is like rounding on the way: unrelated to r, θ and constants, and in proportion to M.

    A residual in proportion to r itself, or of one size everywhere, was made in the result and not on the way to it.
    """
    few = _CORRELATED + _DEVIATIONS / np.sqrt(len(e))
    unit = e / size
    # In units of what rounding would do, so that large components do not speak for all.
    related = max(abs(_correlation(unit, other)) for other in (r / size, theta, np.ones_like(e), np.abs(r) / size))
    balanced = max(abs(np.mean(np.sign(e))), abs(np.mean(np.sign(e * r))))
    with np.errstate(all="ignore"):
        scatter = [float(np.var(np.log(np.abs(e) / other))) for other in (size, np.abs(r), np.ones_like(r))]
    return bool(related <= few and balanced <= few and scatter[0] <= min(scatter) + _SCATTER / np.sqrt(len(e)))


def _correlation(a: Vector, b: Vector) -> float:
    """Return ⟨a, b⟩/(‖a‖ ‖b‖); means are not subtracted, for a constant residual is no rounding."""
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / lengths if lengths else 0.0


def _residual(evidence: Evidence, tensor: Tensor) -> tuple[Vector, Vector, Vector, Vector]:
    """Return e = g − r, r, θ and M/√(3m) of the components whose residual is more than noise."""
    span = tensor.span
    g, r = evidence.gradient[span], evidence.trusted[span]
    # Of people's functions the terms are not known: they count as one term, as large as the largest component.
    terms = 1.0 if evidence.problem is None else float(evidence.problem.examples)
    size = evidence.magnitude[span] if evidence.problem is not None else np.full(r.shape, np.abs(r).max())
    certain = (size > 0) & (np.abs(g - r) > CERTAIN * evidence.uncertainty[span]) & (r != 0)
    return (g - r)[certain], r[certain], evidence.theta[span][certain], size[certain] / np.sqrt(3 * terms)
