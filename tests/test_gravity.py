"""The estimate of flows: hand-worked towns, what can never happen, and all of Kent."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.feeders import FlowsError, no_feeders
from clustering.furness import balance
from clustering.gravity import calibrate, estimate_flows
from clustering.gravity_settings import GravitySettings
from clustering.inputs import load_inputs
from clustering.intake import faith_factor, intake
from clustering.study import Study

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"
needs_real = pytest.mark.skipif(
    not SHARED.exists(), reason="the real open data is not beside the project"
)
PLAIN = GravitySettings(
    tau_urban=10, tau_rural=10, keep_share=0, keep_pupils=0, outside_open=0.08, sixth_form=0
)


def school(urn: str, phase: str = "primary", **own: object) -> dict[str, object]:
    """One school of a town: primaries of 210 pupils aged 4 to 11, secondaries of 300, 11 to 16."""
    ages = {"primary": (4.0, 11.0, 210.0), "secondary": (11.0, 16.0, 300.0)}
    low, high, pupils = ages.get(phase, (4.0, 16.0, 700.0))
    row: dict[str, object] = {"urn": urn, "name": f"School {urn}", "phase": phase, "sex": "mixed"}
    row |= {"low_age": low, "high_age": high, "pupils": pupils, "fsm6": 0.2 * pupils, "faith": ""}
    row |= {"selective": False if phase == "secondary" else pd.NA, "sixth_form": False}
    return row | {"easting": 5e5 + 3000 * int(urn), "northing": 2e5} | own


def town(*rows: dict[str, object]) -> pd.DataFrame:
    table = pd.DataFrame(list(rows)).set_index("urn").sort_index()
    return table.astype({"selective": "boolean", "sixth_form": "boolean"})


def ways(table: pd.DataFrame, minutes: dict[str, float], other: float = 10.0) -> pd.DataFrame:
    """Minutes by pair, `"1-3"`, the same in both directions; `other` for all others."""
    square = pd.DataFrame(other, index=table.index, columns=table.index)
    for pair, value in minutes.items():
        a, b = pair.split("-")
        square.loc[a, b] = square.loc[b, a] = value
    for urn in table.index:
        square.loc[urn, urn] = 0.0
    return square


def flow(feeders, start: str, end: str) -> float:
    """Pupils from one school to another, 0 if there is no link."""
    both = pd.concat([feeders.links, feeders.elsewhere])
    return float(both[(both["from_urn"] == start) & (both["to_urn"] == end)]["pupils"].sum())


# -- a town worked out by hand --------------------------------------------------------------------


def test_two_primaries_and_two_secondaries_by_hand() -> None:
    """30 leavers each, 60 places in all, 10 minutes to the far school: e^-0.2 against e^-1.2.

    By symmetry all scales are equal: elsewhere 8 %, that is 2.4 of 30; the near school takes
    1/(1 + e^-1) = 73.1 % of the remaining 27.6, that is 20.2, the far one 7.4.
    """
    table = town(
        school("1"), school("2"), school("3", "secondary", pupils=150.0),
        school("4", "secondary", pupils=150.0),
    )  # fmt: skip
    minutes = ways(table, {"1-3": 2, "2-4": 2, "1-4": 12, "2-3": 12})
    feeders = estimate_flows(table, minutes, settings=PLAIN)
    assert flow(feeders, "1", "3") == flow(feeders, "2", "4") == pytest.approx(20.2, abs=0.11)
    assert flow(feeders, "1", "4") == flow(feeders, "2", "3") == pytest.approx(7.4, abs=0.11)
    assert flow(feeders, "1", "OUT") == pytest.approx(2.4, abs=0.11)
    assert feeders.estimated
    assert feeders.links["estimated"].all()
    assert feeders.source == "feeder flows estimated by a gravity model, not counted"
    assert "60 leavers a year of 2 schools" in feeders.notes[0]


def test_a_larger_school_takes_more() -> None:
    table = town(
        school("1"), school("2", pupils=420.0), school("3", "secondary", pupils=150.0),
        school("4", "secondary", pupils=300.0),
    )  # fmt: skip
    feeders = estimate_flows(table, ways(table, {}), settings=PLAIN)
    assert flow(feeders, "1", "4") == pytest.approx(2 * flow(feeders, "1", "3"), abs=0.3)


def test_a_published_admission_number_goes_before_the_roll() -> None:
    table = town(school("1"), school("3", "secondary"), school("4", "secondary"))
    table["pan"] = [np.nan, 90.0, 30.0]
    feeders = estimate_flows(table, ways(table, {}), settings=PLAIN)
    assert flow(feeders, "1", "3") == pytest.approx(3 * flow(feeders, "1", "4"), abs=0.3)


# -- what can never happen, and what must ---------------------------------------------------------


def grammar_town() -> pd.DataFrame:
    return town(
        school("1"), school("2", fsm6=120.0), school("5", sex="girls"),
        school("3", "secondary"), school("4", "secondary", selective=True),
    )  # fmt: skip


def test_grammar_schools_get_their_segment_and_nothing_else() -> None:
    table = grammar_town()
    plan = replace(PLAIN, selective_share=0.25)
    feeders = estimate_flows(table, ways(table, {}), settings=plan)
    to_grammar = sum(flow(feeders, urn, "4") for urn in ("1", "2", "5"))
    assert 0.2 * 90 < to_grammar < 0.27 * 90
    assert flow(feeders, "1", "4") > flow(feeders, "2", "4")  # fewer from the poorer school
    none = estimate_flows(table, ways(table, {}), settings=replace(PLAIN, selective_share=0.0))
    assert flow(none, "1", "4") == 0.0


def test_the_share_bound_for_grammar_schools_comes_from_their_places() -> None:
    table = grammar_town()  # half of all places are at the grammar school, 15 % for outsiders
    feeders = estimate_flows(table, ways(table, {}), settings=PLAIN)
    to_grammar = sum(flow(feeders, urn, "4") for urn in ("1", "2", "5"))
    assert to_grammar / 90 == pytest.approx(0.5 * 0.85 * 0.92, abs=0.03)


def test_without_a_grammar_school_in_reach_all_go_to_other_schools() -> None:
    table = grammar_town()
    table.loc["3", "pupils"] = 450.0
    far = ways(table, {"1-4": 50, "2-4": 50, "5-4": 50})
    feeders = estimate_flows(table, far, settings=PLAIN)
    assert all(flow(feeders, urn, "4") == 0.0 for urn in ("1", "2", "5"))
    assert flow(feeders, "1", "3") > 25


def test_single_sex_schools_get_one_sex_only() -> None:
    table = town(
        school("1"), school("2", sex="boys"), school("3", "secondary", pupils=225.0),
        school("4", "secondary", sex="girls", pupils=75.0),
    )  # fmt: skip
    feeders = estimate_flows(table, ways(table, {"1-4": 2, "2-4": 2}), settings=PLAIN)
    assert 0 < flow(feeders, "1", "4") <= 15.0
    assert flow(feeders, "2", "4") == 0.0
    assert flow(feeders, "2", "3") > 20


def test_faith_draws_its_own_and_repels_others() -> None:
    table = town(
        school("1", faith="Roman Catholic"), school("2", faith="Church of England"), school("5"),
        school("3", "secondary"), school("4", "secondary", faith="Roman Catholic"),
    )  # fmt: skip
    feeders = estimate_flows(table, ways(table, {}), settings=PLAIN)
    assert flow(feeders, "1", "4") > 2 * flow(feeders, "2", "4")
    assert flow(feeders, "2", "4") == pytest.approx(flow(feeders, "5", "4"), abs=0.11)


def test_faith_factors() -> None:
    leaving = pd.Series(["Roman Catholic", "Church of England", "", "Christian"])
    joining = pd.Series(["Catholic", "Church of England/Methodist", "Christian", ""])
    found = faith_factor(leaving, joining, GravitySettings())
    assert found.tolist() == [
        [4.0, 0.3, 1.0, 1.0],
        [0.3, 4.0, 1.0, 1.0],
        [0.3, 1.0, 1.0, 1.0],
        [0.3, 1.0, 1.0, 1.0],
    ]


def test_an_infant_school_feeds_its_junior_school() -> None:
    table = town(
        school("1", high_age=7.0, pupils=180.0, name="Ivy Lane Infant School", easting=5e5),
        school("2", low_age=7.0, pupils=240.0, name="Ivy Lane Junior School", easting=500_100.0),
        school("5", low_age=7.0, pupils=240.0, name="Reed Junior School", easting=505_000.0),
        school("6", high_age=7.0, pupils=180.0, name="Reed Infant School", easting=505_100.0),
        school("3", "secondary", pupils=600.0),
    )
    minutes = ways(table, {"1-2": 2, "6-5": 2, "1-5": 6, "6-2": 6})
    feeders = estimate_flows(table, minutes, settings=PLAIN)
    assert flow(feeders, "1", "2") > 50
    assert flow(feeders, "1", "5") < 5
    assert flow(feeders, "1", "3") == 0.0  # nobody goes on to secondary school at 7
    assert flow(feeders, "2", "3") > 50


def test_an_infant_school_without_a_junior_school_feeds_the_nearest_primary() -> None:
    table = town(
        school("1", high_age=7.0), school("2"), school("5"), school("6", low_age=7.0),
        school("7", high_age=7.0), school("3", "secondary"),
    )  # fmt: skip
    minutes = ways(table, {"1-2": 3, "1-6": 40, "2-7": 40, "6-7": 2})
    feeders = estimate_flows(table, minutes, settings=PLAIN)
    assert flow(feeders, "1", "2") > 50
    assert flow(feeders, "1", "6") < 1
    assert flow(feeders, "1", "5") == 0.0


def test_first_middle_and_upper_schools_are_a_chain() -> None:
    table = town(
        school("1", high_age=9.0, pupils=150.0),
        school("2", "middle_secondary", low_age=9.0, high_age=13.0, pupils=120.0),
        school("3", "secondary", low_age=13.0, high_age=18.0, pupils=120.0),
    )
    feeders = estimate_flows(table, ways(table, {}), settings=PLAIN)
    assert flow(feeders, "1", "2") > 20
    assert flow(feeders, "2", "3") > 20
    assert flow(feeders, "1", "3") == 0.0


def test_most_of_an_all_through_school_stay_in_it() -> None:
    table = town(school("1"), school("2", "all_through"), school("3", "secondary"))
    feeders = estimate_flows(table, ways(table, {}), settings=PLAIN)
    year_group = 700 * 0.27 / 7
    both = pd.concat([feeders.links, feeders.elsewhere])
    assert both[both["from_urn"] == "2"]["pupils"].sum() == pytest.approx(0.2 * year_group, abs=0.1)
    assert flow(feeders, "2", "2") == 0.0
    assert flow(feeders, "1", "2") > 5  # it takes others too


def test_two_schools_on_one_site_do_not_swallow_each_other() -> None:
    table = town(school("1"), school("3", "secondary"), school("4", "secondary"))
    near = estimate_flows(table, ways(table, {"1-3": 0.0, "1-4": 2.0}), settings=PLAIN)
    assert flow(near, "1", "3") == pytest.approx(flow(near, "1", "4"), abs=0.11)


def test_a_school_beyond_all_others_goes_to_the_nearest() -> None:
    table = town(school("1"), school("2"), school("3", "secondary"), school("4", "secondary"))
    far = ways(table, {"1-3": 60, "1-4": 70})
    feeders = estimate_flows(table, far, settings=PLAIN)
    assert flow(feeders, "1", "3") >= 13
    assert flow(feeders, "1", "4") == 0.0


def test_small_links_stand_apart_and_nobody_is_lost() -> None:
    table = town(school("1"), *(school(str(k), "secondary", pupils=60.0 * k) for k in range(3, 9)))
    loose = estimate_flows(table, ways(table, {}), settings=PLAIN)
    tight = estimate_flows(
        table, ways(table, {}), settings=replace(PLAIN, keep_share=0.2, keep_pupils=6.0)
    )
    assert len(tight.links) < len(loose.links)
    assert tight.links["pupils"].min() >= 5.9
    assert not len(loose.small)
    assert tight.small["pupils"].max() < 6.0
    assert any("small" in n or "below" in n for n in tight.notes)
    for feeders in (loose, tight):
        both = pd.concat([feeders.links, feeders.small, feeders.elsewhere])
        assert both["pupils"].sum() == pytest.approx(30.0)
        assert ((both["pupils"] * 10).round(6) % 1 == 0).all()
    pair = ["from_urn", "to_urn", "pupils"]
    joined = pd.concat([tight.links, tight.small]).sort_values("to_urn")[pair]
    pd.testing.assert_frame_equal(joined.reset_index(drop=True), loose.links[pair])


def test_schools_without_local_intake_or_roll_are_left_out() -> None:
    table = town(
        school("1"), school("2", pupils=np.nan), school("3", "secondary"), school("4", "secondary")
    )
    plan = replace(PLAIN, no_local_intake=("4",))
    feeders = estimate_flows(table, ways(table, {}), settings=plan)
    assert flow(feeders, "1", "4") == 0.0
    assert "2" not in feeders.reporting
    assert any("1 school without a roll" in note for note in feeders.notes)


def test_known_flows_are_taken_off_the_places() -> None:
    table = town(
        school("1"), school("2"), school("3", "secondary", pupils=150.0),
        school("4", "secondary", pupils=150.0),
    )  # fmt: skip
    minutes = ways(table, {})
    links = pd.DataFrame(
        {"from_urn": ["1"], "to_urn": ["3"], "pupils": [28.0], "estimated": [False]}
    )
    known = replace(no_feeders(), links=links)
    feeders = estimate_flows(table, minutes, settings=PLAIN, known=known)
    assert feeders.reporting == {"2"}
    assert flow(feeders, "2", "4") > 20 > 3 > flow(feeders, "2", "3")


def test_a_study_without_secondaries_or_leavers_has_no_flows() -> None:
    table = town(school("1"), school("2"))
    feeders = estimate_flows(table, ways(table, {}), settings=PLAIN)
    assert feeders.links.empty
    assert not feeders.estimated


def test_leavers_and_places_follow_from_roll_and_ages() -> None:
    table = town(
        school("1", low_age=3.0, pupils=225.0), school("2", low_age=5.0),
        school("3", "secondary", high_age=18.0, pupils=500.0, sixth_form=True),
        school("4", "secondary", high_age=18.0, pupils=500.0, sixth_form=False),
    )  # fmt: skip
    found = intake(table, GravitySettings())
    assert found["leavers"].round(6).tolist() == [30.0, 30.0, 0.0, 0.0]
    assert found["places"].round(6).tolist() == [0.0, 0.0, 88.0, 100.0]


# -- balancing ------------------------------------------------------------------------------------

amounts = st.lists(st.floats(1, 300), min_size=1, max_size=8)


@settings(deadline=None, max_examples=60)
@given(rows=amounts, columns=amounts, seed=st.integers(0, 10_000))
def test_both_margins_are_met_whatever_the_totals(
    rows: list[float], columns: list[float], seed: int
) -> None:
    left, right = np.array(rows), np.array(columns)
    rng = np.random.default_rng(seed)
    first = rng.random((len(left), len(right))) * (rng.random((len(left), len(right))) < 0.6)
    found = balance(first, 0.08 * left, 0.05 * right, left, right)
    assert found.residual <= 0.005
    np.testing.assert_allclose(found.flows.sum(axis=1) + found.out, left, rtol=1e-9)
    np.testing.assert_allclose(found.flows.sum(axis=0) + found.into, right, atol=0.006)
    assert (found.flows[first == 0] == 0).all()


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_every_leaver_is_somewhere_and_row_order_means_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [school(str(k), pupils=float(rng.integers(20, 600))) for k in range(1, 9)]
    rows += [
        school(str(k), "secondary", selective=bool(rng.random() < 0.3), pupils=float(p),
               sex=str(rng.choice(["mixed", "girls", "boys"])))
        for k, p in zip(range(11, 16), rng.integers(200, 1500, 5), strict=True)
    ]  # fmt: skip
    table = town(*rows)
    square = pd.DataFrame(
        rng.uniform(0, 60, (len(table),) * 2), index=table.index, columns=table.index
    )
    feeders = estimate_flows(table, square)
    both = pd.concat([feeders.links, feeders.small, feeders.elsewhere])
    leavers = table.loc[table["phase"] == "primary", "pupils"] / 7
    sums = both.groupby("from_urn")["pupils"].sum().reindex(leavers.index)
    np.testing.assert_allclose(sums, leavers, atol=0.051)
    order = rng.permutation(table.index)
    again = estimate_flows(table.loc[order], square.loc[order[::-1], order])
    pd.testing.assert_frame_equal(again.links, feeders.links)


# -- calibration ----------------------------------------------------------------------------------


def spread_town(seed: int = 3) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    table = town(
        *(school(str(k)) for k in range(1, 41)),
        *(school(str(k), "secondary", pupils=750.0) for k in range(41, 51)),
    )
    at = rng.uniform(0, 30, (len(table), 2))
    gaps = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))
    return table, pd.DataFrame(gaps, index=table.index, columns=table.index)


@pytest.mark.parametrize("tau", [3.0, 6.0, 15.0])
def test_calibration_finds_the_tau_that_made_the_flows(tau: float) -> None:
    table, minutes = spread_town()
    true = replace(PLAIN, tau_urban=tau, tau_rural=tau)
    known = estimate_flows(table, minutes, settings=true)
    found = calibrate(known, table, minutes, replace(PLAIN, tau_urban=8, tau_rural=8))
    assert found.tau_urban == pytest.approx(tau, rel=0.03)


def test_calibration_needs_flows_that_some_tau_explains() -> None:
    table, minutes = spread_town()
    with pytest.raises(FlowsError, match="no known flow"):
        calibrate(no_feeders(), table, minutes)
    links = pd.DataFrame({"from_urn": ["1"], "to_urn": ["41"], "pupils": [9.0], "estimated": False})
    none = replace(no_feeders(), links=links.assign(pupils=0.0))
    with pytest.raises(FlowsError, match="no known flow"):
        calibrate(none, table, minutes)
    far = minutes.copy()
    far.loc["1", "41"] = 400.0
    with pytest.raises(FlowsError, match="no tau explains"):
        calibrate(replace(no_feeders(), links=links), table, far)


@pytest.mark.parametrize(
    "wrong", [{"tau_urban": 0}, {"out_share": 0}, {"selective_share": 1.2}, {"sixth_form": -1}]
)
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        GravitySettings(**wrong)


def test_given_settings_replace_defaults_only_where_given() -> None:
    found = GravitySettings.given({"tau_urban": 4.0, "tau_rural": None, "file": "x.csv"})
    assert (found.tau_urban, found.tau_rural) == (4.0, GravitySettings().tau_rural)


# -- Kent -----------------------------------------------------------------------------------------


@pytest.mark.real
@needs_real
def test_kent_is_plausible() -> None:
    inputs = load_inputs(Study.load(ROOT / "benchmarks" / "kent.toml"))
    table, minutes = inputs.table, inputs.minutes.table
    feeders = estimate_flows(table, minutes)
    assert inputs.feeders.estimated
    assert len(feeders.links) < len(feeders.small)
    rounds = [int(n) for note in feeders.notes for n in re.findall(r"in (\d+) rounds", note)]
    assert len(rounds) == 2
    assert max(rounds) < 500
    assert all("than 0.01 pupils off" in note for note in feeders.notes if "rounds" in note)
    both = pd.concat([feeders.links, feeders.small, feeders.elsewhere])
    left = intake(table, GravitySettings()).set_index(table.sort_index().index)
    leavers = (left["leavers"] - left["stays"])[left["leavers"] > 0]
    sums = both.groupby("from_urn")["pupils"].sum()
    np.testing.assert_allclose(sums, leavers.reindex(sums.index), atol=0.051)
    links = feeders.links
    way = [minutes.at[a, b] for a, b in zip(links["from_urn"], links["to_urn"], strict=True)]
    principal = links.sort_values("pupils").groupby("from_urn").tail(1).index
    assert np.median(pd.Series(way, index=links.index)[principal]) < 7
    everything = estimate_flows(
        table, minutes, settings=GravitySettings(keep_share=0.0, keep_pupils=0.0)
    )
    old = everything.links[everything.links["from_urn"].map(table["high_age"]) > 7]
    grammar = old["to_urn"].map(table["selective"]).fillna(False).astype(bool)
    assert 0.22 < old["pupils"][grammar].sum() / old["pupils"].sum() < 0.32
    sexes = old["to_urn"].map(table["sex"])
    leavers = old.groupby("from_urn")["pupils"].sum()
    to_girls = old[sexes == "girls"].groupby("from_urn")["pupils"].sum()
    share = (to_girls / leavers).dropna()
    assert share[table["sex"].reindex(share.index) == "mixed"].max() < 0.6
