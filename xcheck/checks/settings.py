"""FunctionSettings: everything that `xcheck.check` takes by name, with its default and what it may be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from textwrap import shorten
from typing import Any, Literal, get_args

import numpy as np

from xcheck.errors import Complaint, DefinitionError
from xcheck.functions.forms import complaints_about_forms
from xcheck.progress import Progress
from xcheck.text import did_you_mean

# Characters of a value in a message: a guess.
_LONGEST = 60
Scope = Literal["auto", "all", "sample", "jacobian", "directions"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FunctionSettings:
    """How functions are to be checked; the attributes are the keyword arguments of `xcheck.check`, described there."""

    backend: str | None = None
    gradient: Callable[..., Any] | None = None
    vjp: Callable[..., Any] | None = None
    jvp: Callable[..., Any] | None = None
    jacobian: Callable[..., Any] | None = None
    hessian: Callable[..., Any] | None = None
    hvp: Callable[..., Any] | None = None
    oracle: str | Callable[..., Any] = "auto"
    scope: Scope = "auto"
    epsilon: float | Literal["auto"] = "auto"
    tolerance: float = 1e-7
    order: Literal[1, 2] = 1
    inputs: bool = False
    proof: bool = False
    device: str = "cpu"
    seed: int = 0
    worst: int = 10
    cotangent: Any = None
    budget: float = 10.0
    name: str | None = None
    progress: Progress | None = None

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> "FunctionSettings":
        """Validate settings given by name; the others have their defaults.

        Raises:
            DefinitionError: a name is unknown or a value is not allowed; all mistakes at once.
        """
        complaints = complaints_about(given)
        if complaints:
            raise DefinitionError(complaints)
        return cls(**given)


# Their names.
_KNOWN = [field.name for field in fields(FunctionSettings)]


def complaints_about(settings: Mapping[str, Any]) -> list[Complaint]:
    """Return what is wrong with settings of a check, as far as they tell without its functions."""
    complaints = [
        Complaint(f"unknown setting{did_you_mean(name, _KNOWN)}", (str(name),))
        for name in settings
        if name not in _KNOWN
    ]
    for name, (allowed, expected) in _EXPECTED.items():
        if name in settings and not allowed(settings[name]):
            complaints.append(Complaint(f"{_show(settings[name])} is {expected}", (name,)))
    return complaints + complaints_about_forms(settings)


def _show(value: Any) -> str:
    """Return a value on one short line: an array would be shown on many."""
    return shorten(repr(value), _LONGEST, placeholder="...")


def _is_positive(value: Any) -> bool:
    # nan is neither more than 0 nor less than infinity.
    return isinstance(value, int | float) and 0 < value < float("inf")


def _is_whole_number(value: Any, *, least: int) -> bool:
    # True and False are ints of Python; as a seed they are a slip.
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= least)


# What is not in here, such as `oracle` or `cotangent`, can be judged only together with the functions.
_EXPECTED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "scope": (
        lambda value: isinstance(value, str) and value in get_args(Scope),
        f"none of {', '.join(get_args(Scope))}",
    ),
    "order": (lambda value: isinstance(value, int) and value in (1, 2), "neither 1 nor 2"),
    "inputs": (lambda value: isinstance(value, bool), "neither True nor False"),
    "proof": (lambda value: isinstance(value, bool), "neither True nor False"),
    "device": (lambda value: isinstance(value, str) and value in ("cpu", "gpu"), "neither cpu nor gpu"),
    "epsilon": (
        # Words are compared with strings only: an array compared with one gives an array.
        lambda value: _is_positive(value) or (isinstance(value, str) and value == "auto"),
        "neither 'auto' nor a positive number",
    ),
    "tolerance": (_is_positive, "not a positive number"),
    "budget": (_is_positive, "not a positive number"),
    "seed": (partial(_is_whole_number, least=0), "not a whole number from 0"),
    "worst": (partial(_is_whole_number, least=1), "not a whole number from 1"),
}
