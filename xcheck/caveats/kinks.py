"""Caveats about kinks: at one the loss has a slope to the left and another to the right, and no derivative."""

from collections.abc import Sequence

import numpy as np

from xcheck.compare.evaluation import Evaluation
from xcheck.findings import AT_A_KINK, ON_A_STAIR, Finding
from xcheck.layout import Layout, Vector
from xcheck.oracle import Estimate
from xcheck.oracle.columns import finite_numbers
from xcheck.text import interval

_CHOICE = "where every slope between the two sides is right, and frameworks choose by convention"


def units_at_kinks(estimate: Estimate, layout: Layout) -> Finding | None:
    """Say of a declared network how many units sit on a kink, and name the component with the widest interval."""
    if not estimate.ties:
        return None
    # Units are counted by the forward pass; which components they part is known from the slopes alone.
    wide = _with_interval(estimate, range(layout.size))
    text = (
        f"{estimate.ties} unit{'s sit' if estimate.ties > 1 else ' sits'} on a kink, to rounding (z = 0, or W = 0 "
        f"under l1; summed over examples), {_CHOICE}{_widest(estimate, layout, wide)}"
    )
    return Finding(code=AT_A_KINK, text=text, value=float(estimate.ties))


def components_at_kinks(
    estimate: Estimate, layout: Layout, kinks: Sequence[int], evaluations: Sequence[Evaluation] = ()
) -> Finding | None:
    """Say how many of the components of a function sit on a kink, and name the one with the widest interval.

    Args:
        estimate: the oracle's gradient.
        layout: names of the components.
        kinks: flat indices of the components whose two sides were found to differ.
        evaluations: what the witnesses say; where their conventions differ, a component is named with them.
    """
    wide = _with_interval(estimate, kinks)
    if not wide:
        return None
    count = f"{len(wide)} components sit" if len(wide) > 1 else "1 component sits"
    chosen = _conventions(evaluations, estimate, layout, wide)
    text = f"{count} on a kink, {_CHOICE}{_widest(estimate, layout, wide)}{chosen}"
    return Finding(code=AT_A_KINK, text=text, tensor=layout.locate(wide[0]).name, value=float(len(wide)))


def components_on_stairs(treads: Vector | None, layout: Layout, of: int | None = None) -> Finding | None:
    """Say how many components lie on a stair of the loss, and name the one with the widest.

    Args:
        treads: within which distance J is constant along each component, shape (c,), 0 where it is not; None of a loss
            without stairs.
        layout: names of the components.
        of: how many components θ has, where these are a sample.
    """
    if treads is None or not treads.any():
        return None
    widest, count = int(np.argmax(treads)), int(np.count_nonzero(treads))
    sampled = f" of {len(treads)} that were measured" if of is not None and of > len(treads) else ""
    text = (
        f"the loss is a staircase along {count} component{'s' * (count != 1)}{sampled}: within {treads[widest]:.0e} of "
        f"θ it does not change with {layout.locate(widest)}, and it jumps further away; the derivative is zero there, "
        "and says nothing of the slope over the stairs"
    )
    return Finding(code=ON_A_STAIR, text=text, tensor=layout.locate(widest).name, value=float(treads[widest]))


def _conventions(evaluations: Sequence[Evaluation], estimate: Estimate, layout: Layout, wide: Sequence[int]) -> str:
    """Say at how many of these components witnesses have chosen different slopes, and which at the first of them."""
    if len(evaluations) < 2:
        return ""
    chosen = np.array([one.gradient[list(wide)] for one in evaluations])
    # Slopes differ by a share of the interval, or they are one slope, rounded: a hundredth is a guess.
    width = (estimate.upper - estimate.lower)[list(wide)]
    apart = np.flatnonzero(np.ptp(chosen, axis=0) > width / 100)
    if not len(apart):
        return ""
    first = int(apart[0])
    slopes = ", ".join(f"{one.name} {chosen[row, first]:.5g}" for row, one in enumerate(evaluations))
    where = f"at {len(apart)} of them" if len(wide) > 1 else "there"
    return f"; conventions differ {where}: {layout.locate(wide[first])} is {slopes}"


def _with_interval(estimate: Estimate, components: Sequence[int]) -> list[int]:
    """Return those whose two slopes differ by more than their error bars, the widest interval first.

    Two slopes that are equal within their bars show no kink: noise, or bad conditioning, parts them as well.
    """
    chosen = np.asarray(components, dtype=np.intp)
    # Where nothing bounds the slope there is no subgradient to be named: such a component is undecided.
    width = finite_numbers(estimate.upper - estimate.lower, infinite=0.0)[chosen]
    order = np.argsort(-width, kind="stable")
    return [int(chosen[place]) for place in order if width[place] > 2 * estimate.error_bar[chosen[place]]]


def _widest(estimate: Estimate, layout: Layout, wide: Sequence[int]) -> str:
    if not wide:
        return ""
    flat = wide[0]
    slopes = interval(float(estimate.lower[flat]), float(estimate.upper[flat]), float(estimate.error_bar[flat]))
    return f"; {layout.locate(flat)}: kink, subgradient {slopes}"
