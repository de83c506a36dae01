"""Methods that fail in a known way, and a row that never was."""

from typing import Any

import numpy as np

from benchmarks.measure.rows import Row
from benchmarks.peers.catalogue import Entry
from benchmarks.peers.method import Differences, SkippedError
from xcheck.layout import Vector

ENVIRONMENT: dict[str, Any] = {
    "date": "2026-01-01T00:00:00+00:00",
    "commit": "abc",
    "versions": {"xcheck": "0"},
    "platform": "nowhere",
    "cpu": "none",
    "threads": 2,
    "memory": 1 << 30,
    "device": "cpu",
    "accelerator": None,
    "load": 0.1,
}


class Right(Differences):
    """Finds the right gradient."""

    def estimate(self) -> Vector:
        self.evaluations = 2 * len(self.indices)
        return self.gradient[self.indices]


class Few(Right):
    """Affords few of the components."""

    losses_per_component = 100_000


class Rejecting(Differences):
    """Finds another gradient, and so rejects the right one."""

    def estimate(self) -> Vector:
        return 2 * self.gradient[self.indices]


class Crashing(Differences):
    """Does not survive its first call."""

    def estimate(self) -> Vector:
        raise ZeroDivisionError("on purpose")


class Hanging(Differences):
    """Never answers."""

    def estimate(self) -> Vector:
        while True:
            np.linalg.norm(self.gradient)


class Absent(Right):
    """Takes no part."""

    def __init__(self, *arguments: Any) -> None:
        raise SkippedError("not today")


def entry(kind: type[Differences]) -> Entry:
    """The catalogue's entry of a fake."""
    return Entry(kind.__name__.lower(), "peer", f"tests.benchmarks.fakes:{kind.__name__}", "a fake")


def row(**changes: Any) -> Row:
    """A row of a method on a scenario, with some of it changed."""
    content: dict[str, Any] = {
        "scenario": "small",
        "shape": "5-2",
        "activation": "tanh",
        "parameters": 12,
        "examples": 4,
        "method": "scipy",
        "kind": "peer",
        "valid": True,
        "verdict": "agree",
        "samples": (1.0, 2.0, 3.0, 4.0),
        "evaluations": 72,
        "losses_per_pass": 24,
        "faults": {"W2 x 2": True, "b1 x 4": False},
        "environment": ENVIRONMENT,
    }
    return Row(**{**content, **changes})
