"""Places: where the wrong components are, if all else is right. It describes an error, and names no mistake.

The wrong components of a tensor lie in a box: in each axis, the indices that any of them has. What lies outside the box
is right, and is shown to be if it is more than noise. Of several tensors, those that are right have their common way
with the wrong ones behind them.
"""

from collections.abc import Iterator

import numpy as np

from xcheck.compare.bounds import Flags
from xcheck.diagnose.evidence import Evidence, Hypothesis
from xcheck.findings import WRONG_PART, WRONG_TENSORS
from xcheck.oracle.engines.lines import DIRECTIONS
from xcheck.oracle.estimate import CERTAIN
from xcheck.text import joined

# Components outside the box that must be shown to be right. A guess: with fewer the box is the tensor with a gap.
_LEAST_RIGHT = 4
# Indices of an axis that are named one by one where they do not follow each other. A guess: what fits into a line.
_MOST_INDICES = 4
# Wrong tensors for each that is right: of more it would not be said where they are. A guess.
_MOST_WRONG = 2
# Tensors that are named. A guess.
_MOST_NAMES = 6


def wrong_part(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose, of a person's function, that all that is wrong in a tensor lies in one box, and the rest is right."""
    if evidence.problem is not None:
        return  # of a network it is known at which layer and unit the error has entered
    right = _right(evidence)
    for tensor in evidence.wrong_tensors:
        if tensor.places is not None or not tensor.shape:
            continue
        wrong = evidence.wrong[tensor.span].reshape(tensor.shape)
        indices = [np.flatnonzero(_any_along(wrong, axis)) for axis in range(wrong.ndim)]
        inside = np.zeros(tensor.shape, dtype=bool)
        inside[np.ix_(*indices)] = True
        # A box whose axes are all full is the tensor.
        if (right[tensor.span].reshape(tensor.shape) & ~inside).sum() < _LEAST_RIGHT:
            continue
        index = ", ".join(_name_indices(taken.tolist(), n) for taken, n in zip(indices, tensor.shape, strict=True))
        count = int(wrong.sum())
        text = (
            f"all that is wrong lies in {tensor.name}[{index}] ({count} of its {inside.sum()} components), and the "
            "rest is right: look at what is done for this part alone"
        )
        predicted = np.where(inside.reshape(-1), evidence.gradient[tensor.span], evidence.trusted[tensor.span])
        yield Hypothesis(WRONG_PART, text, {tensor.name: predicted}, value=float(count))


def wrong_tensors(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose, of a person's function, that the mistake is on the way to some tensors, as others are right."""
    if evidence.problem is not None:
        return  # as above
    right = _right(evidence)
    wrong = {tensor.name for tensor in evidence.layout if evidence.wrong[tensor.span].any()}
    # A sample, or directions, may be right and the rest wrong; of zeros nothing shows that they are right.
    whole = [t for t in evidence.layout if t.name not in wrong | {DIRECTIONS} and t.places is None]
    shown = [tensor.name for tensor in whole if 2 * right[tensor.span].sum() >= tensor.size > 0]
    if len(wrong) > _MOST_WRONG * len(shown) or len(wrong) > len(evidence.wrong_tensors):
        return
    verb, them = ("is", "it") if len(shown) == 1 else ("are", "them")
    text = (
        f"the cause is not known, but {joined(shown, _MOST_NAMES)} {verb} right: what leads to {them} as well is not "
        "where the mistake is; look at the steps that are not on the way there, one by one"
    )
    names = [tensor.name for tensor in evidence.wrong_tensors]
    predicted = {name: evidence.gradient[evidence.layout[name].span] for name in names}
    yield Hypothesis(WRONG_TENSORS, text, predicted, rank=1)


def _right(evidence: Evidence) -> Flags:
    """Return which components are shown to be right: not wrong, and not zero to the noise."""
    return np.asarray((np.abs(evidence.trusted) > CERTAIN * evidence.uncertainty) & ~evidence.wrong)


def _any_along(wrong: Flags, axis: int) -> Flags:
    return np.asarray(wrong.any(axis=tuple(other for other in range(wrong.ndim) if other != axis)))


def _name_indices(indices: list[int], length: int) -> str:
    """Return indices of an axis as NumPy has them: ":", "3", "4:8" or "[0, 2]"."""
    first, last = indices[0], indices[-1]
    if len(indices) == length:
        return ":"
    if len(indices) == 1:
        return str(first)
    if len(indices) == last - first + 1:
        return f"{first}:{last + 1}"
    return f"[{joined(indices, _MOST_INDICES)}]"
