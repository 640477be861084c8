"""Plans side by side: who moves, who comes nearer within a tolerance, what a move changes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clustering.changes import change
from clustering.comparing import compare_all
from clustering.pairs import BANDS, journeys, pair
from clustering.plan import plan_names
from clustering.report import assess
from clustering.run import drawn
from tests.studies import clusters, county, hurry
from tests.test_report import EAST, OBVIOUS, WEST

CORNER, SIDE = "900102", "900101"
"""A corner is 2.8 minutes from the hub in the middle, a side 2.0."""


def with_hub(urn: str):
    from dataclasses import replace

    label = OBVIOUS.cluster_of[urn]
    return replace(
        OBVIOUS,
        clusters=tuple(replace(c, hub=urn) if c.label == label else c for c in OBVIOUS.clusters),
    )


def test_a_plan_beside_itself_is_unchanged(town):
    found = pair(OBVIOUS, OBVIOUS, town())
    assert found.moves.empty
    assert set(found.schools["band"]) == {"unchanged"}
    assert found.figures["schools_unchanged"] == 18
    assert found.figures["pupils_unchanged"] == 4800


def test_the_band_is_the_tolerance_and_no_wider(town):
    """With the hub at the north side instead of the middle, a pencil gives the differences."""
    after = with_hub(SIDE)
    minutes = journeys(after, town()) - journeys(OBVIOUS, town())
    assert minutes[SIDE] == pytest.approx(-2.0)
    assert minutes["900100"] == pytest.approx(2.0)
    assert minutes[CORNER] == pytest.approx(2.0 - 2.8)
    at = {t: pair(OBVIOUS, after, town(), tolerance=t).schools for t in (0.0, 0.8, 1.0, 2.0)}
    band = {t: table.set_index("urn")["band"] for t, table in at.items()}
    assert band[0.0][CORNER] == "nearer"
    assert band[0.8][CORNER] == "unchanged"
    assert band[1.0][SIDE] == "nearer"
    assert band[2.0][SIDE] == band[2.0]["900100"] == "unchanged"
    assert band[1.0]["900100"] == "farther"
    with pytest.raises(ValueError, match="below 0"):
        pair(OBVIOUS, after, town(), tolerance=-1.0)


def test_places_sum_up_to_the_whole(town):
    after = with_hub(SIDE).move("900207", "Westby 1")
    found = pair(OBVIOUS, after, town())
    for table in (found.clusters, found.areas):
        for band in BANDS:
            for what in ("schools", "pupils"):
                assert table[f"{what}_{band}"].sum() == found.figures[f"{what}_{band}"]
        assert table["leavers_split_after"].sum() == found.figures["leavers_split_after"]
    assert found.areas["moved"].sum() == found.figures["schools_moved"] == 1
    row = found.clusters.set_index("cluster").loc["Westby 1"]
    assert (row["joined"], row["left"], row["follows"]) == (1, 0, "Westby 1")
    assert (row["pupils_before"], row["pupils_after"]) == (2400, 2600)
    # The school that crossed keeps 8 leavers to the west and loses 20 to the east: 12 more.
    assert row["leavers_split_after"] - row["leavers_split_before"] == 20
    assert found.figures["leavers_split_after"] - found.figures["leavers_split_before"] == 12


def test_a_cluster_that_ends_has_a_row(town):
    after = OBVIOUS
    for urn in WEST:
        after = after.move(urn, "Eastby 1")
    table = pair(OBVIOUS, after, town()).clusters
    ended = table[table["cluster"] == ""]
    assert ended["follows"].tolist() == ["Westby 1"]
    assert ended["left"].tolist() == [9]
    assert ended["schools_after"].isna().all()


def test_a_school_that_opts_out_is_in_no_band(town):
    found = pair(OBVIOUS, OBVIOUS.opt_out(CORNER), town())
    row = found.schools.set_index("urn").loc[CORNER]
    assert row["band"] == ""
    assert row["moves"]
    assert row["to_cluster"] == ""
    assert found.figures["schools_unchanged"] == 17


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(
    moved=st.lists(st.sampled_from(WEST[1:] + EAST[1:]), max_size=6),
    tolerance=st.sampled_from([0.0, 1.0, 5.0]),
)
def test_there_and_back_again(town, moved, tolerance):
    """Nearer one way is farther the other way, and every school is counted once."""
    problem, after = town(), OBVIOUS
    for urn in moved:
        after = after.move(urn, "Westby 1" if urn in EAST else "Eastby 1")
    there = pair(OBVIOUS, after, problem, tolerance=tolerance)
    back = pair(after, OBVIOUS, problem, tolerance=tolerance)
    for a, b in (("nearer", "farther"), ("farther", "nearer"), ("unchanged", "unchanged")):
        assert there.figures[f"schools_{a}"] == back.figures[f"schools_{b}"]
        assert there.figures[f"pupils_{a}"] == back.figures[f"pupils_{b}"]
    assert sum(there.figures[f"schools_{band}"] for band in BANDS) == 18
    gain = assess(after, problem).objective - assess(OBVIOUS, problem).objective
    assert there.figures["objective_after"] - there.figures["objective_before"] == pytest.approx(
        gain, abs=0.11
    )


def test_three_plans_make_three_pairs(town, tmp_path):
    plans = {"a": OBVIOUS, "b": with_hub(SIDE), "c": OBVIOUS.move(CORNER, "Eastby 1")}
    found = compare_all(plans, town())
    assert list(found.pairs) == [("a", "b"), ("a", "c"), ("b", "c")]
    assert found.between("a", "c").figures["schools_moved"] == 1
    assert len(found.summary) == 3
    assert set(found.moves) == {"b", "c"}
    assert len(list(found.sentences())) == 3
    assert "unchanged (within 1 min)" in next(found.sentences())
    names = {path.name for path in found.write(tmp_path)}
    assert names == {
        f"compare_{n}.csv" for n in ("figures", "pairs", "schools", "clusters", "areas")
    }
    assert len(pd.read_csv(tmp_path / "compare_schools.csv")) == 3 * 18
    with pytest.raises(ValueError, match="two plans"):
        compare_all({"a": OBVIOUS}, town())


# -- moves by hand ---------------------------------------------------------------------------------


def test_a_move_tells_at_once_what_changed(town):
    problem = town()
    moved = drawn(OBVIOUS, problem).move("900204", "Westby 1")
    text = str(moved.changed)
    assert "E4 Primary School (900204) moves from Eastby 1 to Westby 1" in text
    assert "Westby 1: need 2,400 → 2,600 (+8%), 9 → 10 schools." in text
    assert "leavers a year who go on outside their cluster: 128 → 140 (+12)" in text
    assert "Every rule is kept." in text
    figures = moved.changed.figures
    gain = assess(moved, problem).objective - assess(OBVIOUS, problem).objective
    assert figures.at["objective", "difference"] == pytest.approx(gain, abs=0.11)
    assert moved._repr_html_().startswith("<ul><li>E4 Primary School (900204) moves")
    # A second step still tells the whole way from the plan it was drawn from.
    back = moved.lock("Eastby 1").move("900204", "Eastby 1")
    assert str(back.changed) == "No school moves.\nEvery rule is kept.\nLocked: Eastby 1."


def test_a_move_that_breaks_a_rule_says_which(town):
    moved = drawn(OBVIOUS, town()).swap("900100", "900204")
    assert any("non-selective secondaries" in text for text in moved.changed.broken)
    back = change(OBVIOUS, moved, town())
    assert back.broken == ()
    assert len(back.mended) == len(moved.changed.broken)
    assert "Mended: " in str(back)


def test_another_hub_is_told(town):
    moved = drawn(OBVIOUS, town()).opt_out("900100", hub="900104")
    text = str(moved.changed)
    assert "WS Academy (900100) leaves Westby 1 and is in no cluster." in text
    assert "Westby 1: the hub is now W4 Primary School, not WS Academy." in text


def test_names_in_a_change_are_escaped(town, schools):
    schools.loc[CORNER, "name"] = "<b>Bold</b> School"
    moved = drawn(OBVIOUS, town(schools=schools)).move(CORNER, "Eastby 1")
    assert "<b>" not in moved._repr_html_()


def test_a_plan_of_no_result_has_nothing_to_tell():
    assert OBVIOUS._repr_html_() is None
    with pytest.raises(ValueError, match="drawn from no other"):
        OBVIOUS.move(CORNER, "Eastby 1").changed  # noqa: B018


# -- on the command line ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with two runs and today's clusters."""
    folder = tmp_path_factory.mktemp("county")
    study = county().write(folder)
    with pytest.MonkeyPatch.context() as patch:
        hurry(patch)
        assert clusters("design", study, "--out", folder / "first") == 0
        assert clusters("design", study, "--seed", 2, "--out", folder / "second") == 0
    return folder


def test_compare_takes_any_number_of_plans(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = (runs / "first" / "plan.csv", runs / "second" / "plan.xlsx", runs / "existing.csv")
    args = ("--tolerance", 2, "--out", runs / "both")
    assert clusters("compare", runs / "study.toml", *files, *args) == 0
    told = capsys.readouterr().out
    assert "unchanged (within 2 min)" in told
    assert "From first to existing: " in told
    pairs = pd.read_csv(runs / "both" / "compare_pairs.csv")
    assert len(pairs) == 3
    counted = pairs[[f"schools_{band}" for band in BANDS]].sum(axis=1)
    assert set(counted) == {24}
    areas = pd.read_csv(runs / "both" / "compare_areas.csv")
    assert set(areas["area"]) == {"Eastmoor", "Westmoor"}


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (("a.csv", "b.csv"), ["a", "b"]),
        (("one/plan.csv", "two/plan.csv"), ["one", "two"]),
        (("one/plan.csv", "two/plan.xlsx", "today.csv"), ["one", "two", "today"]),
        (("one/plan.csv", "one/plan.xlsx"), ["plan 1", "plan 2"]),
    ],
)
def test_plans_are_named_by_file_or_folder(paths: tuple[str, ...], names: list[str]) -> None:
    assert plan_names([Path(path) for path in paths]) == names


def test_one_plan_is_no_comparison(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert clusters("compare", runs / "study.toml", runs / "existing.csv") == 2
    assert "two plans or more" in capsys.readouterr().err
    two = (runs / "existing.csv", runs / "existing.csv")
    assert clusters("compare", runs / "study.toml", *two, "--tolerance", "-1") == 2
