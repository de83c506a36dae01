"""Sentences of the report on a check that say how the oracle has measured: its engine, its losses, its time."""

from xcheck.checks.report import OracleSummary, Report


def name_engine(oracle: OracleSummary) -> str:
    """Return the name of the engine, without the reason why it is no faster one, which `-v` tells."""
    return oracle.engine.partition(" (")[0]


def describe_oracle(oracle: OracleSummary) -> str:
    """Return how the gradient was measured: losses, kind and step of the differences, and what was measured twice."""
    if not oracle.evaluations:
        return "oracle: nothing could be measured"
    parts = [
        f"oracle: {oracle.evaluations:,} losses in {oracle.seconds:.1f} s",
        f"{name_engine(oracle)} {oracle.difference} differences in float64",
        f"step {oracle.epsilon:.2g}",
    ]
    audited = sum(audit.components for audit in oracle.audits)
    if audited:  # not every engine has a second one that can audit it
        parts.append(f"{audited} components audited")
    if oracle.refereed:
        parts.append(f"{oracle.refereed} disputed components measured in extended precision")
    return ", ".join(parts)


def describe_engine(oracle: OracleSummary) -> str:
    """Return why the oracle chose its engine, how the audits of the engine went, and how much was measured again."""
    parts = [f"engine: {oracle.engine}"]
    if oracle.predicted:  # chosen by `auto`; an engine that was named needs no reason
        predictions = ", ".join(f"{name} {seconds:.2g} s" for name, seconds in oracle.predicted.items())
        parts = [f"engine: {oracle.engine}, the most direct that fits {oracle.budget:g} s (predicted: {predictions})"]
    parts += [
        f"{audit.engine} audited by {audit.by} on {audit.components} components, {audit.decided} of them decided: "
        f"they differ by at most {audit.worst:.1g} of the error bars"
        for audit in oracle.audits
    ]
    if oracle.referred:
        parts.append(f"{oracle.referred} components measured again without subtracting losses")
    return "; ".join(parts)


def describe_times(report: Report) -> str:
    """Return the seconds that each witness took, and the oracle."""
    # Compiling is shown by itself: it is what `--cache` saves.
    parts = [f"{name} {seconds:.2f} s" for name, seconds in report.seconds.items()]
    oracle = report.oracle
    parts.append(f"oracle {oracle.seconds:.2f} s (compiling {oracle.compile_seconds:.2f} s)")
    return "time: " + ", ".join(parts)
