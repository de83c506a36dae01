"""The definition's reference: every key with its type, range and default from the schema, and what it means from here.

A key of the schema without a meaning, or a meaning without a key, fails the build.
"""

from collections.abc import Iterator, Sequence
from inspect import getdoc
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from xcheck.networks.definition.schema import Definition, leaves

MEANINGS = {
    "data.file": "`.csv` with a header row, or `.npz` without pickles; relative to the definition",
    "data.target": "csv: a column or a list of columns; npz: the name of an array, by default `y` (the inputs are `x`)",
    "data.features": "csv only: the columns that are inputs; by default every column but the target",
    "data.examples": "rows used, drawn with the seed; by default 64, or all if there are fewer",
    "data.normalize": "(x − mean)/standard deviation per feature; a constant feature is only centred",
    "data.image": "shape of an image, such as `[8, 8]`, for `training.augment`",
    "data.synthetic": "drawn inputs and targets, in place of `data.file`",
    "data.synthetic.inputs": "number of input features",
    "data.synthetic.examples": "number of examples",
    "network.layers": "the layers in order; the last one is the output and gives logits or values",
    "network.layers.units": "number of outputs of the layer",
    "network.layers.activation": "g in a = g(z)",
    "network.layers.initializer": "how W is drawn; by default `he` for the relu family, else `xavier`; biases 0",
    "network.layers.keep_prob": "probability of keeping a unit in inverted dropout",
    "network.input_keep_prob": "the same for the inputs",
    "network.loss": "of one example; both cross-entropies take logits",
    "network.l2": "λ in λ/(2m) Σ ‖W‖², of weights only",
    "network.l1": "λ in λ/(2m) Σ |W|, of weights only",
    "network.weights": "`.npz` or `.safetensors` with W1, b1, W2, ...; by default drawn by the initializers",
    "check.backends": "the witnesses; by default NumPy, PyTorch and JAX, as far as they are installed",
    "check.epsilon": "the step of the differences, chosen per component or fixed, such as the lecture's 1e-7",
    "check.difference": "`forward` is for teaching",
    "check.tolerance": "relative, per component, on top of the error bar",
    "check.dropout": "masks drawn once and shared by everybody, or no dropout",
    "check.dtype": "what the witnesses compute in; the oracle is always in float64",
    "check.device": "where everything is computed",
    "check.engine": "how perturbed losses are evaluated, from the most direct to the fastest",
    "check.budget": "seconds that `auto` lets an engine take before it turns to a less direct one",
    "check.seed": "of everything random",
    "training.steps": "steps of gradient descent",
    "training.learning_rate": "α in θ − α ∂J/∂θ",
    "training.batch": "examples of a step; by default all of the training part",
    "training.check_at": "steps at which there is a full check; by default the first and the last",
    "training.backend": "the witness whose gradient drives the training; by default the first",
    "training.early_stopping": "stop when the validation loss has not become smaller for a while",
    "training.early_stopping.patience": "steps to wait",
    "training.split": "shares of training, validation and test part; by default 60/20/20, with very many rows 98/1/1",
    "training.augment": "changed copies of the images of the training part",
    "training.augment.copies": "per image",
    "training.augment.flip": "mirrored along these axes, with probability ½ each",
    "training.augment.rotate": "turned by a random angle of up to so many degrees",
    "training.augment.crop": "pixels of height and width cut off at most; what is left is stretched to the whole",
    "training.augment.distort": "size of smooth random displacements, in pixels",
    "training.bayes_error": "the error that nobody can avoid, for bias and variance",
    "training.divergence": "train with the gradient of every witness, and tell how far θ parts",
}


def reference() -> str:
    """Return the tables of the definition in Markdown, in the order of the schema.

    Raises:
        ValueError: keys of the schema and meanings are not the same.
    """
    keys = {path for path, _, _ in _keys(Definition)}
    if keys != set(MEANINGS):
        raise ValueError(f"keys without a meaning, or meanings without a key: {sorted(keys ^ set(MEANINGS))}")
    return "\n\n".join(_tables(Definition))


def _tables(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        path = f"{prefix}{name}"
        table = _table_of(field)
        if table is None:
            continue
        rows = [_row(f"{path}.{key}", one) for key, one in table.model_fields.items()]
        head = "| key | values | default | meaning |\n|---|---|---|---|"
        title = f"`[{path}]`" if not prefix else f"`{path}`"
        sentence = (getdoc(table) or "").partition("\n")[0]
        about = sentence.partition(": ")[2] or sentence
        yield "\n".join([f"### {title}", "", f"{about[:1].upper()}{about[1:]}", "", head, *rows])
        yield from _tables(table, f"{path}.")


def _row(path: str, field: FieldInfo) -> str:
    meaning = MEANINGS[path].replace("|", "&#124;")
    return f"| `{path.rpartition('.')[2]}` | {_values(field)} | {_default(field)} | {meaning} |"


def _keys(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo, type[BaseModel]]]:
    """Yield the keys below the tables of the top level, with their paths."""
    for name, field in model.model_fields.items():
        path = f"{prefix}{name}"
        if prefix:
            yield path, field, model
        table = _table_of(field)
        if table is not None:
            yield from _keys(table, f"{path}.")


def _table_of(field: FieldInfo) -> type[BaseModel] | None:
    tables = [leaf for leaf in leaves(field.annotation) if isinstance(leaf, type) and issubclass(leaf, BaseModel)]
    return tables[0] if tables else None


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
