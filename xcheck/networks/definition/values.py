"""The types of values in a definition: what pydantic's own do not say, and what TOML's readers let through."""

import sys
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator
from pydantic_core import PydanticCustomError

# TOML promises integers of 64 bits; Python would take thousands of digits.
_LARGEST_INT = 2**63 - 1
# An integer beyond this cannot become a float.
_LARGEST_FLOAT = sys.float_info.max


class StrictTable(BaseModel):
    """A TOML table: no unknown keys, no silent conversions."""

    # Not strict, "3" would be taken for 3 and true for 1; a misspelt key would silently leave its default.
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def _to_list(value: object) -> object:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        raise PydanticCustomError("names", "expected a column name or a list of column names")
    return value


def _to_lengths(value: object) -> object:
    # A length that is the same along every axis is written once.
    if isinstance(value, int) and not isinstance(value, bool):
        return [value]
    if not isinstance(value, list):
        raise PydanticCustomError("lengths", "expected a whole number, or a list of two")
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


Natural = Annotated[int, Field(ge=0, le=_LARGEST_INT)]
Count = Annotated[int, Field(ge=1, le=_LARGEST_INT)]
# TOML has inf and nan, and no key means anything with them.
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
Probability = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
# Before the list is validated: one column may be named without brackets.
Names = Annotated[list[str], BeforeValidator(_to_list), Field(min_length=1)]
# One length for every axis, or one for each of two.
Lengths = Annotated[list[Count], BeforeValidator(_to_lengths), Field(min_length=1, max_length=2)]
Margins = Annotated[list[Natural], BeforeValidator(_to_lengths), Field(min_length=1, max_length=2)]
FileName = Annotated[str, Field(min_length=1), AfterValidator(_check_path)]
# In place of pydantic's validation: a union would be told twice, once for each of its parts.
Epsilon = Annotated[float | Literal["auto"], PlainValidator(_check_epsilon)]
