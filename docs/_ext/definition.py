"""The definition's reference: every key with its type, range, default and meaning, all from the schema.

A key of the schema without a description fails the build.
"""

from collections.abc import Iterator, Sequence
from inspect import getdoc
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from xcheck.networks.definition.layer_tables import kind_of
from xcheck.networks.definition.schema import Definition, tables_in


def reference() -> str:
    """Return the tables of the definition in Markdown, in the order of the schema.

    Raises:
        ValueError: a key has no description.
    """
    return "\n\n".join(_tables(Definition))


def _tables(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        path = f"{prefix}{name}"
        if len(tables := tables_in(field.annotation)) > 1:
            # Entries of several kinds: what each of them holds stands in its own table, and in no other.
            yield from (_table(table, f"`{path}`, kind `{kind_of(table)}`", path) for table in tables)
            continue
        if not tables:
            continue
        (table,) = tables
        yield _table(table, f"`[{path}]`" if not prefix else f"`{path}`", path)
        yield from _tables(table, f"{path}.")


def _table(table: type[BaseModel], title: str, path: str) -> str:
    """Return one table, with a sentence about it."""
    rows = [_row(f"{path}.{key}", one) for key, one in table.model_fields.items()]
    head = "| key | values | default | meaning |\n|---|---|---|---|"
    sentence = (getdoc(table) or "").partition("\n")[0]
    about = sentence.partition(": ")[2] or sentence
    return "\n".join([f"### {title}", "", f"{about[:1].upper()}{about[1:]}", "", head, *rows])


def _row(path: str, field: FieldInfo) -> str:
    if not field.description:
        raise ValueError(f"{path}: a key without a description")
    meaning = field.description.replace("|", "&#124;")
    return f"| `{path.rpartition('.')[2]}` | {_values(field)} | {_default(field)} | {meaning} |"


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "required"
    return "" if field.default is None else f"`{_toml(field.default)}`"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else f"{value!r}".replace("1e-07", "1e-7")


def _values(field: FieldInfo) -> str:
    words = ", ".join([*_kinds(field.annotation), *_range(field.metadata)])
    return words.replace("list, table", "list of tables")


def _kinds(annotation: object) -> list[str]:
    """Say what an annotation allows, in words of TOML.

    >>> _kinds(int | None), _kinds(Literal["central", "forward"]), _kinds(list[str])
    (['integer'], ['`"central"`', '`"forward"`'], ['list of strings'])
    """
    if get_origin(annotation) is Literal:
        return [f"`{_toml(word)}`" for word in get_args(annotation)]
    if get_origin(annotation) is list:
        return [f"list of {_kinds(get_args(annotation)[0])[0]}s"]
    if hasattr(annotation, "__metadata__"):
        inner = get_args(annotation)[0]
        return [*_kinds(inner), *_range(annotation.__metadata__)] if get_origin(inner) is not list else _kinds(inner)
    parts = [part for part in get_args(annotation) if part is not NoneType]
    if parts:
        return [word for part in parts for word in _kinds(part)]
    names: dict[object, str] = {int: "integer", float: "number", str: "string", bool: "`true`, `false`"}
    is_table = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return ["table" if is_table else names[annotation]]


def _range(metadata: Sequence[Any]) -> list[str]:
    """Say the bounds of a number: `Field(ge=1)` is "at least 1"; the largest integer of TOML goes without saying."""
    words = []
    for part in (bound for each in metadata for bound in getattr(each, "metadata", [each])):
        for name, text in (("ge", "at least"), ("gt", "more than"), ("le", "at most"), ("lt", "less than")):
            bound = getattr(part, name, None)
            if bound is not None and bound < 2**62:
                words.append(f"{text} {bound:g}")
    return words
