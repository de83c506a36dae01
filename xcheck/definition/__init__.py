"""Definitions: from a TOML file or a dict of the same shape to a Problem and the settings of its check."""

from xcheck.definition.load import DRAWN, Loaded, flag_complaints, load, project_settings, settings_for_problem
from xcheck.definition.schema import Check, ProjectDefaults

__all__ = [
    "DRAWN",
    "Check",
    "Loaded",
    "ProjectDefaults",
    "flag_complaints",
    "load",
    "project_settings",
    "settings_for_problem",
]
