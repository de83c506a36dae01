"""Outputs: what a person's function returns, as numbers; or the sentence that says why it is no loss.

A loss is one number, or one array of numbers. A tuple such as `(loss, aux)`, a dict, None or a word is refused before a
framework sees it, so that the same mistake has the same sentence in all of them.
"""

from typing import Any

import numpy as np

from xcheck.errors import Complaint, DefinitionError
from xcheck.functions.arguments import Numbers, Reader
from xcheck.functions.tree import children
from xcheck.text import joined

# Entries of a container that a sentence names.
_NAMED = 4


def require_array(value: Any, *, module: bool = False) -> Any:
    """Return what a function has returned, if it is one array or number; it may be one that is only traced.

    Args:
        value: what came.
        module: whether it is the output of a module, which has no loss to mend but can be given one.

    Raises:
        DefinitionError: it is None, a word, or a container.
    """
    if value is None:
        raise DefinitionError(Complaint("the function returns None, and no loss: is a return missing?"))
    if isinstance(value, str | bytes):
        raise DefinitionError(Complaint(f"the function returns a {type(value).__name__}, and no number"))
    parts = children(value)
    if parts is not None:
        advice = (
            "say with loss= which of them counts, as loss=lambda outputs, *targets: ..."
            if module
            else "return the loss alone, one number or one array"
        )
        who = "module" if module else "function"
        raise DefinitionError(Complaint(f"the {who} returns {_name(value, parts)}: {advice}"))
    return value


def read_numbers(value: Any, read: Reader) -> Numbers:
    """Return what a function has returned as numbers: floating, complex, whole or truth values.

    Args:
        value: what came.
        read: returns the numbers of an array, None for what is none.

    Raises:
        DefinitionError: it is no array of numbers, or one that does not hold all of its numbers.
    """
    leaf = read(require_array(value))
    if leaf is not None and leaf.stored:
        raise DefinitionError(Complaint(f"the function returns a {leaf.stored} array: return a dense one"))
    try:
        values = np.asarray(value) if leaf is None else leaf.values
    except Exception as error:
        text = f"the function returns a {type(value).__name__}, which is no array of an installed framework"
        raise DefinitionError(Complaint(text)) from error
    if values.dtype.kind not in "fiubc":
        text = f"the function returns a {type(value).__name__} of dtype {values.dtype}, and no numbers"
        raise DefinitionError(Complaint(text))
    return values


def _name(value: Any, parts: list[tuple[str, Any]]) -> str:
    """Say which container came and what is in it: a tuple of 2, a dict with loss, accuracy."""
    kind = type(value).__name__
    if not parts:
        return f"a {kind} without entries"
    names = [name for name, _ in parts]
    if names == [str(number) for number in range(len(parts))]:
        return f"a {kind} of {len(parts)}"
    return f"a {kind} with {joined(names, _NAMED)}"
