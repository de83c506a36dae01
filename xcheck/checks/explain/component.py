"""Component: the one that a person means by `W2[3, 1]`, the inverse of `Layout.locate`."""

import re

from xcheck.errors import Complaint, DefinitionError
from xcheck.functions.tree import ROOT
from xcheck.layout import Layout, Tensor
from xcheck.text import did_you_mean

_INDEXED = re.compile(r"(?P<name>.*?)\s*\[(?P<index>[^\[\]]*)\]")
_FORMS = "write it like 'W2[3, 1]', or as a flat index"


def component_of(layout: Layout, text: str) -> int:
    """Return the flat index of a component by its name.

    Args:
        layout: names and shapes.
        text: `W2[3, 1]`, `W2[3,1]`, `b` for a tensor of one component, or a flat index of θ.

    Raises:
        DefinitionError: there is no such tensor, or no such index in it.

    >>> layout = Layout.of({"W1": (2, 3), "enc.0.b": (2,), "scale": ()})
    >>> [component_of(layout, text) for text in ("W1[1, 2]", "enc.0.b[1]", "scale", "8")]
    [5, 7, 8, 8]
    """
    text = text.strip()
    names = [tensor.name for tensor in layout]
    # A name may have brackets of its own, such as "layers[0].weight".
    if text in names:
        return _flat(layout[text], text, ())
    if re.fullmatch(r"\d+", text):
        return _checked_flat(layout, int(text))
    found = _INDEXED.fullmatch(text)
    name = found["name"] if found else text
    # One array alone is called after the argument of the function, and may be called `params` all the same.
    if name == ROOT and len(names) == 1:
        name = names[0]
    if name not in names:
        raise _mistake(f"there is no parameter {name}{did_you_mean(name, names)}")
    parts = [part.strip() for part in (found["index"] if found else "").split(",")]
    if not all(re.fullmatch(r"-?\d+", part) for part in parts):
        raise _mistake(f"{text} names no component: {_described(layout[name])}; {_FORMS}")
    return _flat(layout[name], text, tuple(int(part) for part in parts))


def _checked_flat(layout: Layout, flat: int) -> int:
    if flat >= layout.size:
        raise _mistake(f"there is no component {flat}: flat indices go from 0 to {layout.size - 1}")
    return flat


def _flat(tensor: Tensor, text: str, index: tuple[int, ...]) -> int:
    """Return the place in θ of an index in a tensor; a tensor of one component needs none."""
    # A bias of one unit is named like a scalar.
    if not index and tensor.size == 1:
        return tensor.offset
    if len(index) != len(tensor.shape):
        raise _mistake(f"{text} has {len(index) or 'no'} indices, {_described(tensor)}; {_FORMS}")
    for axis, (number, size) in enumerate(zip(index, tensor.shape, strict=True)):
        if not 0 <= number < size:
            valid = f"0 to {size - 1}" if size else "nothing: it is empty"
            raise _mistake(f"{text} is out of range: {_described(tensor)}, index {axis} goes from {valid}")
    flat = 0
    for number, size in zip(index, tensor.shape, strict=True):
        flat = flat * size + number
    return tensor.offset + flat


def _described(tensor: Tensor) -> str:
    return f"{tensor.name} has shape {tensor.shape}" if tensor.shape else f"{tensor.name} is one number"


def _mistake(text: str) -> DefinitionError:
    return DefinitionError(Complaint(text))
