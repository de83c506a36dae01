"""Registry: from the name of a backend to the backend. No other module knows where backends live.

Backends are plug-ins: entry points of the group `xcheck.backends`, each an instance of
`xcheck.backend.Backend`. Those that come with xcheck take the same road as anybody else's.
"""

import sys
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from xcheck.backend.contract import Backend
from xcheck.errors import BackendError, Complaint, DefinitionError, quote
from xcheck.functions.arguments import Leaf

# The group of entry points in which plug-ins are installed.
GROUP = "xcheck.backends"
# Those that come with xcheck; a check asks them unless others are named.
DEFAULTS = ("numpy", "torch", "jax")


def _find_entry_points() -> dict[str, list[EntryPoint]]:
    """Return the installed plug-ins by name; one that is installed twice, as from a checkout, is there once."""
    plugins: dict[str, dict[str, EntryPoint]] = defaultdict(dict)
    for entry in entry_points(group=GROUP):
        plugins[entry.name][entry.value] = entry
    return {name: list(by_value.values()) for name, by_value in plugins.items()}


def names() -> tuple[str, ...]:
    """Return the names of all installed plug-ins, those of xcheck first."""
    installed = sorted(_find_entry_points())
    ours = [name for name in DEFAULTS if name in installed]
    return (*ours, *(name for name in installed if name not in DEFAULTS))


def packages() -> frozenset[str]:
    """Return the top-level packages that plug-ins live in; none of them is imported."""
    return frozenset(entry.module.partition(".")[0] for entries in _find_entry_points().values() for entry in entries)


# Arrays are read thousands of times in a check, and to ask for entry points takes ten milliseconds, as long as a check
# of a small function: what is installed on a path does not change while a process runs.
@cache
def _load_backends(path: tuple[str, ...]) -> Mapping[str, Backend]:
    """Return the backends on a path that can be loaded; a broken one is reported by `get`, when it is asked for."""
    backends = {}
    for name in names():
        with suppress(BackendError):
            backends[name] = get(name)
    return backends


def loaded(name: str) -> Backend | None:
    """Return the backend called `name`; None for one that is not installed or broken, of which `get` says why."""
    return _load_backends(tuple(sys.path)).get(name)


# By type of an array: the backend that has read one.
_READERS: dict[type, Backend] = {}


def read(value: Any) -> Leaf | None:
    """Return the numbers of an array of any installed framework, None for what is no array.

    Raises:
        DefinitionError: it is an array whose numbers cannot be had.
    """
    try:
        # Most are of a type that was read before: its backend is asked first, and alone.
        first = _READERS.get(type(value))
        leaf = None if first is None else first.leaf(value)
        if leaf is not None:
            return leaf
        for backend in _load_backends(tuple(sys.path)).values():
            leaf = backend.leaf(value)
            if leaf is not None:
                _READERS[type(value)] = backend
                return leaf
    except DefinitionError:
        raise
    except Exception as error:
        # An array without numbers, as on torch's meta device, or nested.
        raise DefinitionError(Complaint(f"a {type(value).__name__} cannot be read: {quote(error)}")) from error
    return None


def parameters(value: Any) -> Mapping[str, Any] | None:
    """Return the parameters of a module of any installed framework, None for what is no module."""
    backends = _load_backends(tuple(sys.path)).values()
    return next((found for backend in backends if (found := backend.parameters(value)) is not None), None)


def frozen_parameters(value: Any) -> Mapping[str, Any]:
    """Return the parameters of a module of any installed framework that are not trained."""
    backends = _load_backends(tuple(sys.path)).values()
    return next((found for backend in backends if (found := backend.frozen_parameters(value))), {})


def get(name: str) -> Backend:
    """Load the backend called `name`.

    Raises:
        KeyError: no plug-in has that name.
        BackendError: it cannot be loaded (the cause is chained), or two plug-ins share the name.
    """
    entries = _find_entry_points()[name]
    # To pick one of them would be a guess about whose gradient is checked.
    if len(entries) > 1:
        values = " and ".join(sorted(entry.value for entry in entries))
        raise BackendError(name, f"two plug-ins have this name: {values}; uninstall one of them")
    try:
        backend = entries[0].load()
    except Exception as error:
        # A plug-in may fail in any way; it fails alone, and its own words are quoted.
        text = f"the plug-in {entries[0].value} is broken: {quote(error)}"
        raise BackendError(name, text) from error
    if not isinstance(backend, Backend):
        raise BackendError(name, f"{entries[0].value} is not an xcheck.backend.Backend")
    return backend
