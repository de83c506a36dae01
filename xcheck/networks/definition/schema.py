"""The shape of a definition: every key, its type, its range and its default."""

import sys
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from xcheck.dtypes import DtypeName
from xcheck.networks.network import ActivationName, InitializerName, LossName

# TOML promises integers of 64 bits; Python would take thousands of digits.
_LARGEST_INT = 2**63 - 1
# An integer beyond this cannot become a float.
_LARGEST_FLOAT = sys.float_info.max


def _to_list(value: object) -> object:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        raise PydanticCustomError("names", "expected a column name or a list of column names")
    return value


def _check_epsilon(value: object) -> float | Literal["auto"]:
    if isinstance(value, str) and value == "auto":
        return "auto"
    # In Python true is an int.
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= _LARGEST_FLOAT:
        return float(value)
    raise PydanticCustomError("epsilon", 'expected "auto" or a positive number')


def _check_path(value: str) -> str:
    # The operating system would refuse it with a message that names no file.
    if "\0" in value:
        raise PydanticCustomError("path", "expected the name of a file")
    return value


Count = Annotated[int, Field(ge=1, le=_LARGEST_INT)]
Penalty = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
Probability = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
Names = Annotated[list[str], BeforeValidator(_to_list), Field(min_length=1)]
FileName = Annotated[str, Field(min_length=1), AfterValidator(_check_path)]
Epsilon = Annotated[float | Literal["auto"], PlainValidator(_check_epsilon)]


class _Table(BaseModel):
    """A TOML table: no unknown keys, no silent conversions."""

    # Not strict, "3" would be taken for 3 and true for 1; a misspelt key would silently leave its default.
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Synthetic(_Table):
    """`data.synthetic`: gaussian inputs, targets drawn to fit the loss."""

    inputs: Count
    examples: Count = 64


class Data(_Table):
    """`[data]`: where inputs and targets come from."""

    file: FileName | None = None
    target: Names | None = None
    features: list[str] | None = Field(default=None, min_length=1)
    examples: Count | None = None
    normalize: bool = True
    image: Annotated[list[Count], Field(min_length=2, max_length=3)] | None = None
    synthetic: Synthetic | None = None


class Layer(_Table):
    """One entry of `network.layers`."""

    units: Count
    activation: ActivationName = "identity"
    initializer: InitializerName | None = None
    keep_prob: Probability = 1.0


class NetworkTable(_Table):
    """`[network]`: what is computed."""

    layers: Annotated[list[Layer], Field(min_length=1)]
    input_keep_prob: Probability = 1.0
    loss: LossName
    l2: Penalty = 0.0
    l1: Penalty = 0.0
    weights: FileName | None = None


class CheckSettings(_Table):
    """`[check]`: how it is checked; also the keys of `[tool.xcheck]`."""

    backends: Annotated[list[str], Field(min_length=1)] | None = None
    epsilon: Epsilon = "auto"
    difference: Literal["central", "forward"] = "central"
    tolerance: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-7
    dropout: Literal["pinned", "off"] = "pinned"
    dtype: DtypeName = "float64"
    device: Literal["cpu", "gpu"] = "cpu"
    engine: Literal["auto", "loop", "batched", "structured", "node"] = "auto"
    budget: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 10.0
    seed: Annotated[int, Field(ge=0, le=_LARGEST_INT)] = 0

    @model_validator(mode="after")
    def _nodes_have_steps_of_their_own(self) -> Self:
        if self.engine == "node" and (self.epsilon != "auto" or self.difference != "central"):
            text = "the node engine takes central steps of its own; with epsilon or difference use 'structured'"
            raise PydanticCustomError("together", text)
        return self


class EarlyStopping(_Table):
    """`training.early_stopping`: stop when the validation loss has not improved for so many steps."""

    patience: Count


class Augment(_Table):
    """`training.augment`: copies of images, changed a little; of the training part only."""

    copies: Count = 1
    flip: Literal["none", "horizontal", "vertical", "both"] = "none"
    rotate: Annotated[float, Field(ge=0, le=180, allow_inf_nan=False)] = 0.0
    crop: Annotated[int, Field(ge=0, le=_LARGEST_INT)] = 0
    distort: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0


class Training(_Table):
    """`[training]`: gradient descent between the checks."""

    steps: Annotated[int, Field(ge=0, le=_LARGEST_INT)]
    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    batch: Count | None = None
    check_at: Annotated[list[Annotated[int, Field(ge=0, le=_LARGEST_INT)]], Field(min_length=1)] | None = None
    backend: str | None = None
    early_stopping: EarlyStopping | None = None
    split: Annotated[list[Fraction], Field(min_length=2, max_length=3)] | None = None
    augment: Augment | None = None
    bayes_error: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0
    divergence: bool = True

    def takes_all_of(self, examples: int) -> bool:
        """Return whether every step looks at all of so many examples."""
        return self.batch is None or self.batch >= examples

    @field_validator("split")
    @classmethod
    def _parts_are_a_whole(cls, split: list[float] | None) -> list[float] | None:
        # Fractions such as 0.7, 0.2, 0.1 do not sum to 1 in binary; 1e-9 is far less than one row of any data set.
        if split is not None and abs(sum(split) - 1) > 1e-9:
            raise PydanticCustomError("together", "the parts sum to {total}, not 1", {"total": f"{sum(split):g}"})
        return split

    @field_validator("check_at")
    @classmethod
    def _checks_are_made_in_time(cls, check_at: list[int] | None, info: ValidationInfo) -> list[int] | None:
        steps = info.data.get("steps")  # absent where it is itself a mistake
        late = [step for step in check_at or () if steps is not None and step > steps]
        if late:
            text = "a check at {step}, but training ends after {steps} steps"
            raise PydanticCustomError("together", text, {"step": late[0], "steps": steps})
        return check_at


class ProjectSettings(CheckSettings):
    """`[tool.xcheck]` of a pyproject.toml: the keys of `[check]`, and `examples`."""

    examples: Count | None = None


class Definition(_Table):
    """A whole definition."""

    data: Data
    network: NetworkTable
    check: CheckSettings = CheckSettings()
    training: Training | None = None


class Tool(BaseModel):
    """`[tool]` of a pyproject.toml, of which only `[tool.xcheck]` is ours."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    xcheck: ProjectSettings = ProjectSettings()


class Project(BaseModel):
    """A whole pyproject.toml."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    tool: Tool = Tool()


def table_at(path: Sequence[str | int], root: type[BaseModel]) -> type[BaseModel]:
    """Return the table that stands at `path` of a document described by `root`.

    >>> tuple(table_at(("network", "layers", 0), Definition).model_fields)
    ('units', 'activation', 'initializer', 'keep_prob')
    """
    model = root
    for part in path:
        if isinstance(part, str):
            annotation = model.model_fields[part].annotation
            model = next(leaf for leaf in leaves(annotation) if isinstance(leaf, type) and issubclass(leaf, BaseModel))
    return model


def leaves(annotation: object) -> Iterator[object]:
    """Yield the innermost parts of an annotation: the types in `list[Layer]`, the words in `Literal["a", "b"]`."""
    parts = get_args(annotation)
    if not parts:
        yield annotation
    for part in parts:
        yield from leaves(part)
