"""The tables of the page on benchmarks: written between markers, from the rows that are kept."""

import re
from pathlib import Path

from benchmarks.measure import rows
from benchmarks.publish.tables import markdown
from benchmarks.suites import breadth_rows, proof_coverage_rows, proof_rows, proof_validation_rows
from benchmarks.suites.functions import KIND, functions_markdown
from benchmarks.suites.jobs import KIND as JOB_KIND
from benchmarks.suites.jobs import jobs_markdown

_ROOT = Path(__file__).parents[2]
PAGE = _ROOT / "docs" / "benchmarks.md"
RESULTS = _ROOT / "benchmarks" / "results"
TABLES = {
    "breadth table": RESULTS / "breadth-cpu.jsonl",
    "functions table": RESULTS / "functions-cpu.jsonl",
    "jobs table": RESULTS / "jobs-cpu.jsonl",
    "proof table": RESULTS / "proof-cpu.jsonl",
    "validation table": RESULTS / "proof-validation-cpu.jsonl",
    "coverage table": RESULTS / "proof-coverage-cpu.jsonl",
}


def markdown_of(path: Path) -> str:
    """Return the Markdown table of a file of rows, whichever suite they are of.

    Raises:
        RowsError: it cannot be read.
    """
    if breadth_rows.is_breadth(path):
        return breadth_rows.markdown(breadth_rows.read(path))
    if proof_rows.is_proof(path):
        return proof_rows.markdown(proof_rows.read(path))
    if proof_validation_rows.is_validation(path):
        return proof_validation_rows.markdown(proof_validation_rows.read(path))
    if proof_coverage_rows.is_coverage(path):
        return proof_coverage_rows.markdown(proof_coverage_rows.read(path))
    found = rows.read(path)
    kind = found[0].kind if found else ""
    return {KIND: functions_markdown, JOB_KIND: jobs_markdown}.get(kind, markdown)(found)


def with_tables(text: str) -> str:
    """Return the page with its tables written anew, wherever there are rows and markers.

    Raises:
        RowsError: rows cannot be read.
    """
    for name, path in TABLES.items():
        if path.exists():
            between = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
            # A table has no backslashes, which would mean something here.
            text = between.sub(rf"\g<1>{markdown_of(path)}\n\g<2>", text)
    return text
