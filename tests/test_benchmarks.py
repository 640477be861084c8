"""The benchmarks read, solve and score: on mini instances that can be checked by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from benchmarks import growth, machine, public, scoring

SHARED = Path(__file__).resolve().parents[2] / "shared" / "bench"
needs_real = pytest.mark.skipif(
    not SHARED.exists(), reason="the public instances are not beside the project"
)

CCP = "4 2 ds 2 2 2 2 W 1 1 1 1\n0 1 5.5\n0 2 1.0\n0 3 0.0\n1 2 0.0\n1 3 1.0\n2 3 7.25\n"
PMEDCAP = " 1 2\n 4 2 5\n 1 0 0 2\n 2 1 1 2\n 3 10 10 2\n 4 11 11 2\n"
CPMP = "4 2\n0 0 5 2\n1 1 5 2\n10 10 5 2\n11 11 5 2\n"


def _file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [("ccplib", CCP, 12.75), ("pmedcap", PMEDCAP, 2.0), ("cpmp", CPMP, 2 * math.sqrt(2))],
)
def test_model_and_checker_agree(tmp_path: Path, kind: str, text: str, value: float) -> None:
    path = _file(tmp_path, "mini.txt", text)
    assert scoring.score(kind, path, [0, 0, 1, 1]) == pytest.approx(value)
    instance = public.read(kind, path)
    cost = instance.model.cost([0, 1], 0, 2) + instance.model.cost([2, 3], 2, 2)
    assert instance.value(cost) == pytest.approx(value, abs=0.01)
    assert instance.clusters == 2
    assert instance.model.faults([0, 1], 0, 2) == []


@pytest.mark.parametrize(
    ("kind", "text", "labels", "why"),
    [
        ("ccplib", CCP, [0, 1, 1, 1], "weighs"),
        ("ccplib", CCP, [0, 0, 0, 0], "1 clusters"),
        ("ccplib", CCP, [0, 1], "2 labels"),
        ("pmedcap", PMEDCAP, [0, 0, 0, 1], "demand of 6"),
        ("cpmp", CPMP, [0, 0, 0, 1], "demand of 6"),
    ],
)
def test_checker_refuses(tmp_path: Path, kind: str, text: str, labels: list[int], why: str) -> None:
    with pytest.raises(scoring.Unfit, match=why):
        scoring.score(kind, _file(tmp_path, "mini.txt", text), labels)


def _state(folder: Path) -> Path:
    """Write ten counties in a row, two make a district; each weighs half of what is allowed."""
    nodes = [
        {"P0010001": 396_000, "INTPTLAT20": "+35.0", "INTPTLON20": f"-{99 - k / 10}"}
        for k in range(10)
    ]
    links = [
        [{"id": j, "shared_perim": 0.5} for j in (k - 1, k + 1) if 0 <= j < 10] for k in range(10)
    ]
    return _file(folder, "state.json", json.dumps({"nodes": nodes, "adjacency": links}))


def test_districts(tmp_path: Path) -> None:
    path = _state(tmp_path)
    labels = [k // 2 for k in range(10)]
    assert scoring.score("districting edges", path, labels) == 4
    assert scoring.score("districting perimeter", path, labels) == pytest.approx(2.0)
    inertia = scoring.score("districting inertia", path, labels)
    instance = public.read("districting inertia", path)
    pairs = [instance.model.cost([k, k + 1], k, 5) for k in range(0, 10, 2)]
    assert instance.value(sum(pairs)) == pytest.approx(inertia, rel=1e-9)
    edges = public.read("districting edges", path)
    cut = [edges.model.cost([k, k + 1], k, 5) for k in range(0, 10, 2)]
    assert edges.value(sum(cut)) == pytest.approx(4)
    with pytest.raises(scoring.Unfit, match="one piece"):
        scoring.score("districting edges", path, [0, 1, 1, 0, 2, 2, 3, 3, 4, 4])
    with pytest.raises(scoring.Unfit, match="people"):
        scoring.score("districting edges", path, [0, 0, 0, 1, 2, 2, 3, 3, 4, 4])


def test_gap_has_the_sense_of_its_family() -> None:
    most = public.Row("a", "ccplib", True, 2, 200.0, "best known")
    least = public.Row("b", "cpmp", False, 2, 200.0, "optimal")
    assert public.Outcome(most, 1.0, 190.0, None, "yes").gap == pytest.approx(5.0)
    assert public.Outcome(least, 1.0, 210.0, None, "yes").gap == pytest.approx(5.0)
    assert public.Outcome(least, 1.0, None, None, "no plan").gap is None


def test_county_is_seeded() -> None:
    one, two = growth.county(60, 3), growth.county(60, 3)
    assert (one.minutes == two.minutes).all()
    assert (one.need == two.need).all()
    assert len(one) == 60
    assert len(one.parts()) == 1


def test_table_is_markdown() -> None:
    assert machine.table(("a", "b"), [("1", "2")]) == "| a | b |\n|---|---|\n| 1 | 2 |\n"
    assert "Python" in machine.header(seed=1)


@pytest.mark.real
@needs_real
def test_every_known_instance_is_read() -> None:
    rows = public.known(SHARED)
    assert len(rows) == 24
    for row in rows:
        assert public.read(row.kind, SHARED / row.file).clusters == row.clusters
