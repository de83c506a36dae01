"""Call: one call of an operation of torch, and the table of the functions that take it apart."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypeVar

from xcheck.trace import Constant, Value
from xcheck.trace.model import Source
from xcheck_torch.lowering.arrays import dtype_of, is_complex, is_inexact, shape_of, to_tensor
from xcheck_torch.lowering.builder import Builder


class NotLoweredError(Exception):
    """A lowering does not know this kind of call."""


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One call.

    Attributes:
        name: without namespace and overload, and without the `_` of what writes into its argument.
        function: that which writes into none of its arguments.
        arguments: by the names of the schema; what stands for tensors are sources.
        outputs: what it returns.
    """

    name: str
    function: Any
    arguments: dict[str, Any]
    outputs: tuple[Value, ...]

    @property
    def sources(self) -> list[Source]:
        """What it reads, in the order of the arguments."""
        return list(_sources(list(self.arguments.values())))

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the first output."""
        return self.outputs[0].shape

    @property
    def dtype(self) -> str:
        """Of the first output."""
        return self.outputs[0].dtype

    def get(self, *names: str) -> Any:
        """Return the first argument of these names that there is; None without one."""
        return next((self.arguments[name] for name in names if name in self.arguments), None)

    def axes(self, name: str = "dim") -> tuple[int, ...]:
        """Return the axes of `self` that an argument names, all of them where it names none."""
        rank, given = len(shape_of(self.arguments["self"])), self.get(name)
        if given is None or (isinstance(given, list | tuple) and not given):
            return tuple(range(rank))
        return tuple(axis % max(rank, 1) for axis in (given if isinstance(given, list | tuple) else [given]))

    def invoke(self, tensors: Sequence[Any], **others: Any) -> Any:
        """Call the function with tensors in place of the sources, and with some other arguments."""
        left = iter(tensors)
        arguments = {name: _put(value, left) for name, value in self.arguments.items()} | others
        schema = self.function._schema.arguments  # noqa: SLF001 - the only way to the names of arguments
        positional = [arguments[one.name] for one in schema if not one.kwarg_only and one.name in arguments]
        return self.function(*positional, **{one.name: arguments[one.name] for one in schema if one.kwarg_only})


def _sources(value: Any) -> Iterator[Source]:
    if isinstance(value, Value | Constant):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _sources(part)


def _put(value: Any, left: Iterator[Any]) -> Any:
    if isinstance(value, Value | Constant):
        return next(left)
    return [_put(part, left) for part in value] if isinstance(value, list | tuple) else value


Lowering: TypeAlias = Callable[[Builder, Call], "Source | Sequence[Source | None]"]
_Lowers = TypeVar("_Lowers", bound=Lowering)

# Name of an operation -> what takes it apart. It returns the outputs; None for one that it does not give.
LOWERINGS: dict[str, Lowering] = {}


def lowers(*names: str) -> Callable[[_Lowers], _Lowers]:
    """Register a function as that which takes operations of these names apart."""

    def register(function: _Lowers) -> _Lowers:
        for name in names:
            if name in LOWERINGS:
                raise ValueError(f"{name} is taken apart already")
            LOWERINGS[name] = function
        return function

    return register


# The same for calls that read or return complex numbers.
OF_COMPLEX: dict[str, Lowering] = {}


def lowers_complex(*names: str) -> Callable[[_Lowers], _Lowers]:
    """Register a function as that which takes operations of these names apart where there are complex numbers."""

    def register(function: _Lowers) -> _Lowers:
        OF_COMPLEX.update(dict.fromkeys(names, function))
        return function

    return register


def lowering_of(name: str, *, among_complex: bool) -> Lowering | None:
    """Return what takes operations of a name apart; None where nothing does."""
    return (OF_COMPLEX if among_complex else LOWERINGS).get(name)


def whole(b: Builder, call: Call, name: str, **attributes: Any) -> list[Source]:
    """Return the outputs of torch's own operation, as one operation of a trace."""
    return b.emit(name, lambda *tensors: call.invoke(tensors), call.sources, call.outputs, **attributes)


def unknown(b: Builder, call: Call) -> list[Source]:
    """Return the outputs of an operation of which nothing is known.

    Its name is no word of `xcheck.trace`, even if torch's own is one; and its outputs are no others: where a lowering
    gives some of them, those of the whole stand beside them.
    """
    outputs = tuple(Value(one.shape, one.dtype) for one in call.outputs)
    return whole(b, replace(call, outputs=outputs), f"torch {b.label}")


def exact(b: Builder, call: Call) -> list[Source]:
    """Return the outputs of an operation to which no floating number that depends on a parameter goes in."""
    values = [source for source in call.sources if isinstance(source, Value)]

    def run(*tensors: Any) -> Any:
        left = iter(tensors)
        return call.invoke(
            [next(left) if isinstance(one, Value) else to_tensor(one.array, dtype_of(one)) for one in call.sources]
        )

    return b.emit("exact", run, values, call.outputs)


def lower(b: Builder, call: Call) -> list[Source]:
    """Return the outputs of a call; what nothing is known of stays one operation."""
    if not any(is_inexact(source.dtype) for source in call.sources if isinstance(source, Value)):
        return exact(b, call)
    among_complex = any(is_complex(dtype_of(one)) for one in (*call.sources, *call.outputs))
    lowering = lowering_of(call.name, among_complex=among_complex)
    if lowering is None:
        return unknown(b, call)
    try:
        found = lowering(b, call)
    except NotLoweredError:
        return unknown(b, call)
    outputs = [found] if isinstance(found, Value | Constant) else list(found)
    if None not in outputs:
        return [one for one in outputs if one is not None]
    own = unknown(b, call)
    return [rest if one is None else one for one, rest in zip(outputs, own, strict=True)]


def floating(b: Builder, call: Call, *names: str) -> list[Source]:
    """Return arguments in the dtype and the shape of the first output; numbers among them, too."""
    if not is_inexact(call.dtype):
        raise NotLoweredError
    return [b.broadcast(call.arguments[name], call.shape, call.dtype) for name in names]
