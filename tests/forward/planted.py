"""Differences planted in one line of one of two programs, and what is named."""

import linecache
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from tests.forward.plants import PLANTS, Plant
from tests.forward.programs import DRAWS, PROGRAMS
from xcheck import objective
from xcheck.checks.functions.implementations import arguments_for, implementations_from
from xcheck.diagnose.parting import operation_parting
from xcheck.findings import Finding
from xcheck.trace.flow import Flow, flow_of

FRAMEWORKS = tuple(PROGRAMS)


# A tag behind a line.
_TAG = re.compile(r"@(\w+)")


@dataclass(frozen=True)
class Trial:
    """A plant in one of two frameworks.

    Attributes:
        plant: what is planted; None for nothing.
        network: its name.
        planted: the framework that it is planted in.
        beside: the other one.
    """

    plant: Plant | None
    network: str
    planted: str
    beside: str

    def __str__(self) -> str:
        what = "nothing" if self.plant is None else self.plant.name
        return f"{self.network}, {what}, {self.planted} beside {self.beside}"

    def run(self) -> tuple[list[Finding], dict[str, set[int]]]:
        """Return what is found, and the lines of each side that are right."""
        findings = operation_parting(
            (self.planted, self.beside),
            [
                partial(flow_in, self.network, self.planted, self.plant),
                partial(flow_in, self.network, self.beside, None),
            ],
        )
        tags = () if self.plant is None else (self.plant.tag, *self.plant.also)
        return findings, {side: lines_of(self.network, side, tags) for side in (self.planted, self.beside)}

    def score(self) -> str:
        """Return "right", "half" where one line is not, "wrong" where both are not, or "unnamed"."""
        findings, lines = self.run()
        if not findings or findings[0].where is None or findings[0].beside is None:
            return "right" if self.plant is None and not findings else "unnamed"
        named = findings[0].where.line in lines[self.planted], findings[0].beside.line in lines[self.beside]
        return "right" if all(named) else "half" if any(named) else "wrong"


def trials() -> Iterator[Trial]:
    """Yield every plant in every framework beside every other one."""
    for plant in PLANTS:
        for planted in FRAMEWORKS:
            yield from (Trial(plant, plant.network, planted, beside) for beside in FRAMEWORKS if beside != planted)


def equal_pairs() -> Iterator[Trial]:
    """Yield every network in every pair of frameworks, without any difference."""
    for network in DRAWS:
        for number, one in enumerate(FRAMEWORKS):
            yield from (Trial(None, network, one, beside) for beside in FRAMEWORKS[number + 1 :])


def source_of(network: str, framework: str, plant: Plant | None) -> str:
    """Return a program, with a difference in it."""
    lines = PROGRAMS[framework][network].splitlines(keepends=True)
    if plant is None:
        return "".join(lines)
    old, new = plant.edit(framework)
    number = next(number for number, line in enumerate(lines) if line.endswith(f"# @{plant.tag}\n") and old in line)
    lines[number] = lines[number].replace(old, new, 1)
    return "".join(lines)


def lines_of(network: str, framework: str, tags: tuple[str, ...]) -> set[int]:
    """Return the numbers of the lines that have one of some tags."""
    lines = PROGRAMS[framework][network].splitlines()
    return {number for number, line in enumerate(lines, 1) if not set(tags).isdisjoint(_TAG.findall(line))}


def loss_of(network: str, framework: str, plant: Plant | None = None) -> Any:
    """Return the loss that a program defines."""
    source = source_of(network, framework, plant)
    file = f"/planted/{network}_in_{framework}{'' if plant is None else '_' + plant.name.replace(' ', '_')}.py"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {}
    exec(compile(source, file, "exec"), namespace)  # noqa: S102 - the programs of this folder
    return namespace["loss"]


def objective_of(network: str, framework: str, plant: Plant | None = None) -> Any:
    """Return the loss for `xcheck.check`; NumPy has no gradient, and is not asked for it."""
    loss = loss_of(network, framework, plant)
    gradient = (
        (lambda params, *data: {name: np.zeros_like(x) for name, x in params.items()}) if framework == "numpy" else None
    )
    return objective(loss, framework, gradient=gradient)


def flow_in(network: str, framework: str, plant: Plant | None) -> Flow:
    """Return the forward pass of a program."""
    return _right_flow(network, framework) if plant is None else _flow(network, framework, plant)


@cache
def _right_flow(network: str, framework: str) -> Flow:
    return _flow(network, framework, None)


def _flow(network: str, framework: str, plant: Plant | None) -> Flow:
    params, data = DRAWS[network]()
    implementations = implementations_from({"own": objective_of(network, framework, plant)}, params)
    arguments = arguments_for(params, data, implementations)
    function = implementations[0].objective(arguments, device="cpu", wide=True)
    return flow_of(
        function.trace(), function.traced_arrays(arguments.theta), list(function.parameters.naming.canonical)
    )
