"""Operations of JAX: how one is run by itself, the person's line that it comes from, and whose functions there are."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
from jax.extend import source_info_util

from xcheck.trace import Place

_JAX, _XCHECK = Path(jax.__file__).parent, Path(__file__).parent
# Where `jax.custom_gradient` makes a function of a person's, which then has this name.
_MAKERS, _MADE = "custom_derivatives.py", "wrapped_fun"


def place_of(equation: Any) -> Place | None:
    """Return the person's line that an operation comes from; JAX keeps it as `file:line:column (function)`.

    None where JAX knows none, or where xcheck has written the operation.
    """
    text = source_info_util.summarize(equation.source_info)
    where, _, function = text.partition(" (")
    parts = where.rsplit(":", 2)
    # Older versions leave the column out.
    numbers = [part for part in parts[1:] if part.isdigit()]
    if not numbers or Path(parts[0]).parent == _XCHECK:
        return None
    return Place(parts[0], int(numbers[0]), function.rstrip(")"))


def is_of_jax(debug_info: Any) -> bool:
    """Return whether a function that has been traced is written in a file of JAX.

    >>> is_of_jax(jax.make_jaxpr(jax.nn.softplus)(1.0).jaxpr.debug_info)
    True
    >>> is_of_jax(jax.make_jaxpr(lambda x: x)(1.0).jaxpr.debug_info)
    False
    """
    file = Path(getattr(debug_info, "func_filename", None) or "")
    return file.is_relative_to(_JAX) and file.name != _MAKERS


def name_of(debug_info: Any, otherwise: str) -> str:
    """Return the name of a function that has been traced; `otherwise` where it has none."""
    name = str(debug_info.func_name)
    if name == _MADE and Path(debug_info.func_filename or "").name == _MAKERS:
        return "custom_gradient"
    return name if name.replace(".", "").isidentifier() else otherwise


def runner(equation: Any) -> Callable[..., list[Any]]:
    """Return JAX's own operation, on arrays of JAX; the rules for derivatives that it has stay in force."""

    def run(*given: Any) -> list[Any]:
        # JAX has returned (params) here and (functions, params); a tuple of functions is what calls have.
        made = equation.primitive.get_bind_params(equation.params)
        functions, params = made if isinstance(made, tuple) else ((), made)
        found = equation.primitive.bind(*functions, *given, **params)
        return list(found) if equation.primitive.multiple_results else [found]

    return run
