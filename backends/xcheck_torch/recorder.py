"""Recorder: notes the calls of torch that a program makes with what depends on parameters, and taps the graph there.

A mode of torch sees functions, methods and operators. A person's own `torch.autograd.Function` it does not see: what
`apply` calls is exchanged while the program runs. What a call does inside itself is not looked at.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch._C import _functorch as functorch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from xcheck.trace import Place, UntraceableError
from xcheck_torch.dispatched import NEW
from xcheck_torch.places import at, newest_place
from xcheck_torch.recorded import Recorded, Trial, flatten, floating_outputs, try_out
from xcheck_torch.taps import Graph

# Attributes that are tensors computed from a tensor; all others tell of it.
_PROPERTIES = frozenset({"T", "mT", "H", "mH", "data", "real", "imag"})
# Differentiation inside of a loss: what arrives at the taps is then no longer the cotangent of one call.
_DIFFERENTIATE = (torch.autograd.grad, Tensor.backward)
# The class below `torch.autograd.Function`.
_BELOW: Any = torch.autograd.Function.__mro__[1]
# Namespaces of torch's own operators.
_NAMESPACES = ("aten", "prim", "prims")
# What is done to the tensor itself, which an alias is not.
_UNTOUCHED = frozenset({"requires_grad_", "retain_grad", "register_hook", "__set__", "__delete__", "__deepcopy__"})

# The leaves that an array stands at which a call reads, and the key of its cotangent.
_Read: TypeAlias = tuple[tuple[int, ...], int | None]
# What a call writes, and the key of its cotangent.
_Write: TypeAlias = tuple[Tensor, int]


@dataclass(frozen=True, slots=True, eq=False)
class Noted:
    """A call while the program goes on; keys are those of cotangents, which are not known yet.

    Attributes:
        name: what is called.
        rule: whose backward pass it has.
        place: the person's line.
        recorded: the call itself.
        reads: the leaves that each array stands at which depends on parameters, and its key; None where autograd gives
            it no cotangent.
        writes: what is computed without autograd, and with it, and a key.
        is_repeatable: whether it gives the same once more.
    """

    name: str
    rule: str
    place: Place | None
    recorded: Recorded
    reads: tuple[_Read, ...]
    writes: tuple[tuple[Tensor, Tensor, int], ...]
    is_repeatable: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """A call that was carried out with taps.

    Attributes:
        returned: what it has returned.
        reads: see `Noted`.
        outputs: the floating tensors that it has written.
    """

    returned: Any
    reads: tuple[_Read, ...]
    outputs: tuple[_Write, ...]


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
        name = _name_of(function)
        if self._is_busy or name is None or name in NEW:
            return function(*args, **kwargs)
        rule = "torch.library" if "::" in name else ""
        return self._carry_out(function, name, rule, args, kwargs)

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
            rule = "" if cls.__module__.startswith("torch.") else "autograd.Function"
            return self._carry_out(plain, cls.__name__, rule, args, kwargs)

        before = _BELOW.__dict__.get("apply")
        _BELOW.apply = classmethod(apply)
        try:
            yield
        finally:
            del _BELOW.apply
            if before is not None:
                _BELOW.apply = before

    def _carry_out(
        self, function: Callable[..., Any], name: str, rule: str, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        leaves, layout = flatten(args, dict(kwargs))
        if not any(map(self.depends, leaves)):
            return function(*args, **kwargs)
        self._is_busy = True
        try:
            self._refuse_what_cannot_be_followed(function, name, leaves)
            return self._note(function, name, rule, leaves, layout)
        finally:
            self._is_busy = False

    def _refuse_what_cannot_be_followed(self, function: Any, name: str, leaves: Sequence[Any]) -> None:
        place = newest_place(_BOUNDARY)
        if function in _DIFFERENTIATE:
            raise UntraceableError(f"the loss differentiates by itself{at(place)}")
        if functorch.peek_interpreter_stack() is not None:
            raise UntraceableError(f"`torch.func` transforms what is computed{at(place)}")
        if any(leaf.is_complex() for leaf in leaves if isinstance(leaf, Tensor) and self.depends(leaf)):
            raise UntraceableError(f"`{name}` reads complex numbers{at(place)}")

    def _note(self, function: Callable[..., Any], name: str, rule: str, leaves: Sequence[Any], layout: Any) -> Any:
        call = Recorded(function, (), layout).call
        try:
            trial = try_out(function, leaves, layout)
        except Exception:  # noqa: BLE001 - what fails with copies may be called once only
            return self._marked(call(leaves))
        if not trial.returns_tensors:
            return call(leaves)
        if not trial.outputs:
            return self._marked(call(leaves))
        place = newest_place(_BOUNDARY)
        made = self._tap(trial.recorded, leaves)
        if made.reads:
            self.noted.append(_describe(name, rule, place, trial, made))
        self._marked([made.returned, *(leaves[one] for one in trial.recorded.written)])
        return made.returned

    def _tap(self, recorded: Recorded, leaves: Sequence[Any]) -> _Made:
        """Carry a call out with taps."""
        if not torch.is_grad_enabled():
            return self._tap_without_gradients(recorded, leaves)
        if any(isinstance(leaf, Tensor) and leaf.requires_grad for leaf in leaves):
            return self._tap_in_graph(recorded, leaves)
        return self._tap_beside(recorded, leaves)

    def _tap_in_graph(self, recorded: Recorded, leaves: Sequence[Any]) -> _Made:
        given, reads = list(leaves), []
        for places in self._places_of_reads(leaves):
            if set(places) & set(recorded.written):
                key = self.graph.tap_before_writing(leaves[places[0]])
                if key is not None:
                    reads.append((places, key))
                continue
            tapped, key = self.graph.tap_use(leaves[places[0]])
            reads.append((places, key))
            for place in places:
                given[place] = tapped
        returned = recorded.call(given)
        return _Made(returned, tuple(reads), self._tap_outputs(returned, recorded, leaves))

    def _tap_without_gradients(self, recorded: Recorded, leaves: Sequence[Any]) -> _Made:
        """Carry out what autograd does not see: no cotangent goes on to what it reads."""
        reads: list[_Read] = []
        for places in self._places_of_reads(leaves):
            tensor = leaves[places[0]]
            if not (tensor.requires_grad and set(places) & set(recorded.written)):
                reads.append((places, None))
                continue
            # Autograd takes it for what it was before.
            key = self.graph.tap_before_writing(tensor)
            reads += [] if key is None else [(places, key)]
        returned = recorded.call(leaves)
        return _Made(returned, tuple(reads), self._tap_outputs(returned, recorded, leaves))

    def _tap_beside(self, recorded: Recorded, leaves: Sequence[Any]) -> _Made:
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
        return _Made(returned, tuple(reads), tuple(map(self._tap_output_beside, outputs, copies)))

    def _tap_output_beside(self, tensor: Tensor, copy: Tensor) -> _Write:
        if not copy.requires_grad:
            return tensor, self.graph.tap_output(tensor)
        self.graph.put_beside(tensor, copy)
        return tensor, self.graph.cotangents.watch(copy)

    def _tap_outputs(self, returned: Any, recorded: Recorded, leaves: Sequence[Any]) -> tuple[_Write, ...]:
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


def _name_of(function: Any) -> str | None:
    """Return what people call a function of torch; None where it computes no tensor from one, or is to have its own."""
    name = str(getattr(function, "__name__", ""))
    if name == "__get__":
        attribute = str(function.__self__.__name__)
        return attribute if attribute in _PROPERTIES else None
    if isinstance(function, torch._ops.OpOverload | torch._ops.OpOverloadPacket):  # noqa: SLF001 - they have no public name
        namespace, _, short = str(function).partition(".")
        name = short.split(".")[0]
        return name if namespace in _NAMESPACES else f"{namespace}::{name}"
    if name in _UNTOUCHED:
        return None
    return name.removeprefix("__").removesuffix("__") if name.startswith("__") else name


def _describe(name: str, rule: str, place: Place | None, trial: Trial, made: _Made) -> Noted:
    outputs = [(tensor.detach().clone(), key) for tensor, key in made.outputs]
    plain = trial.outputs
    is_like = [one.shape for one in plain] == [one.shape for one, _ in outputs]
    # Only a rule of one's own may compute something else where it is differentiated.
    is_same = is_like and all(_is_close(one, now) for one, (now, _) in zip(plain, outputs, strict=True))
    is_repeatable = is_like if rule else is_same
    values = plain if is_repeatable else [one for one, _ in outputs]
    writes = tuple((one, now, key) for one, (now, key) in zip(values, outputs, strict=True))
    return Noted(name, rule, place, trial.recorded, made.reads, writes, is_repeatable)


def _is_close(one: Tensor, other: Tensor) -> bool:
    # Half of the digits: far above rounding, far below what is not the same.
    share = float(torch.finfo(one.dtype).eps ** 0.5)
    return torch.allclose(one, other, rtol=share, atol=share, equal_nan=True)
