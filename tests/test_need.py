"""Need units by hand, with every fallback said aloud."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering.need import Need, need_units
from clustering.need_factors import Settings
from clustering.plan import Cluster, Plan
from clustering.sensitivity import sensitivity

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
needs_real = pytest.mark.skipif(
    not SHARED.exists(), reason="the real open data is not beside the project"
)


def two_schools(**changes: list[float]) -> pd.DataFrame:
    columns = {
        "name": ["Alder", "Birch"],
        "phase": ["primary", "primary"],
        "selective": pd.array([False, False], dtype="boolean"),
        "pupils": [100.0, 300.0],
        "fsm6": [50.0, 50.0],
        "sen_support": [10.0, 30.0],
        "ehc_plans": [0.0, 0.0],
        **changes,
    }
    return pd.DataFrame(columns, index=pd.Index(["900001", "900002"], name="urn"))


def test_public_formula_by_hand():
    """Shares: pupils 1/4, FSM6 1/2, recorded SEN 1/4 (both rates 10 %), of 400 pupils."""
    need = need_units(two_schools())
    assert need.units["900001"] == pytest.approx(400 * (0.5 / 4 + 0.25 / 2 + 0.25 / 4))
    assert need.units.sum() == pytest.approx(400)
    assert "50% pupils, 25% FSM6, 25% recorded SEN" in need.banner
    assert "IDACI and low prior attainment are not in the data" in need.banner


def test_factors_add_up_to_the_units():
    need = need_units(two_schools())
    pd.testing.assert_series_equal(need.factors.sum(axis=1), need.units, check_names=False)


def test_full_formula_when_everything_is_known():
    need = need_units(two_schools(idaci=[1.0, 3.0], low_prior_attainment=[20.0, 60.0]))
    assert set(need.weights) == {
        *("pupils", "fsm6", "idaci", "low_prior_attainment", "recorded_sen")
    }
    assert "default formula" in need.banner


def test_srp_places_are_netted_off():
    plain = need_units(two_schools(ehc_plans=[30.0, 6.0]), {"pupils": 1})
    netted = need_units(
        two_schools(ehc_plans=[30.0, 6.0], srp_places=[20.0, np.nan]), {"pupils": 1}
    )
    assert plain.units["900001"] == pytest.approx(100)
    assert netted.units["900001"] == pytest.approx(80)
    assert "20 SRP places are netted off" in netted.notes[0]


def test_more_places_than_pupils_are_named():
    need = need_units(two_schools(srp_places=[4.0, 999.0]))
    assert any("More SRP places than pupils at 1 school," in note for note in need.notes)
    assert "(900002)" in " ".join(need.notes)
    assert need.units["900002"] < need_units(two_schools()).units["900002"]
    assert not any("More SRP" in note for note in need_units(two_schools()).notes)


def test_a_missing_figure_is_estimated_never_zero():
    need = need_units(two_schools(fsm6=[np.nan, 60.0]))
    assert need.imputed.to_dict("records") == [{"urn": "900001", "column": "fsm6"}]
    assert need.factors.at["900001", "fsm6"] == pytest.approx(400 * 0.25 * 20 / 80)


def test_a_school_without_a_roll_has_no_need_and_changes_nobody_elses():
    table = two_schools()
    third = table.iloc[[0]].rename(index={"900001": "900003"}).assign(pupils=np.nan)
    need = need_units(pd.concat([table, third]))
    assert np.isnan(need.units["900003"])
    pd.testing.assert_series_equal(need.units.dropna(), need_units(table).units)
    assert any("900003" in note for note in need.notes)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ({"pupil": 1.0}, "knows no factor pupil.*Did you mean"),
        ({"pupils": float("inf")}, "not all zero"),
        ({"pupils": -1.0}, "positive"),
        ({"pupils": 0.0}, "not all zero"),
        ({"idaci": 1.0}, "the data hold no such figures"),
    ],
)
def test_weights_that_cannot_be(weights, words):
    with pytest.raises(ValueError, match=words):
        need_units(two_schools(), weights)


def test_a_factor_that_is_absent_hands_its_weight_on():
    table = two_schools(idaci=[1.0, 3.0])
    assert need_units(table).weights == pytest.approx(
        {"pupils": 0.5, "fsm6": 0.2, "idaci": 0.1, "recorded_sen": 0.2}
    )
    table = two_schools(low_prior_attainment=[1.0, 3.0])
    assert need_units(table).weights == pytest.approx(
        {"pupils": 0.5, "fsm6": 0.2, "low_prior_attainment": 0.2, "recorded_sen": 0.1}
    )


def test_a_factor_that_is_nil_everywhere_is_not_said_to_be_missing():
    need = need_units(two_schools(low_prior_attainment=[0.0, 0.0]))
    assert need.weights == need_units(two_schools()).weights
    assert need.banner.partition("; ")[2].startswith(
        "IDACI is not in the data; low prior attainment is 0 at every school."
    )
    with pytest.raises(ValueError, match="no such figures above 0"):
        need_units(two_schools(low_prior_attainment=[0.0, 0.0]), {"low_prior_attainment": 1.0})


def test_thirty_per_cent_on_plans_can_be_asked_at_once():
    need = need_units(two_schools(ehc_plans=[6.0, 2.0], srp_places=[4.0, np.nan]))
    asked = need.reweighted({"pupils": 0.7, "ehc_plans": 0.3})
    assert asked.shares["900001"] == pytest.approx(0.7 * 96 / 396 + 0.3 * 2 / 4)
    assert "30% EHC plans" in asked.banner
    assert need.weights == need_units(two_schools()).weights


def test_pupils_of_reception_to_year_eleven():
    table = two_schools(
        pupils=[100.0, 300.0], nursery_pupils=[20.0, 0.0], sixth_form_pupils=[0.0, 100.0]
    )
    need = need_units(table, {"pupils": 1})
    assert need.measures.table["pupils"].tolist() == [80.0, 200.0]
    assert "whole roll" not in need.banner
    direct = need_units(two_schools(pupils_r11=[80.0, 200.0]), {"pupils": 1})
    pd.testing.assert_series_equal(need.units, direct.units)


def test_whole_roll_is_said_in_the_banner():
    assert "pupils are the whole roll" in need_units(two_schools()).banner


def test_low_attainment_is_worked_back_from_allocations():
    table = two_schools(phase=["primary", "secondary"], prior_attainment_funding=[11_750, 17_850])
    need = need_units(table)
    assert need.measures.table["low_prior_attainment"].tolist() == [10, 10]
    assert any("nobody has checked" in note for note in need.notes)


def test_recorded_sen_is_the_mean_rate_of_the_years_known():
    now = two_schools(sen_support=[10.0, 30.0])
    past = pd.DataFrame(
        {"pupils": [100.0], "sen_support": [30.0], "ehc_plans": [0.0]}, index=["900001"]
    )
    need = need_units(now, years=[past], settings=Settings(winsor=None))
    assert need.measures.table["recorded_sen"].tolist() == pytest.approx([20, 30])
    assert any("mean rate of 2 censuses; 1 schools" in note for note in need.notes)


def test_weight_of_a_plan_and_rates_that_are_drawn_in():
    table = two_schools(ehc_plans=[5.0, 0.0])
    plain = need_units(table, settings=Settings(ehc_weight=4.0, winsor=None))
    assert plain.measures.table["recorded_sen"].tolist() == pytest.approx([30, 30])
    drawn = need_units(table, settings=Settings(ehc_weight=4.0, winsor=(0.25, 0.75)))
    assert drawn.measures.table["recorded_sen"].tolist() == pytest.approx([25, 45])


def test_today_free_meals_stand_in_and_plans_may_be_missing():
    table = two_schools(fsm=[20.0, 20.0]).drop(columns=["fsm6", "ehc_plans"])
    need = need_units(table)
    assert "free school meals of today" in need.banner
    assert "recorded SEN is SEN support alone" in need.banner


def test_need_of_clusters_by_factor_sums_to_their_need():
    need = need_units(two_schools())
    plan = Plan((Cluster("A", "900001", ("900001",)), Cluster("B", "900002", ("900002",))))
    table = need.by_cluster(plan)
    assert table["need"].to_dict() == pytest.approx(
        {"A": need.units["900001"], "B": need.units["900002"]}
    )
    assert table.drop(columns="need").loc["A"].to_dict() == need.factors.loc["900001"].to_dict()


@pytest.fixture
def four() -> tuple[Need, Plan]:
    """Four schools, each a cluster: one large and calm, one small and needy."""
    table = pd.concat([two_schools(), two_schools().set_axis(["900003", "900004"])])
    table["pupils"] = [100.0, 300.0, 200.0, 210.0]
    table["fsm6"] = [90.0, 10.0, 80.0, 20.0]
    clusters = tuple(Cluster(f"C{u[-1]}", u, (u,)) for u in table.index)
    return need_units(table), Plan(clusters)


def test_ranks_under_other_weights(four):
    need, plan = four
    found = sensitivity(need, plan, draws=100, seed=2)
    table = found.table
    assert sorted(table["rank"]) == [1, 2, 3, 4]
    assert (table["rank_from"] <= table["rank"]).all()
    assert (table["rank"] <= table["rank_to"]).all()
    assert table["share"].sum() == pytest.approx(1)
    assert found.changing
    assert found.draws.sum(axis=1).to_numpy() == pytest.approx(1)


def test_same_seed_same_ranks_whatever_the_order(four):
    need, plan = four
    first = sensitivity(need, plan, seed=5)
    again = sensitivity(need, Plan(plan.clusters[::-1]), seed=5)
    pd.testing.assert_frame_equal(first.table, again.table)


@given(
    pupils=st.lists(st.integers(30, 2000), min_size=3, max_size=12),
    weights=st.tuples(st.integers(1, 9), st.integers(0, 9), st.integers(0, 9)),
)
def test_need_sums_to_pupils_and_ignores_row_order(pupils, weights):
    n = len(pupils)
    table = pd.DataFrame(
        {
            "name": [f"S{k}" for k in range(n)],
            "phase": ["primary", "secondary"] * (n // 2) + ["primary"] * (n % 2),
            "selective": pd.array([False] * n, dtype="boolean"),
            "pupils": np.array(pupils, float),
            "fsm6": np.array(pupils) * 0.2 + np.arange(n),
            "sen_support": np.array(pupils) * 0.1 + np.arange(n)[::-1],
            "ehc_plans": np.arange(n, dtype=float),
        },
        index=[f"9000{k:02d}" for k in range(n)],
    )
    chosen = dict(zip(("pupils", "fsm6", "recorded_sen"), map(float, weights), strict=True))
    need = need_units(table, chosen)
    assert need.units.sum() == pytest.approx(sum(pupils))
    again = need_units(table.sample(frac=1, random_state=1), chosen)
    pd.testing.assert_series_equal(need.units, again.units)


@pytest.mark.real
@needs_real
def test_kent_rates_are_those_of_a_shire_county():
    from clustering.inputs import load_inputs
    from clustering.study import Study

    study = Study.load(Path(__file__).parents[1] / "benchmarks" / "kent.toml")
    inputs = load_inputs(study)
    rate = inputs.need.units / inputs.table["pupils"]
    selective = inputs.table["selective"].fillna(False).astype(bool)
    assert 0.5 < rate[selective].median() < 0.75
    assert 0.9 < rate[~selective].median() < 1.1
    assert rate.max() < 2.5


@pytest.mark.real
@needs_real
@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('idaci = "{kent}/imd2025_lsoa21.csv"', "income deprivation of all ages"),
        ('idaci = "{kent}/idaci.csv"\nidaci_match = 0.9', "IDACI is approximate"),
        ('previous = ["{kent}/sen_2022-23_by_name.csv"]', "25% recorded SEN"),
    ],
)
def test_kent_with_real_tables(tmp_path, lines, words):
    need = _kent_need(tmp_path, lines)
    assert words in need.banner
    assert need.units.notna().sum() == 562


@pytest.mark.real
@needs_real
def test_kent_with_idaci_of_another_year_is_refused(tmp_path):
    from clustering.need_files import FiguresError

    with pytest.raises(FiguresError, match=r"LSOA codes are of 2011, .* of 2021"):
        _kent_need(tmp_path, 'idaci = "{kent}/idaci.csv"')


def _kent_need(folder: Path, lines: str) -> Need:
    """Return the need of Kent's schools under a `[need]` of these lines."""
    from clustering.need_inputs import Reader, need_of_study
    from clustering.study import Study
    from geo.schools import read_schools
    from geo.sheets import read_sheet
    from geo.symbols import parse_numbers

    kent = (SHARED / "kent").as_posix()
    text = (
        f'name = "kent"\n[schools]\nfile = "{kent}/schools_composite.csv"\n'
        f'[areas]\ncolumn = "district"\n[need]\n{lines.format(kent=kent)}\n'
    )
    path = folder / "kent.toml"
    path.write_text(text, encoding="utf-8")
    schools = read_schools(
        SHARED / "kent" / "schools_composite.csv",
        la=["886"],
        census=[SHARED / "kent" / "sen.csv"],
        successors={"118411": "152231"},
    )
    reader = Reader(read_sheet, parse_numbers)
    return need_of_study(Study.load(path), schools.table, pd.DataFrame(), schools.replaced, reader)
