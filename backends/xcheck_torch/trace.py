"""What torch does in one call of a loss, in the words of `xcheck.trace`.

A mode below autograd sees every operation that is dispatched: those of a person's own `autograd.Function` as its
forward is written, those of torch's backward where the gradient is traced. What depends on no parameter is not part of
the trace, whatever it does; there a program may look at its numbers.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch._decomp import decomposition_table
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

import xcheck.backend
from xcheck.errors import quote
from xcheck.trace import Constant, Operation, Place, Trace, UntraceableError, Value
from xcheck.trace.model import Source
from xcheck_torch.lowering import LOWERINGS, Builder, Call, lower
from xcheck_torch.lowering.arrays import name_of, to_array
from xcheck_torch.narrow import EXITS
from xcheck_torch.storages import Storages

# What asks for a number, on which Python goes on.
_LOOKS = frozenset({"_local_scalar_dense", "equal", "is_nonzero"})
# What takes of its argument its shape alone, or draws new numbers.
_NEW = frozenset(
    {
        *("empty_like", "zeros_like", "ones_like", "full_like", "rand_like", "randn_like", "randint_like"),
        *("new_empty", "new_zeros", "new_ones", "new_full", "new_empty_strided", "zero", "fill", "bernoulli"),
        *("uniform", "normal", "random", "exponential", "log_normal", "cauchy", "geometric"),
    }
)
# What writes into arguments without saying so in its schema.
_WRITTEN = dict.fromkeys(("native_batch_norm", "cudnn_batch_norm"), ("running_mean", "running_var"))
# Views that do not say so in their schema.
_VIEWS = frozenset({"_unsafe_view", "_reshape_alias", "lift_fresh"})


def trace_of(call: Callable[[], Sequence[Tensor]], tensors: Sequence[Tensor]) -> Trace:
    """Return the operations between tensors and what a call returns.

    Args:
        call: is made once.
        tensors: the inputs, which it reads.

    Raises:
        UntraceableError: the program depends on numbers that are only known where it runs, or leaves torch.
    """
    recorder = _Recorder()
    inputs = [recorder.take(tensor) for tensor in tensors]
    with _surroundings():
        outputs = recorder.record(call)
    operations = _used(recorder.builder.operations, outputs)
    return Trace(inputs=tuple(inputs), outputs=tuple(outputs), operations=operations)


def _used(operations: Sequence[Operation], outputs: Sequence[Source]) -> tuple[Operation, ...]:
    """Return the operations on which outputs depend."""
    needed, found = {id(output) for output in outputs}, []
    for operation in reversed(operations):
        if any(id(value) in needed for value in operation.outputs):
            found.append(operation)
            needed.update(id(source) for source in operation.inputs)
    return tuple(reversed(found))


@contextmanager
def _surroundings() -> Iterator[None]:
    """Let torch run operations that can be seen one by one; afterwards all is as it was."""
    fast = torch.backends.mha.get_fastpath_enabled()
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices))
        stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        stack.callback(torch.backends.mha.set_fastpath_enabled, fast)
        torch.backends.mha.set_fastpath_enabled(False)
        # Compiled code hides what it does. To import the compiler takes seconds: only where that was done already.
        if "torch._dynamo" in sys.modules:
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        yield


class _Exits(TorchFunctionMode):  # type: ignore[misc]  # torch has no types here
    """Refuses that numbers leave torch that depend on parameters."""

    def __init__(self, recorder: "_Recorder") -> None:
        super().__init__()
        self._recorder = recorder

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call a function."""
        if function in EXITS and not self._recorder.is_busy and self._recorder.storages.depends(args[0]):
            name = getattr(function, "__name__", "a method").strip("_")
            raise UntraceableError(f"numbers leave torch by `{name}`{_at(_person())}")
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
            return self._carry_out(function, args, kwargs or {})
        finally:
            self.is_busy = before

    def _carry_out(self, function: Any, args: Any, kwargs: Any) -> Any:
        written = _written(function, args, kwargs)
        given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        name = _base_name(function)
        if not self._is_inside:
            self._look_around(function)
        if name in _NEW or not any(self.storages.depends(tensor) for tensor in given):
            return self._carry_out_unseen(function, args, kwargs, written)
        if name in _LOOKS:
            raise UntraceableError(f"the program goes on by a number that it computes{_at(self.builder.place)}")
        plain = _without_writing(function) if written else function
        if _is_view(function, name):
            found = function(*args, **kwargs)
            for tensor in tree_leaves(found):
                self._note_view(function, args, kwargs, tensor)
            return found
        if name not in LOWERINGS:
            apart = self._take_apart(plain, args, kwargs)
            if apart is not NotImplemented:
                return apart if not written else self._write(function, args, kwargs, written, apart)
        return self._note(function, plain, args, kwargs, written)

    def _look_around(self, function: Any) -> None:
        """Find out where the person's program is."""
        place, node = _person(), torch._C._current_autograd_node()  # noqa: SLF001 - torch has no public name for it
        if node is None:
            # The number was given to the node before the operation was dispatched.
            if place is not None:
                self._places[torch.autograd._get_sequence_nr() - 1] = place  # noqa: SLF001 - as above
        elif place is None:
            place = self._places.get(node._sequence_nr())  # noqa: SLF001 - as above
        self.builder.label, self.builder.place = _label(function), place

    def _carry_out_unseen(self, function: Any, args: Any, kwargs: Any, written: Sequence[Tensor]) -> Any:
        """Carry out what depends on no parameter; it may write where something did."""
        found = function(*args, **kwargs)
        for tensor in written:
            self.storages.forget(tensor)
            if self.storages.holds(tensor):
                self.storages.write(tensor, Constant(to_array(tensor)))
        return found

    def _note_view(self, function: Any, args: Any, kwargs: Any, tensor: Tensor) -> None:
        if self.storages.holds(tensor) and not tensor.is_complex():
            self.storages.read(tensor)
            return
        call = self._call(function, function, args, kwargs)
        (source,) = lower(self.builder, _with_outputs(call, [tensor]))
        self.storages.put(tensor, source)

    def _take_apart(self, function: Any, args: Any, kwargs: Any) -> Any:
        """Return what torch's own decomposition of an operation gives, noted; NotImplemented where there is none."""
        table: Mapping[Any, Callable[..., Any]] = decomposition_table
        inside, self._is_inside = self._is_inside, True
        try:
            with self:
                if function in table:
                    return table[function](*args, **kwargs)
                return function.decompose(*args, **kwargs)
        except UntraceableError:
            raise
        except Exception:  # noqa: BLE001 - a decomposition that fails is none
            return NotImplemented
        finally:
            self._is_inside = inside

    def _write(self, function: Any, args: Any, kwargs: Any, written: Sequence[Tensor], results: Any) -> Any:
        """Carry out what writes into its arguments, and note what it writes."""
        sources = [self.storages.read(one) for one in tree_leaves(results) if isinstance(one, Tensor)]
        found = function(*args, **kwargs)
        for tensor, source in zip(written, sources, strict=False):
            self.storages.write(tensor, source)
        return found

    def _call(self, function: Any, plain: Any, args: Any, kwargs: Any) -> Call:
        arguments = _by_name(plain, args, kwargs)
        sources = tree_map_only(Tensor, self.storages.read, arguments)
        return Call(_base_name(function), plain, sources, ())

    def _note(self, function: Any, plain: Any, args: Any, kwargs: Any, written: Sequence[Tensor]) -> Any:
        call = self._call(function, plain, args, kwargs)
        found = function(*args, **kwargs)
        tensors = [one for one in tree_leaves(found) if isinstance(one, Tensor)]
        if any(tensor.layout is not torch.strided for tensor in tensors):
            raise UntraceableError(f"`{self.builder.label}` makes a sparse array{_at(self.builder.place)}")
        for tensor, source in zip(tensors, lower(self.builder, _with_outputs(call, tensors)), strict=True):
            if any(tensor is one for one in written):
                self.storages.write(tensor, source)
            else:
                self.storages.put(tensor, source)
        for tensor in written:
            if not any(tensor is one for one in tensors):
                self._note_unknown(call, tensor)
        return found

    def _note_unknown(self, call: Call, tensor: Tensor) -> None:
        """Note that something was written that no lowering gives, such as the running statistics of a batch."""

        def run(*_: Any) -> Any:
            raise UntraceableError(f"what `{self.builder.label}` writes into its arguments is not known")

        values = [source for source in call.sources if isinstance(source, Value)]
        output = Value(tuple(tensor.shape), name_of(tensor.dtype))
        self.storages.write(tensor, self.builder.one(self.builder.label, run, values, output))


def _with_outputs(call: Call, tensors: Sequence[Tensor]) -> Call:
    outputs = tuple(Value(tuple(one.shape), name_of(one.dtype)) for one in tensors)
    return Call(call.name, call.function, call.arguments, outputs)


def _label(function: Any) -> str:
    return str(function._schema.name).removeprefix("aten::")  # noqa: SLF001 - the only way to the schema


def _base_name(function: Any) -> str:
    """Return the name of an operation without namespace, and without the `_` of what writes into its argument."""
    name = _label(function).split("::")[-1]
    return name.removesuffix("_") if not name.endswith("__") else name


def _written(function: Any, args: Any, kwargs: Any) -> list[Tensor]:
    """Return the tensors that an operation writes into."""
    schema, found = function._schema, []  # noqa: SLF001 - as in _label
    silent = _WRITTEN.get(_label(function), ())
    if not schema.is_mutable and not silent:
        return []
    given = _by_name(function, args, kwargs)
    found += [given[name] for name in silent if isinstance(given.get(name), Tensor)]
    for argument in schema.arguments:
        if argument.alias_info is not None and argument.alias_info.is_write:
            found += [one for one in tree_leaves(given.get(argument.name)) if isinstance(one, Tensor)]
    return found


def _by_name(function: Any, args: Any, kwargs: Any) -> dict[str, Any]:
    """Return the arguments of an operation by name, those by default included."""
    schema = function._schema.arguments  # noqa: SLF001 - as in _label
    given = {one.name: value for one, value in zip(schema, args, strict=False)} | kwargs
    return {one.name: given.get(one.name, one.default_value) for one in schema if one.name in given or _defaults(one)}


def _defaults(argument: Any) -> bool:
    return bool(argument.has_default_value())


def _without_writing(function: Any) -> Any:
    """Return the operation that returns what this one writes; the same where there is none."""
    namespace, _, name = str(function._schema.name).partition("::")  # noqa: SLF001 - as in _label
    packet = getattr(getattr(torch.ops, namespace), name.removesuffix("_"), None)
    if packet is None or name.endswith("__"):
        return function
    return getattr(packet, function._overloadname, function)  # noqa: SLF001 - as in _label


def _is_view(function: Any, name: str) -> bool:
    """Return whether an operation returns the memory of its argument, and writes nothing."""
    schema = function._schema  # noqa: SLF001 - as in _label
    aliases = [one.alias_info for one in schema.returns]
    return name in _VIEWS or (not schema.is_mutable and any(one is not None for one in aliases))


# --- places ----------------------------------------------------------------------------------------------------------

_OWN = tuple(f"{Path(str(module.__file__)).parent}/" for module in (torch, xcheck.backend, sys.modules["xcheck_torch"]))


@cache
def _is_own(file: str) -> bool:
    """Return whether a file belongs to torch, or to what calls the loss."""
    return file.startswith((*_OWN, "<frozen"))


def _person() -> Place | None:
    """Return the newest line of a person's program in the call that is traced."""
    frame: Any = sys._getframe(1)  # noqa: SLF001 - traceback.extract_stack reads all files, hundreds of times slower
    while frame is not None and frame.f_code is not _Recorder.record.__code__:
        if not _is_own(frame.f_code.co_filename):
            return Place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_qualname)
        frame = frame.f_back
    return None


def _at(place: Place | None) -> str:
    return "" if place is None else f" at {place}"
