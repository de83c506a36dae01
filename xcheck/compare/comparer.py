"""Compare gradients pair by pair: the losses first, then the gradient as a whole, per tensor and per component.

What decides is the component; `xcheck.compare.bounds` says how. A comparer holds gradients against one estimate of the
oracle, and makes the pairs of a report.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from xcheck.compare.bounds import Bounds, Flags, OracleBounds
from xcheck.compare.evaluation import Evaluation, overflows
from xcheck.compare.pair import ORACLE, Component, Pair, TensorComparison, norm_relative_difference
from xcheck.compare.tolerance import Tolerance
from xcheck.layout import Layout, Tensor, Vector
from xcheck.oracle import Estimate
from xcheck.oracle.columns import finite_numbers
from xcheck.verdict import Verdict

# Ratios beyond this are ordered by their distance instead: among components that are all hopelessly out of bounds, the
# largest error tells most. A guess.
_HOPELESS = 1e3


@dataclass(frozen=True, eq=False)
class Comparer:
    """Compares witnesses with the oracle and with each other.

    Attributes:
        estimate: the oracle's gradient.
        layout: names of the components.
        closeness: how close is close enough.
        worst: how many components to keep per pair.
        despite_losses: whether to compare gradients of functions whose losses differ.
        outputs: of a whole Jacobian the estimates of its outputs one by one, since a sum hides which of them differ.
        output_names: what these outputs are called.
    """

    estimate: Estimate
    layout: Layout
    closeness: Tolerance
    worst: int = field(default=10, kw_only=True)
    despite_losses: bool = field(default=True, kw_only=True)
    outputs: Sequence[Estimate] = field(default=(), kw_only=True)
    output_names: Sequence[str] = field(default=(), kw_only=True)
    # Bounds of calls that were asked about already; an evaluation is itself, not its numbers.
    _known: dict[Evaluation, Bounds] = field(default_factory=dict, init=False, repr=False)

    def with_estimate(self, estimate: Estimate) -> "Comparer":
        """Return the comparer for another estimate; this one, with all it knows already, if it is the same."""
        return self if estimate is self.estimate else replace(self, estimate=estimate)

    @cached_property
    def _oracle(self) -> OracleBounds:
        return OracleBounds(self.estimate, self.layout, self.closeness)

    # --- one gradient against the oracle ----------------------------------------------------------------------------

    @property
    def roundoff(self) -> float:
        """Unit roundoff of the dtype that the witnesses compute in."""
        return self.closeness.roundoff

    @property
    def uncertainty(self) -> Vector:
        """How uncertain each component is: error bar and rounding, shape (n,)."""
        return self._oracle.uncertainty

    @property
    def widest(self) -> Vector:
        """How uncertain each component may be and still be decided, shape (n,)."""
        return self._oracle.widest

    @property
    def tolerance(self) -> float:
        """The relative tolerance as it is applied."""
        return self.closeness.effective

    @property
    def resolution(self) -> float:
        """Largest uncertainty (error bar and rounding) of a component, in units of its tensor's largest magnitude."""
        # A tensor without any gradient has no magnitude to measure by.
        moving = self._oracle.largest > 0
        return float((self.uncertainty[moving] / self._oracle.largest[moving]).max(initial=0.0))

    def bounds(self, g: Vector) -> Bounds:
        """Hold a gradient, shape (n,), against the oracle."""
        return self._oracle.of(g)

    def _bounds_of(self, call: Evaluation) -> Bounds:
        """Return the bounds of a call, worked out once."""
        if call not in self._known:
            self._known[call] = self.bounds(call.gradient)
        return self._known[call]

    @np.errstate(all="ignore")
    def disputes(self, a: Evaluation) -> Vector:
        """Return how far out of bounds each component of a witness is if a more precise oracle might settle it, else 0.

        A component that is out of bounds by more than a thousandfold is not in dispute, and neither is one that
        rounding of the witness itself leaves undecided.
        """
        bounds = self._bounds_of(a)
        return np.asarray(np.where(bounds.disputed, 1.0 + bounds.ratio, 0.0))

    def wrong(self, a: Evaluation) -> NDArray[np.intp]:
        """Return the components of a witness that are out of bounds, the worst first."""
        bounds = self._bounds_of(a)
        wrong = np.flatnonzero(bounds.wrong)
        if not len(wrong):
            return wrong
        return wrong[np.argsort(-bounds.ratio[wrong], kind="stable")]

    def undecided(self, a: Evaluation) -> NDArray[np.intp]:
        """Return the components of a witness that are neither wrong nor shown to be right; none of a random loss."""
        return np.flatnonzero(self._bounds_of(a).undecided) if not self.spread(a) else np.zeros(0, dtype=np.intp)

    def confirmed(self, evaluations: Sequence[Evaluation]) -> Flags:
        """Return the components that are decided, and right in every witness; none where there is no witness."""
        confirmed = np.full(self.layout.size, bool(evaluations))
        for evaluation in evaluations:
            # A random loss confirms nothing.
            confirmed &= not self.spread(evaluation)
            for call in evaluation.calls:
                bounds = self._bounds_of(call)
                confirmed &= ~(bounds.wrong | bounds.undecided)
        return confirmed

    def spread(self, a: Evaluation) -> float:
        """Return by how much the losses of two calls differ, 0 where that is no more than rounding."""
        first, last = a.calls[0].loss, a.calls[-1].loss
        if self._same_loss(first, last):
            return 0.0  # nan and nan are the same, too
        return abs(first - last) if np.isfinite(first - last) else np.inf

    def _same_loss(self, a: float, b: float, of: Estimate | None = None) -> bool:
        if not (np.isfinite(a) and np.isfinite(b)):
            # Losses that overflow in the same way are the same.
            return bool(a == b or (np.isnan(a) and np.isnan(b)))
        rounding = (of or self.estimate).rounding.loss
        return bool(abs(a - b) <= self.tolerance * max(abs(a), abs(b)) + rounding)

    def _most_different_losses(self, a: Evaluation, b: Evaluation) -> tuple[float, float, str] | None:
        """Return two losses that are not the same; of several outputs the most different, with the output's name."""
        if a.outputs is None or b.outputs is None:
            return None if self._same_loss(a.loss, b.loss) else (a.loss, b.loss, "")
        each = zip(a.outputs.tolist(), b.outputs.tolist(), self.output_names, self.outputs, strict=True)
        differing = [
            (mine, theirs, name) for mine, theirs, name, output in each if not self._same_loss(mine, theirs, output)
        ]
        return max(differing, key=lambda pair: np.nan_to_num(abs(pair[0] - pair[1]), nan=np.inf), default=None)

    # --- pairs for a report -----------------------------------------------------------------------------------------

    def with_oracle(self, a: Evaluation) -> Pair:
        """Compare a witness with the oracle; where its two calls differ, the worse one."""
        pairs = self.each_call(a)
        worst = Verdict.worst(pair.verdict for pair in pairs)
        return next(pair for pair in pairs if pair.verdict is worst)

    def each_call(self, a: Evaluation) -> list[Pair]:
        """Compare every call of a witness with the oracle."""
        outputs = np.array([output.loss for output in self.outputs]) if self.outputs else None
        oracle = Evaluation(ORACLE, self.estimate.loss, self.estimate.value, outputs=outputs)
        return [self._pair(call, oracle, self._bounds_of(call), self.spread(a)) for call in a.calls]

    def between(self, a: Evaluation, b: Evaluation) -> Pair:
        """Compare two witnesses; at a kink they may differ by as much as the slopes do."""
        bounds = self._oracle.between(a.gradient, b.gradient)
        return self._pair(a, b, bounds, max(self.spread(a), self.spread(b)))

    def _pair(self, a: Evaluation, b: Evaluation, bounds: Bounds, spread: float) -> Pair:
        losses = self._most_different_losses(a, b)
        losses_agree = losses is None
        if not losses_agree and not self.despite_losses:
            bounds = bounds.without_verdicts()
        too_large = overflows(self.estimate, (a, b), self.closeness.largest)
        undecidable = bool(spread) or too_large
        if undecidable:
            # Two draws of a random function say nothing about its gradient, and neither do numbers that overflow.
            bounds = bounds.without_verdicts("random" if spread else "not finite")
        return Pair(
            a=a.name,
            b=b.name,
            verdict=_verdict(losses_agree, undecidable, bounds),
            losses=losses[:2] if losses else (a.loss, b.loss),
            output=losses[2] if losses else "",
            losses_agree=losses_agree,
            spread=spread,
            difference=norm_relative_difference(a.gradient, b.gradient),
            wrong=int(bounds.wrong.sum()),
            undecided=int(bounds.undecided.sum()),
            of=self.layout.size,
            tensors=tuple(_tensor_comparison(tensor, a.gradient, b.gradient, bounds) for tensor in self.layout),
            apart=bounds.apart,
            worst=tuple(self._component(a, b, bounds, int(flat)) for flat in self._most_telling(bounds)),
            overflows=too_large,
            reasons={reason: int(flags.sum()) for reason, flags in bounds.reasons.items() if flags.any()},
        )

    def _most_telling(self, bounds: Bounds) -> NDArray[np.intp]:
        """Return the components furthest out of bounds: the wrong ones, or the tightest if none is."""
        wrong = bounds.wrong
        # A component has a name, a direction has none.
        nameless = self._oracle.directions & wrong
        size = finite_numbers(bounds.excess, infinite=np.inf)
        # lexsort begins with its last key: named before nameless, then by ratio, then by size.
        order = np.lexsort((-size, -np.minimum(bounds.ratio, _HOPELESS), nameless))
        return (order[wrong[order]] if wrong.any() else order)[: self.worst]

    def _component(self, a: Evaluation, b: Evaluation, bounds: Bounds, flat: int) -> Component:
        oracle, with_oracle = self.estimate, b.name == ORACLE
        # Another witness has no error bar: its value is all there is to compare with.
        value = float(b.gradient[flat])
        return Component(
            location=self.layout.locate(flat),
            a=float(a.gradient[flat]),
            b=value,
            error_bar=float(oracle.error_bar[flat]) if with_oracle else 0.0,
            lower=float(oracle.lower[flat]) if with_oracle else value,
            upper=float(oracle.upper[flat]) if with_oracle else value,
            excess=float(bounds.excess[flat]),
            allowed=float(bounds.allowed[flat]),
        )


def _verdict(losses_agree: bool, undecidable: bool, bounds: Bounds) -> Verdict:
    if undecidable:
        return Verdict.UNDECIDED
    # Another loss is a disagreement even if no component is wrong: it is another function.
    if not losses_agree or bounds.wrong.any():
        return Verdict.DISAGREE
    return Verdict.UNDECIDED if bounds.undecided.any() else Verdict.AGREE


def _tensor_comparison(tensor: Tensor, a: Vector, b: Vector, bounds: Bounds) -> TensorComparison:
    span = tensor.span
    return TensorComparison(
        name=tensor.name,
        difference=norm_relative_difference(a[span], b[span]),
        wrong=int(bounds.wrong[span].sum()),
        undecided=int(bounds.undecided[span].sum()),
        of=tensor.size,
    )
