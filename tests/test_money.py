"""Money at the front desk: the verb `budget`, files beside the plan, the map, panels."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from clustering.budget import budgets
from clustering.budget_rules import BudgetRules
from clustering.inputs import Inputs, load_inputs
from clustering.need import need_units
from clustering.panel import COLUMNS, largest_trusts, panel, trust_sentences
from clustering.plan import Cluster, Plan
from clustering.publish.money import (
    BUDGET_COLUMNS,
    TODAY_COLUMNS,
    budget_json,
    floor_of,
    money_of,
    parts_of,
    rounded_budgets,
    today_sentence,
)
from clustering.run import compare_plans, design, judge
from clustering.study import Study
from geo.errors import StudyError
from tests.sheet_reader import Book
from tests.studies import County, clusters, county, hurry

BUDGET = "[budget]\npot = 1_000_000\n"


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


def moorshire(lines: str = BUDGET, **texts: str) -> County:
    whole = county()
    whole.merge(lines)
    whole.texts |= {f"{name}.csv": text for name, text in texts.items()}
    return whole


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Inputs, Plan]:
    """The study with a pot, its inputs, and today's clusters as a plan."""
    folder = tmp_path_factory.mktemp("money")
    study = moorshire().write(folder)
    inputs = load_inputs(Study.load(study))
    return study, inputs, judge(inputs, folder / "existing.csv")[0]


def test_verb_shows_and_writes_the_budget(loaded, tmp_path, capsys):
    study, inputs, plan = loaded
    out = tmp_path / "out"
    assert clusters("budget", study, study.parent / "existing.csv", "--out", out) == 0
    told = capsys.readouterr().out
    assert "Community 1" in told
    assert "The pot, to the pound" in told
    assert "change rank by need" in told or "changes its rank" in told
    assert sorted(p.name for p in out.iterdir()) == [
        *("budget.csv", "budget.xlsx", "need.csv", "need.html", "panel.csv")
    ]
    table = pd.read_csv(out / "budget.csv")
    assert tuple(table.columns) == (*BUDGET_COLUMNS, *TODAY_COLUMNS)
    assert (table["against_today"] == 0).all()
    found = money_of(inputs, plan).budget
    assert table["budget"].sum() == found.lines["clusters"]
    assert table["budget"].sum() + table["running_cost"].sum() + found.lines["contingency"] == 1e6
    book = Book(out / "budget.xlsx")
    assert book.value("check", "D2") == 0


def test_what_if_of_a_forum_meeting(loaded, capsys):
    """30 % on EHC plans and a 3 % floor: no file of a baseline is needed to ask."""
    study, inputs, plan = loaded
    asked = ("--weights", "pupils=50%,fsm6=20%,ehc_plans=30%", "--floor", "0.03")
    assert clusters("budget", study, study.parent / "existing.csv", *asked) == 0
    told = capsys.readouterr().out
    assert "30% EHC plans" in told
    assert "against the" in told
    money = money_of(
        inputs, plan, weights={"pupils": 0.5, "fsm6": 0.2, "ehc_plans": 0.3}, floor=0.03
    )
    own = money.study_own.table["formula"]
    assert (money.table["protected"] >= 0.97 * own - 1e-6).all()
    assert money.table["against_study"].sum() == pytest.approx(0)


@pytest.mark.parametrize(
    ("words", "part"), [("0.03", 0.03), (" 3% ", 0.03), ("off", "off"), ("0", 0.0), ("100%", 1.0)]
)
def test_floors_in_words(words, part):
    assert floor_of(words) == pytest.approx(part)


@pytest.mark.parametrize("words", ["3", "-1%", "some", "nan"])
def test_floors_in_words_that_cannot_be(words):
    with pytest.raises(StudyError, match="is no part of the baseline"):
        floor_of(words)


def test_a_cap_asked_for_is_measured_from_the_studys_own_formula(loaded, capsys):
    study, inputs, plan = loaded
    asked = ("--weights", "ehc_plans=1", "--cap", "0.01")
    assert clusters("budget", study, study.parent / "existing.csv", *asked) == 0
    assert "The cap on gains over the formula of the study" in " ".join(
        capsys.readouterr().out.split()
    )
    money = money_of(inputs, plan, weights={"ehc_plans": 1}, cap=0.01)
    assert (money.table["protected"] <= 1.01 * money.study_own.table["formula"] + 1e-6).all()


def test_projects_and_single_pupils_are_shown_where_they_differ(tmp_path, capsys):
    for part, shown in (("1.0", False), ("0.6", True)):
        study = moorshire(BUDGET + f"project_share = {part}\n").write(tmp_path)
        assert clusters("budget", study, tmp_path / "existing.csv") == 0
        assert ("single" in capsys.readouterr().out) == shown


def test_several_years_and_the_way_to_balance_are_shown(tmp_path, capsys):
    deficit = "[budget.deficit]\nopening = 900\nspend = 100\nblock = 200\ntarget_year = 2026\n"
    study = moorshire(BUDGET + "growth = 0.1\nyears = 2\n" + deficit).write(tmp_path)
    assert clusters("budget", study, tmp_path / "existing.csv") == 0
    told = capsys.readouterr().out
    assert "Over the years" in told
    rows = {line.split("│")[1].strip(): line.split("│")[2:4] for line in told.splitlines()
            if line.count("│") == 4}  # fmt: skip
    assert [cell.strip() for cell in rows["pot"]] == ["1,000,000", "1,100,000"]
    assert [cell.strip() for cell in rows["closing deficit"]] == ["800", "700"]
    assert "a deficit of £700 is left" in told
    inputs = load_inputs(Study.load(study))
    told = budget_json(inputs, judge(inputs, tmp_path / "existing.csv")[0])
    assert told["deficit"]["2026-27"]["closing deficit"] == 700


def test_floors_beyond_a_smaller_pot_are_an_answer(tmp_path, capsys):
    rows = [f"{urn},90000" for urn in county().schools["urn"]]
    whole = moorshire(BUDGET + 'baseline = "past.csv"', past="urn,baseline\n" + "\n".join(rows))
    study = whole.write(tmp_path)
    assert clusters("budget", study, tmp_path / "existing.csv") == 1
    told = capsys.readouterr().out
    assert "The pot cannot pay the floors" in told
    assert clusters("budget", study, tmp_path / "existing.csv", "--pot", "3000000") == 0


def test_without_a_pot_the_verb_says_what_is_missing(tmp_path, capsys):
    study = county().write(tmp_path)
    assert clusters("budget", study, tmp_path / "existing.csv") == 2
    assert "no [budget]" in capsys.readouterr().err
    assert clusters("budget", study, tmp_path / "existing.csv", "--pot", "900000") == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("pupils", "is not a factor and its weight"),
        ("pupils=half", "is not a factor and its weight"),
        ("pupils=1,pupils=2", "is not a factor and its weight"),
        ("pupils=nan", "is not a factor and its weight"),
    ],
)
def test_weights_in_words_that_cannot_be(words, said):
    with pytest.raises(StudyError, match=said):
        parts_of(words)


def test_unknown_factor_is_refused_with_a_hint(loaded, capsys):
    study, _, _ = loaded
    call = ("budget", study, study.parent / "existing.csv", "--weights", "pupils=1,ehcplans=1")
    assert clusters(*call) == 2
    assert 'Did you mean "ehc_plans"?' in capsys.readouterr().err.replace("\n", " ")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("[budget]\ngrowth = 0.1", "needs either pot"),
        ("[budget]\npot = 1\nflor = 2", 'unknown key "flor"'),
        ("[budget]\npot = 1e6\nring_fence = { primary = 0.5, secondary = 0.6 }", "sum to 1"),
        ('[budget]\npot = 1e6\nbaseline = "none.csv"', "the file is not there"),
        ("[need]\nwinsor = [0.6, 0.9]", "less than 0.5"),
        ('[need]\nidaci = "lsoa.csv"', "the file is not there"),
        ("[panel]\ntrust_share = 2", "less than or equal to 1"),
        ("[budget.deficit]\nopening = 1", "missing"),
    ],
)
def test_study_keys_that_cannot_be(tmp_path, lines, said, capsys):
    study = moorshire(lines).write(tmp_path)
    assert clusters("check", study) == 2
    assert said in capsys.readouterr().err.replace("\n", " ")


def test_a_run_writes_the_budget_beside_the_plan_and_on_the_map(tmp_path):
    study = moorshire(BUDGET + "[panel]\nfederation_one_seat = true\n").write(tmp_path)
    run = tmp_path / "run"
    assert clusters("design", study, "--out", run) == 0
    names = {path.name for path in run.iterdir()}
    assert {"budget.csv", "budget.xlsx", "panel.csv"} <= names
    told = json.loads((run / "report.json").read_text(encoding="utf-8"))["budget"]
    table = pd.read_csv(run / "budget.csv").set_index("cluster")
    assert {label: one["budget"] for label, one in told["clusters"].items()} == table[
        "budget"
    ].to_dict()
    rows = pd.read_csv(run / "clusters.csv").set_index("cluster")["budget"]
    assert rows.to_dict() == table["budget"].to_dict()
    sheet = pd.read_excel(run / "plan.xlsx", "clusters").set_index("cluster")["budget"]
    assert sheet.to_dict() == table["budget"].to_dict()
    layer = gpd.read_file(run / "plan.gpkg", layer="clusters").set_index("cluster")["budget"]
    assert layer.to_dict() == table["budget"].to_dict()
    assert {k: v["today_budget"] for k, v in told["today"].items()} == table[
        "today_budget"
    ].to_dict()
    assert sum(v for k, v in told["lines"].items() if k != "pot") == told["lines"]["pot"] == 1e6
    page = (run / "map.html").read_text(encoding="utf-8")
    first = table["budget"].iloc[0]
    assert f"£{round(first, -3):,.0f}" in page
    assert f"£{first:,.0f}" not in page or first % 1000 == 0
    assert list(told["years"][table.index[0]]) == ["2025-26", "2026-27", "2027-28", "2028-29"]
    study = county().write(tmp_path)
    assert clusters("design", study, "--out", run) == 0
    assert not {"budget.csv", "budget.xlsx", "panel.csv"} & {p.name for p in run.iterdir()}


def test_a_result_answers_what_if(tmp_path):
    result = design(moorshire().write(tmp_path))
    asked = result.money(weights={"pupils": 1.0}, pot=2e6)
    assert asked.budget.lines["pot"] == 2e6
    assert asked.study_own.lines["pot"] == 2e6
    assert asked.need.weights == {"pupils": 1.0}
    shown = asked._repr_html_()
    assert "against_study" in shown
    assert "100% pupils" in shown
    richer = result.money(pot=2e6)
    assert richer.study_own.lines["pot"] == 1e6
    assert (richer.table["against_study"] > 0).all()


def test_a_moved_school_takes_its_share_along_against_today(loaded):
    _, inputs, plan = loaded
    urn = plan["Community 1"].schools[0]
    other = next(u for u in plan["Community 1"].schools if u != plan["Community 1"].hub)
    moved = plan.move(other if urn == plan["Community 1"].hub else urn, to="Community 2")
    money = money_of(inputs, moved, round_to=1)
    change = money.table["against_today"]
    gone = next(u for u in moved.cluster_of if moved.cluster_of[u] != plan.cluster_of[u])
    share = money.budget.schools.at[gone, "formula"]
    assert change["Community 2"] == pytest.approx(share, abs=1.5)
    assert change["Community 1"] == pytest.approx(-share, abs=1.5)
    assert set(change.drop(["Community 1", "Community 2"])) <= {-1.0, 0.0, 1.0}
    told = today_sentence(money)
    assert "Community 2 has +£" in told[0]
    assert "Community 1 −£" in told[0]


def test_plans_side_by_side_say_their_budgets(loaded):
    _, inputs, plan = loaded
    other = plan.move(
        next(u for u in plan["Community 1"].schools if u != plan["Community 1"].hub),
        to="Community 2",
    )
    found = compare_plans(inputs, {"today": plan, "moved": other})
    assert found.figures.at["largest budget", "today"] == (
        money_of(inputs, plan).budget.table["budget"].max()
    )
    rows = found.between("today", "moved").clusters.set_index("cluster")
    for label, pounds in money_of(inputs, other).budget.table["budget"].items():
        assert rows.at[label, "budget_after"] == pounds
    assert rows["budget_before"].sum() == rows["budget_after"].sum()


def test_map_rounds_to_a_thousand(loaded):
    _, inputs, plan = loaded
    exact = money_of(inputs, plan).budget.table["budget"]
    for label, words in rounded_budgets(inputs, plan).items():
        pounds = int(words.removeprefix("£").replace(",", ""))
        assert pounds % 1000 == 0
        assert abs(pounds - exact[label]) <= 500


def test_notional_sen_and_figures_of_strangers(tmp_path):
    rows = [f"{urn},60000" for urn in county().schools["urn"]] + ["999999,1"]
    whole = moorshire(
        BUDGET + '[need]\nfigures = "figures.csv"\n',
        figures="urn,notional_sen\n" + "\n".join(rows),
    )
    inputs = load_inputs(Study.load(whole.write(tmp_path)))
    assert any("1 school not in the study" in note for note in inputs.notes)
    plan = judge(inputs, tmp_path / "existing.csv")[0]
    found = money_of(inputs, plan).budget
    assert found.table["notional_sen"].sum() == 60_000 * len(county().schools)
    assert found.lines["pot"] == 1e6


@pytest.mark.parametrize(
    ("lines", "head"),
    [
        (BUDGET + 'baseline = "past.csv"', "urn,baseline"),
        ('[need]\nfigures = "past.csv"', "urn,notional_sen"),
        ('[need]\nprevious = "past.csv"', "urn,pupils,sen_support,ehc_plans"),
        ('[need]\nidaci = "idaci.csv"\nhomes = "past.csv"', "urn,lsoa,pupils"),
    ],
)
def test_a_file_of_another_council_is_refused(tmp_path, capsys, lines, head):
    row = ",".join(["777777", *["9"] * head.count(",")])
    idaci = "lsoa,idaci_score\nX1,0.2"
    study = moorshire(lines, past=f"{head}\n{row}\n", idaci=idaci).write(tmp_path)
    assert clusters("check", study) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "no URN of this file is that of a school of the study" in told
    assert "past.csv" in told


def test_a_baseline_of_nothing_is_refused(tmp_path, capsys):
    rows = [f"{urn},0" for urn in county().schools["urn"]]
    whole = moorshire(BUDGET + 'baseline = "past.csv"', past="urn,baseline\n" + "\n".join(rows))
    assert clusters("check", whole.write(tmp_path)) == 2
    assert "every baseline is 0" in " ".join(capsys.readouterr().err.split())


def test_a_baseline_of_strangers_is_told_beside_the_budget(tmp_path, capsys):
    rows = [f"{urn},£9000" for urn in county().schools["urn"][1:]] + ["777777,5"]
    whole = moorshire(BUDGET + 'baseline = "past.csv"', past="urn,baseline\n" + "\n".join(rows))
    study = whole.write(tmp_path)
    assert clusters("budget", study, tmp_path / "existing.csv") == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "Not used is the baseline of 1 school not in the study: 777777." in told
    assert "Without a baseline: 1 school;" in told


def test_figures_that_cannot_be_read_stop_the_study(tmp_path, capsys):
    whole = moorshire('[need]\nfigures = "figures.csv"\n', figures="urn,notional_sen\n910001,many")
    assert clusters("check", whole.write(tmp_path)) == 2
    told = capsys.readouterr().err
    assert 'notional_sen is "many"' in told.replace("\n", " ")
    assert "row 2" in told


# -- panels ----------------------------------------------------------------------------------------


@pytest.fixture
def town() -> tuple[Plan, pd.DataFrame, pd.DataFrame]:
    urns = ["900001", "900002", "900003", "900004", "900005"]
    schools = pd.DataFrame(
        {
            "name": ["Alder", "Birch", "Cedar", "Damson", "Elder"],
            "phase": ["secondary", *["primary"] * 4],
            "trust": ["Moor Trust", "Moor Trust", "Moor Trust", "", "Moor Trust"],
            "federation": ["", "Twin Schools", "Twin Schools", "", ""],
        },
        index=urns,
    )
    minutes = pd.DataFrame(7.0, index=urns, columns=urns)
    for urn in urns:
        minutes.loc[urn, urn] = 0.0
    clusters = (Cluster("A", "900001", tuple(urns[:4])), Cluster("B", "900005", ("900005",)))
    return Plan(clusters), schools, minutes


def test_one_seat_a_school_and_a_flag_over_sixty_per_cent(town):
    table = panel(*town).set_index("urn")
    assert tuple(table.reset_index()[list(COLUMNS)].columns) == COLUMNS
    assert table.loc["900001", ["host", "minutes_to_host", "seats"]].tolist() == ["yes", 0, 1]
    assert table.at["900002", "minutes_to_host"] == 7
    assert table.at["900001", "trust_share"] == 0.75
    assert "more than 60%" in table.at["900001", "flag"]
    assert pd.isna(table.at["900004", "trust_share"])
    assert table.at["900004", "flag"] == ""


def test_the_largest_trust_of_each_cluster_is_named(town):
    plan, schools, minutes = town
    found = largest_trusts(panel(plan, schools, minutes))
    assert found.loc["A"].tolist() == ["Moor Trust", 0.75]
    assert trust_sentences(panel(plan, schools, minutes, trust_share=0.8)) == [
        "B: Moor Trust has 100% of the seats."
    ]
    nobody = largest_trusts(panel(plan, schools.assign(trust=""), minutes))
    assert nobody["largest_trust"].tolist() == ["", ""]
    assert nobody["trust_share"].isna().all()
    halves = schools.assign(trust=["Reed", "Ash", "Reed", "Ash", ""])
    assert largest_trusts(panel(plan, halves, minutes)).loc["A"].tolist() == ["Ash", 0.5]


def test_a_federation_may_share_one_seat(town):
    table = panel(*town, federation_one_seat=True, trust_share=0.7).set_index("urn")
    assert table["seats"].tolist() == [1, 0.5, 0.5, 1, 1]
    assert table.at["900001", "trust_share"] == pytest.approx(2 / 3, abs=1e-4)
    assert table.at["900001", "flag"] == ""


# -- Kent ------------------------------------------------------------------------------------------

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
needs_real = pytest.mark.skipif(
    not SHARED.exists(), reason="the real open data is not beside the project"
)


@pytest.mark.real
@needs_real
@pytest.mark.parametrize(
    ("weights", "low", "low_at", "high", "high_at"),
    [
        ((0.50, 0.20, 0.15, 0.15), 33.3, "Tunbridge Wells", 48.3, "Thanet"),
        ((0.50, 0.30, 0.20, 0.00), 34.1, "Tunbridge Wells", 49.8, "Thanet"),
        ((0.30, 0.10, 0.10, 0.50), 28.4, "Tunbridge Wells", 49.9, "Dover"),
    ],
)
def test_kent_by_district_to_the_printed_rounding(weights, low, low_at, high, high_at):
    """£10m by district on the census's own 563 schools; printed figures have one decimal."""
    table = kent_census()
    assert len(table) == 563
    assert table["pupils"].sum() == 245_063
    factors = ("pupils", "fsm6", "sen_support", "ehc_plans")
    need = need_units(table, dict(zip(factors, weights, strict=True)))
    groups = table.groupby("area").groups
    plan = Plan(
        tuple(Cluster(str(a), min(urns), tuple(sorted(urns))) for a, urns in groups.items())
    )
    rules = BudgetRules(pot=10e6, contingency=0, running_cost=0, floors="off", round_to=1)
    rows = budgets(plan, need.shares, rules, schools=table).table
    assert rows["budget"].sum() == 10_000_000
    rate = rows["per_pupil"]
    assert (rate.idxmin(), rate.idxmax()) == (low_at, high_at)
    assert rate.min() == pytest.approx(low, abs=0.051)
    assert rate.max() == pytest.approx(high, abs=0.051)


def kent_census() -> pd.DataFrame:
    """Return Kent's schools of the census of January 2025 with their districts."""
    census = pd.read_csv(SHARED / "kent" / "sen.csv", dtype=str)
    kinds = census["SCHOOLTYPE"].isin(["State-funded primary", "State-funded secondary"])
    here = census[kinds & (census["LA"] == "886")].set_index("URN")
    names = {"NOR": "pupils", "NUMFSMEVER": "fsm6", "TSENELK": "sen_support"}
    names["TSENELSE"] = "ehc_plans"
    table = here[list(names)].rename(columns=names).apply(pd.to_numeric, errors="coerce")
    places = pd.read_csv(
        SHARED / "kent" / "schools_composite.csv", dtype=str, keep_default_na=False
    )
    district = dict(zip(places["URN"], places["DistrictAdministrative (name)"], strict=True))
    for _, row in places.iterrows():
        for old in row["Predecessor URN"].split(";"):
            district.setdefault(old.strip(), row["DistrictAdministrative (name)"])
    secondary = here["SCHOOLTYPE"] == "State-funded secondary"
    return table.assign(
        name=table.index,
        phase=secondary.map({True: "secondary", False: "primary"}),
        selective=pd.array([False] * len(table), dtype="boolean"),
        area=table.index.map(district),
    )
