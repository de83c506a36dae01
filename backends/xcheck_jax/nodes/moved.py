"""The nodes of a loss in JAX, moved one by one in what follows them; see `xcheck.trace.nodes`."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from xcheck.backend.contract import wrap_errors
from xcheck.layout import Vector
from xcheck.trace import Nodes, Site, UntraceableError
from xcheck_jax.nodes.program import FlatProgram, flat_program
from xcheck_jax.nodes.region import LinearRegion
from xcheck_jax.nodes.segments import Segments
from xcheck_jax.nodes.work import Work
from xcheck_jax.settings import own_settings

# The program that computes all that precedes the nodes runs once: it is compiled without optimisation.
_ONCE: Mapping[str, Any] = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
# Slopes that are pulled back at a time, each with the memory of a gradient: a guess.
_ROWS = 8


class JaxNodes(Nodes):
    """The nodes of a program.

    Args:
        closed: a ClosedJaxpr of the loss, of parameters in float64.
        parameters: at θ, in its order, by name.
        flat: gradients by name -> one vector, shape (n,).
        device: where it runs.

    Raises:
        UntraceableError: it holds what is not followed here, or no parameter acts on nodes that are fewer than itself.
    """

    def __init__(
        self,
        closed: Any,
        parameters: Mapping[str, Any],
        flat: Callable[[Mapping[str, Any]], Vector],
        device: jax.Device,
    ) -> None:
        program = flat_program(closed)
        _require_wide(program)
        self._flat, self._device, self._names = flat, device, list(parameters)
        work = Work(program)
        self._region = LinearRegion.cheapest(program, work.price)
        if not self._region.cut:
            raise UntraceableError("no parameter acts on fewer values than it has components")
        self._segments = Segments(program, self._region.cut)
        self.work = sum(map(work.price, self._region.cut))
        self.sites = tuple(_site(program, number) for number in self._region.cut)
        self._ends = np.cumsum([int(np.prod(site.shape, dtype=np.int64)) for site in self.sites])
        with own_settings(device):
            self._known = _values_at(
                program, list(parameters.values()), self._segments.needed | {*self._region.operands}
            )
            self.covered = self._flatten([np.ones(program.shape(number)) for number in self._region.parameters]) > 0
            self.values = np.concatenate([np.asarray(self._known[number]).ravel() for number in self._region.cut])

    @property
    def width(self) -> int:
        """How many losses are evaluated at a time."""
        return self._segments.width

    def losses(self, nodes: NDArray[np.intp], moves: Vector) -> Vector:
        """Return J with one node moved each, in batches of `width`."""
        found = np.empty(len(moves))
        site = int(np.searchsorted(self._ends, nodes[0], side="right"))
        start = 0 if site == 0 else int(self._ends[site - 1])
        number, shape = self._region.cut[site], self.sites[site].shape
        size = int(self._ends[site]) - start
        with wrap_errors("jax"), own_settings(self._device):
            for first in range(0, len(moves), self.width):
                rows = slice(first, min(first + self.width, len(moves)))
                # Repetitions fill up a short batch, so that there is one compilation.
                places, steps = np.resize(nodes[rows] - start, self.width), np.resize(moves[rows], self.width)
                moved = _one_each(places, steps, size).reshape(self.width, *shape)
                losses = self._segments.losses(self._known, number, moved)
                found[rows] = np.asarray(losses).reshape(self.width)[: rows.stop - first]
                self.passes += rows.stop - first
        return found

    def pull(self, slopes: Vector) -> Vector:
        """Return Aᵀ of slopes along all nodes, some rows at a time."""
        rows = np.reshape(slopes, (-1, len(self.values)))
        found = [self._pull(rows[first : first + _ROWS], self._operands, -1.0) for first in range(0, len(rows), _ROWS)]
        return np.concatenate(found).reshape((*np.shape(slopes)[:-1], -1))

    def pull_sizes(self, sizes: Vector) -> Vector:
        """Return the product of the |A|ᵀ of all operations on the way."""
        arrays = self._operands.items()
        operands = {number: np.abs(array) if array.dtype == np.float64 else array for number, array in arrays}
        return np.asarray(self._pull(sizes[None], operands, 1.0)[0])

    @property
    def _operands(self) -> dict[int, Any]:
        # As arrays of NumPy, that those of all kinds are the same to a compiled program.
        return {number: np.asarray(self._known[number]) for number in self._region.operands}

    @cached_property
    def _pulling(self) -> Callable[..., list[Any]]:
        """Return (slopes along all nodes, operands, what stands for −1) -> those of the parameters, in rows."""

        def pull(row: Any, operands: Mapping[int, Any], minus: Any) -> list[Any]:
            parts = jnp.split(row, self._ends[:-1])
            slopes = [part.reshape(site.shape) for part, site in zip(parts, self.sites, strict=True)]
            return self._region.pull(operands, slopes, minus)

        return jax.jit(jax.vmap(pull, (0, None, None)), compiler_options=_options(self._device))

    def _pull(self, rows: Vector, operands: Mapping[int, Any], minus: float) -> Vector:
        with wrap_errors("jax"), own_settings(self._device):
            # Zeros fill up what is short, so that there is one compilation.
            filled = np.concatenate([rows, np.zeros((_ROWS - len(rows), rows.shape[1]))])
            pulled = [np.asarray(part) for part in self._pulling(filled, operands, minus)]
        return np.stack([self._flatten([part[row] for part in pulled]) for row in range(len(rows))])

    def _flatten(self, parts: Sequence[Any]) -> Vector:
        """Return what belongs to the parameters of the region as one vector, 0 for the others."""
        known = dict(zip(self._region.parameters, parts, strict=True))
        named = zip(self._names, self._segments.program.inputs, strict=True)
        return self._flat({name: known.get(number) for name, number in named})


def _site(program: FlatProgram, number: int) -> Site:
    step = next(step for step in program.steps if number in step.outputs)
    return Site(step.name, program.shape(number), step.place)


def _require_wide(program: FlatProgram) -> None:
    """Refuse what is computed in fewer than 64 bits, where moves would be rounded, or is complex."""
    for step in program.steps:
        for number in step.outputs:
            dtype = program.avals[number].dtype
            if jnp.issubdtype(dtype, jnp.inexact) and dtype != np.float64:
                raise UntraceableError(f"`{step.name}` computes in {dtype}")


def _values_at(program: FlatProgram, parameters: Sequence[Any], needed: frozenset[int]) -> dict[int, Any]:
    """Return values at θ by number."""
    held = {**program.constants, **{number: jnp.asarray(value) for number, value in program.literals.items()}}
    made = sorted({output for step in program.steps for output in step.outputs} & needed)

    def run(parameters: Sequence[Any], constants: Mapping[int, Any]) -> list[Any]:
        known = {**program.literals, **constants, **dict(zip(program.inputs, parameters, strict=True))}
        for step in program.steps:
            known.update(zip(step.outputs, step.run(*[known[each] for each in step.inputs]), strict=True))
        return [known[number] for number in made]

    device = next((each.device for each in parameters if isinstance(each, jax.Array)), jax.devices()[0])
    found = jax.jit(run, compiler_options=_options(device))(parameters, dict(program.constants))
    return {**held, **dict(zip(program.inputs, parameters, strict=True)), **dict(zip(made, found, strict=True))}


def _options(device: Any) -> Mapping[str, Any] | None:
    return dict(_ONCE) if device.platform == "cpu" else None


def _one_each(places: Any, steps: Vector, size: int) -> Any:
    """Return rows of zeros with one step in each, shape (k, size)."""
    moved = np.zeros((len(places), size))
    moved[np.arange(len(places)), places] = steps
    return jnp.asarray(moved)
