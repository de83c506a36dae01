"""Recorder: notes the calls of torch that a program makes with what depends on parameters, and taps the graph there.

A mode of torch sees functions, methods and operators. A person's own `torch.autograd.Function` it does not see: what
`apply` calls is exchanged while the program runs. What a call does inside itself is not looked at.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch._C import _functorch as functorch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from xcheck.trace import Place, UntraceableError
from xcheck_torch.dispatched import NEW
from xcheck_torch.graph import nodes_below
from xcheck_torch.hooks import MODULE_HOOK, Hook, hooks_of_module, name_of_hook, note_hook, place_of_hook
from xcheck_torch.names import name_of
from xcheck_torch.narrow import EXITS
from xcheck_torch.noted import Made, Noted, Reading, Writing, describe
from xcheck_torch.places import at, newest_place
from xcheck_torch.recorded import Recorded, flatten, floating_outputs, try_out
from xcheck_torch.taps import Graph

# Differentiation inside of a loss: what arrives at the taps is then no longer the cotangent of one call.
_DIFFERENTIATE = (torch.autograd.grad, Tensor.backward)
# By these numbers leave torch, and may come back.
_LEAVE = (*EXITS, Tensor.item, Tensor.__float__)
# The class below `torch.autograd.Function`.
_BELOW: Any = torch.autograd.Function.__mro__[1]


@dataclass(frozen=True, slots=True)
class Named:
    """What a call is called, and whose backward pass it has.

    Attributes:
        name: see `Noted`.
        rule: see `Noted`.
        place: where that is not the newest line of the person's.
    """

    name: str
    rule: str = ""
    place: Place | None = None


class Recorder(TorchFunctionMode):  # type: ignore[misc]  # torch has no types here
    """Notes calls.

    Attributes:
        noted: the calls, in order.
        graph: with taps at all of them.
    """

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        super().__init__()
        self.noted: list[Noted] = []
        self.graph = Graph()
        # Of what depends on parameters: kept, so that nothing else gets their addresses.
        self._storages: dict[int, Any] = {}
        self._is_busy = False
        self._thread = threading.get_ident()
        self._parameters = tuple(tensors)
        self._marked(tensors)

    def record(self, call: Callable[[], Any]) -> Any:
        """Make a call, and return what it returns."""
        with self._functions_seen(), self:
            return call()

    def depends(self, leaf: Any) -> bool:
        """Return whether an argument is a tensor whose numbers depend on parameters."""
        if not isinstance(leaf, Tensor) or leaf.layout is not torch.strided:
            return False
        if functorch.is_functorch_wrapped_tensor(leaf):
            return self.depends(functorch.get_unwrapped(leaf))
        return leaf.untyped_storage()._cdata in self._storages  # noqa: SLF001 - an empty memory has no other address

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call a function, method or operator of torch."""
        kwargs = kwargs or {}
        name = name_of(function)
        if self._is_busy or name is None or name in NEW:
            return function(*args, **kwargs)
        if function is Tensor.register_hook:
            return self._register_hook(*args, **kwargs)
        rule = "torch.library" if "::" in name else ""
        return self._carry_out(function, Named(name, rule), args, kwargs)

    def add_hook(self, tensor: Tensor, hook: Hook, place: Place | None) -> Any:
        """Put a person's hook on a tensor, and note it; return its handle."""
        watched, noted = note_hook(hook, tensor, place, self.graph.cotangents)
        self.noted.append(noted)
        handle = tensor.register_hook(watched)
        self.graph.watch_again(tensor)
        return handle

    def _register_hook(self, tensor: Tensor, hook: Hook) -> Any:
        if not (self.depends(tensor) and tensor.requires_grad):
            return tensor.register_hook(hook)
        return self.add_hook(tensor, hook, newest_place(_BOUNDARY))

    @contextmanager
    def _functions_seen(self) -> Iterator[None]:
        """Let what people call as `MyFunction.apply` come here.

        Many keep that method under a name of their own. So it stays as it is, and what it calls is exchanged: the
        method of the same name of the class below `Function`, which inherits its own.
        """

        def apply(cls: Any, *args: Any, **kwargs: Any) -> Any:
            plain = super(_BELOW, cls).apply
            if self._is_busy or threading.get_ident() != self._thread:
                return plain(*args, **kwargs)
            return self._carry_out(plain, _name_of_rule(cls), args, kwargs)

        before = _BELOW.__dict__.get("apply")
        _BELOW.apply = classmethod(apply)
        try:
            yield
        finally:
            del _BELOW.apply
            if before is not None:
                _BELOW.apply = before

    def _carry_out(
        self, function: Callable[..., Any], named: Named, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        leaves, layout = flatten(args, dict(kwargs))
        self._marked([leaf for leaf in leaves if self._comes_unseen(leaf)])
        if not any(map(self.depends, leaves)):
            return function(*args, **kwargs)
        self._is_busy = True
        try:
            self._refuse_differentiation(function)
            return self._note(function, named, leaves, layout)
        finally:
            self._is_busy = False

    def _comes_unseen(self, leaf: Any) -> bool:
        """Return whether autograd knows that a tensor depends on parameters, and nothing else does, as of a script."""
        if not isinstance(leaf, Tensor) or leaf.grad_fn is None or self.depends(leaf):
            return False
        sources = [getattr(node, "variable", None) for node in nodes_below(leaf)]
        return any(source is one for source in sources for one in (*self._parameters, *self.graph.leaves))

    def _refuse_differentiation(self, function: Any) -> None:
        place = newest_place(_BOUNDARY)
        if function in _DIFFERENTIATE:
            raise UntraceableError(f"the loss differentiates by itself{at(place)}")
        if functorch.peek_interpreter_stack() is not None:
            raise UntraceableError(f"`torch.func` transforms what is computed{at(place)}")

    def _note(self, function: Callable[..., Any], named: Named, leaves: Sequence[Any], layout: Any) -> Any:
        call = Recorded(function, (), layout).call
        try:
            trial = try_out(function, leaves, layout)
        except Exception:  # noqa: BLE001 - what fails with copies may be called once only
            return self._marked(call(leaves))
        if not trial.returns_tensors:
            if function in _LEAVE:
                self.noted.append(self._describe_exit(named.name, trial.recorded, leaves))
            return call(leaves)
        if not trial.outputs:
            return self._marked(call(leaves))
        place = named.place or newest_place(_BOUNDARY)
        _refuse_numbers(named.name, [*filter(self.depends, leaves), *trial.outputs], place)
        made = self._tap(trial.recorded, leaves)
        if made.reads:
            self.noted.append(describe(named.name, named.rule, place, trial, made))
        self._marked([made.returned, *(leaves[one] for one in trial.recorded.written)])
        return made.returned

    def _describe_exit(self, name: str, recorded: Recorded, leaves: Sequence[Any]) -> Noted:
        """Return what is noted where numbers leave torch: autograd does not know what becomes of them."""
        reads = tuple((places, None) for places in self._places_of_reads(leaves))
        return Noted(name, "", newest_place(_BOUNDARY), recorded, reads, (), True, "numbers leave torch here")

    def _tap(self, recorded: Recorded, leaves: Sequence[Any]) -> Made:
        """Carry a call out with taps."""
        if not torch.is_grad_enabled():
            return self._tap_without_gradients(recorded, leaves)
        if any(isinstance(leaf, Tensor) and leaf.requires_grad for leaf in leaves):
            return self._tap_in_graph(recorded, leaves)
        return self._tap_beside(recorded, leaves)

    def _tap_in_graph(self, recorded: Recorded, leaves: Sequence[Any]) -> Made:
        given, reads = list(leaves), []
        storages = {leaves[place].untyped_storage()._cdata for place in recorded.written}  # noqa: SLF001 - see depends
        # What is written into comes last, so that what lies in the same memory is read as it was before.
        for places in sorted(self._places_of_reads(leaves), key=lambda one: bool(set(one) & set(recorded.written))):
            tensor = leaves[places[0]]
            if set(places) & set(recorded.written):
                key = self.graph.tap_before_writing(tensor)
                reads += [] if key is None else [(places, key)]
                continue
            tapped, key = self.graph.tap_use(tensor)
            reads.append((places, key))
            if tensor.untyped_storage()._cdata in storages:  # noqa: SLF001 - see depends
                tapped = tapped.clone()
            for place in places:
                given[place] = tapped
        returned = recorded.call(given)
        return Made(returned, tuple(reads), self._tap_outputs(returned, recorded, leaves))

    def _tap_without_gradients(self, recorded: Recorded, leaves: Sequence[Any]) -> Made:
        """Carry out what autograd does not see: no cotangent goes on to what it reads."""
        reads: list[Reading] = []
        for places in self._places_of_reads(leaves):
            tensor = leaves[places[0]]
            if not (tensor.requires_grad and set(places) & set(recorded.written)):
                reads.append((places, None))
                continue
            # Autograd takes it for what it was before.
            key = self.graph.tap_before_writing(tensor)
            reads += [] if key is None else [(places, key)]
        returned = recorded.call(leaves)
        return Made(returned, tuple(reads), self._tap_outputs(returned, recorded, leaves))

    def _tap_beside(self, recorded: Recorded, leaves: Sequence[Any]) -> Made:
        """Carry out what has no graph because it stands behind a cut, and once more beside the program."""
        given, reads = recorded.fresh_leaves(), []
        for places in self._places_of_reads(leaves):
            tapped, key = self.graph.tap_beside(leaves[places[0]])
            reads.append((places, key))
            for place in places:
                given[place] = tapped
        returned = recorded.call(leaves)
        found = recorded.call_again(given)
        copies = floating_outputs(found, [given[place] for place in recorded.written])
        outputs = floating_outputs(returned, [leaves[place] for place in recorded.written])
        if len(copies) != len(outputs):
            copies = outputs
        return Made(returned, tuple(reads), tuple(map(self._tap_output_beside, outputs, copies)))

    def _tap_output_beside(self, tensor: Tensor, copy: Tensor) -> Writing:
        if not copy.requires_grad:
            return tensor, self.graph.tap_output(tensor)
        self.graph.put_beside(tensor, copy)
        return tensor, self.graph.cotangents.watch(copy)

    def _tap_outputs(self, returned: Any, recorded: Recorded, leaves: Sequence[Any]) -> tuple[Writing, ...]:
        written = [leaves[place] for place in recorded.written]
        return tuple(
            (one, self.graph.tap_output(one, is_written=any(one is other for other in written)))
            for one in floating_outputs(returned, written)
        )

    def _places_of_reads(self, leaves: Sequence[Any]) -> list[tuple[int, ...]]:
        """Return where the floating tensors stand that depend on parameters; one that stands twice is one."""
        places: dict[int, list[int]] = {}
        for place, leaf in enumerate(leaves):
            if self.depends(leaf) and leaf.is_floating_point():
                places.setdefault(id(leaf), []).append(place)
        return [tuple(one) for one in places.values()]

    def _marked(self, returned: Any) -> Any:
        """Return what a call has returned, after noting that its numbers depend on parameters."""
        for leaf in tree_leaves(returned):
            if isinstance(leaf, Tensor):
                if leaf.layout is not torch.strided:
                    raise UntraceableError(f"there is a sparse array{at(newest_place(_BOUNDARY))}")
                storage = leaf.untyped_storage()
                self._storages[storage._cdata] = storage  # noqa: SLF001 - see depends
        return returned


# What has called this is no part of the program.
_BOUNDARY = Recorder.record.__code__


def _refuse_numbers(name: str, tensors: Sequence[Tensor], place: Place | None) -> None:
    if any(one.layout is not torch.strided for one in tensors):
        raise UntraceableError(f"`{name}` makes a sparse array{at(place)}")
    if any(one.is_complex() for one in tensors):
        raise UntraceableError(f"`{name}` computes with complex numbers{at(place)}")


def _name_of_rule(cls: Any) -> Named:
    if cls is MODULE_HOOK:
        hooks = hooks_of_module()
        name = ", ".join(map(name_of_hook, hooks)) or "backward hook"
        return Named(name, "hook", place_of_hook(hooks[0]) if hooks else None)
    return Named(cls.__name__, "" if cls.__module__.startswith("torch.") else "autograd.Function")
