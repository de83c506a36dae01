"""Recorded: a call of a torch function, with what is needed to make it once more for other numbers."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FunctionType
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.utils._pytree import keystr, tree_flatten, tree_flatten_with_path, tree_leaves, tree_unflatten

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
    """

    function: Callable[..., Any]
    leaves: tuple[Any, ...]
    layout: Any
    written: tuple[int, ...] = ()
    states: States = ()

    def run(self, reads: Sequence[Sequence[int]], inputs: Sequence[Tensor]) -> list[Tensor]:
        """Return what it writes, where other tensors stand at the leaves that `reads` names.

        Args:
            reads: the leaves that each input stands at.
            inputs: the tensors.
        """
        given = list(self.leaves)
        for places, tensor in zip(reads, inputs, strict=True):
            for place in places:
                given[place] = tensor
        copied: dict[int, Tensor] = {}
        for place in self.written:
            tensor = given[place]
            given[place] = copied.setdefault(id(tensor), tensor.clone())
        with plainly():
            found = self.call_again(given)
        return floating_outputs(found, [given[place] for place in self.written])

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
    """Make a call with copies of its arguments, without autograd; random numbers are then as before.

    Raises:
        Exception: whatever the function raises.
    """
    copies: dict[int, Tensor] = {}
    with plainly():
        kept = tuple(_copy(leaf, copies) for leaf in leaves)
        before = _states(leaves)
        given: dict[int, Tensor] = {}
        tried = tuple(_copy(leaf, given) for leaf in kept)
        versions = {id(tensor): tensor._version for tensor in given.values()}  # noqa: SLF001 - torch's name for it
        try:
            found = Recorded(function, kept, layout).call(tried)
            after = _states(leaves)
        finally:
            set_states(before)
    written = tuple(
        place
        for place, tensor in enumerate(tried)
        if isinstance(tensor, Tensor) and tensor._version != versions[id(tensor)]  # noqa: SLF001 - see above
    )
    has_drawn = any(not torch.equal(one, other) for (_, one), (_, other) in zip(before, after, strict=True))
    returns = bool(written) or any(isinstance(leaf, Tensor) for leaf in tree_leaves(found))
    outputs = tuple(floating_outputs(found, [tried[place] for place in written]))
    return Trial(Recorded(function, kept, layout, written, before if has_drawn else ()), outputs, returns)


def flatten(args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[list[Any], Any]:
    """Return the leaves of arguments, and their layout."""
    leaves, layout = tree_flatten((tuple(args), kwargs))
    return leaves, layout


def floating_outputs(found: Any, written: Sequence[Tensor]) -> list[Tensor]:
    """Return each floating tensor once among what a call has returned, and what it has written into."""
    tensors = {id(leaf): leaf for leaf in (*tree_leaves(found), *written) if isinstance(leaf, Tensor)}
    return [tensor for tensor in tensors.values() if tensor.is_floating_point() or tensor.is_complex()]


def argument_names(function: Any) -> list[str]:
    """Return how the arguments of a function are called, as far as that is known."""
    own: Any = getattr(function, "__self__", None)
    if inspect.isclass(own) and issubclass(own, torch.autograd.Function):
        rule: Any = own
        names = _signature(rule.forward)
        return names if rule.setup_context is not torch.autograd.Function.setup_context else names[1:]
    if isinstance(function, FunctionType):
        return _signature(function)
    # Methods and functions in C++ have no signature; the operator of that name has. Those of Python are others.
    name = function.__name__
    operator = None if name.startswith("__") else getattr(torch.ops.aten, name, None)
    operator = function if hasattr(function, "_schema") else operator
    if isinstance(operator, torch._ops.OpOverloadPacket):  # noqa: SLF001 - it has no public name
        operator = getattr(operator, operator.overloads()[0])
    return [] if operator is None else [one.name for one in operator._schema.arguments]  # noqa: SLF001 - as above


def _signature(function: Callable[..., Any]) -> list[str]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [name for name, one in inspect.signature(function).parameters.items() if one.kind in kinds]


@contextmanager
def plainly() -> Iterator[None]:
    """Run the body without autograd, and with versions of tensors, which inference mode has none of."""
    with torch.inference_mode(False), torch.no_grad():
        yield


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
