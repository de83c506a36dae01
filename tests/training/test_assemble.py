"""The report of a training, put together: the plan in words, and what belongs to its end."""

from tests.training.trainings import definition, linear, trained
from xcheck.api import train


def test_the_plan_says_steps_rate_batch_and_parts() -> None:
    """With a testing part only where there is one."""
    batched = trained(batch=12, split=[0.5, 0.25, 0.25], steps=2)
    assert batched.plan == (
        "2 steps, learning rate 0.3, batches of 12, 30 for training, 15 for validation, 15 for testing"
    )
    assert trained(steps=2, split=[0.5, 0.5]).plan == (
        "2 steps, learning rate 0.3, full batch, 30 for training, 30 for validation"
    )


def test_only_a_theta_that_is_not_finite_is_explained_by_the_learning_rate() -> None:
    """Not one that stopped early, nor one that was interrupted."""
    assert "XC431" in {warning.code for warning in train(linear(), backends=["numpy"]).warnings}
    early = trained(steps=4000, learning_rate=2.0, early_stopping={"patience": 60}, check_at=[0])
    assert early.stopped
    assert "XC431" not in {warning.code for warning in early.warnings}


def test_checks_that_were_not_reached_are_missed() -> None:
    """In the order of their steps; those that were reached are not."""
    report = train(linear(check_at=[0, 300, 400]), backends=["numpy"])
    assert report.missed == (300, 400)
    assert train(definition(steps=1), backends=["numpy"]).missed == ()
