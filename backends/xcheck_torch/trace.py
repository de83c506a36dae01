"""What torch does in one call of a loss, in the words of `xcheck.trace`.

A mode below autograd sees every operation that is dispatched: those of a person's own `autograd.Function` as its
forward is written, those of torch's backward where the gradient is traced. What depends on no parameter is not part of
the trace, whatever it does; there a program may look at its numbers.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch._decomp import decomposition_table
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

from xcheck.errors import quote
from xcheck.trace import Constant, Operation, Place, Trace, UntraceableError, Value
from xcheck.trace.model import Source
from xcheck.trace.parts import in_real_parts
from xcheck_torch.dispatched import Dispatched
from xcheck_torch.lowering import Builder, Call, lower, lowering_of
from xcheck_torch.lowering.arrays import name_of, to_array
from xcheck_torch.modes import eager
from xcheck_torch.narrow import EXITS
from xcheck_torch.places import at, newest_place
from xcheck_torch.storages import Storages


def trace_of(call: Callable[[], Sequence[Tensor]], tensors: Sequence[Tensor]) -> Trace:
    """Return the operations between tensors and what a call returns, complex numbers as pairs of real ones.

    Args:
        call: is made once.
        tensors: the inputs, which it reads.

    Raises:
        UntraceableError: the program depends on numbers that are only known where it runs, or leaves torch.
    """
    recorder = _Recorder()
    inputs = [recorder.take(tensor) for tensor in tensors]
    with eager(), sdpa_kernel(SDPBackend.MATH):
        outputs = recorder.record(call)
    operations = _used(recorder.builder.operations, outputs)
    return in_real_parts(Trace(inputs=tuple(inputs), outputs=tuple(outputs), operations=operations))


def _used(operations: Sequence[Operation], outputs: Sequence[Source]) -> tuple[Operation, ...]:
    """Return the operations on which outputs depend, and the guards: by them the program went this way."""
    needed, found = {id(output) for output in outputs}, []
    for operation in reversed(operations):
        if not operation.outputs or any(id(value) in needed for value in operation.outputs):
            found.append(operation)
            needed.update(id(source) for source in operation.inputs)
    return tuple(reversed(found))


def _same(one: Any, other: Any) -> bool:
    """Return whether a decomposition gives what the operation does: some of torch's compute something else."""
    ours, theirs = tree_leaves(one), tree_leaves(other)
    pairs = [pair for pair in zip(ours, theirs, strict=False) if all(isinstance(part, Tensor) for part in pair)]
    return len(ours) == len(theirs) and all(_close(x, y) for x, y in pairs if x.is_floating_point() or x.is_complex())


def _close(x: Tensor, y: Tensor) -> bool:
    # Half of the digits: far above rounding, far below any mistake in a formula.
    share = float(torch.finfo(x.dtype).eps ** 0.5)
    return x.shape == y.shape and torch.allclose(x, y.to(x.dtype), rtol=share, atol=share, equal_nan=True)


class _Exits(TorchFunctionMode):  # type: ignore[misc]  # torch has no types here
    """Refuses that numbers leave torch that depend on parameters."""

    def __init__(self, recorder: "_Recorder") -> None:
        super().__init__()
        self._recorder = recorder

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call a function."""
        if function in EXITS and not self._recorder.is_busy and self._recorder.storages.depends(args[0]):
            name = getattr(function, "__name__", "a method").strip("_")
            raise UntraceableError(f"numbers leave torch by `{name}`{at(newest_place(_BOUNDARY))}")
        return function(*args, **(kwargs or {}))


class _Recorder(TorchDispatchMode):  # type: ignore[misc]  # torch has no types here
    """Notes the operations on what depends on parameters.

    Attributes:
        builder: takes the operations.
        storages: which value each tensor has.
        is_busy: whether it is at work itself.
    """

    def __init__(self) -> None:
        super().__init__()
        self.builder = Builder()
        self.storages = Storages(self.builder)
        self.is_busy = False
        self._is_inside = False  # whether an operation is being taken apart into others of torch
        # The person's line of each node of autograd's graph, by the number that torch gives it.
        self._places: dict[int, Place] = {}

    def take(self, tensor: Tensor) -> Value:
        """Return the value that a tensor is from now on: an input."""
        value = Value(tuple(tensor.shape), name_of(tensor.dtype))
        self.storages.put(tensor, value)
        return value

    def record(self, call: Callable[[], Sequence[Tensor]]) -> list[Source]:
        """Make a call, and return the values of what it returns."""
        try:
            with _Exits(self), self:
                found = call()
        except UntraceableError:
            raise
        except Exception as error:  # the loss was computed before: whatever fails now, fails for tracing
            raise UntraceableError(f"it cannot be traced: {quote(error)}") from error
        return [self.storages.read(tensor) for tensor in found]

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Carry an operation out, and note it."""
        before, self.is_busy = self.is_busy, True
        try:
            return self._carry_out(Dispatched(function, args, kwargs or {}))
        finally:
            self.is_busy = before

    def _carry_out(self, operation: Dispatched) -> Any:
        if not self._is_inside:
            self._look_around(operation)
        # Of tensors without memory torch asks for shapes alone, as where zeros are multiplied that nobody stores.
        is_shape = any(tensor.is_meta for tensor in operation.tensors)
        if is_shape or operation.is_new or not any(map(self.storages.depends, operation.tensors)):
            return self._carry_out_unseen(operation)
        if operation.looks or operation.returns_nothing:
            return self._let_look(operation)
        if operation.is_view:
            return self._note_views(operation)
        among_complex = any(tensor.is_complex() for tensor in operation.tensors)
        is_known = lowering_of(operation.name, among_complex=among_complex) is not None
        found = NotImplemented if is_known else self._take_apart(operation)
        return self._note(operation) if found is NotImplemented else found

    def _look_around(self, operation: Dispatched) -> None:
        """Find out where the person's program is."""
        place, node = newest_place(_BOUNDARY), torch._C._current_autograd_node()  # noqa: SLF001 - it has no public name
        if node is None:
            # The number was given to the node before the operation was dispatched.
            if place is not None:
                self._places[torch.autograd._get_sequence_nr() - 1] = place  # noqa: SLF001 - as above
        elif place is None:
            place = self._places.get(node._sequence_nr())  # noqa: SLF001 - as above
        self.builder.label, self.builder.place = operation.label, place

    def _carry_out_unseen(self, operation: Dispatched) -> Any:
        """Carry out what depends on no parameter; it may write where something did."""
        found = operation.run()
        for tensor in operation.written:
            self.storages.forget(tensor)
            if self.storages.holds(tensor):
                self.storages.write(tensor, Constant(to_array(tensor)))
        return found

    def _let_look(self, operation: Dispatched) -> Any:
        """Let Python go on by truth values and integers: those that it has at θ are guarded.

        Raises:
            UntraceableError: it takes a real number away.
        """
        if not operation.looks:
            return operation.run()
        if operation.name != "equal":
            self._guard(operation.tensors[0])
        elif operation.tensors[0].shape == operation.tensors[1].shape:
            with self:
                equal = torch.eq(*operation.tensors)
            self._guard(equal)
        return operation.run()

    def _guard(self, tensor: Tensor) -> None:
        if tensor.is_floating_point() or tensor.is_complex():
            raise UntraceableError(f"the program goes on by a number that it computes{at(self.builder.place)}")
        self.builder.guard(self.storages.read(tensor), to_array(tensor))

    def _note_views(self, operation: Dispatched) -> Any:
        found = operation.run()
        for tensor in tree_leaves(found):
            # Memory that is read in another dtype, but for complex numbers as their parts, holds other numbers.
            if self.storages.holds(tensor):
                self.storages.read(tensor)
            else:
                self._note_outputs(operation, self._call(operation), [tensor])
        return found

    def _take_apart(self, operation: Dispatched) -> Any:
        """Return what torch's own decomposition of an operation gives, noted; NotImplemented where there is none."""
        table: Mapping[Any, Callable[..., Any]] = decomposition_table
        plain = operation.plain
        inside, self._is_inside = self._is_inside, True
        try:
            with self:
                found = table.get(plain, plain.decompose)(*operation.args, **operation.kwargs)
        except UntraceableError:
            raise
        except Exception:  # noqa: BLE001 - a decomposition that fails is none
            return NotImplemented
        finally:
            self._is_inside = inside
        if found is NotImplemented or not _same(found, plain(*operation.args, **operation.kwargs)):
            return NotImplemented
        if not operation.written:
            return found
        sources = [self.storages.read(one) for one in tree_leaves(found) if isinstance(one, Tensor)]
        found = operation.run()
        for tensor, source in zip(operation.written, sources, strict=True):
            self.storages.write(tensor, source)
        return found

    def _note(self, operation: Dispatched) -> Any:
        # What it writes into is read before.
        call = self._call(operation)
        found = operation.run()
        tensors = [one for one in tree_leaves(found) if isinstance(one, Tensor)]
        if any(tensor.layout is not torch.strided for tensor in tensors):
            raise UntraceableError(f"`{operation.label}` makes a sparse array{at(self.builder.place)}")
        self._note_outputs(operation, call, tensors)
        for tensor in operation.written:
            if not any(tensor is one for one in tensors):
                self._note_unknown(call, tensor)
        return found

    def _call(self, operation: Dispatched) -> Call:
        sources = tree_map_only(Tensor, self.storages.read, operation.arguments)
        return Call(operation.name, operation.plain, sources, ())

    def _note_outputs(self, operation: Dispatched, call: Call, tensors: Sequence[Tensor]) -> None:
        outputs = tuple(Value(tuple(one.shape), name_of(one.dtype)) for one in tensors)
        sources = lower(self.builder, Call(call.name, call.function, call.arguments, outputs))
        for tensor, source in zip(tensors, sources, strict=True):
            is_written = any(tensor is one for one in operation.written)
            (self.storages.write if is_written else self.storages.put)(tensor, source)

    def _note_unknown(self, call: Call, tensor: Tensor) -> None:
        """Note that something was written that no lowering gives, such as the running statistics of a batch."""
        label = self.builder.label

        def run(*_: Any) -> Any:
            raise UntraceableError(f"what `{label}` writes into its arguments is not known")

        values = [source for source in call.sources if isinstance(source, Value)]
        output = Value(tuple(tensor.shape), name_of(tensor.dtype))
        self.storages.write(tensor, self.builder.one(f"torch {label}", run, values, output))


# What has called this is no part of the program that is traced.
_BOUNDARY = _Recorder.record.__code__
