"""The house stays in order: who imports whom, what is named, and what must never be in a file."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted(p for room in ("geo", "clustering") for p in (ROOT / room).rglob("*.py"))
FRONT = {
    *("inputs", "run", "outputs", "show", "__main__"),
    *("provision_inputs", "provision_minutes", "provision_desk", "provision_sites"),
    *("provision_show", "pack_desk", "responses"),
    *("terminal", "verbs_provision", "verbs_publish"),
}
"""Modules of `clustering` that may know the ground, beside everything in `publish`."""
GROUND = {"geopandas", "shapely", "folium", "osmnx", "branca"}
CONDA_NAMES = {
    "ortools-python": "ortools",
    "playwright-python": "playwright",
    "pyosmium": "osmium",
}
"""What conda-forge calls a package, and what the Python index calls it."""


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_front(path: Path) -> bool:
    rooms = path.relative_to(ROOT).with_suffix("").parts
    return rooms[0] == "clustering" and (rooms[1] == "publish" or rooms[1] in FRONT)


every_module = pytest.mark.parametrize("path", MODULES, ids=name_of)


@every_module
def test_imports_go_one_way(path: Path) -> None:
    found = set(imports(path))
    ours = {name for name in found if name.split(".")[0] in ("geo", "clustering")}
    if name_of(path).startswith("geo"):
        assert not {name for name in ours if name.startswith("clustering")}
    elif not is_front(path):
        ground = {name for name in ours if name.startswith("geo") and name[:10] != "geo.errors"}
        assert not ground
        assert not GROUND & {name.split(".")[0] for name in found}
        front = {f"clustering.{name}" for name in (*FRONT, "publish")}
        if name_of(path) != "clustering.__init__":
            assert not {name for name in ours if ".".join(name.split(".")[:2]) in front}


@every_module
def test_only_the_desk_knows_the_drawing_room(path: Path) -> None:
    if is_front(path) or name_of(path) == "geo.maps":
        return
    rooms = ("geo.maps", "geo.provision_map")
    assert not {name for name in imports(path) if name.startswith(rooms)}


def test_audit_imports_no_solver() -> None:
    for module in ("rules", "problem", "plan", "report"):
        found = imports(ROOT / "clustering" / f"{module}.py")
        assert not [name for name in found if name.startswith("clustering.solve")]


@every_module
def test_public_names_have_a_docstring(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "the module itself"
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for node in tree.body:
        if isinstance(node, kinds) and not node.name.startswith("_"):
            assert ast.get_docstring(node), node.name
            for inner in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(inner, kinds) and not inner.name.startswith("_"):
                    assert ast.get_docstring(inner), f"{node.name}.{inner.name}"


@every_module
def test_text_is_read_and_written_as_utf8(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name)):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
        given = {keyword.arg for keyword in node.keywords}
        if called in ("read_text", "write_text"):
            assert "encoding" in given, f"line {node.lineno}"
        assert called != "open" or isinstance(node.func, ast.Attribute), f"line {node.lineno}"


def test_importing_the_packages_says_and_writes_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "import clustering, geo.maps"],
        cwd=tmp_path,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert not list(tmp_path.iterdir())


# -- packages -------------------------------------------------------------------------------------


def _environment() -> tuple[list[str], dict[str, str], dict[str, str]]:
    """Return channels, conda packages and pip packages, each with its bounds."""
    lines = (ROOT / "environment.yml").read_text(encoding="utf-8").splitlines()
    channels: list[str] = []
    conda: dict[str, str] = {}
    pip: dict[str, str] = {}
    heading = ""
    for line in lines:
        text = line.strip().removeprefix("- ")
        if not text or text.startswith("#"):
            continue
        if not line.startswith(" "):
            heading = text.partition(":")[0]
        elif heading == "channels":
            channels.append(text)
        elif text != "pip:":
            name, bounds = _split(text)
            (pip if line.startswith("      ") else conda)[CONDA_NAMES.get(name, name)] = bounds
    return channels, conda, pip


def _split(requirement: str) -> tuple[str, str]:
    name = re.match(r"[A-Za-z0-9_.-]+", requirement)
    assert name, requirement
    return name.group(), requirement[name.end() :].strip()


def test_environment_has_the_packages_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    channels, conda, pip = _environment()
    assert channels == ["conda-forge"]
    assert conda.pop("python") == project["requires-python"]
    assert conda.pop("pip") == ""
    assert not set(conda) & set(pip)
    assert {**conda, **pip} == dict(_split(one) for one in wanted)


def test_lock_holds_every_package_with_a_hash() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = set(re.findall(r"^([a-z0-9-]+)==", lock, flags=re.M))
    assert {_split(one)[0].lower() for one in wanted} <= locked
    assert len(re.findall(r"^[a-z0-9-]+==", lock, flags=re.M)) <= lock.count("--hash=sha256:")


# -- what must never be in a file ------------------------------------------------------------------


def _tracked() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: there is no list of tracked files")
    done = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, encoding="utf-8"
    )
    return [ROOT / name for name in done.stdout.split("\0") if name]


def test_no_file_knows_this_machine_or_a_private_index() -> None:
    places = ("/" + "home/", "/" + "Users/", "/" + "root/", "/" + "work/", "C:" + "\\Users")
    flags = ("--index" + "-url", "--extra-index" + "-url", "--trusted" + "-host")
    for path in _tracked():
        if not path.is_file():
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found = [word for word in (*places, *flags) if word in text]
        assert not found, f"{path.relative_to(ROOT)}: {found}"


def test_no_real_data_is_tracked() -> None:
    """Only the invented county and its boundaries are shipped."""
    kinds = {".csv", ".xlsx", ".gpkg", ".geojson", ".zip", ".gz", ".parquet"}
    tracked = [p.relative_to(ROOT) for p in _tracked() if p.suffix in kinds]
    allowed = ("data/sample/", "data/boundaries/sandmere_", "tests/")
    assert not [p for p in tracked if not p.as_posix().startswith(allowed)]
    assert not [p for p in tracked if p.suffix in {".xlsx", ".zip", ".gz"}]


def test_top_level_is_as_agreed() -> None:
    for name in ("notebooks", "clustering", "geo", "data/boundaries", "outputs", "tests"):
        assert (ROOT / name).is_dir(), name
    for name in ("environment.yml", "README.md", "pyproject.toml", "Makefile", "LICENSE"):
        assert (ROOT / name).is_file(), name


def test_notebooks_define_nothing() -> None:
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        assert not [text for text in code if re.search(r"^\s*(def|class) ", text, flags=re.M)]
