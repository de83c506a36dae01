"""The linear region of a program: what the parameters act on linearly; where it is cut, and how slopes are pulled back.

A value is in the region if it is a parameter, or the result of an operation that reads values of the region in places
that it is linear in. The region is cut at values, the *cut*, so that every way from a parameter to the loss leaves the
region through one of them, and never reads the region in a place that is not linear before.

Let t be the change of a value that a change of the parameters makes within the region, with t = 0 behind a cut. Then
dJ = Σ ⟨∂J/∂z, t(z)⟩ over the cut: a change that enters at z does to J what z moved by itself does. Backwards, slopes
along the cut are handed from operation to operation by its own transposed map.

The cut is chosen to cost few passes through the rest. Of a parameter with fewer components than that the components
are differenced themselves.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax.numpy as jnp
import numpy as np

from xcheck_jax.nodes.linear import linear_places, transposed
from xcheck_jax.nodes.program import FlatProgram, Step

Price = Callable[[int], float]


@dataclass(frozen=True, eq=False)
class LinearRegion:
    """What some parameters act on linearly.

    Attributes:
        program: the loss.
        parameters: the numbers of those parameters.
        cut: the numbers of the values at which the region ends, in order.
    """

    program: FlatProgram
    parameters: tuple[int, ...]
    cut: tuple[int, ...]

    @classmethod
    def cheapest(cls, program: FlatProgram, price: Price) -> "LinearRegion":
        """Return the region whose cut costs little, and the parameters that are cheaper to move through it.

        One parameter after the other is considered, the largest first: what is cut for one is there for the next.

        Args:
            program: the loss.
            price: number of a value -> passes through the rest that it takes to move its elements.
        """
        uses = _uses(program)
        cut: set[int] = set()
        chosen = []
        for parameter in sorted(program.inputs, key=lambda number: -_size(program, number)):
            costs, ends = _costs(program, uses, parameter, _cheaper(price, frozenset(cut)))
            # At the same cost the components themselves are the more direct.
            if parameter not in ends and (costs == 0 or costs < _size(program, parameter)):
                cut |= ends
                chosen.append(parameter)
        return cls(program, tuple(sorted(chosen)), tuple(sorted(cut)))

    @cached_property
    def _within(self) -> frozenset[int]:
        """Numbers of the values in the region that are reached before a cut, and of the cut."""
        found, cut = set(self.parameters), frozenset(self.cut)
        for step in self.program.steps:
            if any(step.inputs[place] in found - cut for place in linear_places(step)):
                found.update(step.outputs)
        return frozenset(found)

    @cached_property
    def _steps(self) -> list[tuple[Step, list[int]]]:
        """Return the operations within the region, in order, and the places where they read what moves in it."""
        inside = self._within - frozenset(self.cut)
        found = []
        for step in self.program.steps:
            places = [place for place in sorted(linear_places(step)) if step.inputs[place] in inside]
            if places:
                found.append((step, places))
        return found

    @cached_property
    def operands(self) -> tuple[int, ...]:
        """Numbers of the values that `pull` needs."""
        return tuple(sorted({number for step, _ in self._steps for number in step.inputs}))

    def pull(self, values: Mapping[int, Any], slopes: Sequence[Any], minus: Any = -1.0) -> list[Any]:
        """Return ∂J/∂θ of the parameters of the region from ∂J/∂z along the cut.

        Args:
            values: the `operands`, by number.
            slopes: of the values of the cut, in order.
            minus: see `xcheck_jax.nodes.linear.linear_map`.
        """
        cut = dict(zip(self.cut, slopes, strict=True))
        arrived: dict[int, Any] = dict(cut)
        for step, places in reversed(self._steps):
            if not any(output in arrived for output in step.outputs):
                continue
            given = [values[number] for number in step.inputs]
            outputs = [self._arrived(arrived, output) for output in step.outputs]
            for place in places:
                number = step.inputs[place]
                found = transposed(step, place, given, outputs, minus)
                arrived[number] = arrived[number] + found if number in arrived else found
        return [self._arrived(arrived, number) for number in self.parameters]

    def _arrived(self, arrived: Mapping[int, Any], number: int) -> Any:
        aval = self.program.avals[number]
        return arrived[number] if number in arrived else jnp.zeros(aval.shape, aval.dtype)


def _size(program: FlatProgram, number: int) -> int:
    return int(np.prod(program.shape(number), dtype=np.int64))


def _uses(program: FlatProgram) -> dict[int, list[tuple[Step, int]]]:
    """Return which operations read a value, and at which place."""
    found: dict[int, list[tuple[Step, int]]] = {}
    for step in program.steps:
        for place, number in enumerate(step.inputs):
            found.setdefault(number, []).append((step, place))
    return found


def _cheaper(price: Price, cut: frozenset[int]) -> Price:
    """Return prices with those of what is cut already left out."""
    return lambda number: 0.0 if number in cut else price(number)


def _costs(
    program: FlatProgram, uses: Mapping[int, list[tuple[Step, int]]], parameter: int, price: Price
) -> tuple[float, set[int]]:
    """Return what it costs at least to move what a parameter acts on, and the cut.

    Where two ways lead to one value it is counted twice: the cut is right, and may be dearer than another.
    """
    reached = {parameter}
    for step in program.steps:
        if any(step.inputs[place] in reached for place in linear_places(step)):
            reached.update(output for output in step.outputs if program.avals[output].dtype == np.float64)
    costs: dict[int, float] = {}
    passed: dict[int, bool] = {}
    for number in sorted(reached, reverse=True):
        onward = np.inf if number == program.output else 0.0
        for step, place in uses.get(number, ()):
            linear = place in linear_places(step) and all(output in reached for output in step.outputs)
            onward += sum(costs[output] for output in step.outputs) if linear else np.inf
        own = price(number)
        costs[number], passed[number] = min(own, onward), onward <= own
    return costs[parameter], _ends(uses, parameter, passed)


def _ends(uses: Mapping[int, list[tuple[Step, int]]], parameter: int, passed: Mapping[int, bool]) -> set[int]:
    """Return the values at which the ways from a parameter end."""
    found, pending, seen = set(), [parameter], {parameter}
    while pending:
        number = pending.pop()
        if not passed[number]:
            found.add(number)
            continue
        onward = {output for step, _ in uses.get(number, ()) for output in step.outputs} - seen
        seen |= onward
        pending.extend(onward)
    return found
