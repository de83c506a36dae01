"""Sentences on how the oracle has measured."""

from dataclasses import replace

from tests.report.test_text import FAILING
from xcheck.report.oracle import describe_engine, describe_oracle, describe_times, name_engine

SLOW = replace(FAILING.oracle, engine="torch: loop (torch.func.vmap: RuntimeError)", predicted={})


def test_why_an_engine_is_slow_is_told_by_v_alone() -> None:
    """It is the same in every report on the same function."""
    assert name_engine(SLOW) == "torch: loop"
    assert "torch: loop central differences" in describe_oracle(SLOW)
    assert describe_engine(SLOW).startswith("engine: torch: loop (torch.func.vmap: RuntimeError)")


def test_nothing_measured_is_said() -> None:
    """There are no losses to count."""
    assert describe_oracle(replace(SLOW, evaluations=0)) == "oracle: nothing could be measured"


def test_time_is_given_for_each_witness() -> None:
    """And for the oracle, with what compiling took of it."""
    text = describe_times(FAILING)
    assert text.startswith("time: ")
    assert all(f"{name} " in text for name in FAILING.seconds)
