"""The table of nodes: whole checks by nodes of functions of JAX, beside all components by one vmap.

*vmap* is what one central difference of every component would take by `jax.vmap` over θ, 16 components at a time,
extrapolated from the second batch: two losses for each component, and no error bar.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import click
import numpy as np
from rich.table import Table

from benchmarks.publish.console import wide_console
from benchmarks.suites.node_models import MODELS, Model
from xcheck import check

_AT_A_TIME = 16


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one model.

    Attributes:
        name: of the model.
        parameters: n.
        engine: what the oracle says of its engine.
        losses: that it evaluated, through the whole function or through what follows a node.
        oracle_seconds: of the oracle, compiling included.
        seconds: of the whole check.
        vmap_seconds: see the module.
        verdict: of the check.
        verified: components that were verified.
    """

    name: str
    parameters: int
    engine: str
    losses: int
    oracle_seconds: float
    seconds: float
    vmap_seconds: float
    verdict: str
    verified: int


def measure_nodes(models: Mapping[str, Model]) -> Iterator[Outcome]:
    """Yield what comes of a check of every model."""
    for name, model in models.items():
        loss, params = model.draw()
        start = time.perf_counter()
        report = check(loss, params, backend="jax", scope="all")
        seconds = time.perf_counter() - start
        yield Outcome(
            name=name,
            parameters=report.parameters,
            engine=report.oracle.engine,
            losses=report.oracle.evaluations,
            oracle_seconds=report.oracle.seconds,
            seconds=seconds,
            vmap_seconds=vmap_seconds(loss, params),
            verdict=report.verdict.name,
            verified=report.verified,
        )


def vmap_seconds(loss: Callable[[Any], Any], params: Any) -> float:
    """Return the seconds for one central difference of every component, extrapolated; see the module."""
    import jax
    from jax.flatten_util import ravel_pytree

    with jax.enable_x64(True):
        theta, whole = ravel_pytree(jax.tree.map(np.asarray, params))

        def difference(place: Any) -> Any:
            step = 1e-4
            return (loss(whole(theta.at[place].add(step))) - loss(whole(theta.at[place].add(-step)))) / (2 * step)

        run, seconds = jax.jit(jax.vmap(difference)), 0.0
        for first in (0, _AT_A_TIME):
            start = time.perf_counter()
            run(np.arange(first, first + _AT_A_TIME)).block_until_ready()
            seconds = time.perf_counter() - start
    return seconds * theta.size / _AT_A_TIME


def node_table(outcomes: list[Outcome]) -> Table:
    """Return one line for each model."""
    table = Table("model", "n", "verdict", "verified", "losses", "oracle", "check", "vmap", "engine", title="nodes")
    for one in outcomes:
        times = (f"{seconds:.1f} s" for seconds in (one.oracle_seconds, one.seconds, one.vmap_seconds))
        counts = (f"{count:,}" for count in (one.verified, one.losses))
        table.add_row(one.name, f"{one.parameters:,}", one.verdict, *counts, *times, one.engine)
    return table


@click.command(name="nodes")
@click.option("--model", type=click.Choice(list(MODELS)), multiple=True, help="By default all.")
def nodes_command(model: tuple[str, ...]) -> None:
    """Every parameter of a network in JAX: seconds and losses by nodes, and by one vmap over the components."""
    chosen = {name: MODELS[name] for name in model or MODELS}
    wide_console().print(node_table(list(measure_nodes(chosen))))
