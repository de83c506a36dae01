"""Caveats about the scale of the data. Source: lecture notes, "Normalizing training sets", equations (11)-(13)."""

import numpy as np

from xcheck.caveats.point import CheckedPoint
from xcheck.findings import NOT_NORMALIZED, Finding

# A component is decided when its bar is a millionth of the largest component of its tensor. Where it is a thousandth of
# the largest that is a thousandth of itself: from there on small components are checked to fewer digits.
_SPREAD = 1e3
# Ten standard deviations from zero, a feature looks like a second bias: its variation is in the second digit.
_OFFSET = 10.0
# Fewest examples that say something: of two random numbers, one pair in sixteen has a mean ten deviations from zero; of
# five, one set in many thousands.
_FEWEST = 5


@np.errstate(over="ignore")
def not_normalized(point: CheckedPoint) -> Finding | None:
    """Name the features whose standard deviations differ a thousandfold, or whose means are ten of them from zero."""
    X = point.problem.inputs
    varying = np.flatnonzero(np.ptp(X, axis=0) > 0)
    if len(X) < _FEWEST or not len(varying):
        return None
    largest = np.abs(X[:, varying]).max(axis=0)
    # Scaled to 1, so that squares of features of 1e200 do not overflow.
    scaled = X[:, varying] / largest
    deviation, offset = scaled.std(axis=0) * largest, np.abs(scaled.mean(axis=0)) / scaled.std(axis=0)
    narrow, wide, far = (int(np.argmin(deviation)), int(np.argmax(deviation)), int(np.argmax(offset)))
    spread = float(deviation[wide] / deviation[narrow])
    parts = []
    if spread > _SPREAD:
        narrowest = f"from {deviation[narrow]:.2g} (input {varying[narrow]})"
        parts.append(f"standard deviations range {narrowest} to {deviation[wide]:.2g} (input {varying[wide]})")
    if offset[far] > _OFFSET:
        parts.append(f"means are up to {offset[far]:.2g} standard deviations from zero (input {varying[far]})")
    if not parts:
        return None
    weights = point.problem.layout.tensor(1, "weight").name
    text = (
        f"data not normalised: {', and '.join(parts)}; the gradient of {weights} is as uneven, and its small "
        "components are held to the accuracy of the large ones: take (x - mean) / standard deviation (normalize = true)"
    )
    return Finding(code=NOT_NORMALIZED, text=text, tensor=weights, value=max(spread, float(offset[far])))
