"""Messages: the errors of pydantic as complaints in the words of a definition, with "did you mean"."""

import reprlib
from collections.abc import Mapping, Sequence
from datetime import date, time
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from xcheck.errors import Complaint, KeyPath
from xcheck.networks.definition.layer_tables import kind_of
from xcheck.networks.definition.schema import leaves, table_at, tables_in
from xcheck.text import did_you_mean, quoted

# What pydantic calls a type, and what a person who writes TOML calls it.
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
# What pydantic calls a bound: where its limit stands in the context of the error, and its name in plain words.
_BOUNDS = {
    "greater_than": ("gt", "greater than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}

# What other libraries call the same activations, losses and initialisers.
_SYNONYMS = {
    "mse": "mean_squared_error",
    "mseloss": "mean_squared_error",
    "l2": "mean_squared_error",
    "squared_error": "mean_squared_error",
    "bce": "binary_cross_entropy",
    "bceloss": "binary_cross_entropy",
    "logistic_loss": "binary_cross_entropy",
    "cross_entropy": "softmax_cross_entropy",
    "crossentropyloss": "softmax_cross_entropy",
    "categorical_cross_entropy": "softmax_cross_entropy",
    "nll": "softmax_cross_entropy",
    "swish": "silu",
    "linear": "identity",
    "none": "identity",
    "logistic": "sigmoid",
    "lrelu": "leaky_relu",
    "kaiming": "he",
    "kaiming_normal": "he",
    "glorot": "xavier",
    "xavier_normal": "xavier",
    "gaussian": "normal",
    "fully_connected": "dense",
    "avg_pool2d": "average_pool2d",
    "avg_pool1d": "average_pool1d",
    "conv": "conv2d",
    "max_pool": "max_pool2d",
    "average_pool": "average_pool2d",
    "avg_pool": "average_pool2d",
}

_LONGEST_INT = 64  # bits; longer integers are not written out


def complaints_from(error: ValidationError, root: type[BaseModel]) -> list[Complaint]:
    """Return one complaint per mistake that pydantic found in a document described by `root`."""
    return [Complaint(_describe(detail, root), key=_key_of(detail)) for detail in error.errors()]


def _describe(detail: ErrorDetails, root: type[BaseModel]) -> str:
    # The only error of a union: it is told apart by its kind, before anything in it is looked at.
    is_kind = detail["type"] == "union_tag_invalid"
    return _describe_unknown_kind(detail, root) if is_kind else _describe_error(detail, root)


def _key_of(detail: ErrorDetails) -> KeyPath:
    """Return the key in the document: in the path of pydantic the kind of a layer stands behind its number."""
    path = detail["loc"]
    key = tuple(
        part
        for place, part in enumerate(path)
        if isinstance(part, int) or place < 2 or path[place - 2] != "layers" or not isinstance(path[place - 1], int)
    )
    return (*key, "kind") if detail["type"] == "union_tag_invalid" else key


def _describe_error(detail: ErrorDetails, root: type[BaseModel]) -> str:
    kind, path, value = detail["type"], detail["loc"], detail["input"]
    match kind:
        case "extra_forbidden":
            text = "unknown key" + did_you_mean(path[-1], table_at(path[:-1], root).model_fields)
        case "missing":
            words = _known_words(path, root)
            text = "missing" + (f"; known: {', '.join(words)}" if words else "")
        case "literal_error":
            text = _describe_unknown_word(path, value, root)
        case "together":  # values that are fine each for itself
            text = detail["msg"]
        case "too_short" | "too_long" | "string_too_short":
            text = _describe_length(kind, detail["ctx"])
        case _ if kind in _EXPECTED:
            text = f"expected {_EXPECTED[kind]}, got {_describe_value(value)}{_propose_brackets(kind, value)}"
        case _ if kind in _BOUNDS:
            key, comparison = _BOUNDS[kind]
            limit = detail["ctx"][key]
            bound = f"{limit:{'g' if isinstance(limit, float) else 'd'}}"
            text = f"must be {comparison} {bound}, got {_describe_value(value)}"
        case _:
            text = f"{detail['msg']}, got {_describe_value(value)}"
    return text


def _describe_length(kind: str, context: Mapping[str, Any]) -> str:
    """Say how many entries a list may have, and how many it has."""
    if kind == "too_long":
        return f"at most {context['max_length']} entries, got {context['actual_length']}"
    least = context["min_length"]
    return "must not be empty" if least == 1 else f"at least {least} entries, got {context['actual_length']}"


def _propose_brackets(kind: str, value: object) -> str:
    """Return a hint how to write a single word as a list, where a list was expected and a word came."""
    return f"; write [{quoted(value)}]" if kind == "list_type" and isinstance(value, str) else ""


def _describe_unknown_word(path: Sequence[str | int], value: object, root: type[BaseModel]) -> str:
    words = _known_words(path, root)
    # Nothing can be proposed for a number, so all words are listed.
    if not isinstance(value, str):
        return f"expected a string, got {_describe_value(value)}; known: {', '.join(words)}"
    name = next(str(part) for part in reversed(path) if isinstance(part, str))
    meant = _SYNONYMS.get(value.lower(), "")
    proposal = f"; did you mean '{meant}'?" if meant in words else did_you_mean(value, words)
    return f"unknown {name} {quoted(value)}{proposal}"


def _describe_unknown_kind(detail: ErrorDetails, root: type[BaseModel]) -> str:
    *above, key, _ = detail["loc"]
    tables = tables_in(table_at(above, root).model_fields[str(key)].annotation)
    kinds = [kind for table in tables if (kind := kind_of(table)) is not None]
    kind = detail["input"]["kind"]
    if not isinstance(kind, str):
        return f"expected a string, got {_describe_value(kind)}; known: {', '.join(kinds)}"
    meant = _SYNONYMS.get(kind.lower(), "")
    proposal = f"; did you mean '{meant}'?" if meant in kinds else did_you_mean(kind, kinds)
    return f"unknown kind {quoted(kind)}{proposal}"


def _known_words(path: Sequence[str | int], root: type[BaseModel]) -> list[str]:
    """Return the words that the literal at `path` allows; none where there is no literal."""
    *table, key = [part for part in path if isinstance(part, str)]
    annotation = table_at(table, root).model_fields[key].annotation
    return [leaf for leaf in leaves(annotation) if isinstance(leaf, str)]


def _describe_value(value: object) -> str:
    match value:
        case bool():
            text = str(value).lower()
        case int() if value.bit_length() > _LONGEST_INT:
            text = f"an integer of {value.bit_length()} bits"  # Python refuses to write thousands of digits
        case str():
            text = f"the string {quoted(value)}"
        case dict():
            text = "a table"
        case list():
            text = "a list"
        case date() | time():
            text = f"the date or time {value.isoformat()}"
        case _:
            text = " ".join(reprlib.repr(value).split())  # on one line, also what only a dict can hold
    return text
