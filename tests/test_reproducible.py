"""The same question gives the same bytes: on one core or two, in any order, by any name."""

from __future__ import annotations

import copy
import random
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from clustering.report import moves
from clustering.run import design
from clustering.solve import whole
from clustering.study import Study
from tests.studies import County, clusters, county, hurry, shuffled

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "sample" / "study.toml"
SAME = ("plan.csv", "clusters.csv", "report.json", "map.html")


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


def written(whole_: County, folder: Path, *extra: object) -> dict[str, bytes]:
    """Design a county and return what was written, without the one line that tells the time."""
    study = whole_.write(folder / "study")
    assert clusters("design", study, "--out", folder / "run", *extra) == 0
    found = {name: (folder / "run" / name).read_bytes() for name in SAME}
    lines = found["report.json"].splitlines()
    found["report.json"] = b"\n".join(line for line in lines if b'"seconds"' not in line)
    return found


@pytest.mark.parametrize("effort", ["quick", "standard"])
def test_one_core_or_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, effort: str) -> None:
    short = replace(whole.EFFORTS["standard"], moves=30_000, max_nodes=500_000)
    monkeypatch.setitem(whole.EFFORTS, "standard", short)
    found = []
    for workers in (1, 2):
        monkeypatch.setattr(whole, "WORKERS", workers)
        found.append(written(county(), tmp_path / str(workers), "--effort", effort))
    assert found[0] == found[1]


def test_one_core_or_two_on_the_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six districts of unlike size, so that the threads end in another order."""
    found = []
    for workers in (1, 2, 6):
        monkeypatch.setattr(whole, "WORKERS", workers)
        plan = design(SAMPLE, effort="sketch").plan
        plan.write_csv(tmp_path / "plan.csv")
        found.append((tmp_path / "plan.csv").read_bytes())
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("seed", [1, 2])
def test_order_of_rows_and_of_the_study_does_not_matter(tmp_path: Path, seed: int) -> None:
    other = shuffled(county(), seed)
    other.study = _reordered(other.study, random.Random(seed))
    columns = list(other.schools.columns)
    random.Random(seed).shuffle(columns)
    other.schools = other.schools[columns]
    plain, changed = written(county(), tmp_path / "a"), written(other, tmp_path / "b")
    for name in ("plan.csv", "clusters.csv"):
        assert plain[name] == changed[name]


def _reordered(table: dict, rng: random.Random) -> dict:
    """Return a study with its tables and keys in another order; the name stays on top."""
    plain = {k: v for k, v in table.items() if not isinstance(v, dict)}
    tables = [(k, _reordered(v, rng)) for k, v in table.items() if isinstance(v, dict)]
    rng.shuffle(tables)
    keys = list(plain.items())
    rng.shuffle(keys)
    return dict(keys) | dict(tables)


def test_names_of_todays_clusters_do_not_matter(tmp_path: Path) -> None:
    """Called by other names, in another order of the alphabet, they are the same clusters."""
    plain = county()
    plain.study["goals"]["change"] = 25.0
    renamed = copy.deepcopy(plain)
    names = {f"Community {k}": name for k, name in enumerate(("Zeta", "Alpha", "Mu", "Beta"), 1)}
    renamed.existing["cluster"] = renamed.existing["cluster"].map(names)
    a, b = written(plain, tmp_path / "a"), written(renamed, tmp_path / "b")
    assert a["plan.csv"] == b["plan.csv"]
    assert a["clusters.csv"] == b["clusters.csv"]


def test_names_of_files_do_not_matter(tmp_path: Path) -> None:
    plain, renamed = county(), county()
    renamed.study["schools"]["file"] = "a table.csv"
    renamed.texts["a table.csv"] = renamed.schools.to_csv(index=False)
    a, b = written(plain, tmp_path / "a"), written(renamed, tmp_path / "b")
    assert a["plan.csv"] == b["plan.csv"]


def test_labels_of_a_start_do_not_matter(tmp_path: Path) -> None:
    """A plan drawn by hand gives the same answer by whatever names its clusters go."""
    study = Study.load(county().write(tmp_path))
    table = design(study).plan.to_frame()
    found = []
    for rename in (lambda label: label, lambda label: f"{label[::-1]} x"):
        path = tmp_path / "start.csv"
        start = table.assign(cluster=table["cluster"].map(rename))
        start.sample(frac=1, random_state=len(found)).to_csv(path, index=False)
        args = ("--start", path, "--out", tmp_path / f"run{len(found)}")
        assert clusters("design", study.path, *args) == 0
        found.append(pd.read_csv(tmp_path / f"run{len(found)}" / "plan.csv", dtype=str))
    pd.testing.assert_frame_equal(*found)


def test_alternatives_and_prices_are_the_same_again(tmp_path: Path) -> None:
    result = design(Study.load(county().write(tmp_path)))
    first, again = (result.alternatives(2, 0.3, effort="sketch") for _ in range(2))
    assert [one.plan for one in first] == [one.plan for one in again]
    assert all(moves(a.plan, b.plan).empty for a, b in zip(first, again, strict=True))
    one, two = (result.prices(rules=["schools"], effort="sketch") for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
