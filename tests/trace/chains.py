"""A backward pass of functions of one array, one after the other, whose backward rules are given."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from xcheck.trace import BackwardPass, Call, Place, Read, Written
from xcheck.trace.model import Array

Rule = Callable[[Array, Array, Array], Array]


@dataclass(frozen=True)
class Step:
    """One function: x -> y, and its rule: x, y, ȳ -> x̄."""

    name: str
    function: Callable[[Array], Array]
    rule: Rule


class Chain(BackwardPass):
    """Steps one after the other, from x to a number; step k stands in line k + 1 of chain.py."""

    def __init__(self, steps: Sequence[Step], x: Array, inner: BackwardPass | None = None, step: int = 0) -> None:
        self._steps, self._inner = steps, inner
        arrays = [x]
        for each in steps:
            arrays.append(each.function(arrays[-1]))
        cotangent, calls = np.ones_like(arrays[-1]), []
        for number in range(len(steps) - 1, -1, -1):
            given, found = arrays[number], arrays[number + 1]
            down = steps[number].rule(given, found, cotangent)
            calls.append(
                Call(
                    name=steps[number].name,
                    rule="by hand",
                    place=Place("chain.py", number + 1),
                    reads=(Read("x", given, down),),
                    writes=(Written(found, cotangent, found),),
                    step=step,
                )
            )
            cotangent = down
        self.calls = calls[::-1]

    def run(self, number: int, inputs: Sequence[Array]) -> list[Array]:
        """Return what a step makes of another array."""
        return [self._steps[number].function(inputs[0])]

    def inside(self, number: int) -> BackwardPass | None:
        """Return what was given for step 0."""
        return self._inner if number == 0 else None


def rms_norm(x: Array) -> Array:
    """Return x/√(mean x²)."""
    return np.asarray(x / np.sqrt((x**2).mean()))


STEPS = (
    Step("exp", np.exp, lambda x, y, g: g * y),
    Step("rms_norm", rms_norm, lambda x, y, g: (g - y * (g * y).mean()) / np.sqrt((x**2).mean())),
    Step("tanh", np.tanh, lambda x, y, g: g * (1 - y**2)),
    Step("relu", lambda x: np.maximum(x - 0.3, 0.0), lambda x, y, g: g * (x > 0.3)),
    Step("norm", lambda x: np.asarray((x**2).sum()), lambda x, y, g: 2 * x * g),
)


def with_rule(number: int, change: Callable[[Rule], Rule]) -> list[Step]:
    """Return the steps with another rule in one of them."""
    steps = list(STEPS)
    old = steps[number]
    steps[number] = Step(old.name, old.function, change(old.rule))
    return steps
