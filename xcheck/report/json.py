"""The report on a check as JSON, one object per model in one line, and what the JSON of all results shares.

`schema` counts up when a key changes its meaning; new keys may appear at any time. Numbers that are not finite are
written as the strings "nan", "inf" and "-inf", which every JSON reader accepts.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from xcheck.caveats.layers import LayerState
from xcheck.checks.report import Report
from xcheck.checks.result import Result
from xcheck.compare.pair import Component, Pair, band
from xcheck.findings import Finding
from xcheck.pages import page

# By definition 1 for the first schema; `test_json_has_the_keys_of_the_schema` holds the keys and their meanings.
_SCHEMA = 1


def dump_line(content: Mapping[str, Any]) -> str:
    """Return plain content, all of its numbers finite, as one line of JSON."""
    # allow_nan=False: Python would write NaN, which is no JSON.
    # θ and δ stay as they are: JSON is UTF-8.
    return json.dumps(content, ensure_ascii=False, allow_nan=False)


def common_dict(result: Result) -> dict[str, Any]:
    """Return the keys with which the JSON of every kind of result begins."""
    return {
        "schema": _SCHEMA,
        "model": result.model,
        "verdict": str(result.verdict),
        # For readers that do not know how verdicts become exit statuses.
        "exit": result.verdict.exit_status,
    }


def as_dict(report: Report) -> dict[str, Any]:
    """Return the report as plain dicts, lists, strings and numbers."""
    content = common_dict(report) | {
        "summary": report.summary,
        "headline": report.headline,
        "parameters": report.parameters,
        "verified": report.verified,
        "seed": report.seed,
        "losses": dict(report.losses),
        "tensors": [asdict(tensor) for tensor in report.tensors],
        "layers": [_layer_as_dict(layer) for layer in report.layers],
        "pairs": [_pair_as_dict(pair) for pair in report.pairs],
        "odd_one_out": list(report.odd_one_out),
        "consensus": report.consensus,
        "starts": dict(report.starts),
        "findings": [_finding_as_dict(finding) for finding in report.findings],
        "warnings": [_finding_as_dict(warning) for warning in report.warnings],
        "oracle": asdict(report.oracle),
        "dtype": report.dtype,
        "precision": [asdict(row) | {"within_rounding": row.within_rounding} for row in report.precision],
        "proof": None if report.proof is None else asdict(report.proof),
        "tolerance": report.tolerance,
        "resolution": report.resolution,
        "seconds": dict(report.seconds),
        "environment": dict(report.environment),
        "command": list(report.command),
    }
    return finite_dict(content)


def _finding_as_dict(finding: Finding) -> dict[str, Any]:
    return asdict(finding) | {"title": page(finding.code).title}


def _pair_as_dict(pair: Pair) -> dict[str, Any]:
    # Key by key, not by `asdict`: what is added to a pair inside the package does not become a promise by accident.
    return {
        "a": pair.a,
        "b": pair.b,
        "verdict": str(pair.verdict),
        "losses_agree": pair.losses_agree,
        "spread": pair.spread,
        "difference": pair.difference,
        "band": pair.band,
        "wrong": pair.wrong,
        "undecided": pair.undecided,
        "of": pair.of,
        "apart": pair.apart,
        "tensors": [asdict(tensor) | {"band": band(tensor.difference)} for tensor in pair.tensors],
        "worst": [_component_as_dict(component) for component in pair.worst],
    }


def _layer_as_dict(layer: LayerState) -> dict[str, Any]:
    return {
        "layer": layer.number,
        "units": layer.units,
        "activation": layer.activation,
        "activation_rms": layer.activation_rms,
        "gradient_rms": layer.gradient_rms,
        "gain": layer.gain,
        # Numbers of units, not the units: layers may have thousands.
        "dead": len(layer.dead),
        "saturated": len(layer.saturated),
    }


def _component_as_dict(component: Component) -> dict[str, Any]:
    return {
        "name": component.location.name,
        "index": list(component.location.index),
        "flat": component.location.flat,
        "a": component.a,
        "b": component.b,
        "error_bar": component.error_bar,
        "lower": component.lower,
        "upper": component.upper,
        "excess": component.excess,
        "allowed": component.allowed,
    }


def finite_dict(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return content in which strings stand for the numbers that JSON cannot write, all the way down."""
    return {key: _finite_value(value) for key, value in content.items()}


def _finite_value(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        # Python's own words for them are those of the schema: nan, inf, -inf.
        return str(value)
    if isinstance(value, Mapping):
        return finite_dict(value)
    if isinstance(value, list | tuple):
        return [_finite_value(item) for item in value]
    return value
