"""How near the structured engine comes to what the machine can do.

The operations of one central difference of everything are counted by XLA in the compiled functions themselves:
floating-point operations and transcendental functions. What the machine can do is measured in the same run: polynomials
evaluated on an array that stays in the cache, on all cores, and the transcendental functions likewise. Counting every
operation at the rate of a polynomial, and nothing for memory or for the dispatch of functions, gives a time that
cannot be beaten without doing fewer operations.

Written with the library's exponential and logarithm, as losses usually are, a pass would need one of each per example,
perturbation and class: that is the limit that the addition theorems of `xcheck.oracle.network.increments` remove.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from rich.table import Table

from benchmarks.suites.scenarios import SCENARIOS
from xcheck import Problem
from xcheck.oracle.engines.network import find_device
from xcheck.oracle.engines.structured import StructuredEngine
from xcheck.oracle.network.forward import float64_on

_NUMBERS = 1 << 14  # 128 KiB for each core and operand
_SWEEPS = 400
_DEGREE = 40


@dataclass(frozen=True, slots=True)
class Rates:
    """What the machine does per second: floating-point operations, and each transcendental function."""

    operations: float
    functions: dict[str, float]


@dataclass(frozen=True, slots=True)
class Limit:
    """One pass of the structured engine. Times in seconds.

    Attributes:
        operations: floating-point operations.
        transcendentals: transcendental functions that are left.
        library: what the pass would take at the least if differences were taken of the library's functions.
        bound: what it takes at the least as it is.
        measured: what it takes.
    """

    operations: float
    transcendentals: float
    library: float
    bound: float
    measured: float


def _rate(function: Callable[[Array], Array], count: float) -> float:
    """Return how many of `count` operations per number are done in a second."""
    x = jnp.linspace(-1.0, 1.0, _NUMBERS)
    # What is added depends on the sweep before, so that no sweep can be left out.
    swept: Any = jax.jit(lambda x: jax.lax.fori_loop(0, _SWEEPS, lambda i, s: s + function(x + 1e-30 * s), x))
    swept(x).block_until_ready()
    seconds = []
    for _ in range(7):
        start = time.perf_counter()
        swept(x).block_until_ready()
        seconds.append(time.perf_counter() - start)
    return count * _NUMBERS * _SWEEPS / min(seconds)


def _polynomial(x: Array) -> Array:
    value = jnp.zeros_like(x)
    for power in range(_DEGREE):
        value = value * x + 1.0 / (power + 1)
    return value


def rates(device: jax.Device) -> Rates:
    """Measure the machine; the best of seven, for a limit."""
    with float64_on(device):
        functions: dict[str, Callable[[Array], Array]] = {
            "exp": jnp.exp,
            "log": lambda x: jnp.log1p(x * x),
            "tanh": jnp.tanh,
        }
        measured = {name: _rate(function, 1.0) for name, function in functions.items()}
        return Rates(_rate(_polynomial, 2.0 * _DEGREE), measured)


def limit(problem: Problem, rates: Rates) -> Limit:
    """Count one pass, and time it: the median of fifteen."""
    engine = StructuredEngine(problem)
    operations, transcendentals = _counted(engine)
    everything, step = np.arange(problem.layout.size), engine.first_step * engine.scale
    seconds = []
    for _ in range(17):
        start = time.perf_counter()
        engine.differences(everything, step, -step)
        seconds.append(time.perf_counter() - start)
    bound = operations / rates.operations + transcendentals / min(rates.functions.values())
    return Limit(operations, transcendentals, _library(problem, rates), bound, statistics.median(seconds[2:]))


def _counted(engine: StructuredEngine) -> tuple[float, float]:
    """Return the floating-point operations and transcendental functions of one pass, as XLA counts them."""
    totals = np.zeros(2)
    widths = engine.problem.network.widths
    for number, (inputs, units) in enumerate(pairwise(widths)):
        size, chunk = (inputs + 1) * units, engine.chunk(number)

        def losses(units: Any, columns: Any, steps: Any, number: int = number) -> Array:
            return engine.propagator.loss_increments(number, 0, units, columns, steps, short=True)

        with float64_on(engine.device):
            place = (np.zeros(chunk, int), np.zeros(chunk, int), np.zeros((2, chunk)))
            cost = jax.jit(losses).lower(*place).compile().cost_analysis()
        totals += np.array([cost.get("flops", 0.0), cost.get("transcendentals", 0.0)]) * size / chunk
    return float(totals[0]), float(totals[1])


def _library(problem: Problem, rates: Rates) -> float:
    """Return the time of the transcendental functions alone in a network of one hidden tanh layer with a softmax."""
    inputs, units, classes = problem.network.widths
    evaluations = 2 * problem.examples
    hidden, outputs = (inputs + 1) * units * evaluations, (units + 1) * classes * evaluations
    tanh = hidden / rates.functions["tanh"]
    exponentials = (hidden + outputs) * classes / rates.functions["exp"]
    return tanh + exponentials + (hidden + outputs) / rates.functions["log"]


def limit_table() -> Table:
    """Return the accounts of the scenario "mnist"."""
    problem = next(scenario for scenario in SCENARIOS if scenario.name == "mnist").problem()
    machine = rates(find_device("cpu"))
    found = limit(problem, machine)
    table = Table(title="structured engine, 784-128-10, one central difference of all 101,770 components")
    table.add_column("")
    table.add_column("", justify="right")
    table.add_row("floating-point operations", f"{found.operations:.3g}")
    table.add_row("transcendental functions", f"{found.transcendentals:.3g}")
    table.add_row("operations per second, polynomials in the cache", f"{machine.operations:.3g}")
    for name, rate in machine.functions.items():
        table.add_row(f"{name} per second", f"{rate:.3g}")
    table.add_row("limit with the library's exp, log and tanh", f"{found.library:.3f} s")
    table.add_row("limit as it is", f"{found.bound:.3f} s")
    table.add_row("measured", f"{found.measured:.3f} s")
    table.add_row("fraction of the limit reached", f"{found.bound / found.measured:.0%}")
    return table
