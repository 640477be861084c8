"""The workbook comes to the program's figures by its own formulas, and can be asked what if."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from clustering.budget import Budget, budgets
from clustering.budget_rules import BudgetRules
from clustering.budget_sheet import write_budget_sheet
from clustering.need import Need, need_units
from clustering.outlook import outlook
from clustering.plan import Cluster, Plan
from clustering.sensitivity import sensitivity
from clustering.sheet_schools import SheetInputs
from tests.sheet_reader import Book

SCHOOLS = 30


@pytest.fixture(scope="module")
def county() -> pd.DataFrame:
    """Thirty schools with every figure the formula knows, gaps, and names that bite."""
    rng = np.random.default_rng(3)
    pupils = rng.integers(60, 1200, SCHOOLS).astype(float)
    table = pd.DataFrame(
        {
            "name": [f"School {k}" for k in range(SCHOOLS)],
            "phase": ["primary", "primary", "secondary"] * 10,
            "selective": pd.array([False] * SCHOOLS, dtype="boolean"),
            "pupils": pupils,
            "sixth_form_pupils": np.where(np.arange(SCHOOLS) % 3 == 2, 50.0, 0.0),
            "fsm6": (pupils * rng.random(SCHOOLS) * 0.4).round(),
            "sen_support": (pupils * rng.random(SCHOOLS) * 0.3).round(),
            "ehc_plans": (pupils * rng.random(SCHOOLS) * 0.06).round(),
            "srp_places": np.where(np.arange(SCHOOLS) % 9 == 0, 12.0, np.nan),
            "idaci": rng.integers(0, 90_000, SCHOOLS).astype(float),
            "low_prior_attainment": rng.integers(1, 200, SCHOOLS).astype(float),
        },
        index=pd.Index([f"9{k:05d}" for k in range(SCHOOLS)], name="urn"),
    )
    table.loc["900000", "phase"] = "all_through"
    table.loc["900003", "pupils"] = np.nan
    table.loc["900004", "fsm6"] = np.nan
    table.loc["900005", "name"] = "=1+1 School"
    return table


@pytest.fixture(scope="module")
def plan(county: pd.DataFrame) -> Plan:
    labels = ["=Cliff", "Marsh 1", "Marsh 2", "<Dale*"]
    urns = list(county.index[:-2])  # the last two are in no cluster
    return Plan(tuple(Cluster(x, urns[k], tuple(urns[k::4])) for k, x in enumerate(labels)))


@pytest.fixture(scope="module")
def need(county: pd.DataFrame) -> Need:
    past = pd.DataFrame(
        {
            "pupils": county["pupils"] * 0.98,
            "sen_support": county["sen_support"] * 0.9,
            "ehc_plans": county["ehc_plans"] * 0.8,
        }
    ).drop(index="900007")
    return need_units(county, years=[past])


@pytest.fixture(scope="module")
def baseline(county: pd.DataFrame, need: Need) -> pd.DataFrame:
    factor = np.where(np.arange(SCHOOLS) % 4 == 1, 1.4, 0.8)
    paid = (need.shares * 1_500_000 * factor).round(2)
    base = pd.DataFrame({"baseline": paid, "baseline_pupils": county["pupils"] * 1.1})
    base.loc["900009", "baseline"] = np.nan
    return base


RULES = {
    "floor paid from gains": {"pot": 1_700_001, "floors": [0.03]},
    "floors need more than gains": {"pot": 1_340_000, "floors": [0.1]},
    "cap, weights, growth": {
        "pot": 2_345_678,
        "floors": [0.1],
        "cap": 0.05,
        "round_to": 1,
        "outside": "shared",
        "phase_weights": {"secondary": 1.3},
        "growth": 0.021,
        "project_share": 0.86,
    },
    "ring-fence, no floor": {
        "pot": 2_345_678,
        "floors": ["off"],
        "ring_fence": {"primary": 0.6, "secondary": 0.4},
    },
    "part of a block, growing": {
        "high_needs_block": 100_000_050.0,
        "devolved_share": "hounslow",
        "growth": 0.0123,
        "floors": ["off"],
    },
    "floors beyond the pot": {"pot": 1_000_000, "floors": [0.03]},
    "pot below its topslice": {"pot": 40_000, "floors": ["off"]},
}


def written(
    path: Path, rules: BudgetRules, county: pd.DataFrame, plan: Plan, need: Need,
    baseline: pd.DataFrame,
) -> Budget:  # fmt: skip
    def of(year: int) -> Budget:
        return budgets(plan, need.shares, rules, schools=county, baseline=baseline, year=year)

    beside = (outlook(of, rules), sensitivity(need, plan, draws=9), ("=a note",))
    given = SheetInputs(of(1), need, baseline, need.shares, *beside)
    write_budget_sheet(path, given)
    return given.budget


@pytest.mark.parametrize("name", RULES)
def test_formulas_come_to_the_programs_figures(name, tmp_path, county, plan, need, baseline):
    path = tmp_path / "budget.xlsx"
    budget = written(path, BudgetRules(**RULES[name]), county, plan, need, baseline)
    book = Book(path)
    differences = book.column("check", "difference", head=4)
    assert len(differences) > 4 * len(plan)
    assert set(differences.values()) == {0}
    assert book.value("check", "D2") == 0
    assert book.value("check", "D3") == 0
    assert budget.ok == (name not in ("floors beyond the pot", "pot below its topslice"))
    if name == "floor paid from gains":
        assert 0 < budget.protection.gains_paid < 1
    if name == "floors need more than gains":
        assert 0 < budget.protection.above_floor_paid < 1


def test_need_of_clusters_by_factor_stands_in_the_sheet(tmp_path, county, plan, need, baseline):
    path = tmp_path / "budget.xlsx"
    written(path, BudgetRules(pot=2e6), county, plan, need, baseline)
    book, table = Book(path), need.by_cluster(plan)
    for factor in need.weights:
        sheet = book.column("clusters", f"share {factor}")
        for label in plan.labels:
            share = table.at[label, factor] / need.units.sum()
            assert sheet[label] == pytest.approx(share)


def test_stacked_bars_follow_the_columns_of_the_sheet(tmp_path, county, plan, need, baseline):
    path = tmp_path / "budget.xlsx"
    written(path, BudgetRules(pot=2e6), county, plan, need, baseline)
    book = openpyxl.load_workbook(path)
    (chart,) = book["bars"]._charts
    assert chart.grouping == "stacked"
    heads = {cell.column_letter: cell.value for cell in book["clusters"][1]}
    drawn = [one.val.numRef.f.replace("$", "").replace("'", "") for one in chart.series]
    found = [re.fullmatch(r"clusters!([A-Z]+)2:\1(\d+)", words) for words in drawn]
    assert [heads[one.group(1)] for one in found] == [f"share {f}" for f in need.measures.factors]
    assert {int(one.group(2)) for one in found} == {1 + len(plan)}


def test_what_if_in_the_sheet_is_what_if_in_the_program(tmp_path, county, plan, need, baseline):
    """An officer types 30 % on EHC plans and a 3 % floor; the program says the same."""
    path = tmp_path / "budget.xlsx"
    written(path, BudgetRules(pot=2e6, floors=["off"]), county, plan, need, baseline)
    book = openpyxl.load_workbook(path)
    asked = {"pupils": 0.5, "fsm6": 0.2, "ehc_plans": 0.3}
    for row in book["formula"].iter_rows(min_row=5):
        label = str(row[0].value)
        if label.startswith("weight ") and label != "weight of an EHC plan":
            row[1].value = asked.get(label.removeprefix("weight "), 0.0)
        if label == "greatest loss allowed":
            row[1].value = 0.03
    book.save(path)
    found = budgets(
        plan,
        need.reweighted(asked).shares,
        BudgetRules(pot=2e6, floors=[0.03]),
        schools=county,
        baseline=baseline,
    )
    sheet = Book(path).column("clusters", "budget £")
    assert {label: sheet[label] for label in plan.labels} == found.table["budget"].to_dict()


def type_in(path: Path, figures: dict[str, object]) -> Book:
    """Type figures beside labels of the sheet `formula` and return the workbook anew."""
    book = openpyxl.load_workbook(path)
    cells = {str(row[0].value): row[1] for row in book["formula"].iter_rows()}
    for label, figure in figures.items():
        cells[label].value = figure
    book.save(path)
    return Book(path)


def test_a_floor_without_a_baseline_is_measured_from_the_studys_own_formula(
    tmp_path, county, plan, need
):
    path, rules = tmp_path / "budget.xlsx", BudgetRules(pot=2e6, floors=["off"])
    plain = budgets(plan, need.shares, rules, schools=county)
    write_budget_sheet(path, SheetInputs(plain, need, own_shares=plain.schools["share"]))
    assert Book(path).value("check", "D2") == 0
    other = {f"weight {f}": 0.0 for f in need.measures.factors} | {"weight ehc_plans": 1.0}
    book = type_in(path, other | {"greatest loss allowed": 0.03})
    found = budgets(
        plan,
        need.reweighted({"ehc_plans": 1.0}).shares,
        BudgetRules(pot=2e6, floors=[0.03]),
        schools=county,
        baseline=plain.schools[["formula"]].set_axis(["baseline"], axis=1),
    )
    sheet = book.column("clusters", "budget £")
    assert {label: sheet[label] for label in plan.labels} == found.table["budget"].to_dict()
    assert (found.table["difference"] > 1).any()


def test_another_part_of_the_block_can_be_typed_in(tmp_path, county, plan, need, baseline):
    path = tmp_path / "budget.xlsx"
    rules = BudgetRules(**RULES["part of a block, growing"])
    written(path, rules, county, plan, need, baseline)
    book = type_in(path, {"part of it devolved": 0.0187})
    more = rules.model_copy(update={"devolved_share": 0.0187})
    found = budgets(plan, need.shares, more, schools=county, baseline=baseline, year=1)
    sheet = book.column("clusters", "budget £")
    assert {label: sheet[label] for label in plan.labels} == found.table["budget"].to_dict()


@pytest.mark.parametrize("year", [0, 2, 3])
def test_another_year_has_its_own_floor(year, tmp_path, county, plan, need, baseline):
    path = tmp_path / "budget.xlsx"
    rules = BudgetRules(pot=1_700_000, growth=0.01, floors=[0.0, 0.02, 0.05, "off"])
    written(path, rules, county, plan, need, baseline)  # of the second year
    book = type_in(path, {"years since the first": year})
    found = budgets(plan, need.shares, rules, schools=county, baseline=baseline, year=year)
    sheet = book.column("clusters", "budget £")
    assert {label: sheet[label] for label in plan.labels} == found.table["budget"].to_dict()
    assert book.value("check", "D3") == 0


def test_figures_worked_back_follow_their_sources(tmp_path, county, plan):
    """A unit value that is put right moves every school's pupils with low prior attainment."""
    table = county.drop(columns=["low_prior_attainment", "idaci"]).assign(
        prior_attainment_funding=county["low_prior_attainment"] * 1175,
        idaci_rate=county["idaci"] / 1000,
    )
    table.loc["900002", ["prior_attainment_funding", "idaci_rate"]] = np.nan
    need = need_units(table)
    path, rules = tmp_path / "budget.xlsx", BudgetRules(pot=2e6)
    write_budget_sheet(path, SheetInputs(budgets(plan, need.shares, rules, schools=table), need))
    assert Book(path).value("check", "D2") == 0
    book = type_in(path, {"£ a pupil, secondary": 1900.0})
    unit = need.measures.values.low_prior_attainment.model_copy(update={"secondary": 1900.0})
    values = need.measures.values.model_copy(update={"low_prior_attainment": unit})
    sheet, hand = book.column("schools", "low prior attainment"), need_units(table, values=values)
    expected = hand.measures.table["low_prior_attainment"].dropna().drop("900002")  # an estimate
    assert {urn: sheet[urn] for urn in expected.index} == pytest.approx(expected.to_dict())


def test_what_is_to_be_said_stands_in_the_workbook(tmp_path, county, plan, need, baseline):
    path = tmp_path / "budget.xlsx"
    rules = BudgetRules(**RULES["floors beyond the pot"])
    budget = written(path, rules, county, plan, need, baseline)
    said = [row[0].value for row in openpyxl.load_workbook(path)["notes"].iter_rows()]
    assert said == [*budget.reasons, "=a note"]


def test_no_workbook_tells_the_time(tmp_path, county, plan, need, baseline):
    first, second = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    for path in (first, second):
        written(path, BudgetRules(pot=2e6), county, plan, need, baseline)
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as book:
        assert {info.date_time[0] for info in book.infolist()} == {1980}
        told = book.read("docProps/core.xml").decode()
    assert set(re.findall(r">(\d{4})-", told)) == {"2000"}


def test_names_that_look_like_formulas_stay_names(tmp_path, county, plan, need, baseline):
    path = tmp_path / "budget.xlsx"
    written(path, BudgetRules(pot=2e6), county, plan, need, baseline)
    book = openpyxl.load_workbook(path)
    cells = [c for sheet in book for row in sheet.iter_rows() for c in row]
    named = [c for c in cells if c.value in ("=1+1 School", "=Cliff")]
    assert len(named) > 2
    assert {c.data_type for c in named} == {"s"}
    assert "Not for publication" in book["formula"]["A2"].value


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_agrees(tmp_path, county, plan, need, baseline):
    path = tmp_path / "budget.xlsx"
    written(path, BudgetRules(**RULES["floor paid from gains"]), county, plan, need, baseline)
    home = (tmp_path / "profile").as_uri()
    call = ["soffice", "--headless", f"-env:UserInstallation={home}", "--convert-to", "xlsx"]
    subprocess.run([*call, "--outdir", tmp_path / "out", path], check=True, capture_output=True)
    book = openpyxl.load_workbook(tmp_path / "out" / "budget.xlsx", data_only=True)
    assert book["check"]["D2"].value == 0
    assert book["check"]["D3"].value == 0
    assert all(row[3].value == 0 for row in book["check"].iter_rows(min_row=5))
