"""Plans: canonical labels, moves, and every way a plan file can be wrong."""

from __future__ import annotations

import pandas as pd
import pytest

from clustering.plan import Cluster, Plan, make_plan, plan_from_frame, read_plan
from geo.errors import PlanError
from tests.test_report import EAST, OBVIOUS, WEST


def test_labels_do_not_depend_on_the_order_of_groups_or_members(town):
    problem = town()
    groups = [(list(range(9)), 0), (list(range(9, 18)), 9)]
    shuffled = [(list(reversed(range(9, 18))), 9), (list(reversed(range(9))), 0)]
    assert make_plan(problem, groups) == make_plan(problem, shuffled) == OBVIOUS


def test_clusters_are_numbered_within_the_area_of_most_schools(town):
    groups = [([0, 1, 2, 9], 0), ([3, 4, 5, 6, 7, 8], 3), (list(range(10, 18)), 10)]
    assert make_plan(town(), groups).labels == ("Eastby 1", "Westby 1", "Westby 2")


def test_tenth_cluster_stands_after_the_second():
    ten = [Cluster(f"Westby {k}", f"{k}", (f"{k}",)) for k in (10, 2)]
    assert plan_from_labels(ten).labels == ("Westby 2", "Westby 10")


def plan_from_labels(clusters: list[Cluster]) -> Plan:
    from clustering.plan import label_order

    return Plan(tuple(sorted(clusters, key=label_order)))


def test_a_school_in_two_clusters_is_refused():
    with pytest.raises(PlanError, match=r"\(900100\): stands in two clusters"):
        Plan((Cluster("A", "900100", WEST), Cluster("B", "900100", ("900100",))))


def test_a_move_leaves_the_old_plan_as_it_was():
    moved = OBVIOUS.move("900101", "Eastby 1")
    assert moved.cluster_of["900101"] == "Eastby 1"
    assert OBVIOUS.cluster_of["900101"] == "Westby 1"


def test_a_hub_that_moves_leaves_another_behind():
    moved = OBVIOUS.move("900100", "Eastby 1")
    assert moved["Westby 1"].hub == "900101"
    assert OBVIOUS.move("900100", "Eastby 1", hub="900105")["Westby 1"].hub == "900105"


def test_a_swap_is_two_moves():
    swapped = OBVIOUS.swap("900101", "900201")
    assert swapped.cluster_of["900101"] == "Eastby 1"
    assert swapped.cluster_of["900201"] == "Westby 1"
    assert swapped.swap("900101", "900201") == OBVIOUS


def test_a_misspelt_cluster_gets_a_hint():
    with pytest.raises(PlanError, match='Did you mean "Eastby 1"'):
        OBVIOUS.move("900101", "Eastbi 1")


def test_a_plan_survives_its_file(town, tmp_path):
    OBVIOUS.write_csv(tmp_path / "plan.csv")
    assert (tmp_path / "plan.csv").read_bytes().startswith(b"urn,cluster,hub\n900100,")
    assert read_plan(tmp_path / "plan.csv", town()) == OBVIOUS


def test_a_bare_list_of_clusters_gets_the_nearest_school_as_hub(town):
    table = OBVIOUS.to_frame().drop(columns="hub")
    assert plan_from_frame(table, town()) == OBVIOUS


def test_an_edited_workbook_names_the_hub_by_most_rows(town, tmp_path):
    table = OBVIOUS.to_frame()
    table.loc[table["urn"].isin(["900201", "900200"]), "cluster"] = "Westby 1"
    table.to_excel(tmp_path / "plan.xlsx", index=False)
    plan = read_plan(tmp_path / "plan.xlsx", town())
    assert plan["Westby 1"].hub == "900100"
    assert plan["Eastby 1"].hub in EAST
    assert plan["Eastby 1"].hub != "900200"


def test_every_fault_of_a_plan_file_is_told_at_once(town):
    table = pd.DataFrame(
        [
            ("900100", "A", "900100"),
            ("900100", "B", ""),
            ("123456", "A", ""),
            ("900101", "A", "999999"),
            ("900102", "", ""),
        ],
        columns=["urn", "cluster", "hub"],
    )
    with pytest.raises(PlanError) as caught:
        plan_from_frame(table, town(), file="plan.csv")
    told = [str(fault) for fault in caught.value.faults]
    assert [line.split(":")[0] for line in told] == [
        "plan.csv, row 3",
        "plan.csv, row 4",
        "plan.csv, row 5",
    ]
    assert "row 2 already" in told[0]
    assert "not a school of this study" in told[1]
    assert "the hub 999999" in told[2]


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        (b"", "cannot be read"),
        (b"school,group\n900100,A\n", "columns urn and cluster are missing"),
        (b"urn,cluster\n", "no school is in a cluster"),
        (b"\xff\xfe\x00\x00", "cannot be read|missing"),
    ],
)
def test_files_that_are_no_plan(town, tmp_path, contents, words):
    path = tmp_path / "plan.csv"
    path.write_bytes(contents)
    with pytest.raises(PlanError, match=words):
        read_plan(path, town())


def test_a_missing_plan_file(town, tmp_path):
    with pytest.raises(PlanError, match="not there"):
        read_plan(tmp_path / "none.csv", town())
