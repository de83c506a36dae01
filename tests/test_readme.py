"""What the README shows is what happens."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Plugins
from tests.steady import steady
from xcheck import verify
from xcheck.backend import registry
from xcheck.errors import DefinitionError
from xcheck.networks.definition import load

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """The fenced blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


def block(language: str, words: str) -> str:
    """The one fenced block of a language that contains these words."""
    (found,) = [text for text in blocks(language) if words in text]
    return found


def test_the_passing_report_is_real() -> None:
    """The command shown prints the report shown."""
    command = [sys.executable, "-m", "xcheck", "xcheck/examples/breast_cancer.toml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert steady(done.stdout) == steady(block("text", "numpy, torch, jax agree with the\noracle"))


def test_the_failing_report_is_real() -> None:
    """The code shown prints the report shown."""
    done = subprocess.run(
        [sys.executable, "-c", block("python", "Planted(")], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert steady(done.stdout) == steady(block("text", "W2[5, 6]"))


def test_the_example_with_arrays_runs() -> None:
    """The code shown agrees, as it asserts."""
    subprocess.run([sys.executable, "-c", block("python", "Problem.create")], check=True)


@pytest.mark.parametrize("words", ["xcheck.explain(", "xcheck.selftest("])
def test_close_up_and_self_test_run(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The code shown holds what it asserts."""
    monkeypatch.chdir(ROOT)
    exec("import xcheck\n" + block("python", words), {})  # noqa: S102 - the README's own code


def test_the_definition_is_valid_and_checks(tmp_path: Path) -> None:
    """The definition shown, with every key, can be copied and run."""
    (tmp_path / "iris.csv").write_bytes((ROOT / "xcheck" / "examples" / "iris.csv").read_bytes())
    path = tmp_path / "iris.toml"
    path.write_text(block("toml", "[check]"))
    assert verify(path, backends=["numpy"]).ok


def test_the_mistakes_are_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The complaints shown are those of the mistakes shown."""
    monkeypatch.chdir(tmp_path)
    Path("iris.csv").write_bytes((ROOT / "xcheck" / "examples" / "iris.csv").read_bytes())
    text = block("toml", "[check]").replace("target =", "tagret =").replace('"relu"', '"rleu"')
    Path("iris.toml").write_text(text)
    with pytest.raises(DefinitionError) as caught:
        load(Path("iris.toml"))
    assert str(caught.value) == block("text", "tagret").rstrip()


def test_the_model_in_python_is_real(tmp_path: Path) -> None:
    """The file shown prints the line shown."""
    (tmp_path / "model.py").write_text(block("python", "@xcheck.case"))
    command = [sys.executable, "-m", "xcheck", "model.py", "-q"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == block("text", "model.py::")


def test_the_check_that_proves_nothing_is_real(tmp_path: Path) -> None:
    """The definition shown prints the line shown."""
    (tmp_path / "iris.csv").write_bytes((ROOT / "xcheck" / "examples" / "iris.csv").read_bytes())
    (tmp_path / "zeros.toml").write_text(block("toml", "# zeros.toml"))
    command = [sys.executable, "-m", "xcheck", "zeros.toml", "-q"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == block("text", "zeros.toml")


def test_your_own_functions_are_checked(capsys: pytest.CaptureFixture[str]) -> None:
    """The code shown runs, one block after the other, agrees as it asserts, and prints the mistakes shown."""
    section = README.split("## Your own functions")[1].split("\n## ")[0]
    names: dict[str, object] = {}
    for code in re.findall(r"^```python\n(.*?)^```", section, flags=re.DOTALL | re.MULTILINE):
        exec(code, names)  # noqa: S102 - the README's own code
    assert capsys.readouterr().out == block("text", "torch.rename: weight")


def test_the_backend_works(plugins: Plugins) -> None:
    """The plug-in shown is found and agrees."""
    plugins.add("linear", block("python", "class LinearBackend"), package="my_plugin")
    definition = {
        "data": {"synthetic": {"inputs": 3, "examples": 10}},
        "network": {"layers": [{"units": 2}], "loss": "mean_squared_error", "l2": 0.5},
    }
    assert registry.get("linear").name == "linear"
    assert verify(definition, backends=["linear", "jax"]).ok


def test_make_knows_the_commands() -> None:
    """The two commands at the top, and the others, are targets."""
    makefile = (ROOT / "Makefile").read_text()
    for target in ("demo", "test", "portable", "lint", "bench", "clean"):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE)
