import json
from pathlib import Path

import pytest

from benchmarks.measure.rows import RowsError, from_json, read
from tests.benchmarks.fakes import row


def test_a_row_survives_the_file() -> None:
    """What is written is read."""
    for one in (row(), row(valid=None, samples=(), faults=None, evaluations=None), row(note="≈ θᵢ")):
        assert from_json(one.to_json()) == one


def test_derived_numbers_are_written_for_other_readers() -> None:
    """Median, quartiles, one pass, and what was found."""
    content = json.loads(row().to_json())
    assert (content["median"], content["iqr"]) == (2.5, 1.5)
    assert content["seconds_per_pass"] == pytest.approx(2.5 * 24 / 72)
    assert (content["found"], content["planted"]) == (1, 2)


def test_without_samples_there_is_nothing_to_derive() -> None:
    """A method that took no part has no times."""
    absent = row(samples=(), faults=None)
    assert absent.median is absent.iqr is absent.seconds_per_pass is absent.found is None


@pytest.mark.parametrize("line", ["", "{", "[]", '{"scenario": "small"}', '{"surprise": 1}'])
def test_what_is_not_a_row_is_named(line: str, tmp_path: Path) -> None:
    """With file, line and what to do."""
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{row().to_json()}\n{line}\n")
    with pytest.raises(RowsError, match=r"rows\.jsonl:2: not a row of this version .* measure again"):
        read(path)
