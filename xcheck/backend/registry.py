"""Backend name -> backend; the only place that knows where backends live.

Backends are plug-ins: entry points of the group `xcheck.backends`, each an instance of
`xcheck.backend.Backend`. Those that come with xcheck take the same road as anybody else's.
"""

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from xcheck.backend.contract import Backend
from xcheck.errors import BackendError
from xcheck.functions.arguments import Leaf

GROUP = "xcheck.backends"
DEFAULTS = ("numpy", "torch", "jax")


def _entry_points() -> dict[str, list[EntryPoint]]:
    """Group by name; one plug-in that is listed twice (a checkout on the path) counts once."""
    found: dict[str, dict[str, EntryPoint]] = defaultdict(dict)
    for entry in entry_points(group=GROUP):
        found[entry.name][entry.value] = entry
    return {name: list(by_value.values()) for name, by_value in found.items()}


def names() -> tuple[str, ...]:
    """Return the names of all installed plug-ins, those of xcheck first."""
    found = sorted(_entry_points())
    known = [name for name in DEFAULTS if name in found]
    return (*known, *(name for name in found if name not in DEFAULTS))


def packages() -> frozenset[str]:
    """Return the top-level packages that plug-ins live in; none of them is imported."""
    return frozenset(entry.module.partition(".")[0] for entries in _entry_points().values() for entry in entries)


@cache
def _readers() -> tuple[Backend, ...]:
    """Return the backends that load; a broken one is somebody else's error, said where it is asked for."""
    found = []
    for name in names():
        with suppress(BackendError):
            found.append(get(name))
    return tuple(found)


def read(value: Any) -> Leaf | None:
    """Return the numbers of an array of any installed framework, None for what is no array."""
    return next((leaf for backend in _readers() if (leaf := backend.leaf(value)) is not None), None)


def parameters(value: Any) -> Mapping[str, Any] | None:
    """Return the parameters of a module of any installed framework, None for what is no module."""
    return next((found for backend in _readers() if (found := backend.parameters(value)) is not None), None)


def get(name: str) -> Backend:
    """Load the backend called `name`.

    Raises:
        KeyError: no plug-in has that name.
        BackendError: it cannot be loaded (the cause is chained), or two plug-ins share the name.
    """
    entries = _entry_points()[name]
    if len(entries) > 1:
        values = " and ".join(sorted(entry.value for entry in entries))
        raise BackendError(name, f"two plug-ins have this name: {values}; uninstall one of them")
    try:
        backend = entries[0].load()
    except Exception as error:
        # A plug-in may fail in any way; it fails alone, and its own words are quoted.
        text = f"the plug-in {entries[0].value} is broken: {type(error).__name__}: {error}"
        raise BackendError(name, text) from error
    if not isinstance(backend, Backend):
        raise BackendError(name, f"{entries[0].value} is not an xcheck.backend.Backend")
    return backend
