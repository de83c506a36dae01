"""Numbers: the gradient is right but for how its numbers are stored: rounded, clipped, flushed to zero, conjugated.

A format with p bits has unit roundoff u = 2⁻ᵖ. Two things tell of it:

- g itself has no more than p bits, and is r to one unit in its last place;
- rounding went on inside. Each of m terms is off by u/√3 of itself, at random, so that their mean is off by about
  u M/√(3m), M the mean of their sizes; and the residual has no structure: its signs are as often those of r as not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from xcheck.diagnose.evidence import Evidence, Guess, explained
from xcheck.diagnose.factors import number
from xcheck.findings import CLIPPED, CONJUGATE, ROUNDED, UNDERFLOW
from xcheck.parameters import Tensor, Vector


@dataclass(frozen=True, slots=True)
class _Format:
    """A format of numbers: its name, bits of the significand, and the smallest step there is."""

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
        unit = np.maximum(np.ldexp(1.0, exponent - self.bits), self.step)
        return bool((np.round(values / unit) * unit == values).all())


_FORMATS = (_Format("bfloat16", 8), _Format("float16", 11, 2.0**-24), _Format("float32", 24))
# TF32 has the significand of float16, and is found inside only: its results are float32.
_INSIDE = {8: "bfloat16", 11: "TF32 or float16", 24: "float32"}
_LEAST = 4  # components
_OFF = 8.0  # how far the size of a residual may be from what a format's rounding is expected to do
_WORST = 32.0


def conjugate(evidence: Evidence) -> Iterator[Guess]:
    """∂L/∂Im has the opposite sign, ∂L/∂Re is right."""
    for tensor in evidence.suspects:
        if tensor.name.endswith(".imag"):
            text = "the opposite sign: the gradient is conjugated (the convention here is ∂L/∂Re + i ∂L/∂Im)"
            yield Guess(CONJUGATE, text, {tensor.name: -evidence.trusted[tensor.span]}, value=-1.0)


def clipped(evidence: Evidence) -> Iterator[Guess]:
    """g = min(max(r, −c), c), c the same for all tensors or each tensor's own."""
    largest = {tensor.name: float(np.abs(evidence.gradient[tensor.span]).max()) for tensor in evidence.suspects}
    common = max(largest.values(), default=0.0)
    for limits in (dict.fromkeys(largest, common), largest):
        predicted, hits = {}, 0
        for name, c in limits.items():
            span = evidence.layout[name].span
            g, r = np.abs(evidence.gradient[span]), np.abs(evidence.trusted[span])
            # One that happens to be the largest, or two that are ± each other, are not clipped.
            cut = r[(g == c) & (r > c)]
            expected = np.clip(evidence.trusted[span], -c, c)
            if c > 0 and len(cut) and explained(evidence, span, expected, None):
                predicted[name] = expected
                hits = max(hits, len(cut) if np.ptp(cut) > 1e-6 * cut.max() else 1)
        if hits > 1 or (limits is not largest and len(predicted) > 1):
            where = f"±{number(common)}" if limits is not largest else "the largest that is left of it"
            yield Guess(CLIPPED, f"clipped at {where}", predicted, value=common)


def underflow(evidence: Evidence) -> Iterator[Guess]:
    """Whatever is small is zero, and all else right; small in each tensor, or in all."""
    predicted, limits, count = {}, [], 0
    for tensor in evidence.suspects:
        g, r = evidence.gradient[tensor.span], evidence.trusted[tensor.span]
        lost = (g == 0) & evidence.wrong[tensor.span]
        if lost.any() and not lost.all():
            limit = float(np.abs(r[lost]).max())
            predicted[tensor.name] = np.where(np.abs(r) <= limit, 0.0, r)
            limits.append(limit)
            count += int(lost.sum())
    if count > 1:
        text = f"zero wherever it should be small ({count} components, up to {max(limits):.2g})"
        yield Guess(UNDERFLOW, text, predicted, value=max(limits))


def rounded(evidence: Evidence) -> Iterator[Guess]:
    """g has the bits of a narrow format, or the residual is what rounding to one does on the way."""
    left = list(evidence.suspects)
    for form in _FORMATS:
        stored = [tensor for tensor in left if _stored(evidence, tensor, form)]
        if sum(int(np.count_nonzero(evidence.gradient[tensor.span])) for tensor in stored) < _LEAST:
            continue
        left = [tensor for tensor in left if tensor not in stored]
        predicted = {tensor.name: evidence.gradient[tensor.span].copy() for tensor in stored}
        yield Guess(ROUNDED, f"rounded to {form.name} ({form.bits} bits)", predicted, value=form.roundoff)
    if left:
        yield from _inside(evidence, left)


def _stored(evidence: Evidence, tensor: Tensor, form: _Format) -> bool:
    g, r = evidence.gradient[tensor.span], evidence.trusted[tensor.span]
    if not g.any() or not form.holds(g):
        return False
    unit = 2 * form.roundoff * np.maximum(np.abs(g), np.abs(r)) + form.step
    return bool((np.abs(g - r) <= unit + evidence.blur[tensor.span]).all())


def _inside(evidence: Evidence, tensors: Sequence[Tensor]) -> Iterator[Guess]:
    """Tell by the size of the residual, over all tensors that are left, where it has no structure."""
    sizes = np.concatenate([_in_units(evidence, tensor) for tensor in tensors])
    sizes = sizes[np.isfinite(sizes)]
    told = sizes[sizes != 0]
    if len(told) < 2 * _LEAST or len(told) < len(sizes) / 2:
        return
    typical = float(np.sqrt(np.mean(told**2)))
    bits = min(_INSIDE, key=lambda bits: abs(np.log(typical * 2.0**bits)))
    balanced = abs(np.mean(np.sign(told))) <= 0.3 + 2 / np.sqrt(len(told))
    alike = np.abs(told).max() <= _WORST * max(float(np.median(np.abs(told))), 2.0 ** -(bits + 3))
    if not (balanced and alike and 1 / _OFF <= typical * 2.0**bits <= _OFF):
        return
    text = (
        f"rounding to {_INSIDE[bits]} somewhere on the way: the residual has no structure, and the size that such "
        f"roundings have ({typical:.1e} of the terms, u = {2.0**-bits:.1e})"
    )
    predicted = {tensor.name: evidence.gradient[tensor.span].copy() for tensor in tensors}
    yield Guess(ROUNDED, text, predicted, value=2.0**-bits)


def _in_units(evidence: Evidence, tensor: Tensor) -> Vector:
    """Return the residual, with the sign of r in it, in units of what one rounding of each term with u = 1 would do.

    0 where it is no more than noise, nan where there is nothing to round.
    """
    g, r = evidence.gradient[tensor.span], evidence.trusted[tensor.span]
    terms = 1.0 if evidence.problem is None else float(evidence.problem.examples)
    size = evidence.magnitude[tensor.span] if evidence.problem is not None else np.full(r.shape, np.abs(r).max())
    with np.errstate(all="ignore"):
        units = (g - r) * np.sign(r) / size * np.sqrt(3 * terms)
        return np.where(size > 0, np.where(np.abs(g - r) > 4 * evidence.blur[tensor.span], units, 0.0), np.nan)
