"""How many losses it takes to look at operations."""

from collections.abc import Sequence

import numpy as np

from benchmarks.suites.operations_losses import CountedPass, Tally
from xcheck.trace import BackwardPass, Call, Read, Written
from xcheck.trace.model import Array

X = np.ones(3)
CALL = Call(name="f", reads=(Read("", X, X),), writes=(Written(X, X, X),))


class Identity(BackwardPass):
    """Two calls that return what they read; the first is made of two others."""

    calls = (CALL, CALL)

    def run(self, number: int, inputs: Sequence[Array]) -> list[Array]:
        return list(inputs)

    def inside(self, number: int) -> BackwardPass | None:
        return Identity() if number == 0 else None


def test_an_operation_counts_for_its_share() -> None:
    """All at once a loss for every step; one of two a half, and one of two inside of it a quarter."""
    tally = Tally()
    run = CountedPass(Identity(), tally)
    steps = np.array([0.1, 0.2])
    assert run.responses([[X], [X]], steps).shape == (2, 2)
    assert tally.losses == 2
    assert run.response(1, [X], steps).shape == (2,)
    assert tally.losses == 3
    run.run(0, [X])
    run.responses_at(0, [np.stack([X, X, X])])
    assert tally.losses == 5
    inside = run.inside(0)
    assert inside is not None
    inside.responses([[X], [X]], steps)
    inside.response(0, [X], steps)
    assert tally.losses == 6.5
    assert run.inside(1) is None
