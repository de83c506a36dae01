"""Copies of a person's functions, with globals in which what would lose a tracer keeps it.

The code of a copy is the person's own. In its globals stand-ins (`xcheck_numpy.tracing.stand_ins`) have the places of
`math`, `float` and some functions of NumPy, and arrays of floating numbers are tracers of constants, since methods of a
plain array (`X.dot(w)`) ask nobody. Functions that it calls are copied along, so are those in its closure, classes,
objects and containers. Nothing of the person's program is changed, and what is not reached in this way is not followed
rather than followed wrongly.
"""

import builtins
import functools
import sys
import sysconfig
import types
from collections.abc import Callable
from copy import copy
from functools import cached_property
from typing import Any

import numpy as np
import scipy.fft

from xcheck_numpy.tracing.recorded import is_inexact
from xcheck_numpy.tracing.recorder import Recorder
from xcheck_numpy.tracing.stand_ins import StandInModule, stand_in, stand_ins
from xcheck_numpy.tracing.tracer import Tracer

_INSTALLED = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})


class _LikeItsOriginal(type):
    """The type of a copied class: an instance of the original is one of the copy, too."""

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, cls.__bases__[0])


class Copies:
    """Copies, each made once.

    Attributes:
        recorder: of the tracers.
        others: what stands for what.
    """

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.others = stand_ins(recorder)
        self._globals: dict[int, dict[str, Any]] = {}
        self._cells: dict[int, types.CellType] = {}
        self._made: dict[int, Any] = {}
        self._makers: dict[type, Callable[[Any], Any]] = {
            types.FunctionType: self._function,
            types.MethodType: self._method,
            types.ModuleType: self._module,
            functools.partial: self._partial,
            np.ndarray: self._tracer,
            type: self._class,
            dict: self._dict,
            list: self._list,
            tuple: self._tuple,
            # Functions of SciPy that call whoever has taken their place: of a type that no module of a person has.
            type(scipy.fft.fft): lambda value: stand_in(value, self.others),
        }

    def of(self, value: Any) -> Any:
        """Return what stands for a value: a copy of a person's function, a tracer of an array, or the value."""
        if id(value) in self._made:
            return self._made[id(value)]
        for kind, make in self._makers.items():
            if isinstance(value, kind):
                return make(value)
        return self._object(value) if _is_of_a_person(type(value)) else stand_in(value, self.others)

    def _tracer(self, array: Any) -> Any:
        # Masked arrays and matrices mean something else by the same operations.
        is_plain = type(array) is np.ndarray and is_inexact(array.dtype)
        return Tracer(self.recorder, array.copy(), scalar=False) if is_plain else array

    def _partial(self, value: Any) -> Any:
        return functools.partial(self.of(value.func), *map(self.of, value.args), **value.keywords)

    def _module(self, module: types.ModuleType) -> Any:
        file = getattr(module, "__file__", None)
        is_persons = file is not None and not file.startswith(_INSTALLED)
        return StandInModule(module, self.of) if is_persons else stand_in(module, self.others)

    def _function(self, function: types.FunctionType) -> Any:
        if function.__code__.co_filename.startswith((*_INSTALLED, "<frozen")):
            return stand_in(function, self.others)
        code, cells = function.__code__, function.__closure__ or ()
        # Functions that share a name which they all may change share its cell.
        closure = tuple(self._cells.setdefault(id(cell), types.CellType()) for cell in cells)
        known = self._globals.setdefault(id(function.__globals__), {"__builtins__": self._builtins})
        made = types.FunctionType(code, known, function.__name__, None, closure)
        self._made[id(function)] = made
        made.__defaults__ = self.of(function.__defaults__)
        made.__kwdefaults__ = self.of(function.__kwdefaults__)
        made.__dict__.update(function.__dict__)
        self._fill(known, function)
        for name, cell, own in zip(code.co_freevars, closure, cells, strict=True):
            try:
                # `super()` looks for the class that the function was written in.
                cell.cell_contents = own.cell_contents if name == "__class__" else self.of(own.cell_contents)
            except ValueError:  # a name that has no value yet
                continue
        return made

    @cached_property
    def _builtins(self) -> dict[str, Any]:
        """Return what Python itself looks up: the type `float`, and imports in the midst of a function."""

        def import_one(*args: Any, **kwargs: Any) -> Any:
            return self.of(builtins.__import__(*args, **kwargs))

        return {**vars(builtins), "float": self.others[builtins.float], "__import__": import_one}

    def _fill(self, known: dict[str, Any], function: types.FunctionType) -> None:
        """Put what a function may look up into the globals of the copies."""
        own = function.__globals__
        for name in _names(function.__code__) | {name for name in own if name.startswith("__")}:
            if name in own and name not in known:
                known[name] = own[name] if name.startswith("__") else self.of(own[name])

    def _method(self, method: types.MethodType) -> Any:
        """Return the copied method of a copied object."""
        if not isinstance(method.__func__, types.FunctionType):
            return method
        return types.MethodType(self.of(method.__func__), self.of(method.__self__))

    def _object(self, owner: Any) -> Any:
        """Return another object with what this one holds, of a copy of its class."""
        if not hasattr(owner, "__dict__"):
            return owner
        made = object.__new__(self.of(type(owner)))
        self._made[id(owner)] = made
        made.__dict__.update({name: self.of(value) for name, value in vars(owner).items()})
        return made

    # Containers are new ones, too: what a function keeps in them while it is followed is not left there.

    def _dict(self, value: dict[Any, Any]) -> Any:
        made = self._made[id(value)] = copy(value)
        made.update({key: self.of(part) for key, part in value.items()})
        return made

    def _list(self, value: list[Any]) -> Any:
        made = self._made[id(value)] = copy(value)
        made[:] = map(self.of, value)
        return made

    def _tuple(self, value: tuple[Any, ...]) -> Any:
        parts = [self.of(part) for part in value]
        unchanged = all(one is other for one, other in zip(parts, value, strict=True))
        return value if unchanged or type(value) is not tuple else tuple(parts)

    def _class(self, original: type) -> Any:
        """Return a subclass with copies of all methods."""
        if type(original) is not type or not _is_of_a_person(original):
            return stand_in(original, self.others)
        if id(original) in self._made:
            return self._made[id(original)]
        made = _LikeItsOriginal(original.__name__, (original,), {"__module__": original.__module__})
        self._made[id(original)] = made
        for above in reversed(original.__mro__):
            for name, member in vars(above).items() if _is_of_a_person(above) else ():
                copied = self._member(member)
                if copied is not member:
                    setattr(made, name, copied)
        return made

    def _member(self, member: Any) -> Any:
        if isinstance(member, staticmethod | classmethod):
            return type(member)(self.of(member.__func__))
        if isinstance(member, property):
            parts = (None if part is None else self.of(part) for part in (member.fget, member.fset, member.fdel))
            return property(*parts)
        return self.of(member) if isinstance(member, types.FunctionType) else member


def _names(code: types.CodeType) -> set[str]:
    """Return the names that code may look up, with those of functions that it makes."""
    inner = (_names(one) for one in code.co_consts if isinstance(one, types.CodeType))
    return {*code.co_names}.union(*inner)


def _is_of_a_person(kind: type) -> bool:
    """Whether it is a class of a person's, and no exception: those are caught by what they are."""
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    is_installed = kind.__module__ == "builtins" or (file is not None and file.startswith(_INSTALLED))
    return not is_installed and not issubclass(kind, BaseException)
