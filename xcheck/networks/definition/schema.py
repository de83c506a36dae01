"""The shape of a definition: every key, its type, its range, its default, and what it means.

The reference of the keys in the documentation is made of these tables, so a key's description is written for people.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from xcheck.dtypes import DtypeName
from xcheck.networks.definition.layer_tables import LayerTable, kind_of
from xcheck.networks.definition.values import (
    Count,
    Epsilon,
    FileName,
    Fraction,
    Names,
    Natural,
    NonNegative,
    Positive,
    Probability,
    StrictTable,
)
from xcheck.networks.network import LossName


class Synthetic(StrictTable):
    """`data.synthetic`: gaussian inputs, targets drawn to fit the loss."""

    inputs: Count = Field(description="number of input features")
    examples: Count = Field(default=64, description="number of examples")


class Data(StrictTable):
    """`[data]`: where inputs and targets come from."""

    file: FileName | None = Field(
        default=None, description="`.csv` with a header row, or `.npz` without pickles; relative to the definition"
    )
    target: Names | None = Field(
        default=None,
        description="csv: a column or a list of columns; "
        "npz: the name of an array, by default `y` (the inputs are `x`)",
    )
    features: list[str] | None = Field(
        default=None,
        min_length=1,
        description="csv only: the columns that are inputs; by default every column but the target",
    )
    examples: Count | None = Field(
        default=None, description="rows used, drawn with the seed; by default 64, or all if there are fewer"
    )
    normalize: bool = Field(
        default=True, description="(x − mean)/standard deviation per feature; a constant feature is only centred"
    )
    image: Annotated[list[Count], Field(min_length=2, max_length=3)] | None = Field(
        default=None,
        description="shape of an image in the file, such as `[8, 8]` or `[8, 8, 3]` with its channels last: for layers "
        "that take images, and for `training.augment`",
    )
    synthetic: Synthetic | None = Field(default=None, description="drawn inputs and targets, in place of `data.file`")


class NetworkTable(StrictTable):
    """`[network]`: what is computed."""

    layers: Annotated[list[LayerTable], Field(min_length=1)] = Field(
        description="the layers in order; the last one is the output and gives logits or values"
    )
    input_keep_prob: Probability = Field(default=1.0, description="the same for the inputs")
    loss: LossName = Field(description="of one example; both cross-entropies take logits")
    l2: NonNegative = Field(default=0.0, description="λ in λ/(2m) Σ ‖W‖², of weights only")
    l1: NonNegative = Field(default=0.0, description="λ in λ/(2m) Σ |W|, of weights only")
    weights: FileName | None = Field(
        default=None, description="`.npz` or `.safetensors` with W1, b1, W2, ...; by default drawn by the initializers"
    )


class CheckSettings(StrictTable):
    """`[check]`: how it is checked; also the keys of `[tool.xcheck]`."""

    backends: Annotated[list[str], Field(min_length=1)] | None = Field(
        default=None, description="the witnesses; by default NumPy, PyTorch and JAX, as far as they are installed"
    )
    epsilon: Epsilon = Field(
        default="auto",
        description="the step of the differences, chosen per component or fixed, such as the lecture's 1e-7",
    )
    difference: Literal["central", "forward"] = Field(default="central", description="`forward` is for teaching")
    tolerance: Positive = Field(default=1e-7, description="relative, per component, on top of the error bar")
    dropout: Literal["pinned", "off"] = Field(
        default="pinned", description="masks drawn once and shared by everybody, or no dropout"
    )
    dtype: DtypeName = Field(
        default="float64", description="what the witnesses compute in; the oracle is always in float64"
    )
    device: Literal["cpu", "gpu"] = Field(default="cpu", description="where everything is computed")
    engine: Literal["auto", "loop", "batched", "structured", "node"] = Field(
        default="auto", description="how perturbed losses are evaluated, from the most direct to the fastest"
    )
    budget: Positive = Field(
        default=10.0, description="seconds that `auto` lets an engine take before it turns to a less direct one"
    )
    seed: Natural = Field(default=0, description="of everything random")
    proof: bool = Field(
        default=False,
        description="whether gradients are held against slopes with proved bounds, too; needs python-flint",
    )

    @model_validator(mode="after")
    def _nodes_have_steps_of_their_own(self) -> Self:
        if self.engine == "node" and (self.epsilon != "auto" or self.difference != "central"):
            text = "the node engine takes central steps of its own; with epsilon or difference use 'structured'"
            raise PydanticCustomError("together", text)
        return self


class EarlyStopping(StrictTable):
    """`training.early_stopping`: stop when the validation loss has not improved for so many steps."""

    patience: Count = Field(description="steps to wait")


class Augment(StrictTable):
    """`training.augment`: copies of images, changed a little; of the training part only."""

    copies: Count = Field(default=1, description="per image")
    flip: Literal["none", "horizontal", "vertical", "both"] = Field(
        default="none", description="mirrored along these axes, with probability ½ each"
    )
    rotate: Annotated[float, Field(ge=0, le=180, allow_inf_nan=False)] = Field(
        default=0.0, description="turned by a random angle of up to so many degrees"
    )
    crop: Natural = Field(
        default=0, description="pixels of height and width cut off at most; what is left is stretched to the whole"
    )
    distort: NonNegative = Field(default=0.0, description="size of smooth random displacements, in pixels")


class Training(StrictTable):
    """`[training]`: gradient descent between the checks."""

    steps: Natural = Field(description="steps of gradient descent")
    learning_rate: Positive = Field(description="α in θ − α ∂J/∂θ")
    batch: Count | None = Field(default=None, description="examples of a step; by default all of the training part")
    check_at: Annotated[list[Natural], Field(min_length=1)] | None = Field(
        default=None, description="steps at which there is a full check; by default the first and the last"
    )
    backend: str | None = Field(
        default=None, description="the witness whose gradient drives the training; by default the first"
    )
    early_stopping: EarlyStopping | None = Field(
        default=None, description="stop when the validation loss has not become smaller for a while"
    )
    split: Annotated[list[Fraction], Field(min_length=2, max_length=3)] | None = Field(
        default=None,
        description="shares of training, validation and test part; by default 60/20/20, with very many rows 98/1/1",
    )
    augment: Augment | None = Field(default=None, description="changed copies of the images of the training part")
    bayes_error: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = Field(
        default=0.0, description="the error that nobody can avoid, for bias and variance"
    )
    divergence: bool = Field(
        default=True, description="train with the gradient of every witness, and tell how far θ parts"
    )

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

    examples: Count | None = Field(default=None, description="rows used where a definition does not say how many")


class Definition(StrictTable):
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

    Behind the number of a layer its kind may stand, as pydantic writes it.

    >>> tuple(table_at(("network", "layers", 0), Definition).model_fields)
    ('kind', 'units', 'activation', 'initializer', 'keep_prob')
    >>> tuple(table_at(("network", "layers", 0, "max_pool2d"), Definition).model_fields)
    ('kind', 'size', 'stride')
    """
    tables = [root]
    for part in path:
        if isinstance(part, int):
            continue
        of_kind = [table for table in tables if kind_of(table) == part]
        tables = of_kind or tables_in(tables[0].model_fields[part].annotation)
    return tables[0]


def tables_in(annotation: object) -> list[type[BaseModel]]:
    """Return the tables among the innermost parts of an annotation."""
    return [leaf for leaf in leaves(annotation) if isinstance(leaf, type) and issubclass(leaf, BaseModel)]


def leaves(annotation: object) -> Iterator[object]:
    """Yield the innermost parts of an annotation: the types in `list[Layer]`, the words in `Literal["a", "b"]`."""
    parts = get_args(annotation)
    if not parts:
        yield annotation
    for part in parts:
        yield from leaves(part)
