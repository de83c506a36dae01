"""Checkpoints: the files that θ is written to."""

from pathlib import Path

import numpy as np
import pytest

from tests.training.trainings import definition
from xcheck.api import train
from xcheck.layout import Layout
from xcheck.networks.definition import read_weights


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_weights_are_saved_at_every_checkpoint(suffix: str, tmp_path: Path) -> None:
    """With the step in the name; they can be read again."""
    report = train(definition(), backends=["numpy"], save_weights=tmp_path / f"theta{suffix}")
    files = [Path(str(checkpoint.saved)) for checkpoint in report.checkpoints]
    assert [file.name for file in files] == [f"theta-0{suffix}", f"theta-40{suffix}"]
    layout = Layout.of({"W1": (6, 4), "b1": (6,), "W2": (3, 6), "b2": (3,)})
    first, last = (read_weights(file, layout) for file in files)
    assert not np.array_equal(first, last)
    again = definition()
    del again["training"]
    again["network"]["weights"] = str(files[1])


def test_a_file_that_cannot_be_written_loses_nothing(tmp_path: Path) -> None:
    """A folder is in the way of the second checkpoint."""
    (tmp_path / "theta-20.npz").mkdir()
    report = train(definition(check_at=[0, 20, 40]), backends=["numpy"], save_weights=tmp_path / "theta.npz")
    assert report.verdict == "ERROR"
    assert [finding.code for finding in report.findings] == ["XC115"]
    assert [checkpoint.saved is None for checkpoint in report.checkpoints] == [False, True, False]


def test_suffixes_in_capitals_are_what_was_asked_for(tmp_path: Path) -> None:
    """The file that is told of is the one that is there."""
    report = train(definition(), backends=["numpy"], save_weights=tmp_path / "THETA.NPZ")
    assert all(Path(str(checkpoint.saved)).is_file() for checkpoint in report.checkpoints)


def test_the_file_that_theta_was_read_from_is_kept(tmp_path: Path) -> None:
    """Also under another name that leads to it."""
    start = tmp_path / "start.npz"
    first = train(definition(steps=0, check_at=[0]), backends=["numpy"], save_weights=tmp_path / "w.npz")
    Path(str(first.checkpoints[0].saved)).rename(start)
    (tmp_path / "again-0.npz").symlink_to(start)
    kept = start.read_bytes()
    report = train(definition(steps=0), backends=["numpy"], weights=start, save_weights=tmp_path / "again.npz")
    assert [finding.code for finding in report.findings] == ["XC115"]
    assert "is the file that θ was read from, and is not overwritten" in report.findings[0].text
    assert start.read_bytes() == kept
