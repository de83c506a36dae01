"""Schema: what the tables of a definition hold, beyond the types and ranges of single keys."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from xcheck.networks.definition.schema import (
    CheckSettings,
    Data,
    Definition,
    NetworkTable,
    Project,
    ProjectSettings,
    Training,
    leaves,
    table_at,
)

PLAN: dict[str, Any] = {"steps": 10, "learning_rate": 0.1}


def tables_in(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The tables below a document, however deep."""
    for field in model.model_fields.values():
        for leaf in leaves(field.annotation):
            if isinstance(leaf, type) and issubclass(leaf, BaseModel):
                yield leaf
                yield from tables_in(leaf)


@pytest.mark.parametrize(
    ("path", "table"),
    [
        ((), Definition),
        (("data",), Data),
        (("network",), NetworkTable),
        (("check",), CheckSettings),
        (("training",), Training),
    ],
)
def test_the_table_at_a_path(path: tuple[str, ...], table: type) -> None:
    """A table that may be left out is found as well."""
    assert table_at(path, Definition) is table


def test_a_project_has_the_keys_of_a_check_and_examples() -> None:
    """Nothing else of a definition."""
    settings = table_at(("tool", "xcheck"), Project)
    assert settings is ProjectSettings
    assert set(settings.model_fields) - set(CheckSettings.model_fields) == {"examples"}


@pytest.mark.parametrize("table", [*tables_in(Definition), ProjectSettings], ids=lambda table: table.__name__)
def test_every_key_says_what_it_means(table: type[BaseModel]) -> None:
    """The reference of the keys is made of these descriptions; and each table has its sentence."""
    assert table.__doc__
    assert [key for key, field in table.model_fields.items() if not field.description] == []


def test_the_leaves_of_an_annotation() -> None:
    """Words of a literal, and types inside lists and options."""
    assert set(leaves(dict[str, list[int] | None])) == {str, int, type(None)}


@pytest.mark.parametrize(("batch", "examples", "expected"), [(None, 7, True), (7, 7, True), (6, 7, False)])
def test_a_step_may_look_at_all_examples(batch: int | None, examples: int, expected: bool) -> None:
    """Without `batch`, or with one that is large enough."""
    assert Training.model_validate({**PLAN, "batch": batch}).takes_all_of(examples) is expected


@pytest.mark.parametrize("split", [[0.7, 0.2, 0.1], [0.5, 0.5], [1 / 3, 1 / 3, 1 / 3]])
def test_parts_that_are_a_whole(split: list[float]) -> None:
    """But for the rounding of decimals."""
    assert Training.model_validate({**PLAN, "split": split}).split == split


def test_parts_that_are_not_a_whole() -> None:
    """Their sum is told."""
    with pytest.raises(ValidationError, match=r"the parts sum to 0\.9, not 1"):
        Training.model_validate({**PLAN, "split": [0.7, 0.2]})


def test_a_check_after_the_end_of_training() -> None:
    """It would never be made."""
    with pytest.raises(ValidationError, match="a check at 11, but training ends after 10 steps"):
        Training.model_validate({**PLAN, "check_at": [0, 11]})


def test_settings_cannot_be_changed() -> None:
    """A definition is a value."""
    with pytest.raises(ValidationError, match="frozen"):
        CheckSettings().seed = 3
