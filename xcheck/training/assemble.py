"""Assemble the report of a training that has ended."""

from collections.abc import Iterator

from xcheck.dtypes import roundoff_of
from xcheck.findings import Finding
from xcheck.networks.data import Parts
from xcheck.networks.definition import Loaded, Training
from xcheck.training.caveats import not_finite, training_caveats
from xcheck.training.curves import bias_variance_at, test_error_at
from xcheck.training.drift import Drift, drift_caveats, history_findings
from xcheck.training.report import TrainingReport
from xcheck.training.trainer import Ending, Trainer, planned_checks


def build_training_report(trainer: Trainer, loaded: Loaded, parts: Parts, ending: Ending) -> TrainingReport:
    """Return the report of a training.

    Args:
        trainer: what was measured and checked on the way.
        loaded: network, θ₀, seed, device and dtype.
        parts: of the data.
        ending: where and why it has ended.
    """
    # The last point of the curve is that of the last position: the trainer measures it however the training ends.
    plan, position, drift = trainer.plan, ending.position, trainer.monitor.drift()
    points, problem, driver = trainer.losses.points, loaded.problem, trainer.monitor.names[0]
    return TrainingReport(
        model=problem.name,
        driver=driver,
        plan=_describe_plan(plan, parts),
        checkpoints=tuple(trainer.checker.checkpoints),
        looks=tuple(points),
        recipe=bias_variance_at(problem.network.loss, points[-1], parts, plan.bayes_error),
        test_error=test_error_at(problem.network.without_dropout(), position.theta, parts),
        drift=drift,
        dropout=problem.network.drops,
        full_batch=plan.takes_all_of(len(parts.training.inputs)),
        # Failures first: the headline quotes the first finding where no check has failed.
        findings=(*trainer.failures, *history_findings(trainer.monitor.partings, driver)),
        warnings=tuple(_caveats(trainer, loaded, parts, ending, drift)),
        steps=position.step,
        missed=tuple(step for step in planned_checks(plan) if step > position.step),
        stopped=ending.stopped,
        interrupted=ending.interrupted,
        seed=problem.seed,
        seconds=ending.seconds,
    )


def _caveats(trainer: Trainer, loaded: Loaded, parts: Parts, ending: Ending, drift: Drift | None) -> Iterator[Finding]:
    """Yield the warnings of the training: what the notes advise, a θ that ran away, trajectories that part."""
    plan, driver = trainer.plan, trainer.monitor.names[0]
    yield from training_caveats(
        loaded.problem.network,
        plan,
        trainer.losses.points,
        examples=len(parts.training.inputs),
        roundoff=roundoff_of(loaded.check.dtype),
    )
    # Not where it was interrupted, or stopped early: there the last θ is as good as any.
    if ending.overflowed:
        yield not_finite(ending.stopped, driver, plan.learning_rate, trainer.start, ending.position.theta)
    if drift is not None:
        yield from drift_caveats(drift, driver)


def _describe_plan(plan: Training, parts: Parts) -> str:
    """Return steps, learning rate, batch and parts in words."""
    copies = "" if parts.originals is None else f" ({parts.originals} and copies)"
    sizes = [f"{len(parts.training.inputs)} for training{copies}", f"{len(parts.validation.inputs)} for validation"]
    sizes += [] if parts.test is None else [f"{len(parts.test.inputs)} for testing"]
    batch = "full batch" if plan.takes_all_of(len(parts.training.inputs)) else f"batches of {plan.batch}"
    return f"{plan.steps} steps, learning rate {plan.learning_rate:g}, {batch}, {', '.join(sizes)}"
