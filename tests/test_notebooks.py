"""Every notebook runs from top to bottom, holds no function of its own and no output."""

from __future__ import annotations

import ast
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_clean(path):
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs
            tree = ast.parse(cell.source)
            assert not [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path, tmp_path, monkeypatch):
    """Executed in a copy of the tree's shape, so that what it writes does not stay."""
    root = path.parents[1]
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "data").symlink_to(root / "data", target_is_directory=True)
    monkeypatch.setenv("PYTHONPATH", str(root))
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook, timeout=900, resources={"metadata": {"path": str(tmp_path / "notebooks")}}
    ).execute()
