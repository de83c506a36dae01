"""Bisection: which components of a gradient are wrong, found from slopes along pieces of random directions.

Let e = g − ∇J be the error of a gradient, and v a Gaussian direction along which it shows: r = v·e exceeds its bar.
Of a block B of components r(B) = Σ_B vᵢeᵢ is the difference of v·g over B, which costs nothing, and of the slope of J
along v restricted to B, which costs four losses (`xcheck.oracle.bisection.directional`). A block is halved, tensors
first, then rows, then the columns of a row; one half is measured, and the other is what is left of the whole. So one
wrong component of n is found with 4 log₂ n losses. The half whose residual is the largest beside its threshold comes
first.

- *Cancellation.* With random signs, two equal errors cancel in half of the blocks. With Gaussian weights they do when
  |v₁ ± v₂| e is less than the threshold T, with probability of the order of T/e: and what has cancelled in one
  direction is seen in the others, since none of them is given up before all of them are explained.
- *Thresholds.* r(B) is wrong when it is more than its bar, plus what tolerance and rounding grant a gradient that is
  ‖g_B‖ large: like the noise of a group it grows like the square root of its size.
- *Subtracting.* A component that was found is measured by itself, and its value put in the place of the wrong one. The
  slopes that were measured are those of J and stay what they are, so the next search begins with all of them.
- *An end.* When no direction shows anything any more, what could have been missed is known: as for the screen
  (`xcheck.oracle.engines.lines.unseen`), the smallest ‖e‖ that all d directions overlook with probability 10⁻⁶. When
  d tells of more than can be found, the search says what is left.
- *Dense.* Of p errors in random places about log₂ p halvings on the way to one of them leave both halves wrong. Where
  seven do, a hundred components and more are wrong, and are not looked for one by one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from xcheck.layout import Layout, Vector
from xcheck.oracle.bisection.blocks import Block, halves, name_of, tensor_of
from xcheck.oracle.bisection.directional import DirectionalDerivative, DirectionalDerivatives, Segment
from xcheck.oracle.columns import Indices
from xcheck.oracle.engines.lines import unseen

# A guess: about a hundredth of what it takes to measure 10⁵ components one by one.
MOST_LOSSES = 2000
# More than a report shows; from there on the tensor is the message.
MOST_FOUND = 32
# Of p errors in random places log₂ p halvings leave both halves wrong: seven mean a hundred and more.
_FORKS = 7
# Of a scattered multitude so many are named; of a dense tensor so many are drawn.
_NAMED, _DRAWN, _TENSORS = 8, 16, 8


class Measured(NamedTuple):
    """One component of ∇J, measured by itself."""

    value: float
    bar: float


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a gradient is granted beside the bar of the oracle.

    Attributes:
        relative: in units of its own norm.
        floor: as a number, for each component and each block.
    """

    relative: float = 1e-7
    floor: float = 0.0


@dataclass(frozen=True, slots=True)
class Located:
    """What was found.

    Attributes:
        components: flat indices of wrong components, in the order of their discovery.
        known: those that had been measured before.
        drawn: a sample of what is dense.
        dense: names of where more is wrong than can be located one by one.
        solid: whether that is most of it.
        losses: that it took.
        beyond: norm of another error that would still have been seen; nan where something is left.
        left: the block that holds an error which could not be located, None if all is explained.
        not_finite: components that are not finite, which hides everything else.
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
    def dense(self) -> bool:
        """Whether so many forks mean that many components are wrong."""
        return sum(self.forks) >= min(_FORKS, max(3, 0.75 * len(self.forks)))

    @property
    def solid(self) -> bool:
        """Whether nearly everything below the first fork is wrong."""
        below = self.forks[self.forks.index(True) :] if any(self.forks) else []
        return len(below) > 0 and sum(below) >= 0.8 * len(below)

    @property
    def root(self) -> Block:
        """The block below which both halves are wrong."""
        return self.blocks[self.forks.index(True)] if any(self.forks) else self.end


class Search:
    """Looks for what is wrong in one gradient.

    Args:
        slopes: measures ∇J·v; all directions from end to end are known.
        layout: names of the components.
        gradient: g, finite, shape (n,).
        measure: measures components of ∇J by themselves.
        allowance: what is granted to g.
        known: components of ∇J that have been measured already.
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
        self._slopes, self._layout, self._measure, self._allowance = slopes, layout, measure, allowance
        self._gradient = gradient.copy()
        self._corrected: dict[int, Measured] = {}
        self._found: list[int] = []
        self._before = slopes.evaluations
        self._known = tuple(known or ())
        for flat, measured in (known or {}).items():
            self._correct(flat, measured)

    def run(self) -> Located:
        """Find wrong components until no direction shows anything, or there are too many."""
        everything = Block(0, self._layout.size)
        self._confirm(everything)
        while True:
            worst = self._worst(everything)
            if worst is None:
                return self._located(beyond=self._beyond())
            if self._exhausted:
                return self._located(left=everything)
            path = self._descended(worst, everything)
            if not self._takes(path.end):
                return self._located(left=path.end)
            if path.dense:
                return self._dense(worst, path)

    def _confirm(self, everything: Block) -> None:
        """Measure the direction that shows the most again, with a shorter step, until one stands."""
        stands: set[int] = set()
        while (worst := self._worst(everything)) is not None and worst not in stands:
            self._slopes.confirmed(Segment(worst, *everything))
            stands.add(worst)

    @property
    def _exhausted(self) -> bool:
        spent = self._slopes.evaluations - self._before
        return spent >= MOST_LOSSES or len(self._found) >= MOST_FOUND or self._slopes.late

    def _located(self, left: Block | None = None, beyond: float = float("nan")) -> Located:
        spent = self._slopes.evaluations - self._before
        return Located(tuple(self._found), self._known, losses=spent, left=left, beyond=beyond)

    # --- residuals ----------------------------------------------------------------------------------------------------

    def _residual(self, number: int, block: Block, slope: DirectionalDerivative) -> tuple[float, float]:
        """Return r(B) and how large it may be."""
        part = slice(block.start, block.stop)
        v, g = self._slopes.row(number)[part], self._gradient[part]
        inside = [(flat, one.bar) for flat, one in self._corrected.items() if block.start <= flat < block.stop]
        doubt = sum(bar * abs(float(v[flat - block.start])) for flat, bar in inside)
        granted = self._allowance.relative * float(np.linalg.norm(g)) + self._allowance.floor
        return float(v @ g) - slope.value, slope.bar + doubt + granted

    def _excess(self, number: int, block: Block, need: float = np.inf) -> float:
        """Return |r(B)| in units of what it may be."""
        slope = self._slopes.slope(Segment(number, *block), need)
        residual, allowed = self._residual(number, block, slope)
        return abs(residual) / allowed if allowed > 0 else (np.inf if residual else 0.0)

    def _worst(self, block: Block) -> int | None:
        """Return the direction that shows the most, None if none shows anything."""
        excesses = [self._excess(piece.number, block) for piece in self._slopes.whole]
        number = int(np.argmax(excesses))
        return number if excesses[number] > 1 else None

    def _beyond(self) -> float:
        """Return the norm of an error that would still be seen."""
        allowed = [
            self._residual(piece.number, Block(piece.start, piece.stop), self._slopes.slope(piece, np.inf))[1]
            for piece in self._slopes.whole
        ]
        return unseen(np.array(allowed))

    # --- going down ---------------------------------------------------------------------------------------------------

    def _descended(self, number: int, block: Block) -> _Path:
        """Go down to one component, or to a block none of whose halves shows what the whole does."""
        path = _Path(block)
        while path.end.size > 1:
            block = path.end
            residual, _ = self._residual(number, block, self._slopes.slope(Segment(number, *block), np.inf))
            excesses = self._halved(number, block, abs(residual) / 8)
            if max(excesses) <= 1:
                break
            path.blocks.append(block)
            path.forks.append(min(excesses) > 1)
            path.end = halves(self._layout, block)[int(excesses[1] > excesses[0])]
        return path

    def _halved(self, number: int, block: Block, need: float) -> tuple[float, float]:
        """Return how far both halves are out of bounds: one measured, the other derived if that is sharp enough."""
        left, right = halves(self._layout, block)
        first = self._excess(number, left, need)
        self._slopes.derive(Segment(number, *block), Segment(number, *left), Segment(number, *right))
        second = self._excess(number, right, need)
        if max(first, second) <= 1:
            # What is too small beside the bars of larger blocks may show beside that of a smaller one.
            sharp = min(need, self._slopes.slope(Segment(number, *block), np.inf).bar / 4)
            first, second = self._excess(number, left, sharp), self._excess(number, right, sharp)
        return first, second

    def _takes(self, block: Block) -> bool:
        """Measure the component that was arrived at; return whether it is one, and wrong."""
        if block.size > 1 or block.start in self._corrected:
            return False
        measured, claimed = self._measure(np.array([block.start]))[0], float(self._gradient[block.start])
        allowed = measured.bar + self._allowance.relative * max(abs(claimed), abs(measured.value))
        if not abs(claimed - measured.value) > allowed + self._allowance.floor:
            return False
        self._found.append(block.start)
        self._correct(block.start, measured)
        return True

    def _correct(self, flat: int, measured: Measured) -> None:
        self._gradient[flat] = measured.value
        self._corrected[flat] = measured

    # --- many wrong components ----------------------------------------------------------------------------------------

    def _dense(self, number: int, path: _Path) -> Located:
        """Say what is dense, name some components, and draw a sample of what is there."""
        first, last = tensor_of(self._layout, path.root), tensor_of(self._layout, Block(path.root.stop - 1, 0))
        blocks = [path.root] if first is last else self._dense_tensors(number, path.root)
        while not path.solid and len(self._found) < _NAMED and not self._exhausted:
            worst = self._worst(Block(0, self._layout.size))
            if worst is None or not self._takes(self._descended(worst, Block(0, self._layout.size)).end):
                break
        rng = np.random.default_rng(self._layout.size)
        drawn = [rng.choice(block.size, min(_DRAWN, block.size), replace=False) + block.start for block in blocks]
        flat = np.unique(np.concatenate([*drawn, np.zeros(0, dtype=np.intp)]))
        self._measure(flat)
        spent = self._slopes.evaluations - self._before
        names = tuple(name_of(self._layout, block) for block in blocks)
        return Located(
            tuple(self._found), self._known, tuple(flat.tolist()), names, path.solid, losses=spent, left=path.root
        )

    def _dense_tensors(self, number: int, block: Block) -> list[Block]:
        """Return what is dense in each tensor of a block, and take what is not."""
        found = []
        tensors = [tensor for tensor in self._layout if block.start <= tensor.offset < block.stop and tensor.size]
        for tensor in sorted(tensors, key=lambda tensor: -tensor.size)[:_TENSORS]:
            own = Block(tensor.span.start, tensor.span.stop)
            while self._excess(number, own) > 1 and not self._exhausted:
                path = self._descended(number, own)
                if path.dense or not self._takes(path.end):
                    found.append(path.root if path.dense else own)
                    break
        return sorted(found) or [block]
