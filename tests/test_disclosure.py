"""No small count is told or can be worked out; every kind of attack works on less careful packs."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.publish.attack import attack
from clustering.publish.disclosure import Cell, DisclosureError, Release
from tests.test_money import SHARED, kent_census, needs_real

URNS = tuple(f"90000{k}" for k in range(1, 7))
FEW = "fewer than 5"
A = dict(zip(URNS, ["North", "North", "North", "South", "South", "South"], strict=True))
B = {**A, URNS[2]: "South"}
"""Options A and B differ by one school, the third."""


def series(*counts: float) -> pd.Series:
    return pd.Series(counts, index=URNS[: len(counts)], dtype=float)


EHC = series(20, 30, 3, 40, 25, 35)
PUPILS = series(200, 300, 150, 400, 250, 350)


def release(*groupings: dict[str, str], ehc: pd.Series = EHC, **rules: Any) -> Release:
    """Return EHC plans of six schools by one grouping or more and for all, with public rolls."""
    found = Release(**rules)
    found.measure("pupils", PUPILS, public=True)
    found.measure("ehc_plans", ehc)
    found.whole("pupils", ["ehc_plans"])
    for name, groups in zip("ABC", groupings, strict=False):
        found.grouping(name, groups)
        found.table(name, "ehc_plans")
    found.grouping("county", dict.fromkeys(URNS, "County"), keep=4)
    found.table("county", "ehc_plans")
    return found


def naive(found: Release, *counts: pd.Series) -> dict[str, Any]:
    """Return the pack as it would be if only the small cells themselves were hidden."""
    said = copy.deepcopy(found.protect().published())
    known = {"ehc_plans": EHC, "pupils": PUPILS} | {str(table.name): table for table in counts}
    for cell in said["cells"]:
        if cell["name"] in said["amounts"]:
            continue
        urns = said["groupings"][cell["grouping"]][cell["group"]]
        value = int(known[cell["name"]][urns].sum())
        small = value < 5
        cell["value"], cell["text"] = (None, FEW) if small else (value, str(value))
    return said


def told(leaks: tuple[Any, ...]) -> set[tuple[tuple[str, ...], float]]:
    return {(leak.schools, round(leak.low)) for leak in leaks if leak.low == leak.high}


def knowledge(found: Release) -> dict[str, Any]:
    return found.protect().knowledge()


# -- what a reader could do, and no longer can -----------------------------------------------------


def test_a_small_count_is_told_in_words():
    safe = release({**A, URNS[2]: "Isle"}).protect()
    assert safe.shown("A", "Isle", "ehc_plans") == Cell(FEW)


def test_a_total_does_not_give_it_back():
    """50 + 3 + 100 = 153: with both neighbours and the total shown, anybody subtracts."""
    found = release({**A, URNS[2]: "Isle"})
    weak = attack(naive(found), knowledge(found))
    assert ((URNS[2],), 3) in told(weak)
    assert str(weak[0]) == f"ehc_plans of 1 schools ({URNS[2]}) is 3."
    safe = found.protect()
    assert attack(safe.published(), safe.knowledge()) == ()
    assert safe.shown("county", "County", "ehc_plans") == Cell("153", 153)
    shown = [safe.shown("A", g, "ehc_plans").text for g in ("North", "South", "Isle")]
    assert sorted(shown) == sorted([FEW, "not shown", shown[1] if shown[0] != "100" else "100"])


def test_two_options_that_differ_by_one_school():
    """North is 53 in A and 50 in B; no cell of either is small."""
    found = release(A, B)
    assert ((URNS[2],), 3) in told(attack(naive(found), knowledge(found)))
    safe = found.protect()
    assert attack(safe.published(), safe.knowledge()) == ()
    texts = [safe.shown(o, g, "ehc_plans").text for o in "AB" for g in ("North", "South")]
    assert sorted(texts)[2:] == ["not shown", "not shown"]  # one option keeps its numbers


def test_options_protected_apart_are_not_safe_together():
    """Each option alone is safe, and shows everything; beside each other they are not."""
    one, other = release(A), release(B).protect().published()
    both = copy.deepcopy(one.protect().published())
    assert attack(both, knowledge(one)) == ()
    both["groupings"]["B"] = other["groupings"]["A"]
    both["cells"] += [{**c, "grouping": "B"} for c in other["cells"] if c["grouping"] == "A"]
    assert ((URNS[2],), 3) in told(attack(both, knowledge(one)))


def test_todays_clusters_and_districts_are_options_too():
    """B less A is hidden in districts that cut across: 53 = 20 + (30 + 3)."""
    today = {URNS[0]: "Old", URNS[1]: "Old"}
    found = release(A, today)
    assert ((URNS[2],), 3) in told(attack(naive(found), knowledge(found)))
    safe = found.protect()
    assert attack(safe.published(), safe.knowledge()) == ()


def test_schools_of_several_groups_together():
    """A's two clusters less B's two leave two schools with 1 + 2: a sum of three groups or more."""
    ehc = series(20, 1, 30, 2, 25, 35)
    a = dict(zip(URNS, "NNSSRR", strict=True))
    b = dict(zip(URNS, "N.N.RR", strict=True))
    found = release(a, {u: g for u, g in b.items() if g != "."}, ehc=ehc)
    pair = (URNS[1], URNS[3])
    weak = attack(naive(found, ehc.rename("ehc_plans")), knowledge(found))
    assert any(set(leak.schools) <= set(pair) for leak in weak)
    safe = found.protect()
    assert attack(safe.published(), safe.knowledge()) == ()


def test_measures_that_make_a_whole():
    """SEN = EHC plans + SEN support: 53 less 50 is the three EHC plans."""
    support = series(10, 10, 30, 10, 40, 10).rename("sen_support")
    ehc = series(20, 30, 3, 40, 25, 35).rename("ehc_plans")
    sen = (support + ehc).rename("sen")
    isles = {u: u for u in URNS}
    found = Release()
    for table in (support, ehc, sen):
        found.measure(str(table.name), table)
    found.whole("sen", ["sen_support", "ehc_plans"], complete=True)
    found.grouping("A", isles)
    for name in ("sen", "sen_support", "ehc_plans"):
        found.table("A", name)
    assert ((URNS[2],), 3) in told(attack(naive(found, support, ehc, sen), knowledge(found)))
    safe = found.protect()
    assert attack(safe.published(), safe.knowledge()) == ()
    hidden = [n for n in ("sen", "sen_support") if safe.shown("A", URNS[2], n).value is None]
    assert len(hidden) == 1
    assert safe.shown("A", URNS[0], "sen").value == 30


def test_the_few_who_are_not_of_a_part():
    """148 of 150 pupils: the two others are as easily told apart as two in it."""
    found = release({**A, URNS[2]: "Isle"}, ehc=series(20, 30, 148, 40, 25, 35))
    weak = attack(
        naive(found, series(20, 30, 148, 40, 25, 35).rename("ehc_plans")), knowledge(found)
    )
    assert {leak.measure for leak in weak} == {"the rest of pupils (1)"}
    safe = found.protect()
    assert safe.shown("A", "Isle", "ehc_plans") == Cell("not shown")
    assert attack(safe.published(), safe.knowledge()) == ()


def test_a_rate_gives_its_count():
    """2.0 % of 150 pupils are three."""
    found = release({**A, URNS[2]: "Isle"})
    found.rate("A", "ehc_plans", "pupils")
    safe = found.protect()
    assert safe.rate("A", "Isle", "ehc_plans", "pupils") == Cell(FEW)
    shown = [safe.rate("A", g, "ehc_plans", "pupils").value for g in ("North", "South")]
    assert shown.count(None) == 1
    said = copy.deepcopy(safe.published())
    assert attack(said, safe.knowledge()) == ()
    isle = next(r for r in said["rates"] if r["group"] == "Isle")
    isle["value"] = 2.0
    assert ((URNS[2],), 3) in told(attack(said, safe.knowledge()))
    said = naive(found)
    for rate in said["rates"]:
        rate["value"] = None
    south = next(c for c in said["cells"] if c["group"] == "South" and c["name"] == "ehc_plans")
    south["value"], south["text"] = None, "not shown"
    assert attack(said, safe.knowledge()) == ()
    next(r for r in said["rates"] if r["group"] == "South")["value"] = 10.0
    assert attack(said, safe.knowledge())


def test_rates_of_few_pupils_are_not_shown():
    found = Release()
    found.measure("pupils", series(9, 10, 200, 0), public=True)
    found.measure("fsm6", series(5, 5, 20, 0))
    found.grouping("school", {u: u for u in URNS[:4]})
    found.rate("school", "fsm6", "pupils")
    safe = found.protect()
    told = [safe.rate("school", u, "fsm6", "pupils") for u in URNS[:4]]
    assert told == [Cell("not shown"), Cell("50.0%", 50.0), Cell("10.0%", 10.0), Cell(FEW)]


POUNDS = {"ehc_plans": 1_000.0}


def budget(step: float, **rules: Any) -> Release:
    """Return options A and B with their money: £10 a pupil and £1,000 an EHC plan."""
    found = release(A, B, **rules)
    found.amount("budget", 10 * PUPILS + 1_000 * EHC, rates=POUNDS, step=step)
    for option in "AB":
        found.table(option, "budget")
    return found


@pytest.mark.parametrize(("step", "safe_as_it_is"), [(1, False), (1_000, False), (20_000, True)])
def test_money_gives_counts_by_published_weights(step, safe_as_it_is):
    """A's North less B's is £4,500: £1,500 for 150 pupils, and £3,000 for three plans."""
    found = budget(step)
    safe = found.protect()
    assert attack(safe.published(), safe.knowledge()) == ()
    said = copy.deepcopy(safe.published())
    for cell in said["cells"]:
        urns = said["groupings"][cell["grouping"]][cell["group"]]
        if cell["name"] == "budget":
            pounds = 10 * PUPILS[urns].sum() + 1_000 * EHC[urns].sum()
            cell["value"] = round(pounds / step) * step
        else:
            cell["value"], cell["text"] = None, "not shown"
    assert (attack(said, safe.knowledge()) == ()) == safe_as_it_is


def test_money_is_rounded_and_never_by_school():
    found = budget(1_000)
    found.grouping("school", {u: u for u in URNS})
    found.table("school", "budget")
    safe = found.protect()
    assert {safe.shown("school", u, "budget") for u in URNS} == {Cell("not shown")}
    shown = [safe.shown(o, g, "budget") for o in "AB" for g in ("North", "South")]
    seen = [cell for cell in shown if cell.value is not None]
    assert seen
    assert all(cell.value % 1_000 == 0 and cell.text == f"£{cell.value:,.0f}" for cell in seen)


def test_money_by_school_where_a_council_allows_it_reveals_no_small_count():
    found = budget(1_000, school_amounts=True)
    found.grouping("school", {u: u for u in URNS})
    found.table("school", "budget")
    safe = found.protect()
    assert safe.shown("school", URNS[2], "budget") == Cell("not shown")
    assert safe.shown("school", URNS[3], "budget") == Cell("£44,000", 44_000)
    assert attack(safe.published(), safe.knowledge()) == ()


# -- zeros, what is not known, what is public ------------------------------------------------------


def test_zeros_are_small_unless_they_may_be_shown():
    ehc = series(0, 30, 33, 40, 25, 0)
    isles = {**A, URNS[0]: "West", URNS[5]: "East"}
    assert release(isles, ehc=ehc).protect().shown("A", "West", "ehc_plans") == Cell(FEW)
    safe = release(isles, ehc=ehc, show_zeros=True).protect()
    assert safe.shown("A", "West", "ehc_plans") == Cell("0", 0)
    assert attack(safe.published(), safe.knowledge()) == ()


def test_a_zero_is_hidden_where_it_gives_another_number_away():
    """0 in the west and 30 in the north leave 4 of 34 for one school: zero goes, or a total."""
    found = release(
        {URNS[0]: "W", URNS[1]: "N", URNS[2]: "E"}, ehc=series(0, 30, 4, 0, 0, 0), show_zeros=True
    )
    safe = found.protect()
    assert attack(safe.published(), safe.knowledge()) == ()
    assert attack(naive(found, series(0, 30, 4, 0, 0, 0).rename("ehc_plans")), safe.knowledge())


def test_missing_is_not_none_and_imputed_is_missing():
    ehc = series(20, np.nan, 33, 40, 25, 35)
    safe = release(A, ehc=ehc).protect()
    assert safe.shown("A", "North", "ehc_plans") == Cell("not known")
    assert safe.shown("A", "South", "ehc_plans") == Cell("100", 100)
    assert safe.shown("county", "County", "ehc_plans") == Cell("not known")
    found = release(A)
    found.measure("ehc_plans", EHC, imputed=[URNS[4]])
    assert found.protect().shown("A", "South", "ehc_plans") == Cell("not known")
    assert attack(safe.published(), safe.knowledge()) == ()
    assert [text.split('"')[1] for text in safe.words()] == [
        FEW,
        "not shown",
        "small or not shown",
        "not known",
    ]


def test_public_measures_are_rounded_and_never_small():
    found = Release()
    found.measure("pupils", series(203, 4, 7, np.nan), public=True)
    found.grouping("school", {u: u for u in URNS[:4]})
    found.table("school", "pupils", step=10)
    safe = found.protect()
    told = [safe.shown("school", u, "pupils").text for u in URNS[:4]]
    assert told == ["200", FEW, "10", "not known"]


def test_threshold_of_ten():
    safe = release(
        {**A, URNS[2]: "Isle"}, ehc=series(20, 30, 9, 40, 25, 35), threshold=10
    ).protect()
    assert safe.shown("A", "Isle", "ehc_plans") == Cell("fewer than 10")
    assert attack(safe.published(), safe.knowledge()) == ()


def test_what_public_measures_give_away_is_told_in_words_all_the_same():
    found = Release()
    found.measure("pupils", series(3, 200, 300), public=True)
    found.measure("taught", series(3, 200, 300))
    found.whole("pupils", ["taught"], complete=True)
    found.grouping("school", {u: u for u in URNS[:3]})
    found.table("school", "taught")
    safe = found.protect()
    assert [safe.shown("school", u, "taught").text for u in URNS[:3]] == [FEW, "200", "300"]
    assert attack(safe.published(), safe.knowledge()) == ()


def test_a_hasty_choice_hides_nothing_that_the_rest_protects_without(monkeypatch):
    groupings = (A, B, {**A, URNS[3]: "North"})
    ehc = series(20, 30, 3, 2, 25, 35)
    patient = release(*groupings, ehc=ehc).protect().published()["cells"]
    monkeypatch.setattr("clustering.publish.disclosure_choice.PATIENCE", 0)
    safe = release(*groupings, ehc=ehc).protect()
    assert attack(safe.published(), safe.knowledge()) == ()
    shown = [sum(c["value"] is not None for c in x) for x in (safe.published()["cells"], patient)]
    assert 0 < shown[0] <= shown[1]


# -- the gate --------------------------------------------------------------------------------------


def test_order_does_not_matter():
    def made(order: list[int]) -> Any:
        urns = [URNS[k] for k in order]
        found = Release()
        for name in ("fsm6", "pupils", "ehc_plans")[:: 1 if order[0] else -1]:
            table = {"fsm6": 2 * EHC, "pupils": PUPILS, "ehc_plans": EHC}[name]
            found.measure(name, table.loc[urns], public=name == "pupils")
        for name, groups in (("A", A), ("B", B)):
            found.grouping(name, {u: groups[u] for u in urns})
            for measure in ("ehc_plans", "fsm6"):
                found.table(name, measure)
        return found.protect().published()

    assert made([0, 1, 2, 3, 4, 5]) == made([5, 2, 0, 4, 1, 3])


def test_only_what_was_asked_for_is_answered():
    safe = release(A).protect()
    with pytest.raises(KeyError):
        safe.shown("A", "North", "pupils")
    with pytest.raises(KeyError):
        safe.rate("A", "North", "ehc_plans", "pupils")


def test_faults_are_gathered():
    found = release(A)
    found.table("county", "ehc_plan")
    found.table("country", "ehc_plans")
    found.table("A", "ehc_plans", step=10)
    found.grouping("B", {"123456": "North"})
    with pytest.raises(DisclosureError) as error:
        found.protect()
    text = str(error.value)
    assert '"ehc_plan" is no measure or amount of this pack. Did you mean "ehc_plans"?' in text
    assert '"country" is no grouping' in text
    assert "only public measures are rounded" in text
    assert '(123456): is in "B"' in text
    with pytest.raises(DisclosureError, match=r"\(900003\): ehc_plans exceed pupils"):
        release(A, ehc=series(1, 1, 151, 1, 1, 1)).protect()
    with pytest.raises(DisclosureError, match=r"\(900001\): ehc_plans is 2.5"):
        release(A, ehc=series(2.5, 1, 1, 1, 1, 1))
    with pytest.raises(DisclosureError, match="has two rows"):
        release(A, ehc=pd.concat([EHC, EHC[:1]]))
    with pytest.raises(DisclosureError, match="hides nothing"):
        Release(1)


def test_a_pack_with_unknown_words_or_contradictions_is_refused():
    said = release(A).protect().published()
    said["cells"][0]["value"] = None
    said["cells"][0]["text"] = "n/a"
    with pytest.raises(ValueError, match='"n/a" stands in place of a number'):
        attack(said)
    said["cells"][0]["value"] = 1_000
    with pytest.raises(ValueError, match="contradicts itself"):
        attack(said)


# -- any small universe, by trying every world -----------------------------------------------------


@st.composite
def universes(draw: st.DrawFn) -> tuple[Release, np.ndarray, np.ndarray, list[dict[str, str]]]:
    """Return a release of three to five small schools in two or three groupings, and its counts."""
    size = draw(st.integers(3, 5))
    pupils = np.array(draw(st.lists(st.integers(2, 11), min_size=size, max_size=size)))
    counts = np.array([draw(st.integers(0, p) | st.integers(0, min(p, 3))) for p in pupils])
    found = Release(draw(st.integers(3, 5)), show_zeros=draw(st.booleans()))
    urns = URNS[:size]
    found.measure("pupils", pd.Series(pupils, urns), public=True)
    found.measure("x", pd.Series(counts, urns))
    found.whole("pupils", ["x"])
    groupings = [dict.fromkeys(urns, "all")]
    for _ in range(draw(st.integers(1, 2))):
        labels = draw(st.lists(st.sampled_from("123-"), min_size=size, max_size=size))
        groupings.append({u: x for u, x in zip(urns, labels, strict=True) if x != "-"})
    for k, groups in enumerate(groupings):
        found.grouping(f"g{k}", groups)
        found.table(f"g{k}", "x")
    return found, pupils, counts, groupings


def worlds(said: dict[str, Any], pupils: np.ndarray) -> np.ndarray:
    """Return all counts that agree with what is said, a row a world."""
    grid = np.stack(np.meshgrid(*[np.arange(p + 1) for p in pupils], indexing="ij"), -1)
    every = grid.reshape(-1, len(pupils))
    for cell in said["cells"]:
        urns = said["groupings"][cell["grouping"]][cell["group"]]
        sums = every[:, [URNS.index(u) for u in urns]].sum(axis=1)
        if cell["value"] is not None:
            every = every[sums == cell["value"]]
        elif cell["text"] == "not shown":
            every = every[sums >= said["threshold"]]
        elif cell["text"] != "small or not shown":
            every = every[(sums < said["threshold"]) & (sums >= said["zeros_shown"])]
    return every


@settings(max_examples=40, deadline=None, derandomize=True)
@given(universes())
def test_every_world_agrees_that_nothing_small_is_known(universe):
    """By brute force: all sets of the module's promise stay wide, no set at all is determined."""
    found, pupils, counts, groupings = universe
    said = found.protect().published()
    limit, least = said["threshold"], int(said["zeros_shown"])
    every = worlds(said, pupils)
    assert (every == counts).all(axis=1).any()
    groups = [
        frozenset(URNS.index(u) for u, x in labels.items() if x == label)
        for labels in groupings
        for label in set(labels.values())
    ]
    few = [g for g in groups if least <= counts[list(g)].sum() < limit]
    promised = {frozenset([k]) for k in range(len(pupils))} | set(groups)
    promised |= {s for a, b in itertools.permutations(groups, 2) for s in (a & b, a - b)}
    for number in range(1, len(pupils) + 1):
        for members in map(list, itertools.combinations(range(len(pupils)), number)):
            of, sums = int(pupils[members].sum()), every[:, members].sum(axis=1)
            inside = any(set(members) <= group for group in few)
            for known, other, words in ((sums, counts[members].sum(), inside), (of - sums, 0, 0)):
                value = other if known is sums else of - counts[members].sum()
                highest = min(limit - 1 if words else limit, of)
                if not least <= value < limit or highest <= least:
                    continue
                if frozenset(members) in promised:
                    assert known.min() <= least
                    assert known.max() >= highest
                else:
                    assert known.min() < known.max()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(universes())
def test_no_attack_gets_through(universe):
    safe = universe[0].protect()
    assert attack(safe.published(), safe.knowledge()) == ()


# -- Kent ------------------------------------------------------------------------------------------


def cut(table: pd.DataFrame, order: pd.Series, number: int) -> dict[str, str]:
    """Return clusters that keep to districts: each cut into slices of equal size along an order."""
    found = {}
    for area, urns in table.groupby("area").groups.items():
        slices = max(1, round(len(urns) * number / len(table)))
        ranked = sorted(urns, key=lambda urn: (order[urn], urn))
        for k, part in enumerate(np.array_split(np.array(ranked), slices), start=1):
            found |= dict.fromkeys(part.tolist(), f"{area} {k}")
    return found


def kent(table: pd.DataFrame, options: list[dict[str, str]]) -> Release:
    """Return the pack of Kent: four measures and money by option, today, district and county."""
    found = Release()
    found.measure("pupils", table["pupils"], public=True)
    measures = ("ehc_plans", "sen_support", "fsm6")
    for name in measures:
        found.measure(name, table[name])
    found.whole("pupils", ["ehc_plans", "sen_support"])
    found.whole("pupils", ["fsm6"])
    rates = {"pupils": 20.0, "fsm6": 34.0, "sen_support": 48.0, "ehc_plans": 210.0}
    pounds = sum(table[name] * rate for name, rate in rates.items())
    found.amount("budget", pounds, rates=rates, step=1_000)
    groupings = {f"option {k}": groups for k, groups in enumerate(options, start=1)}
    groupings["district"] = table["area"].to_dict()
    groupings["county"] = dict.fromkeys(table.index, "Kent")
    for name, groups in groupings.items():
        found.grouping(name, groups, keep={"county": 3, "district": 2}.get(name, 1))
        for measure in (*measures, "budget"):
            found.table(name, measure)
        found.rate(name, "ehc_plans", "pupils")
    found.grouping("school", {urn: urn for urn in table.index})
    found.table("school", "pupils", step=10)
    return found


@pytest.mark.real
@needs_real
def test_kent_with_three_options_and_todays_clusters():
    """Two options from one, each with twelve schools moved, and another one of 53 as today's."""
    table = kent_census().sort_index()
    places = pd.read_csv(SHARED / "kent" / "schools_composite.csv", dtype=str).set_index("URN")
    east, north = (
        pd.to_numeric(places[c], errors="coerce").reindex(table.index).fillna(590_000.0)
        for c in ("Easting", "Northing")
    )
    first = cut(table, east, 46)
    options = [first]
    for k in (1, 2):
        moved = dict(first)
        for urn in table.index[k * 20 :: 40][:12]:
            area = table.at[urn, "area"]
            moved[urn] = f"{area} {int(first[urn][len(area) :]) % 3 + 1}"
        options.append(moved)
    options.append(cut(table, north, 53))
    safe = kent(table, options).protect()
    assert attack(safe.published(), safe.knowledge()) == ()
    cells = [c for c in safe.published()["cells"] if c["name"] != "pupils"]
    shown = [c for c in cells if c["value"] is not None]
    assert 0.9 * len(cells) < len(shown) < len(cells)
    assert safe.shown("county", "Kent", "ehc_plans") == Cell("7,141", 7_141)
    weak = copy.deepcopy(safe.published())
    for cell in weak["cells"]:
        if cell["name"] in ("ehc_plans", "sen_support", "fsm6"):
            urns = weak["groupings"][cell["grouping"]][cell["group"]]
            cell["value"] = int(table.loc[urns, cell["name"]].sum())
    leaks = attack(weak, safe.knowledge())
    assert leaks
    assert all(table.loc[list(x.schools), x.measure].sum() == round(x.low) for x in leaks)
