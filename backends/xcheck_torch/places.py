"""Places: the line of a person's program that torch is called from."""

import sys
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any

import torch

import xcheck.backend
from xcheck.trace import Place

_HERE = f"{Path(__file__).parent}/"
_OWN = (_HERE, *(f"{Path(str(module.__file__)).parent}/" for module in (torch, xcheck.backend)))


@cache
def _is_own(file: str) -> bool:
    """Return whether a file belongs to torch, or to what calls the loss."""
    return file.startswith((*_OWN, "<frozen"))


def newest_place(boundary: CodeType) -> Place | None:
    """Return the newest line outside torch and xcheck in the calls that a function makes; None without one.

    Args:
        boundary: the code of that function: what has called it is not looked at.
    """
    frame: Any = sys._getframe(1)  # noqa: SLF001 - traceback.extract_stack reads all files, hundreds of times slower
    while frame is not None and frame.f_code is not boundary:
        if not _is_own(frame.f_code.co_filename):
            return Place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_qualname)
        frame = frame.f_back
    return None


def at(place: Place | None) -> str:
    """Return the words for a place, to stand behind others.

    >>> at(Place("loss.py", 3)), at(None)
    (' at loss.py:3', '')
    """
    return "" if place is None else f" at {place}"
