"""The wheel holds what it should, works from another folder, and `import xcheck` is light."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.worked_examples import TITLES
from xcheck import pages

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def run(code: str, folder: Path) -> str:
    """Run Python code in another folder and return what it prints."""
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def test_the_wheels_top_level(wheel: Path) -> None:
    """xcheck and its three witnesses; no package called backends, no tests, no benchmarks."""
    top = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == {
        "xcheck",
        "xcheck_numpy",
        "xcheck_torch",
        "xcheck_jax",
    }


def test_the_wheel_carries_examples_and_licences(wheel: Path) -> None:
    """Definitions, data, and the licence of both; and the worked examples."""
    names = zipfile.ZipFile(wheel).namelist()
    examples = {name.split("/")[-1] for name in names if name.startswith("xcheck/examples/")}
    assert examples >= {"breast_cancer.toml", "breast_cancer.csv", "digits.csv", "iris.csv", "diabetes.csv"}
    assert examples >= {f"{name}.py" for name in TITLES}
    assert "LICENSES.md" in examples
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert "xcheck/py.typed" in names


def test_the_wheel_carries_the_pages(wheel: Path) -> None:
    """One for each code."""
    names = zipfile.ZipFile(wheel).namelist()
    found = {Path(name).stem for name in names if name.startswith("xcheck/pages/") and name.endswith(".md")}
    assert found == set(pages.codes())


def test_the_wheel_offers_the_pytest_plugin(wheel: Path) -> None:
    """pytest finds it by its entry point."""
    archive = zipfile.ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
    assert "[pytest11]\nxcheck = xcheck.pytest_plugin\n" in archive.read(name).decode()


def test_the_wheel_works_from_another_folder(wheel: Path, tmp_path: Path) -> None:
    """Unpacked elsewhere, it lists the same backends and checks an example."""
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    code = f"""
import sys; sys.path.insert(0, {str(site)!r})
import xcheck, xcheck.backend.registry, importlib.resources as resources
print(xcheck.__file__.startswith({str(site)!r}), *xcheck.backend.registry.names()[:3])
print(xcheck.verify(str(resources.files("xcheck") / "examples" / "iris.toml")).verdict)
"""
    assert run(code, tmp_path).split() == ["True", "numpy", "torch", "jax", "AGREE"]


@pytest.mark.parametrize("module", ["xcheck", "xcheck.cli.main", "xcheck_torch", "xcheck_jax"])
def test_importing_is_light(module: str, tmp_path: Path) -> None:
    """Neither jax nor torch nor rich nor pydantic is loaded before it is needed."""
    heavy = "{'jax', 'jaxlib', 'torch', 'rich', 'pydantic', 'scipy'}"
    assert run(f"import sys, {module}; print(sorted({heavy} & set(sys.modules)))", tmp_path) == "[]\n"


def test_all_public_names_are_there(tmp_path: Path) -> None:
    """What __all__ promises can be had, and verify stays a function after its module is loaded."""
    code = "import xcheck; print(all(hasattr(xcheck, n) for n in xcheck.__all__), callable(xcheck.verify))"
    assert run(code, tmp_path) == "True True\n"


def test_an_unknown_name_is_an_attribute_error(tmp_path: Path) -> None:
    """A typo is answered like in any module."""
    code = "import xcheck\ntry: xcheck.verfy\nexcept AttributeError as error: print(error)"
    assert run(code, tmp_path) == "module 'xcheck' has no attribute 'verfy'\n"
