"""Reach, places, pathways, viability and scenarios on a county that is worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from clustering.provision.applying import apply
from clustering.provision.before_after import by_area, cost_of_year, differences, side_by_side
from clustering.provision.demand import estimated_counts, fifths, needing_a_place, sent_home
from clustering.provision.pathways import pathway_years, pathways
from clustering.provision.reach import VISITED, Outreach, Reach, reach
from clustering.provision.register import ProvisionError, Register, reconcile
from clustering.provision.scenario import Scenario
from clustering.provision.settings import DemandTable, Limits, ViabilityTable
from clustering.provision.tables import (
    inequality,
    places_per_pupils,
    reach_table,
    without_a_place,
    worst_served,
)
from clustering.provision.viability import occupancy_by_year, viability
from clustering.publish.provision_words import headline
from geo.errors import StudyError
from tests.provision_town import demand, minutes, provision, register, settings

EACH_FOUR = {"a": 4, "b": 4, "c": 4, "d": 4}


def look(own: Register, wanted, *outreach: Outreach, **changes: object) -> Reach:
    return reach(own, wanted, minutes(own), settings(**changes), outreach)


def row(table: pd.DataFrame, **key: object) -> pd.Series:
    found = table[np.logical_and.reduce([table[k] == v for k, v in key.items()])]
    assert len(found) == 1, key
    return found.iloc[0]


# -- nearest, places, catchments -------------------------------------------------------------------


def test_the_nearest_provision_by_hand() -> None:
    found = look(register(), demand({**EACH_FOUR, "e": 2}))
    assert found.rows.set_index("point")["nearest"].to_dict() == {
        "a": "west", "b": "west", "c": "east", "d": "east", "e": "",
    }  # fmt: skip
    told = row(reach_table(found), need_type="ASD")
    assert told["children"] == 18
    assert told["within_second"] == pytest.approx(16 / 18)
    assert told["mean_minutes"] == pytest.approx(5.0), "of those who have one open to them"
    assert told["median_minutes"] == 0
    assert (told["provisions"], told["places"]) == (2, 12)


def test_pick_up_is_part_of_the_way() -> None:
    found = look(register(), demand({"b": 1}), pickup_factor=1.3, pickup_minutes=5.0)
    assert found.rows["minutes"].tolist() == [10 * 1.3 + 5]


def test_places_run_out_and_who_is_left_is_named() -> None:
    found = look(register(), demand({**EACH_FOUR, "e": 2}))
    assert found.filled.to_dict() == {"east": 6, "west": 6}
    told = row(reach_table(found), need_type="ASD")
    assert told["without_place"] == pytest.approx(6)
    lost = without_a_place(found, pd.Series({p: f"Place {p}" for p in "abcde"}))
    assert dict(zip(lost["reason"], lost["children"], strict=True)) == pytest.approx(
        {"all full": 4, "no provision open to them": 2}
    )
    assert row(lost, reason="no provision open to them")["most_at"] == "Place e"


def test_a_full_provision_sends_children_on_within_the_limit() -> None:
    found = look(register(), demand({"a": 10}), limits={"primary": [20, 45]})
    assert found.rows["placed"].tolist() == [10]
    assert found.rows["placed_within"].tolist() == [10]
    assert found.rows["placed_minutes"].tolist() == pytest.approx([4 * 30 / 10])
    short = look(register(), demand({"a": 10}), limits={"primary": [10, 20]})
    assert short.rows["placed_within"].tolist() == [6]
    assert row(reach_table(short), need_type="ASD")["placed_beyond"] == pytest.approx(0.4)


def test_places_per_child_in_reach_by_hand() -> None:
    found = look(register(), demand(EACH_FOUR), limits={"primary": [15, 15]})
    # West is reached by a and b, East by c and d: 6 places for 8 children each.
    assert found.rows["access_2sfca"].tolist() == pytest.approx([0.75] * 4)
    assert row(reach_table(found), need_type="ASD")["per_100_2sfca"] == pytest.approx(75)


def test_places_for_two_phases_are_shared_by_year_groups() -> None:
    own = register([provision("through", 0, high_age=16.0, places=12.0)])
    found = look(own, demand({"a": 7}), limits={"primary": [15, 15]})
    assert found.rows["access_2sfca"].tolist() == pytest.approx([1.0]), "7 of 12 years, 7 children"


@pytest.mark.parametrize(
    ("changes", "reached"),
    [
        ({"need_types": "SLCN"}, False),
        ({"need_types": "SLCN;ASD"}, True),
        ({"low_age": 11.0, "high_age": 16.0}, False),
        ({"selective": True}, False),
        ({"kind": "special"}, False),
        ({"kind": "sen_unit"}, True),
        ({"faith": "Roman Catholic"}, True),
    ],
)
def test_to_whom_a_provision_is_open(changes: dict[str, object], reached: bool) -> None:
    found = look(register([provision("west", 0, **changes)]), demand({"a": 1}))
    assert (found.rows["nearest"] == "west").all() == reached


def test_what_bars_children_is_the_councils_word() -> None:
    grammar = register([provision("west", 0, selective=True)])
    assert look(grammar, demand({"a": 1}), open_to_all=["selective"]).rows["minutes"].tolist() == [
        0
    ]
    church = register([provision("west", 0, faith="Roman Catholic")])
    assert np.isinf(look(church, demand({"a": 1}), open_to_all=[]).rows["minutes"]).all()


def test_a_provision_for_boys_is_open_to_boys() -> None:
    own = register([provision("west", 0, sex="boys", places=10.0), provision("east", 30)])
    found = look(own, demand({"a": 10}, boys=0.7))
    by_sex = found.rows.set_index("sex")
    assert by_sex["children"].to_dict() == pytest.approx({"boys": 7, "girls": 3})
    assert by_sex["nearest"].to_dict() == {"boys": "west", "girls": "east"}


def test_unknown_places_are_reached_but_fill_nothing() -> None:
    own = register([provision("west", 0, places=np.nan)])
    found = look(own, demand({"a": 3}))
    assert found.rows["minutes"].tolist() == [0]
    assert found.rows["unmet"].tolist() == [3]
    assert found.rows["reason"].tolist() == ["places not known"]


def test_visited_children_need_no_place() -> None:
    own = register([provision("west", 0, places=1.0)])
    found = look(own, demand({"a": 3, "e": 2}), Outreach(("ASD",)))
    assert found.rows["nearest"].tolist() == [VISITED] * 2
    assert found.rows["unmet"].tolist() == [0, 0]
    assert found.filled.tolist() == [0]
    cost = cost_of_year(found, settings().costs, 2026)
    told = side_by_side({"now": (found, None, cost)})["now"]
    assert np.isnan(told["mean minutes to the nearest"]), "nobody travels, as in reach_table"
    assert np.isnan(row(reach_table(found), need_type="ASD")["mean_minutes"])
    whole = row(by_area(look(own, demand({"a": 3, "e": 2})), found), area="")
    assert (whole["better"], whole["minutes_before"]) == (2, 0), "the three lived at its door"
    assert np.isnan(whole["minutes_after"])
    other = look(own, demand({"a": 3}), Outreach(("ASD",), ("secondary",)))
    assert other.rows["nearest"].tolist() == ["west"]


@given(
    st.lists(st.integers(0, 9), min_size=5, max_size=5),
    st.integers(0, 12),
    st.integers(0, 12),
    st.integers(0, 12),
)
def test_more_places_never_serve_fewer(
    children: list[int], west: int, east: int, more: int
) -> None:
    wanted = demand({p: n for p, n in zip("abcde", children, strict=True) if n})
    if wanted.rows.empty:
        return
    few, many = (
        look(
            register([provision("west", 0, places=float(w)), provision("east", 30, places=east)]),
            wanted,
            limits={"primary": [10, 15]},
        )
        for w in (west, west + more)
    )
    for one in (few, many):
        assert (one.filled <= one.provisions["places"] + 1e-6).all()
    assert many.rows["placed"].sum() >= few.rows["placed"].sum() - 1e-6
    assert many.rows["unmet"].sum() <= few.rows["unmet"].sum() + 1e-6


def test_places_that_are_not_known_are_not_none() -> None:
    rows = [provision("west", 0, places=np.nan), provision("south", 9, kind="special")]
    pupils = pd.DataFrame({"area": ["Hill", "Row"], "pupils": [500.0, 2000.0]})
    told = reach_table(look(register(rows), demand({"a": 1})))
    assert told["places"].isna().all()
    blank = look(register(rows[:1]), demand({"a": 1}))
    asd = row(reach_table(blank), need_type="ASD")
    words = headline(blank, asd, worst_served(blank, pd.Series({"a": "Place a"})), False)
    assert "1 provision with an unknown number of places" in words
    per = places_per_pupils(register(rows).table, pupils, pd.Series({"Row": 60.0}))
    per = per.set_index(["area", "kind"])["places"]
    assert np.isnan(per["Row", "srp"])
    assert (per["Row", "special"], per["Hill", "srp"]) == (6, 0)
    half = register([*rows, provision("east", 30)])
    assert reach_table(look(half, demand({"a": 1})))["places"].tolist() == [6, 6]


def test_a_county_that_needs_no_place() -> None:
    found = look(register(), demand({}))
    assert (len(reach_table(found)), len(inequality(found))) == (0, 0)
    assert differences(found, found).empty
    assert by_area(found, found).empty
    told = side_by_side({"now": (found, None, cost_of_year(found, settings().costs, 2026))})["now"]
    assert told["children who need a place"] == 0
    assert np.isnan(told["% placed within the last limit"])


def test_nobody_and_nothing() -> None:
    empty = Register(register().table.iloc[:0], pd.DataFrame())
    every = minutes(register())
    assert pathways(empty.table, every, settings()).empty
    assert pathway_years(empty.table, every, settings(), [2026]).empty
    assert viability(empty.table, ViabilityTable(), settings().costs).empty
    pupils = pd.DataFrame({"area": ["Row"], "pupils": [1500.0]})
    assert places_per_pupils(empty.table, pupils, pd.Series({"Row": 60.0})).empty
    found = reach(empty, demand({"a": 1}), minutes(register()), settings())
    assert found.rows["minutes"].tolist() == [np.inf]
    told = row(reach_table(found), need_type="ASD")
    assert (told["within_second"], told["without_place"], told["provisions"]) == (0, 1, 0)


# -- inequality, fifths, names ---------------------------------------------------------------------


def test_fifths_cut_where_the_children_are() -> None:
    points = demand({"a": 1}).points
    found = fifths(points, pd.Series({"a": 4.0, "b": 4.0, "c": 4.0, "d": 4.0, "e": 4.0}))
    assert found.to_dict() == {"a": 1, "b": 2, "c": 3, "e": 4, "d": 5}
    unknown = fifths(
        points.assign(idaci=[0.9, 0.5, np.nan, 0.1, 0.2]), pd.Series(4.0, points.index)
    )
    assert np.isnan(unknown["c"])


def test_inequality_stands_beside_the_level() -> None:
    own = register([provision("west", 0)])
    told = inequality(look(own, demand({"a": 3, "e": 3}))).iloc[0]
    assert told["level"] == pytest.approx(1.0), "two places a child for half of the children"
    assert told["gini"] == pytest.approx(0.5)
    assert told["theil"] == pytest.approx(np.log(2))
    assert told["theil_between"] == pytest.approx(0.0, abs=1e-9), "they are of one district"
    assert told["places_concentration"] < 0, "the poorer have more"


def test_worst_served_come_by_name() -> None:
    found = look(register([provision("west", 0)]), demand({**EACH_FOUR, "e": 1}))
    names = pd.Series({p: f"Place {p}" for p in "abcde"})
    told = worst_served(found, names, count=2)
    assert told["name"].tolist() == ["Place e", "Place d"]
    assert told["minutes"].tolist() == [np.inf, 30]


def test_places_for_the_pupils_of_an_area() -> None:
    pupils = pd.DataFrame({"area": ["Row", "Row"], "pupils": [1500.0, 500.0]})
    told = places_per_pupils(register().table, pupils, pd.Series({"Row": 60.0})).iloc[0]
    assert (told["places"], told["per_1000_pupils"], told["per_100_plans"]) == (12, 6, 20)


# -- demand ----------------------------------------------------------------------------------------


def test_an_estimate_keeps_the_total_and_follows_poverty() -> None:
    rates = pd.DataFrame({"need_type": ["ASD"], "phase": ["primary"], "children": [100.0]})
    places = pd.DataFrame({"children": [100.0, 100.0], "idaci": [0.0, 0.5]}, index=["x", "y"])
    counts, notes = estimated_counts(rates, places, 2.0)
    assert counts.set_index("point")["children"].to_dict() == pytest.approx(
        {"x": 100 / 3, "y": 200 / 3}
    )
    assert "estimated" in notes[-1]
    part, notes = estimated_counts(rates, places.assign(children=[100.0, np.nan]), 2.0)
    assert part["children"].tolist() == [100, 0]
    assert "children of 1 of 2 neighbourhoods are not known" in notes[0]
    with pytest.raises(ProvisionError, match="no neighbourhood of the study has children"):
        estimated_counts(rates, places.assign(children=0.0), 2.0)
    blind, notes = estimated_counts(rates, places.assign(idaci=[0.2, np.nan]), 2.0)
    assert blind["children"].tolist() == [50, 50]
    assert "1 of 2" in notes[0]


def test_shares_and_needs_the_council_does_not_serve_by_srp() -> None:
    counts = pd.DataFrame(
        [("x", "ASD", "primary", 100.0, ""), ("x", "VI", "primary", 10.0, "")],
        columns=["point", "need_type", "phase", "children", "kind"],
    )
    own = DemandTable(share={"asd": 0.1, "VI": 0.5}, special_share={"ASD": 0.2})
    rows, notes = needing_a_place(counts, own, ("VI",))
    assert rows.set_index(["kind", "need_type"])["children"].to_dict() == pytest.approx(
        {("srp", "ASD"): 10, ("special", "ASD"): 20}
    )
    assert notes == [
        "5 children with vision impairment would need a place, but this council does not provide "
        "for that need by SRP."
    ]
    _, notes = needing_a_place(counts, DemandTable(share={"VI": 0.5}), ())
    assert notes == ["No share is given for ASD: none of these children counts as needing a place."]


def test_children_of_an_srp_do_not_live_at_it() -> None:
    counts = pd.DataFrame(
        [("host", "ASD", "primary", 20.0, ""), ("x", "ASD", "primary", 6.0, ""),
         ("y", "ASD", "primary", 2.0, ""), ("far", "ASD", "primary", 5.0, "")],
        columns=["point", "need_type", "phase", "children", "kind"],
    )  # fmt: skip
    own = register([provision("host", 0, on_roll=16.0)])
    areas = pd.Series({"host": "Row", "x": "Row", "y": "Row", "far": "Hill"})
    moved, notes = sent_home(counts, own, areas, 2026)
    assert moved.set_index("point")["children"].to_dict() == pytest.approx(
        {"host": 4, "x": 18, "y": 6, "far": 5}
    )
    assert "16 children" in notes[0]
    assert counts["children"].tolist() == [20, 6, 2, 5], "what was given is as it was"
    for dates in ({"opened": "2028-09-01"}, {"closes": "2025-08-31"}):
        empty = register([provision("host", 0, on_roll=16.0, **dates)])
        assert sent_home(counts, empty, areas, 2026)[0].equals(counts), "nobody is there now"


def test_growth_by_type_and_year() -> None:
    grown = demand({"a": 10}).in_year(2028, {"ASD": 0.1})
    assert grown.rows["children"].tolist() == pytest.approx([12.1])
    assert demand({"a": 10}).in_year(2028).rows["children"].tolist() == [10]


# -- pathways and viability ------------------------------------------------------------------------


def _two_phases() -> Register:
    return register(
        [
            provision("p1", 0, places=14.0),
            provision("p2", 30, places=7.0, need_types="HI"),
            provision("s1", 10, low_age=11.0, high_age=16.0, places=5.0),
            provision("through", 20, high_age=16.0, places=12.0, need_types="SLCN"),
        ]
    )


def test_where_a_primary_provision_leads() -> None:
    own = _two_phases()
    ways = minutes(own).loc[own.table.index]
    told = pathways(own.table, ways, settings(), {"p1": "Row 1", "s1": "Row 2"})
    asd, hi = row(told, provision="p1"), row(told, provision="p2")
    assert (asd["next"], asd["minutes"], asd["within"], asd["same_area"]) == ("S1", 10, True, True)
    assert asd["same_cluster"] is False
    assert asd["leavers"] == 2
    assert (hi["next"], hi["within"], hi["choices"]) == ("", False, 0)
    assert pd.isna(hi["same_cluster"])
    assert row(told, provision="through")["minutes"] == 0
    near = settings(limits={"secondary": [5, 8]})
    assert not row(pathways(own.table, ways, near), provision="p1")["within"]


def test_infants_go_on_to_juniors_and_nobody_to_a_provision_for_year_10() -> None:
    own = register(
        [
            provision("infant", 0, high_age=7.0, places=12.0),
            provision("junior", 10, low_age=7.0, places=16.0),
            provision("late", 12, low_age=14.0, high_age=16.0, places=8.0),
            provision("upper", 20, low_age=11.0, high_age=16.0, places=20.0),
        ]
    )
    told = pathways(own.table, minutes(own), settings())
    assert told[["provision", "next_provision", "leavers"]].to_numpy().tolist() == [
        ["junior", "upper", 4]
    ]
    years = pathway_years(own.table, minutes(own), settings(), [2026]).iloc[0]
    assert (years["leavers"], years["intake"], years["without"]) == pytest.approx((4, 4, 0))


def test_leavers_without_a_place_year_by_year() -> None:
    own = _two_phases()
    table = own.table.copy()
    table.loc["s1", "opened"] = "2027-09-01"
    told = pathway_years(table, minutes(own).loc[table.index], settings(), [2026, 2027])
    asd = told[told["need_type"] == "ASD"].set_index("year")
    assert asd["leavers"].tolist() == [2, 2]
    assert asd["intake"].tolist() == [0, 1]
    assert asd["without"].tolist() == pytest.approx([2, 1])


@pytest.mark.parametrize(
    ("changes", "earlier", "flag"),
    [
        ({"places": 12.0, "on_roll": 11.0}, None, "none"),
        ({"places": 12.0, "on_roll": 4.0}, None, "red"),
        ({"places": 20.0, "on_roll": 11.0}, None, "red"),
        ({"places": 12.0, "on_roll": 8.0}, 11.0, "none"),
        ({"places": 12.0, "on_roll": 8.0}, 8.0, "amber"),
        ({"places": 12.0, "on_roll": 13.0}, None, "over-full"),
        ({"places": 7.0, "on_roll": 7.0}, None, "small"),
        ({"places": 12.0, "on_roll": np.nan}, None, "not known"),
    ],
)
def test_flags_by_the_councils_thresholds(
    changes: dict[str, object], earlier: float | None, flag: str
) -> None:
    own = register([provision("west", 0, **changes)])
    history = None
    if earlier is not None:
        history = pd.DataFrame(
            [("west", 2024, 12.0, np.nan), ("west", 2025, earlier, np.nan)],
            columns=["urn", "year", "on_roll", "places"],
        )
    told = viability(own.table, ViabilityTable(), settings().costs, history).iloc[0]
    assert told["flag"] == flag
    if flag in ("red", "amber", "small"):
        assert "below the threshold set by the council" in told["words"]


def test_how_full_over_the_years() -> None:
    history = pd.DataFrame(
        [("west", 2024, 6.0, 12.0), ("west", 2025, 3.0, np.nan)],
        columns=["urn", "year", "on_roll", "places"],
    )
    told = occupancy_by_year(register().table, history)
    assert told["year"].tolist() == [2024, 2025]
    assert told["occupancy"].tolist() == [0.5, 0.5], "the year without places had those of now"
    assert occupancy_by_year(register().table, None).empty


def test_a_history_is_of_all_provisions_of_a_school() -> None:
    own = register([provision("west/1", 0), provision("west/2", 0, need_types="HI")]).table
    history = pd.DataFrame(
        [("west", 2025, 9.0, np.nan)], columns=["urn", "year", "on_roll", "places"]
    )
    assert occupancy_by_year(own, history)["occupancy"].tolist() == [0.75, 0.75]
    told = viability(own, ViabilityTable(), settings().costs, history)
    assert told["earlier"].tolist() == [0.75, 0.75]
    half = own.assign(places=[6.0, np.nan])
    assert occupancy_by_year(half, history)["occupancy"].isna().all()


def test_what_empty_places_cost() -> None:
    own = register([provision("west", 0, places=12.0, on_roll=9.0)])
    told = viability(own.table, ViabilityTable(), settings().costs).iloc[0]
    assert (told["empty"], told["empty_cost"]) == (3, 30_000)


# -- the register ----------------------------------------------------------------------------------


def test_the_council_goes_before_the_record() -> None:
    council = register([provision("west", 0), provision("only", 5)]).table
    record = register(
        [provision("west", 0, places=8.0, source="record"), provision("stray", 9, source="record"),
         provision("special", 3, kind="special", source="record")]
    ).table  # fmt: skip
    census = register([provision("flag", 1, places=np.nan, source="census")]).table
    found = reconcile(council, record, census, count_unlisted=False)
    assert found.table["source"].to_dict() == {
        "only": "council", "special": "record", "west": "council",
    }  # fmt: skip
    told = {(r.urn, r.what): (r.council, r.record, r.used)
            for r in found.disagreements.itertuples()}  # fmt: skip
    assert told == {
        ("west", "places"): ("6", "8", "6"),
        ("west", "listed"): ("listed", "listed", "counted"),
        ("only", "listed"): ("listed", "not listed", "counted"),
        ("stray", "listed"): ("not listed", "listed", "left out"),
        ("flag", "listed"): ("not listed", "not listed", "left out"),
    }
    both = reconcile(council, record, None, count_unlisted=True)
    assert "stray" in both.table.index


def test_a_record_without_srps_disagrees_with_nobody() -> None:
    council = register([provision("west", 0)]).table
    record = register([provision("special", 3, kind="special", source="record")]).table
    found = reconcile(council, record, None, count_unlisted=False)
    assert found.disagreements.empty
    assert set(found.table.index) == {"west", "special"}


# -- scenarios -------------------------------------------------------------------------------------

SITES = pd.DataFrame(
    {"name": ["Mid School"], "easting": [15.0], "northing": [0.0], "area": ["Row"],
     "phase": ["primary"], "sex": ["mixed"], "selective": [False], "faith": [""]},
    index=pd.Index(["mid"], name="urn"),
)  # fmt: skip


def made(own: Register | None = None, **tables: object) -> tuple[Register, pd.DataFrame, str]:
    scenario = Scenario.model_validate({"name": "x", **tables})
    changed = apply(scenario, own or register(), SITES, 2026, 50_000.0)
    return changed.register, changed.capital, " ".join(changed.told)


def open_places(own: Register, year: int) -> dict[str, float]:
    return own.open_in(year).table["places"].to_dict()


def test_close_in_a_year() -> None:
    own, _, told = made(close=[{"provision": "west", "year": 2027}])
    assert open_places(own, 2026) == {"west": 6, "east": 6}
    assert open_places(own, 2027) == {"east": 6}
    assert told == "West closes in 2027."


def test_open_at_a_school_and_at_a_point() -> None:
    own, capital, _ = made(
        open=[{"urn": "mid", "need_types": ["asc", "slcn"], "places": 4},
              {"urn": "new", "name": "New", "need_types": "HI", "places": 2, "phase": "secondary",
               "easting": 5, "northing": 0, "capital": 9000, "year": 2027}]
    )  # fmt: skip
    assert open_places(own, 2026) == {"west": 6, "east": 6, "mid": 4}
    assert own.table.at["mid", "need_types"] == "SLCN;ASD"
    assert (own.table.at["new", "low_age"], own.table.at["new", "high_age"]) == (11, 16)
    assert capital["pounds"].tolist() == [200_000, 9_000]


def test_resize_redesignate_and_merge() -> None:
    grown, capital, _ = made(resize=[{"provision": "west", "by": 4, "year": 2027}])
    assert open_places(grown, 2026)["west"] == 6
    assert sorted(open_places(grown, 2027).values()) == [6, 10]
    assert capital["pounds"].tolist() == [200_000]
    shrunk, capital, _ = made(resize=[{"provision": "west", "places": 2}])
    assert sorted(open_places(shrunk, 2026).values()) == [2, 6]
    assert capital.empty
    other, _, told = made(
        redesignate=[{"provision": "west", "need_types": "HI", "phase": "secondary"}]
    )
    now = other.open_in(2026).table
    assert set(now["need_types"]) == {"ASD", "HI"}
    assert told == "West is designated for HI and for secondary age from 2026."
    one, _, _ = made(merge=[{"provisions": ["west"], "into": "east"}])
    assert list(open_places(one, 2026).values()) == [12]
    assert open_places(one, 2025) == {"west": 6, "east": 6}


@pytest.mark.parametrize("grown", [2026, 2027, 2028])
@pytest.mark.parametrize("other", [2026, 2027, 2028])
def test_two_changes_of_one_provision_in_any_order(grown: int, other: int) -> None:
    own, capital, _ = made(
        resize=[{"provision": "west", "by": 4, "year": grown}],
        redesignate=[{"provision": "west", "need_types": "HI", "year": other}],
        close=[{"provision": "west", "year": 2029}],
    )
    for year in range(2025, 2030):
        now = own.open_in(year).table.drop(index="east")
        assert list(zip(now["places"], now["need_types"], strict=True)) == (
            [(10 if year >= grown else 6, "HI" if year >= other else "ASD")] if year < 2029 else []
        )
    assert capital[["year", "pounds"]].to_numpy().tolist() == [[grown, 200_000]]


def test_a_year_comes_after_the_one_before_it_whatever_the_order_of_lines() -> None:
    lines = [{"provision": "west", "by": n, "year": y} for n, y in ((4, 2028), (2, 2027))]
    for resize in (lines, lines[::-1]):
        own, _, _ = made(resize=resize)
        assert [own.open_in(y).table["places"].max() for y in (2026, 2027, 2028)] == [6, 8, 12]
    by_label, _, _ = made(resize=[lines[1], {**lines[0], "provision": "west→2027"}])
    assert by_label.table.equals(own.table)


def test_what_a_scenario_opens_can_change_and_take_others_in() -> None:
    own, _, _ = made(
        open=[{"urn": "mid", "need_types": "ASD", "places": 4}],
        merge=[{"provisions": ["west"], "into": "mid"}],
        resize=[{"provision": "mid", "by": -3, "year": 2027}],
    )
    assert sorted(open_places(own, 2026).values()) == [6, 10]
    assert sorted(open_places(own, 2027).values()) == [6, 7]


def test_a_junior_school_opens_provision_for_its_own_years() -> None:
    for ages, taken in (
        ((7.0, 11.0), (7, 11)),
        ((3.0, 18.0), (4, 11)),
        ((np.nan, np.nan), (4, 11)),
    ):
        sites = SITES.assign(low_age=ages[0], high_age=ages[1])
        asked = {"name": "x", "open": [{"urn": "mid", "need_types": "ASD", "places": 4}]}
        found = apply(Scenario.model_validate(asked), register(), sites, 2026, None)
        base = found.register.table.loc["mid"]
        assert (base["low_age"], base["high_age"]) == taken
        assert found.capital["pounds"].isna().all()


def test_nothing_changes_before_it_opens() -> None:
    own = register([provision("west", 0, opened="2028-09-04"), provision("east", 30)])
    assert open_places(own, 2027) == {"east": 6}
    assert open_places(own, 2028) == {"west": 6, "east": 6}, "the first day of term"
    with pytest.raises(StudyError, match="does not open until 2028-09-04"):
        made(own, resize=[{"provision": "west", "by": 4}])
    assert open_places(made(own, close=[{"provision": "west"}])[0], 2028) == {"east": 6}


def test_kinds_of_places_are_not_merged() -> None:
    own = register([provision("west", 0, kind="special"), provision("east", 30)])
    with pytest.raises(StudyError, match="different kinds"):
        made(own, merge=[{"provisions": ["west"], "into": "east"}])


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        ({"close": [{"provision": "wst"}]}, "there is no provision wst"),
        ({"close": [{"provision": "west"}, {"provision": "west"}]}, "closes on 2026-08-31 already"),
        (
            {"open": [{"urn": "nowhere", "need_types": "ASD", "places": 3}]},
            "no school of the study",
        ),
        ({"resize": [{"provision": "west", "by": -9}]}, "6 -9 places"),
        (
            {"close": [{"provision": "west"}], "resize": [{"provision": "west", "by": 1}]},
            "resize: it closes on 2026-08-31 already",
        ),
        ({"close": [{"provision": "west", "year": 2020}]}, "in 2020, before the 2026"),
        ({"outreach": [{"need_types": "VI", "year": 2020}]}, "in 2020, before the 2026"),
        (
            {"open": [{"urn": "mid", "need_types": "ASD", "places": 3, "easting": 9}]},
            "its place is not known",
        ),
        (
            {
                "open": [
                    {"urn": "new", "need_types": "ASD", "places": 3, "easting": 9, "northing": 0}
                ]
            },
            "Give phase",
        ),
        ({"merge": [{"provisions": ["gone"], "into": "east"}]}, "there is no provision gone"),
    ],
)
def test_a_scenario_that_cannot_be_made(tables: dict[str, object], told: str) -> None:
    with pytest.raises(StudyError, match=told):
        made(**tables)


@pytest.mark.parametrize(
    "tables",
    [
        {"open": [{"urn": "mid", "need_types": "AUT", "places": 3}]},
        {"open": [{"urn": "mid", "need_types": "ASD", "places": 0}]},
        {"resize": [{"provision": "west", "by": 1, "places": 3}]},
        {"redesignate": [{"provision": "west"}]},
        {"limits": {"primary": [45, 30]}},
        {"growth": {"XXX": 0.1}},
        {"clsoe": []},
    ],
)
def test_a_scenario_that_says_nonsense(tables: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Scenario.model_validate({"name": "x", **tables})


def _states(**tables: object) -> tuple[Reach, Reach]:
    own, _, _ = made(**tables)
    every = minutes(own)
    wanted = demand({**EACH_FOUR, "e": 2})
    before = reach(register().open_in(2026), wanted, every, settings())
    return before, reach(own.open_in(2026), wanted, every, settings())


def test_who_is_better_and_who_worse_off() -> None:
    before, after = _states(
        close=[{"provision": "west"}], open=[{"urn": "mid", "need_types": "ASD", "places": 9}]
    )
    told = differences(before, after).set_index("point")
    assert told["change"].to_dict() == {"a": "worse", "b": "better", "c": "better"}
    whole = row(by_area(before, after), area="")
    assert (whole["better"], whole["worse"]) == (8, 4)
    assert (whole["without_before"], whole["without_after"]) == pytest.approx((6, 3))
    assert whole["minutes_before"] == pytest.approx(5.0)
    assert whole["minutes_after"] == pytest.approx((15 + 5 + 5 + 0) / 4)


def test_no_change_is_told_as_none() -> None:
    before, after = _states()
    assert differences(before, after).empty
    assert by_area(before, after).empty


def test_a_year_in_pounds_by_hand() -> None:
    found = look(register(), demand({"a": 4, "d": 1}))
    costs = settings(costs={"top_up": {"ASD": 1000}}).costs
    capital = pd.DataFrame({"year": [2026], "provision": ["x"], "pounds": [np.nan]})
    told = cost_of_year(found, costs, 2026, capital, 500.0)
    assert (told["places"], told["filled"], told["empty"]) == pytest.approx((12, 5, 7))
    assert told["funding"] == pytest.approx(5 * 6_000 + 7 * 10_000)
    assert told["top_up"] == pytest.approx(5_000)
    assert told["total"] == pytest.approx(105_500)
    assert np.isnan(told["capital"]), "nobody has said what it costs to build"
    table = side_by_side({"now": (found, None, told)})
    assert table.at["children without a place", "now"] == pytest.approx(0)


def test_limits_come_in_order() -> None:
    assert Limits().of("secondary") == (45, 75)
    with pytest.raises(ValidationError, match="the first is beyond the last"):
        Limits(primary=(45, 30))
