"""Bisection: planted errors among a hundred thousand components, found by `xcheck.check(..., scope="directions")`.

A network 784-128-10 with a softmax, by hand in NumPy, whose backward pass is given errors in one to three components
anywhere: as large as the typical component (its root mean square) to ten times that, and a hundred times smaller. Found
means that exactly these components are named, with their errors to a thousandth. Losses are all that the check takes.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from rich.table import Table

import xcheck
from xcheck.layout import Layout, Vector
from xcheck.oracle.engines.lines import DIRECTIONS

WIDTHS, EXAMPLES = (784, 128, 10), 16
_SIZES = {"1 to 10": 1.0, "0.01 to 0.1": 0.01}
_HUGE = "benchmarks.suites.bisection_memory"


@dataclass(frozen=True, slots=True)
class Network:
    """One network with its data: loss and gradient of a dict of arrays."""

    params: dict[str, Any]
    x: Vector
    y: Any
    relu: bool

    @classmethod
    def drawn(cls, seed: int, *, relu: bool) -> "Network":
        """Return a network with He weights, small biases and random data."""
        rng, (inputs, units, classes) = np.random.default_rng(seed), WIDTHS
        params = {
            "W1": rng.standard_normal((units, inputs)) * np.sqrt(2 / inputs),
            "b1": rng.standard_normal(units) / 100,
            "W2": rng.standard_normal((classes, units)) * np.sqrt(2 / units),
            "b2": rng.standard_normal(classes) / 100,
        }
        return cls(params, rng.random((inputs, EXAMPLES)), rng.integers(classes, size=EXAMPLES), relu)

    def _forward(self, p: dict[str, Any]) -> tuple[Any, Any, Any]:
        z = p["W1"] @ self.x + p["b1"][:, None]
        a = np.maximum(z, 0) if self.relu else np.tanh(z)
        logits = p["W2"] @ a + p["b2"][:, None]
        logits = logits - logits.max(0)
        return z, a, logits - np.log(np.exp(logits).sum(0))

    def loss(self, p: dict[str, Any]) -> float:
        """Return the mean cross-entropy."""
        return -float(self._forward(p)[2][self.y, np.arange(EXAMPLES)].mean())

    def gradient(self, p: dict[str, Any]) -> dict[str, Any]:
        """Return its gradient."""
        z, a, log_p = self._forward(p)
        delta2 = np.exp(log_p)
        delta2[self.y, np.arange(EXAMPLES)] -= 1
        delta2 /= EXAMPLES
        delta1 = (p["W2"].T @ delta2) * ((z > 0) if self.relu else 1 - a**2)
        return {"W1": delta1 @ self.x.T, "b1": delta1.sum(1), "W2": delta2 @ a.T, "b2": delta2.sum(1)}


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one check: whether everything planted was named and nothing else, and the losses."""

    good: bool
    losses: int


def trial(network: Network, seed: int, count: int, size: float) -> Trial:
    """Plant errors, and check."""
    layout = Layout.of({name: array.shape for name, array in network.params.items()})
    flat, rng = layout.flatten(network.gradient(network.params)), np.random.default_rng([seed, count])
    places = rng.choice(layout.size, count, replace=False)
    errors = rng.choice([-1, 1], count) * size * 10 ** rng.uniform(0, 1, count) * np.sqrt(np.mean(flat**2))

    def faulty(p: dict[str, Any]) -> dict[str, Any]:
        spoiled = layout.flatten(network.gradient(p))
        spoiled[places] += errors
        return layout.unflatten(spoiled)

    report = xcheck.check(
        network.loss, network.params, gradient=faulty, backend="numpy", scope="directions", seed=seed, worst=20
    )
    named = {one.location.flat: one.a - one.b for one in report.pairs[0].worst if one.location.name != DIRECTIONS}
    planted = dict(zip(places.tolist(), errors, strict=True))
    exact = not count or (
        named.keys() == planted.keys() and all(abs(named[i] / planted[i] - 1) < 1e-3 for i in planted)
    )
    return Trial(exact and report.ok is (count == 0), report.oracle.evaluations)


def rows(seeds: int, tell: Callable[[str], None]) -> Iterator[tuple[str, ...]]:
    """Yield activation, planted, their size, how many checks were right, and the losses: median and most."""
    for relu in (False, True):
        name = "relu" if relu else "tanh"
        plans = [(0, "", 0.0), *((count, text, size) for text, size in _SIZES.items() for count in (1, 2, 3))]
        for count, text, size in plans:
            tell(f"{name}: {count} planted {text}")
            trials = [trial(Network.drawn(seed, relu=relu), seed, count, size) for seed in range(seeds)]
            losses = [one.losses for one in trials]
            good = sum(one.good for one in trials)
            yield name, str(count), text, f"{good} of {seeds}", f"{median(losses):g}", str(max(losses))


def bisection_table(seeds: int, tell: Callable[[str], None]) -> Table:
    """Return one line per activation, number and size."""
    table = Table(title="784-128-10, 101,770 components, scope=directions", title_justify="left")
    for heading in ("activation", "planted", "x typical", "right", "losses, median", "most"):
        table.add_column(heading, justify="right")
    for line in rows(seeds, tell):
        table.add_row(*line)
    return table


def huge() -> list[str]:
    """Return what checks of 10⁷ parameters in JAX take, each in a process of its own."""
    lines = []
    for kind in ("right", "wrong"):
        done = subprocess.run([sys.executable, "-m", _HUGE, kind], capture_output=True, text=True, check=True)
        lines.append(done.stdout.strip())
    return lines
