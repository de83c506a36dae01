"""pydantic's errors -> complaints in the words of the definition, with "did you mean"."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from xcheck.definition.schema import leaves, table_at
from xcheck.errors import Complaint

_EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "a string",
    "bool_type": "true or false",
    "list_type": "a list",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "dict_type": "a table",
    "finite_number": "a finite number",
}
_BOUNDS = {
    "greater_than": ("gt", "greater than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return "; did you mean 'x'?" for the closest known word, else "; known: x, y".

    >>> did_you_mean("activaton", ["units", "activation"])
    "; did you mean 'activation'?"
    >>> did_you_mean("colour", ["units", "activation"])
    '; known: units, activation'
    """
    known = list(known)
    close = get_close_matches(str(word), known, n=1)
    return f"; did you mean '{close[0]}'?" if close else f"; known: {', '.join(known)}"


def explain(error: ValidationError, root: type[BaseModel]) -> list[Complaint]:
    """Return one complaint per mistake that pydantic found in a document described by `root`."""
    return [Complaint(_text(detail, root), key=detail["loc"]) for detail in error.errors()]


def _text(detail: ErrorDetails, root: type[BaseModel]) -> str:
    kind, path, value = detail["type"], detail["loc"], detail["input"]
    match kind:
        case "extra_forbidden":
            text = "unknown key" + did_you_mean(path[-1], table_at(path[:-1], root).model_fields)
        case "missing":
            text = "missing"
        case "literal_error":
            text = _unknown_word(path, value, root)
        case "too_short":
            text = "must not be empty"
        case _ if kind in _EXPECTED:
            text = f"expected {_EXPECTED[kind]}, got {_described(value)}"
        case _ if kind in _BOUNDS:
            key, words = _BOUNDS[kind]
            text = f"must be {words} {detail['ctx'][key]:g}, got {value!r}"
        case _:
            text = f"{detail['msg']}, got {_described(value)}"
    return text


def _unknown_word(path: Sequence[str | int], value: object, root: type[BaseModel]) -> str:
    if not isinstance(value, str):
        return f"expected a string, got {_described(value)}"
    name = next(str(part) for part in reversed(path) if isinstance(part, str))
    return f"unknown {name} '{value}'" + did_you_mean(value, _words(path, root))


def _words(path: Sequence[str | int], root: type[BaseModel]) -> list[str]:
    """Return the words that the literal at `path` allows."""
    *table, key = [part for part in path if isinstance(part, str)]
    annotation = table_at(table, root).model_fields[key].annotation
    return [leaf for leaf in leaves(annotation) if isinstance(leaf, str)]


def _described(value: object) -> str:
    match value:
        case bool():
            return f"{str(value).lower()}"
        case str():
            return f"the string '{value}'"
        case dict():
            return "a table"
        case list():
            return "a list"
        case _:
            return f"{value!r}"
