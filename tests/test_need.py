"""Need units by hand, with every fallback said aloud."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering.need import need_units

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
        ({"pupil": 1.0}, "knows no factor pupil"),
        ({"pupils": -1.0}, "positive"),
        ({"pupils": 0.0}, "not all zero"),
        ({"idaci": 1.0}, "the data hold no such figures"),
    ],
)
def test_weights_that_cannot_be(weights, words):
    with pytest.raises(ValueError, match=words):
        need_units(two_schools(), weights)


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
