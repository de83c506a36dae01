"""Definitions: from a TOML file or a dict of the same shape to a Problem and the settings of its check."""

from xcheck.networks.definition.load import (
    DRAWN,
    Loaded,
    LoadedLayers,
    flag_complaints,
    load,
    load_definition,
    project_settings,
    settings_for_problem,
)
from xcheck.networks.definition.schema import CheckSettings, ProjectSettings, Training
from xcheck.networks.definition.weights import read_weights, write_weights, wrong_suffix

__all__ = [
    "DRAWN",
    "CheckSettings",
    "Loaded",
    "LoadedLayers",
    "ProjectSettings",
    "Training",
    "flag_complaints",
    "load",
    "load_definition",
    "project_settings",
    "read_weights",
    "settings_for_problem",
    "write_weights",
    "wrong_suffix",
]
