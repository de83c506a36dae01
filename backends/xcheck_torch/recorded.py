"""Recorded: a call of a torch function, with what is needed to make it once more for other numbers."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.utils._pytree import keystr, tree_flatten, tree_flatten_with_path, tree_leaves, tree_unflatten

from xcheck_torch.names import argument_names

# What random numbers are drawn from, each with the state that it had.
States: TypeAlias = Sequence[tuple[torch.Generator, Tensor]]


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """A call of a function.

    Attributes:
        function: what is called.
        leaves: copies of its arguments as they were, flat.
        layout: how the arguments lie in the tree of places and names.
        written: at which leaves tensors stand that it writes into.
        states: of what it draws random numbers from; empty where it draws none.
        needs_graph: whether it fails unless gradients are asked for.
    """

    function: Callable[..., Any]
    leaves: tuple[Any, ...]
    layout: Any
    written: tuple[int, ...] = ()
    states: States = ()
    needs_graph: bool = False

    def run(self, reads: Sequence[Sequence[int]], inputs: Sequence[Tensor]) -> list[Tensor]:
        """Return what it writes, where other tensors stand at the leaves that `reads` names.

        Args:
            reads: the leaves that each input stands at.
            inputs: the tensors.
        """
        given = self.put(reads, [_ask_for_gradient(one) for one in inputs] if self.needs_graph else inputs)
        copied: dict[int, Tensor] = {}
        for place in self.written:
            tensor = given[place]
            given[place] = copied.setdefault(id(tensor), tensor.clone())
        with _surroundings(needs_graph=self.needs_graph):
            found = self.call_again(given)
        return floating_outputs(found, [given[place] for place in self.written])

    def put(self, reads: Sequence[Sequence[int]], inputs: Sequence[Tensor]) -> list[Any]:
        """Return its leaves with other tensors in their places; see `run`."""
        given = list(self.leaves)
        for places, tensor in zip(reads, inputs, strict=True):
            for place in places:
                given[place] = tensor
        return given

    def name_of(self, place: int) -> str:
        """Return what the argument at a leaf is called, such as "weight", or "2[0]" in a list."""
        path = tree_flatten_with_path(tree_unflatten(list(self.leaves), self.layout))[0][place][0]
        kind, argument, *rest = path
        names = argument_names(self.function) if kind.idx == 0 else []
        number = argument.idx if kind.idx == 0 else 0
        name = names[number] if number < len(names) else str(number)
        return (name if kind.idx == 0 else str(argument.key)) + keystr(tuple(rest))

    def fresh_leaves(self) -> list[Any]:
        """Return copies of its arguments, which may be written into."""
        copies: dict[int, Tensor] = {}
        return [_copy(leaf, copies) for leaf in self.leaves]

    def call_again(self, leaves: Sequence[Any]) -> Any:
        """Call the function with other leaves and the same random numbers; what is drawn later is as before."""
        before = [(generator, generator.get_state()) for generator, _ in self.states]
        set_states(self.states)
        try:
            return self.call(leaves)
        finally:
            set_states(before)

    def call(self, leaves: Sequence[Any]) -> Any:
        """Call the function with other leaves, in the same places."""
        args, kwargs = tree_unflatten(list(leaves), self.layout)
        return self.function(*args, **kwargs)


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What a call does, found by making it with copies.

    Attributes:
        recorded: the call.
        outputs: what it writes.
        returns_tensors: whether there are tensors among what it returns, or it writes into one.
    """

    recorded: Recorded
    outputs: tuple[Tensor, ...]
    returns_tensors: bool


def try_out(function: Callable[..., Any], leaves: Sequence[Any], layout: Any) -> Trial:
    """Make a call with copies of its arguments, if it can be without autograd; random numbers are then as before.

    Raises:
        Exception: whatever the function raises.
    """
    try:
        return _try_out(function, leaves, layout, needs_graph=False)
    except Exception:  # a function may be made for training alone
        if not any(isinstance(leaf, Tensor) and leaf.requires_grad for leaf in leaves):
            raise
        return _try_out(function, leaves, layout, needs_graph=True)


def _try_out(function: Callable[..., Any], leaves: Sequence[Any], layout: Any, *, needs_graph: bool) -> Trial:
    copies: dict[int, Tensor] = {}
    given: dict[int, Tensor] = {}
    with _surroundings(needs_graph=needs_graph):
        kept = tuple(_copy(leaf, copies) for leaf in leaves)
        before = _states(leaves)
        tried = [_copy(leaf, given) for leaf in kept]
        if needs_graph:
            asking = {id(leaf): _ask_for_gradient(leaf) for leaf in leaves if getattr(leaf, "requires_grad", False)}
            tried = [asking.get(id(leaf), one) for leaf, one in zip(leaves, tried, strict=True)]
        versions = [_version(one) for one in tried]
        try:
            found = Recorded(function, kept, layout).call(tried)
            after = _states(leaves)
        finally:
            set_states(before)
    written = tuple(place for place, one in enumerate(tried) if _version(one) != versions[place])
    has_drawn = any(not torch.equal(one, other) for (_, one), (_, other) in zip(before, after, strict=True))
    recorded = Recorded(function, kept, layout, written, before if has_drawn else (), needs_graph)
    outputs = tuple(one.detach() for one in floating_outputs(found, [tried[place] for place in written]))
    returns_tensors = bool(written) or any(isinstance(leaf, Tensor) for leaf in tree_leaves(found))
    return Trial(recorded, outputs, returns_tensors)


def flatten(args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[list[Any], Any]:
    """Return the leaves of arguments, and their layout."""
    leaves, layout = tree_flatten((tuple(args), kwargs))
    return leaves, layout


def floating_outputs(found: Any, written: Sequence[Tensor]) -> list[Tensor]:
    """Return each floating tensor once among what a call has returned, and what it has written into."""
    tensors = {id(leaf): leaf for leaf in (*tree_leaves(found), *written) if isinstance(leaf, Tensor)}
    return [tensor for tensor in tensors.values() if tensor.is_floating_point() or tensor.is_complex()]


@contextmanager
def _surroundings(*, needs_graph: bool) -> Iterator[None]:
    """Run the body without autograd unless it is needed, and with versions of tensors, which inference mode has not."""
    with torch.inference_mode(False), torch.set_grad_enabled(needs_graph):
        yield


def _version(leaf: Any) -> int:
    return leaf._version if isinstance(leaf, Tensor) else 0  # noqa: SLF001 - torch's name for it


def _ask_for_gradient(tensor: Tensor) -> Tensor:
    """Return a copy that asks for a gradient, and that may be written into."""
    with torch.enable_grad():
        return tensor.detach().requires_grad_().clone()


def set_states(states: States) -> None:
    """Set generators back to states."""
    for generator, state in states:
        generator.set_state(state)


def _states(leaves: Sequence[Any]) -> States:
    own = [leaf for leaf in leaves if isinstance(leaf, torch.Generator)]
    cuda = torch.cuda.default_generators if torch.cuda.is_initialized() else ()
    return [(generator, generator.get_state()) for generator in (torch.default_generator, *cuda, *own)]


def _copy(leaf: Any, copies: dict[int, Tensor]) -> Any:
    """Return a copy of a leaf if it is a tensor, of one tensor always the same copy."""
    if not isinstance(leaf, Tensor):
        return leaf
    if id(leaf) not in copies:
        copies[id(leaf)] = leaf.detach().clone()
    return copies[id(leaf)]
