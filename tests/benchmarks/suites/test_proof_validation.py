"""The validation of proofs: right functions are right, faults are seen, and the table counts."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.__main__ import cli
from benchmarks.publish.readme import markdown_of
from benchmarks.suites.compositions import STEPS, composition
from benchmarks.suites.proof_subject import Subject
from benchmarks.suites.proof_validation import Tally, subjects, validate
from benchmarks.suites.proof_validation_rows import FAULTS, ValidationRow, lines_of, merged, read
from benchmarks.suites.random_networks import KINDS, network
from tests.breadth.entry import precision_of

ROW = ValidationRow(
    family="networks",
    dtype="float64",
    seeds=(0, 9),
    functions=10,
    claims={"right": 8, "inaccurate": 1},
    ratios=(0.01, 0.02, 0.03, 5.0),
    exceptions={"perceptron": "inaccurate, 5 of what is allowed"},
    missing={"fourier": "`fft` has no rule"},
    faults={"norm 1e-12": (8, 8)},
)


def test_right_networks_are_right_in_every_dtype() -> None:
    """One perceptron: no claim but right, and its faults are seen in float64."""
    rows = list(validate(["networks"], range(1), {}, lambda text: None))
    assert [row.dtype for row in rows] == ["float64", "float32", "bfloat16"]
    assert all(row.claims == {"right": 1} for row in rows), rows
    assert rows[0].faults == dict.fromkeys(FAULTS, (1, 1))
    assert rows[1].faults == {}


@pytest.mark.parametrize("draw", [composition, network])
def test_a_seed_is_a_function(draw: Any) -> None:
    """The same seed gives the same name, numbers and loss; another seed other ones."""
    with precision_of("jax"):
        first, again, other = draw(3), draw(3), draw(4)
        values = [one.losses()(np.concatenate([array.ravel() for array in one.arrays])) for one in (first, again)]
    assert first.name == again.name != other.name
    assert values[0] == values[1]
    assert np.isfinite(values[0])


def test_every_kind_comes_up() -> None:
    """All steps within 200 compositions, all kinds of network in turn, and every function of the catalogue."""
    steps = {step for seed in range(200) for step in composition(seed).name.split(";")[0].split(", ")}
    assert steps == set(STEPS)
    assert len({network(seed).name.split()[0] for seed in range(len(KINDS))}) == len(KINDS)
    assert len(list(subjects("catalogue", [0]))) > 80


def test_what_breaks_is_counted_with_what_it_said() -> None:
    """A loss that is not finite, and one that raises."""

    def raising(params: Any) -> Any:
        raise ZeroDivisionError("on purpose")

    tally = Tally()
    for name, loss in (("raising", raising), ("infinite", lambda params: (params["x"] / 0).sum())):
        tally.ask(Subject(name=name, loss=loss, params={"x": np.ones(3)}, data=()), "float64", 0)
    assert tally.functions == 2
    assert tally.missing["raising"] == "ZeroDivisionError: on purpose"
    assert "not finite" in tally.missing["infinite"]


def test_the_table_counts(tmp_path: Path) -> None:
    """Asked, proved, the three claims, quantiles, and faults where they were planted."""
    (line,) = lines_of([ROW])
    assert line == ("networks", "float64", "10", "9", "8", "1", "0", "0.025", "4.9", "5", "", "", "8/8")
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{ROW.to_json()}\n")
    assert read(path) == (ROW,)
    table, said, missing = markdown_of(path).split("\n\n")
    assert table.splitlines()[2] == f"| {' | '.join(line)} |"
    assert said == "Not called right: perceptron (float64: inaccurate, 5 of what is allowed)."
    assert missing == "Operations without a rule: fft."


def test_runs_over_other_seeds_count_together() -> None:
    """One line for each family and dtype."""
    other = replace(ROW, seeds=(10, 19), ratios=(7.0,), missing={}, faults={"norm 1e-12": (1, 2)})
    both = merged([ROW, other, replace(ROW, dtype="float32")])
    assert [row.dtype for row in both] == ["float64", "float32"]
    assert both[0].seeds == (0, 19)
    assert both[0].claims == {"right": 16, "inaccurate": 2}
    assert both[0].ratios[-1] == 7
    assert both[0].faults == {"norm 1e-12": (9, 10)}
    assert lines_of([ROW, other])[0][2:7] == ("20", "19", "16", "2", "0")


@pytest.mark.parametrize(("claims", "status"), [({"right": 9}, 0), ({"right": 8, "wrong": 1}, 1)])
def test_a_right_gradient_called_wrong_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, claims: dict[str, int], status: int
) -> None:
    """In float64, by the command's exit status."""
    row = replace(ROW, claims=claims)
    monkeypatch.setattr("benchmarks.suites.proof_validation.validate", lambda *arguments: [row])
    done = CliRunner().invoke(cli, ["proof", "--validate", "--quick", "--out", str(tmp_path / "rows.jsonl")])
    assert done.exit_code == status, done.output
    assert "perceptron: inaccurate" in done.stdout
