"""Random programs of one number, and what mpmath makes of them: much of what they compare is equal at θ."""

import random
from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpf

from tests.certificates.programs import Program
from xcheck.trace import Trace

Values = list[Any]
# The results so far -> a number.
Step = Callable[[Values], Any]


def _truncated(x: Any) -> Any:
    return mpmath.floor(x) if x >= 0 else mpmath.ceil(x)


OF_ONE: dict[str, Callable[[Any], Any]] = {
    "neg": lambda x: -x,
    "abs": abs,
    "square": lambda x: x * x,
    "exp": mpmath.exp,
    "sin": mpmath.sin,
    "tanh": mpmath.tanh,
    "floor": mpmath.floor,
    "ceil": mpmath.ceil,
    "trunc": _truncated,
    "round": mpmath.nint,
    "sign": lambda x: mpf(int(x > 0) - int(x < 0)),
    "sqrt": lambda x: mpmath.sqrt(x) if x >= 0 else mp.nan,
    "log": lambda x: mpmath.log(x) if x > 0 else mp.nan,
    "cbrt": lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)),
    "reciprocal": lambda x: 1 / x if x else mp.nan,
    "bessel_i0e": lambda x: mpmath.exp(-abs(x)) * mpmath.besseli(0, x),
}
OF_TWO: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y if y else mp.nan,
    "max": max,
    "min": min,
    "hypot": mpmath.hypot,
    "atan2": mpmath.atan2,
    "remainder": lambda x, y: x - y * mpmath.floor(x / y) if y else mp.nan,
}
TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "lt": lambda x, y: x < y,
    "le": lambda x, y: x <= y,
    "gt": lambda x, y: x > y,
    "ge": lambda x, y: x >= y,
    "eq": lambda x, y: x == y,
    "ne": lambda x, y: x != y,
}
# Each operation, with a number, and what undoes it: x is computed again, by another way.
THERE_AND_BACK: tuple[tuple[tuple[str, float | None], tuple[str, float | None]], ...] = (
    (("exp", None), ("log", None)),
    (("add", 0.1), ("sub", 0.1)),
    (("mul", 3.0), ("div", 3.0)),
    (("sinh", None), ("asinh", None)),
    (("expm1", None), ("log1p", None)),
)
FLAT_OF_ONE = ("neg", "abs", "square", "exp", "sin", "tanh", "sqrt")
FLAT_OF_TWO = ("add", "sub", "mul", "div", "max", "min", "hypot")
ORDERS = ("sort", "reduce_max", "cummax", "argmax")
NUMBERS = (0.0, 1.0, -1.0, 0.5, 2.0)


class Draft:
    """A program that grows by random steps.

    Args:
        draw: random numbers.
        again: whether results are computed again by another way, and compared with themselves.
        flat: whether it is made of what has roots, quotients and ties of squares at 0.

    Attributes:
        trace: the program so far.
        names: its operations.
    """

    def __init__(self, draw: random.Random, *, again: bool = False, flat: bool = False) -> None:
        self._draw, self._program = draw, Program(())
        self._kinds = [self._add_one, self._add_two, self._add_choice, self._add_order]
        self._weights = [3, 4, 2, 2]
        self._of_one, self._of_two = (FLAT_OF_ONE, FLAT_OF_TWO) if flat else (tuple(OF_ONE), tuple(OF_TWO))
        if again:
            self._kinds, self._weights = [*self._kinds, self._add_extreme_again], [3, 3, 1, 1, 5]
        self._sources: list[Any] = [*self._program.inputs]
        self._steps: list[Step] = []
        self.names: list[str] = []

    @property
    def trace(self) -> Trace:
        """Return the program so far."""
        return self._program.trace(self._sources[-1])

    def value(self, x: Any) -> Any:
        """Return what mpmath gives."""
        values = [x]
        for step in self._steps:
            values.append(step(values))
        return values[-1]

    def grow(self) -> None:
        """Add an operation."""
        source, step = self._draw.choices(self._kinds, self._weights)[0]()
        self._sources.append(source)
        self._steps.append(step)

    def _pick(self) -> tuple[Any, Step]:
        """Return a number, or a result, of the last ones more often than of others."""
        if self._draw.random() < 0.25:
            number = self._draw.choice(NUMBERS)
            return number, lambda _: mpf(number)
        count = len(self._sources)
        place = self._draw.choice([self._draw.randrange(count), count - 1])
        return self._sources[place], lambda values: values[place]

    def _choose(self, names: Sequence[str]) -> str:
        self.names.append(self._draw.choice(names))
        return self.names[-1]

    def _add_one(self) -> tuple[Any, Step]:
        name, (x, f) = self._choose(self._of_one), self._pick()
        return self._program.do(name, x), lambda values: OF_ONE[name](f(values))

    def _add_two(self) -> tuple[Any, Step]:
        name, (x, f), (y, g) = self._choose(self._of_two), self._pick(), self._pick()
        return self._program.do(name, x, y), lambda values: OF_TWO[name](f(values), g(values))

    def _add_extreme_again(self) -> tuple[Any, Step]:
        """The extreme of a number, of the same by another way, and of a third."""
        (x, f), (y, g), do = self._pick(), self._pick(), self._program.do
        again = x
        for name, number in self._draw.choice(THERE_AND_BACK):
            again = do(name, again, *([] if number is None else [number]))
        name = self._choose(("max", "min", "reduce_max", "reduce_min", "sort"))
        extreme = max if name.endswith("max") else min
        parts = self._draw.sample([x, again, y], 3)
        whole = do("move", *parts, shape=(3,), run=lambda *given: (np.stack(given),))
        if name == "sort":
            place, ordered = self._draw.randrange(3), do(name, whole, shape=(3,), axis=0)
            source = do("move", ordered, run=lambda given: (given[place],))
            return source, lambda values: sorted([f(values), f(values), g(values)])[place]
        if name.startswith("reduce"):
            return do(name, whole, axes=(0,)), lambda values: extreme(f(values), g(values))
        return do(name, do(name, *parts[:2]), parts[2]), lambda values: extreme(f(values), g(values))

    def _add_choice(self) -> tuple[Any, Step]:
        name, (x, f), (y, g), (no, h), (yes, k) = self._choose(tuple(TESTS)), *(self._pick() for _ in range(4))
        source = self._program.do("select", self._program.test(name, x, y), no, yes)
        return source, lambda values: (k if TESTS[name](f(values), g(values)) else h)(values)

    def _add_order(self) -> tuple[Any, Step]:
        name, three, do = self._choose(ORDERS), [self._pick() for _ in range(3)], self._program.do
        functions = [function for _, function in three]
        whole = do("move", *(source for source, _ in three), shape=(3,), run=lambda *parts: (np.stack(parts),))
        if name == "reduce_max":
            return do(name, whole, axes=(0,)), lambda values: max(f(values) for f in functions)
        if name == "argmax":
            picked = [self._pick() for _ in range(3)]
            which = do(name, whole, dtype="int64", axes=(0,))
            return do("select", which, *(source for source, _ in picked)), lambda values: picked[
                max(range(3), key=lambda number: (functions[number](values), -number))
            ][1](values)
        place = self._draw.randrange(3)
        ordered = do(name, whole, shape=(3,), axis=0)
        source = do("move", ordered, run=lambda parts: (parts[place],))
        if name == "sort":
            return source, lambda values: sorted(f(values) for f in functions)[place]
        return source, lambda values: max(f(values) for f in functions[: place + 1])


def draft(seed: int, **kind: bool) -> Draft:
    """Return a random program, of a kind that `Draft` has."""
    draw = random.Random(seed)  # noqa: S311 - nothing secret
    found = Draft(draw, **kind)
    for _ in range(draw.randint(3, 8)):
        found.grow()
    return found
