"""The search: which components of a gradient are wrong, found from slopes along parts of random directions.

A few wrong components are named by ratios first (`xcheck.oracle.bisection.ratios`): one of n in about twelve losses.
A wrong row or column is named as a whole (`xcheck.oracle.bisection.slices`). What these leave is found by bisection.

Let e = g − ∇J be the error of a gradient, and v a Gaussian direction along which it shows: r = v·e exceeds its bar. The
residual of a block B of components, r(B) = Σ_B vᵢeᵢ, is v·g over B, which costs nothing, minus the derivative of J
along v restricted to B, which costs four losses (`xcheck.oracle.bisection.directional`). A block is halved between
tensors first, then between rows, then within a row; one half is measured, and the derivative along the other is the
difference from the whole. So one wrong component of n is found with 4 log₂ n losses. The search goes on in the half
whose residual is the larger in units of its threshold.

- *Cancellation.* With random signs, two equal errors cancel in half of the blocks. With Gaussian weights they do when
  |v₁ ± v₂| e is less than the threshold T, with probability of the order of T/e. Errors that cancel in one direction
  show in the others, and the search ends only when every direction is explained.
- *Thresholds.* A block is wrong when |r(B)| exceeds its bar plus what tolerance and rounding allow a gradient of norm
  ‖g_B‖. The threshold grows like the square root of the block's size, as the noise does.
- *Subtracting.* A wrong component is measured by itself, and the measured value replaces the wrong one in g. The
  derivatives along segments are those of J and do not change, so the next search reuses all of them.
- *The end.* When no direction shows an error any more, the smallest ‖e‖ that all directions miss with probability 10⁻⁶
  is reported (`xcheck.oracle.engines.lines.unseen`). When directions show an error that cannot be located, the block
  that holds it is reported.
- *Dense errors.* With p errors in random places, about log₂ p halvings on the way to one of them leave both halves
  wrong. Where seven do, a hundred components or more are wrong, and are not located one by one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from xcheck.layout import Layout, Vector
from xcheck.oracle.bisection.blocks import Block, halves, name_of, tensor_of
from xcheck.oracle.bisection.corrected import Allowance, CorrectedGradient, Measured
from xcheck.oracle.bisection.derivative import DirectionalDerivative, Segment
from xcheck.oracle.bisection.directional import DirectionalDerivatives
from xcheck.oracle.bisection.ratios import RatioSearch
from xcheck.oracle.bisection.slices import Slice, find_slice
from xcheck.oracle.columns import Indices
from xcheck.oracle.engines.lines import unseen
from xcheck.seeds import FIXED, Stream, generator

# A guess: about a hundredth of what it takes to measure 10⁵ components one by one.
MOST_LOSSES = 2000
# More than a report shows; with more, the names of the tensors say more than those of the components.
MOST_FOUND = 32
# Of p errors in random places log₂ p halvings leave both halves wrong: seven mean a hundred and more.
_FORKS = 7
# Guesses that keep a report short: components to be named where many are scattered, components to be drawn from a dense
# block, and tensors to be looked at.
_NAMED, _DRAWN, _TENSORS = 8, 16, 8


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Wrong components of a gradient, and how much was left unexplained.

    Attributes:
        components: flat indices of wrong components, in the order of their discovery.
        known: wrong components that had been measured before the search.
        drawn: a random sample of the components of dense blocks.
        dense: names of blocks with more wrong components than can be located one by one.
        solid: whether most components of these are wrong.
        losses: evaluated by the search.
        beyond: norm of the smallest further error that the search would have seen; nan where a block is left.
        left: the block that holds an error which could not be located, None if all is explained.
        not_finite: how many components are not finite; then no direction can show anything else.
    """

    components: tuple[int, ...] = ()
    known: tuple[int, ...] = ()
    drawn: tuple[int, ...] = ()
    dense: tuple[str, ...] = ()
    solid: bool = False
    losses: int = 0
    beyond: float = float("nan")
    left: Block | None = None
    not_finite: int = 0


@dataclass(slots=True)
class _Path:
    """The way from a block down to one component: which blocks were halved, and where both halves were wrong."""

    end: Block
    blocks: list[Block] = field(default_factory=list)
    forks: list[bool] = field(default_factory=list)

    @property
    def is_dense(self) -> bool:
        """Whether the forks show that many components are wrong."""
        # In a small block seven halvings are not to be had: three quarters of them, and three at least, are a guess.
        return sum(self.forks) >= min(_FORKS, max(3, 0.75 * len(self.forks)))

    @property
    def is_solid(self) -> bool:
        """Whether nearly all components below the first fork are wrong."""
        # If all are wrong, all halvings fork, except where errors happen to cancel: a fifth, a guess.
        below = self.forks[self.forks.index(True) :] if any(self.forks) else []
        return len(below) > 0 and sum(below) >= 0.8 * len(below)

    @property
    def root(self) -> Block:
        """The block below which both halves are wrong."""
        return self.blocks[self.forks.index(True)] if any(self.forks) else self.end


class Search:
    """A search for the wrong components of one gradient.

    Args:
        slopes: measures ∇J·v; it has measured all directions from end to end.
        layout: names of the components.
        gradient: g, finite, shape (n,).
        measure: measures components of ∇J one by one.
        allowance: how far g may be off.
        known: components in which g is known to be wrong, as they were measured.
    """

    def __init__(
        self,
        slopes: DirectionalDerivatives,
        layout: Layout,
        gradient: Vector,
        measure: Callable[[Indices], Sequence[Measured]],
        allowance: Allowance,
        known: dict[int, Measured] | None = None,
    ) -> None:
        self._slopes, self._layout, self._measure = slopes, layout, measure
        self._gradient = CorrectedGradient(gradient, measure, allowance, known or {})
        self._before = slopes.evaluations
        self._known = tuple(known or ())

    def run(self) -> SearchResult:
        """Find wrong components, by ratios, then by bisection, until no direction shows an error or too many are."""
        everything = Block(0, self._layout.size)
        self._confirm(everything)
        if self._worst(everything) is not None:
            ratios = RatioSearch(self._slopes, self._gradient, lambda: self._is_exhausted)
            # Few components first, then a row or a column.
            if not ratios.run() and not self._is_exhausted and (whole := find_slice(ratios, self._layout)) is not None:
                return self._sliced(whole)
        while True:
            worst = self._worst(everything)
            if worst is None:
                return self._result(beyond=self._smallest_visible())
            if self._is_exhausted:
                return self._result(left=everything)
            path = self._descend(worst, everything)
            if not self._accept(path.end):
                return self._result(left=path.end)
            if path.is_dense:
                return self._dense(worst, path)

    def _confirm(self, everything: Block) -> None:
        """Measure the direction with the largest residual again, with a shorter step, until its residual stays."""
        stands: set[int] = set()
        while (worst := self._worst(everything)) is not None and worst not in stands:
            self._slopes.confirm(Segment(worst, *everything))
            # A residual that stays with a shorter step is no feature of J inside the longer one.
            stands.add(worst)

    @property
    def _is_exhausted(self) -> bool:
        spent = self._slopes.evaluations - self._before
        return spent >= MOST_LOSSES or len(self._gradient.found) >= MOST_FOUND or self._slopes.late

    def _result(self, left: Block | None = None, beyond: float = float("nan")) -> SearchResult:
        spent = self._slopes.evaluations - self._before
        return SearchResult(tuple(self._gradient.found), self._known, losses=spent, left=left, beyond=beyond)

    # --- residuals ----------------------------------------------------------------------------------------------------

    def _residual(self, number: int, block: Block, slope: DirectionalDerivative) -> tuple[float, float]:
        """Return r(B) and the largest |r(B)| that a correct gradient may have."""
        return self._gradient.residual(self._slopes.row(number), block, slope)

    def _excess(self, number: int, block: Block, need: float = np.inf) -> float:
        """Return |r(B)| in units of its threshold: above 1 the block is wrong."""
        slope = self._slopes.measure(Segment(number, *block), need)
        residual, allowed = self._residual(number, block, slope)
        return abs(residual) / allowed if allowed > 0 else (np.inf if residual else 0.0)

    def _worst(self, block: Block) -> int | None:
        """Return the number of the direction with the largest excess, None if no excess is above 1."""
        excesses = [self._excess(segment.number, block) for segment in self._slopes.whole]
        number = int(np.argmax(excesses))
        return number if excesses[number] > 1 else None

    def _smallest_visible(self) -> float:
        """Return the norm of the smallest error that the directions would still show."""
        allowed = [
            self._residual(segment.number, Block(segment.start, segment.stop), self._slopes.measure(segment, np.inf))[1]
            for segment in self._slopes.whole
        ]
        return unseen(np.array(allowed))

    # --- going down ---------------------------------------------------------------------------------------------------

    def _descend(self, number: int, block: Block) -> _Path:
        """Halve a block down to one component, or to a block of which neither half shows the error of the whole."""
        path = _Path(block)
        while path.end.size > 1:
            block = path.end
            residual, _ = self._residual(number, block, self._slopes.measure(Segment(number, *block), np.inf))
            # Derivatives to an eighth of the residual are sharp enough to tell which half holds it: a guess.
            excesses = self._halve(number, block, abs(residual) / 8)
            if max(excesses) <= 1:
                break
            path.blocks.append(block)
            path.forks.append(min(excesses) > 1)
            path.end = halves(self._layout, block)[int(excesses[1] > excesses[0])]
        return path

    def _halve(self, number: int, block: Block, need: float) -> tuple[float, float]:
        """Return the excesses of both halves: one is measured, the other derived from it if that is sharp enough."""
        left, right = halves(self._layout, block)
        first = self._excess(number, left, need)
        self._slopes.subtract(Segment(number, *block), Segment(number, *left), Segment(number, *right))
        second = self._excess(number, right, need)
        if max(first, second) <= 1:
            # Neither half shows the error. A quarter of the whole block's bar may show it: a guess.
            sharp = min(need, self._slopes.measure(Segment(number, *block), np.inf).bar / 4)
            first, second = self._excess(number, left, sharp), self._excess(number, right, sharp)
        return first, second

    def _accept(self, block: Block) -> bool:
        """Measure a block of one component, and return whether it is wrong; larger blocks are not accepted."""
        return block.size == 1 and self._gradient.accept([block.start])

    # --- many wrong components ----------------------------------------------------------------------------------------

    def _dense(self, number: int, path: _Path) -> SearchResult:
        """Return the names of the dense blocks, some wrong components, and a random sample of the blocks."""
        first, last = tensor_of(self._layout, path.root), tensor_of(self._layout, Block(path.root.stop - 1, 0))
        blocks = [path.root] if first is last else self._dense_tensors(number, path.root)
        while not path.is_solid and len(self._gradient.found) < _NAMED and not self._is_exhausted:
            worst = self._worst(Block(0, self._layout.size))
            if worst is None or not self._accept(self._descend(worst, Block(0, self._layout.size)).end):
                break
        rng = generator(FIXED, Stream.DENSE_SAMPLE)
        drawn = [rng.choice(block.size, min(_DRAWN, block.size), replace=False) + block.start for block in blocks]
        flat = np.unique(np.concatenate([*drawn, np.zeros(0, dtype=np.intp)]))
        self._measure(flat)
        spent = self._slopes.evaluations - self._before
        names = tuple(name_of(self._layout, block) for block in blocks)
        return SearchResult(
            tuple(self._gradient.found),
            self._known,
            tuple(flat.tolist()),
            names,
            path.is_solid,
            losses=spent,
            left=path.root,
        )

    def _sliced(self, part: Slice) -> SearchResult:
        """Return the name of a row or a column that holds all of the error, and a random sample of it."""
        rng = generator(FIXED, Stream.SLICE_SAMPLE)
        drawn = np.sort(rng.choice(part.places, min(_DRAWN, part.places.size), replace=False))
        wrong = list(self._gradient.measure_wrong(drawn.tolist()))
        self._gradient.accept(wrong[:1])
        block = Block(part.tensor.span.start, part.tensor.span.stop)
        spent = self._slopes.evaluations - self._before
        return SearchResult(
            tuple(self._gradient.found),
            self._known,
            tuple(drawn.tolist()),
            (part.name,),
            len(wrong) > drawn.size // 2,
            losses=spent,
            left=block,
        )

    def _dense_tensors(self, number: int, block: Block) -> list[Block]:
        """Return the dense parts of each tensor of a block, and locate single errors in the other tensors."""
        found = []
        tensors = [tensor for tensor in self._layout if block.start <= tensor.offset < block.stop and tensor.size]
        for tensor in sorted(tensors, key=lambda tensor: -tensor.size)[:_TENSORS]:
            own = Block(tensor.span.start, tensor.span.stop)
            while self._excess(number, own) > 1 and not self._is_exhausted:
                path = self._descend(number, own)
                if path.is_dense or not self._accept(path.end):
                    found.append(path.root if path.is_dense else own)
                    break
        return sorted(found) or [block]
