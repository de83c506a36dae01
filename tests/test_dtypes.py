"""Dtypes: the one table of unit roundoffs, and rounding, against NumPy and ml_dtypes."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from xcheck.dtypes import (
    BFLOAT16,
    FLOAT16,
    FLOAT32,
    FLOAT64,
    ROUNDOFF,
    DtypeName,
    largest_of,
    round_to,
    roundoff_of,
    same_numbers,
    ulp_exponent,
    widen,
)
from xcheck.layout import Vector

DTYPES: tuple[DtypeName, ...] = ("bfloat16", "float32", "float64")


def limit(dtype: str, name: str) -> float:
    """What ml_dtypes says about a dtype, those of NumPy included."""
    limits: Any = ml_dtypes.finfo
    return float(getattr(limits(dtype), name))


@pytest.mark.parametrize("dtype", ROUNDOFF)
def test_unit_roundoffs_are_half_of_eps(dtype: str) -> None:
    """As NumPy and ml_dtypes know them; complex dtypes have that of their parts."""
    assert roundoff_of(dtype) == limit(dtype, "eps") / 2


def test_the_constants_are_those_of_the_table() -> None:
    """One name for each width."""
    constants = {"float64": FLOAT64, "float32": FLOAT32, "float16": FLOAT16, "bfloat16": BFLOAT16}
    assert {name: ROUNDOFF[name] for name in constants} == constants


@pytest.mark.parametrize("dtype", ["int32", "bool", "float8_e8m0fnu"])
def test_other_dtypes_are_computed_in_float64(dtype: str) -> None:
    """Whatever is not in the table has the unit roundoff of float64, and stays as it is."""
    assert (roundoff_of(dtype), widen(dtype)) == (FLOAT64, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_largest_number(dtype: DtypeName) -> None:
    """As NumPy and ml_dtypes know it."""
    assert largest_of(dtype) == limit(dtype, "max")


@pytest.mark.parametrize("size", [2, 4096], ids=["few", "many"])
@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ([1.0, np.nan], [1.0, np.nan], True),
        ([0.0, 1.0], [-0.0, 1.0], True),
        ([1.0, 2.0], [1.0, np.nan], False),
        ([1, 2], [1, 2], True),
        ([1, 2], [1, 3], False),
        ([1, 2], [1.0, 2.0], True),
        ([True, False], [True, True], False),
        ([1j, np.nan], [1j, np.nan], True),
    ],
)
def test_numbers_are_compared_as_numbers(one: list[Any], other: list[Any], same: bool, size: int) -> None:
    """Whatever their bytes, dtypes and strides are; nan is nan."""
    ones, others = np.resize(one, size), np.resize(other, size)
    assert same_numbers(ones, others) is same
    assert same_numbers(np.asfortranarray(ones.reshape(2, -1)), others.reshape(2, -1)) is same
    assert not same_numbers(ones, others.reshape(1, -1))


def numbers(rng: np.random.Generator) -> Vector:
    """Numbers of all sizes that float32 holds, with ties between numbers of bfloat16 among them."""
    wide = np.ldexp(rng.uniform(-1, 1, 2000), rng.integers(-120, 120, 2000))
    ties = (1 + np.arange(256) / 256) * rng.choice([-1.0, 1.0], 256)
    return np.concatenate([wide.astype(np.float32), ties, [0.0, -0.0]])


@pytest.mark.parametrize("dtype", DTYPES)
def test_rounding_is_to_the_nearest_ties_to_even(dtype: DtypeName) -> None:
    """Every number of float32 goes where ml_dtypes puts it, and the sign of zero stays."""
    values = numbers(np.random.default_rng(0))
    expected = values.astype(np.dtype(dtype)).astype(np.float64)
    assert round_to(values, dtype).tobytes() == expected.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
def test_rounding_is_within_the_unit_roundoff(dtype: DtypeName) -> None:
    """|x̂ − x| ≤ u |x|, which is what the unit roundoff means; and a rounded number stays."""
    values = np.random.default_rng(1).standard_normal(2000)
    rounded = round_to(values, dtype)
    # Two roundings on the way to bfloat16: u of float32 comes on top.
    allowed = roundoff_of(dtype) + (FLOAT32 if dtype == "bfloat16" else 0.0)
    assert np.all(np.abs(rounded - values) <= allowed * np.abs(values))
    assert np.array_equal(round_to(rounded, dtype), rounded)


def test_a_tie_that_float32_makes_goes_to_the_even_neighbour() -> None:
    """1 + 2⁻⁸ + 2⁻⁴⁰ is nearer to 1 + 2⁻⁷; rounded to float32 first it is a tie, in torch and JAX as well."""
    torch = pytest.importorskip("torch")
    value = 1 + 2.0**-8 + 2.0**-40
    assert round_to(np.array([value]), "bfloat16").tolist() == [1.0]
    assert torch.tensor(value, dtype=torch.float64).to(torch.bfloat16).item() == 1.0


@pytest.mark.parametrize("dtype", [name for name in ROUNDOFF if not name.startswith("complex")])
def test_the_last_place_is_that_of_ml_dtypes(dtype: str) -> None:
    """Of 1, of 0, and of the smallest positive number; of complex numbers it is that of their parts."""
    smallest = int(np.log2(limit(dtype, "smallest_subnormal")))
    assert 2.0 ** ulp_exponent(0, dtype) == limit(dtype, "eps")
    assert ulp_exponent(None, dtype) == smallest == ulp_exponent(smallest, dtype)
    assert ulp_exponent(7, "complex64") == ulp_exponent(7, "float32")


@pytest.mark.parametrize("value", [1.0, 1.5, np.nextafter(2.0, 0), 3e-310, 5e300])
def test_the_last_place_is_the_spacing_of_numpy(value: float) -> None:
    """In float64."""
    assert 2.0 ** ulp_exponent(int(np.frexp(value)[1]) - 1, "float64") == np.spacing(value)
