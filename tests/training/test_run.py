"""From a definition to its report: what is refused before the work begins, and which checks are made."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes import Fake, Wrapped
from tests.training.trainings import definition, failing, trained
from xcheck.api import train
from xcheck.backend.contract import Objective
from xcheck.dtypes import DtypeName
from xcheck.errors import BackendError, DefinitionError
from xcheck.networks.problem import Problem

if TYPE_CHECKING:
    from xcheck.training import Checkpoint


def test_there_is_a_row_for_every_checkpoint() -> None:
    """All agree; the loss falls."""
    report = trained(check_at=[0, 10, 40])
    assert report.ok
    assert [checkpoint.step for checkpoint in report.checkpoints] == [0, 10, 40]
    costs = [look.cost for look in report.looks]
    assert costs == sorted(costs, reverse=True)
    assert report.headline == "trained by numpy: all agree at 3 checkpoints (step 0, 10, 40)"
    assert (report.steps, report.stopped, report.interrupted) == (40, "", False)


def test_by_default_both_ends_are_checked() -> None:
    """At random initialisation, and after training."""
    assert [checkpoint.step for checkpoint in trained().checkpoints] == [0, 40]


def test_every_check_is_a_full_one() -> None:
    """All components, at the θ of that step."""
    report = trained("numpy", "torch")
    assert [checkpoint.report.components for checkpoint in report.checkpoints] == [51, 51]
    losses = [checkpoint.report.losses["numpy"] for checkpoint in report.checkpoints]
    assert losses[1] < losses[0]


@pytest.mark.parametrize(
    ("training", "said"),
    [
        ({"steps": -1}, "steps"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"split": [0.5, 0.4]}, "sum to 0.9, not 1"),
        ({"check_at": [50]}, "training.check_at: a check at 50, but training ends after 40 steps"),
        ({"early_stopping": {}}, "patience: missing"),
        ({"optimizer": "adam"}, "unknown key"),
        ({"backend": "torch"}, "'torch' is none of the witnesses (numpy)"),
        ({"backend": "nmpy"}, "training.backend: unknown backend 'nmpy'; did you mean 'numpy'?"),
        ({"split": [0.2, 0.2, 0.2, 0.2, 0.2]}, "training.split: at most 3 entries, got 5"),
    ],
)
def test_mistakes_are_told(training: dict[str, Any], said: str) -> None:
    """In the words of the definition."""
    with pytest.raises(DefinitionError) as caught:
        trained(**training)
    assert said in str(caught.value)


def test_there_must_be_something_to_train() -> None:
    """Without [training]."""
    plain = definition()
    del plain["training"]
    with pytest.raises(DefinitionError, match="nothing to train"):
        train(plain, backends=["numpy"])


def test_too_few_rows_cannot_be_split() -> None:
    """Each part needs one."""
    few = definition()
    few["data"]["synthetic"]["examples"] = 2
    with pytest.raises(DefinitionError, match="too few to split"):
        train(few, backends=["numpy"])


def test_the_witness_that_drives_must_be_there() -> None:
    """One that is not installed cannot."""

    class Missing(Fake):
        name = "missing"

        def available(self) -> str | None:
            return "it is not installed"

        def network_objective(
            self, problem: Problem, *, device: str = "cpu", dtype: DtypeName = "float64"
        ) -> Objective:
            raise NotImplementedError

    with pytest.raises(BackendError, match="not installed"):
        trained("numpy", Missing(), backend="missing")


@pytest.mark.parametrize(
    ("name", "said"), [("nowhere/w.npz", "no folder that can be written to"), ("w.txt", "weights go to .npz or ")]
)
def test_a_place_that_cannot_be_written_is_told_before(name: str, said: str, tmp_path: Path) -> None:
    """Before the work begins."""
    seen: list[Checkpoint] = []
    with pytest.raises(DefinitionError, match=said):
        train(definition(), backends=["numpy"], save_weights=tmp_path / name, tell=seen.append)
    assert seen == []


def test_two_witnesses_have_two_names() -> None:
    """Otherwise one would hide the other."""
    with pytest.raises(DefinitionError, match="two witnesses are called 'failing'"):
        trained(Wrapped("failing", failing), Wrapped("failing", failing))


def test_the_file_that_is_read_is_not_written(tmp_path: Path) -> None:
    """Going on from the weights of a checkpoint, under the same name."""
    first = train(definition(), backends=["numpy"], save_weights=tmp_path / "w.npz")
    last = Path(str(first.checkpoints[-1].saved))
    kept = last.read_bytes()
    with pytest.raises(DefinitionError, match="might overwrite"):
        train(definition(), backends=["numpy"], weights=last, save_weights=tmp_path / "w.npz")
    late = train(definition(), backends=["numpy"], weights=last, save_weights=tmp_path / "again.npz")
    assert late.verdict == "AGREE"
    assert last.read_bytes() == kept
