"""A backward pass that counts how often operations are evaluated."""

from collections.abc import Sequence

from xcheck.layout import Vector
from xcheck.trace import BackwardPass
from xcheck.trace.model import Array


class Tally:
    """Losses that have been evaluated; of one operation of k, 1/k for each.

    Attributes:
        losses: how many.
    """

    def __init__(self) -> None:
        self.losses = 0.0


class CountedPass(BackwardPass):
    """A backward pass, and how many losses are evaluated for what is asked of it.

    Args:
        run: the backward pass.
        tally: counts.
        share: of the loss that its operations make up together.
    """

    def __init__(self, run: BackwardPass, tally: Tally, share: float = 1.0) -> None:
        self.calls = run.calls
        self._run, self._tally, self._share = run, tally, share
        self._of_one = share / max(1, len(run.calls))

    def run(self, number: int, inputs: Sequence[Array]) -> list[Array]:
        """Count one operation."""
        self._tally.losses += self._of_one
        return self._run.run(number, inputs)

    def responses(self, moves: Sequence[Sequence[Array]], steps: Vector) -> Vector:
        """Count all operations at every step."""
        self._tally.losses += len(steps) * self._share
        return self._run.responses(moves, steps)

    def response(self, number: int, move: Sequence[Array], steps: Vector) -> Vector:
        """Count one operation at every step."""
        self._tally.losses += len(steps) * self._of_one
        return self._run.response(number, move, steps)

    def responses_at(self, number: int, inputs: Sequence[Array]) -> Vector:
        """Count one operation at every point."""
        self._tally.losses += len(inputs[0]) * self._of_one
        return self._run.responses_at(number, inputs)

    def inside(self, number: int) -> BackwardPass | None:
        """Count on inside of a loop or a branch, which is one operation of its own loss."""
        inside = self._run.inside(number)
        return None if inside is None else CountedPass(inside, self._tally, self._of_one)
