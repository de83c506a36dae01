"""The page on definitions: its mistakes are those that people are told."""

from pathlib import Path

import pytest

from tests.docs.pages import ROOT, block_of
from xcheck.errors import DefinitionError
from xcheck.networks.definition import load

PAGE = ROOT / "docs" / "reference" / "definition.md"


def test_the_mistakes_are_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two slips in the definition shown give the complaints shown."""
    monkeypatch.chdir(tmp_path)
    Path("iris.csv").write_bytes((ROOT / "xcheck" / "examples" / "iris.csv").read_bytes())
    text = block_of(PAGE, "toml", "[check]").replace("target =", "tagret =").replace('"relu"', '"rleu"')
    Path("iris.toml").write_text(text)
    with pytest.raises(DefinitionError) as caught:
        load(Path("iris.toml"))
    assert str(caught.value) == block_of(PAGE, "text", "tagret").rstrip()
