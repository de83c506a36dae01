"""The catalogue of methods: names and where they live. Nothing is imported before it is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Literal

Kind = Literal["engine", "peer", "command"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One method.

    Attributes:
        name: as in rows; engines of xcheck begin with "xcheck-".
        kind: an engine of xcheck, or a peer.
        path: "module:class" of its `benchmarks.peers.method.Method`.
        summary: what it does.
    """

    name: str
    kind: Kind
    path: str
    summary: str

    @property
    def short(self) -> str:
        """The name on the command line."""
        return self.name.removeprefix("xcheck-")

    def load(self) -> type:
        """Import the class."""
        module, name = self.path.split(":")
        return getattr(import_module(module), name)


ENGINES = (
    Entry("xcheck-loop", "engine", "benchmarks.peers.engines:Loop", "one perturbed network after the other, NumPy"),
    Entry(
        "xcheck-batched", "engine", "benchmarks.peers.engines:Batched", "the whole network, many perturbations at once"
    ),
    Entry("xcheck-structured", "engine", "benchmarks.peers.engines:Structured", "only what a weight changes"),
    Entry("xcheck-node", "engine", "benchmarks.peers.engines:Node", "pre-activations instead of weights"),
)
PEERS = (
    Entry("notes-loop", "peer", "benchmarks.peers.on_numpy:NotesLoop", "the lecture notes' loop, NumPy, ε = 1e-7"),
    Entry("scipy", "peer", "benchmarks.peers.on_numpy:Scipy", "approx_derivative, 3-point; numpy.allclose judges"),
    Entry("numdifftools", "peer", "benchmarks.peers.on_numpy:Numdifftools", "Gradient; numpy.allclose judges"),
    Entry("gradcheck", "peer", "benchmarks.peers.on_torch:Gradcheck", "torch.autograd.gradcheck, slow mode"),
    Entry("gradcheck-fast", "peer", "benchmarks.peers.on_torch:FastGradcheck", "torch.autograd.gradcheck, fast mode"),
    Entry("check-grads", "peer", "benchmarks.peers.on_jax:CheckGrads", "jax.test_util.check_grads, float64, reverse"),
    Entry("vmap", "peer", "benchmarks.peers.on_jax:PlainVmap", "jit(vmap) over all θᵢ; numpy.allclose judges"),
)


def select(entries: Sequence[Entry], names: str, what: str) -> tuple[Entry, ...]:
    """Return the entries named in a list with commas; "all" and "none" are understood.

    Raises:
        ValueError: there is no such entry; the text names those that there are.
    """
    if names == "none":
        return ()
    if names == "all":
        return tuple(entries)
    known = {entry.short: entry for entry in entries}
    asked = [name.strip().removeprefix("xcheck-") for name in names.split(",")]
    unknown = [name for name in asked if name not in known]
    if unknown:
        raise ValueError(f"unknown {what} {', '.join(unknown)}; known: {', '.join(known)}, all, none")
    return tuple(known[name] for name in asked)
