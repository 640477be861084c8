"""Figures beyond the schools table: each shape by hand, each fault kept and broken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clustering.idaci import idaci_rates
from clustering.need_files import (
    YEARS,
    FiguresError,
    read_deprivation,
    read_figures,
    read_homes,
    with_figures,
)
from clustering.nff import unit_values
from geo.errors import StudyError
from geo.symbols import parse_numbers


def headed(headings: list[str], *rows: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        rows, columns=headings, index=pd.RangeIndex(2, 2 + len(rows), name="row"), dtype=str
    )


def figures(table: pd.DataFrame, **options: object) -> pd.DataFrame:
    return read_figures(table, parse_numbers, file="figures.csv", **options)


# -- figures ---------------------------------------------------------------------------------------


def test_published_allocations_are_recognised_by_their_headings():
    found = figures(
        headed(
            ["school_urn", "prior_attainment_total_funding", "idaci_funding", "notional_sen", "x"],
            ["900001", "11,750", "6850", "59000", "?"],
            ["900002.0", "c", "", "z", ""],
        )
    )
    assert found.loc["900001"].to_dict() == {
        "idaci": 6850,
        "prior_attainment_funding": 11_750,
        "notional_sen": 59_000,
    }
    assert found.loc["900002"].isna().all()


def test_figures_of_schools_that_merged_are_added_up():
    table = headed(["URN", "low prior attainment"], ["900001", "5"], ["900002", "7"])
    found = figures(table, replaced={"900001": "900009", "900002": "900009"})
    assert found["low_prior_attainment"].to_dict() == {"900009": 12}


def test_earlier_census_in_both_published_shapes():
    census = headed(["URN", "NOR", "TSENELSE", "TSENELK"], ["900001", "100", "3", "12"])
    by_name = headed(
        ["school_name", "Total pupils", "SEN support", "EHC plan", "URN_matched"],
        ["Alder", "100", "12", "3", "900001"],
        ["Birch", "50", "1", "1", ""],
    )
    for table in (census, by_name):
        found = figures(table, wanted=YEARS, required=tuple(YEARS))
        assert found.loc["900001"].to_dict() == {
            "pupils": 100,
            "sen_support": 12,
            "ehc_plans": 3,
        }
        assert len(found) == 1


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (headed(["name", "idaci funding"], ["Alder", "1"]), "no column URN"),
        (headed(["URN", "colour"], ["900001", "red"]), "has no column"),
        (headed(["URN", "idaci funding"], ["900001", "red"]), "no count or sum of money"),
        (headed(["URN", "idaci funding"], ["900001", "-4"]), "no count or sum of money"),
        (headed(["URN", "idaci funding"], ["900001", "1"], ["900001", "2"]), "on two rows"),
    ],
)
def test_figures_that_cannot_be(table, words):
    with pytest.raises(FiguresError, match=words):
        figures(table)


def test_pounds_may_carry_their_sign():
    table = headed(["URN", "baseline"], ["900001", "£1,234.50"], ["900002", " £ 7"])
    assert figures(table)["baseline"].tolist() == [1234.5, 7.0]


def test_all_faults_of_a_file_are_told_at_once():
    table = headed(["URN", "idaci funding"], ["900001", "red"], ["900001", "blue"])
    with pytest.raises(FiguresError) as caught:
        figures(table)
    assert len(caught.value.faults) == 3
    assert {fault.row for fault in caught.value.faults} == {2, 3}


def test_a_figure_given_goes_before_one_in_the_table():
    schools = pd.DataFrame({"srp_places": [10.0, 4.0]}, index=["900001", "900002"])
    given = pd.DataFrame({"srp_places": [12.0, np.nan]}, index=["900001", "900002"])
    assert with_figures(schools, given)["srp_places"].tolist() == [12.0, 4.0]


# -- IDACI -----------------------------------------------------------------------------------------


def deprivation(table: pd.DataFrame):
    return read_deprivation(table, parse_numbers, file="idaci.csv")


def test_rank_in_england_goes_before_score():
    found = deprivation(
        headed(["LSOA11CD", "IDACI", "IDACI_rank_england"], ["E01000001", "0.3", "328.44"])
    )
    assert found.vintage == "2011"
    assert found.position["E01000001"] == pytest.approx(0.01)
    assert not found.proxy


def test_file_seven_as_published():
    found = deprivation(
        headed(
            [
                "LSOA code (2021)",
                "Income Deprivation Affecting Children Index (IDACI) Score (rate)",
                "Income Deprivation Affecting Children Index (IDACI) Rank (where 1 is most "
                "deprived)",
                "Income Deprivation Affecting Children Index (IDACI) Decile (where 1 is most "
                "deprived 10% of LSOAs)",
            ],
            ["E01000001", "0.5", "33755", "10"],
        )
    )
    assert found.vintage == "2021"
    assert found.position["E01000001"] == 1


def test_numerator_over_children_is_a_score():
    found = deprivation(
        headed(
            ["LSOA21CD", "idaci_numerator", "Population (0-15)"],
            ["E01000001", "50", "200"],
        )
    )
    assert found.score["E01000001"] == 0.25
    assert found.position.isna().all()


def test_income_rank_stands_in_and_says_so():
    found = deprivation(
        headed(["LSOA21CD", "Income_rank", "Income_decile", "idaci_numerator"],
               ["E01000001", "100", "1", "50"])
    )  # fmt: skip
    assert found.proxy
    assert "all ages" in found.basis


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (headed(["area", "IDACI"], ["E01000001", "0.2"]), "no column of LSOA codes"),
        (headed(["LSOA21CD", "IMD_rank"], ["E01000001", "2"]), "no IDACI rank or score"),
        (headed(["LSOA21CD", "IDACI"], ["E01000001", "high"]), 'IDACI is "high"'),
        (
            headed(["LSOA21CD", "IDACI"], ["E01000001", "0.1"], ["E01000001", "0.2"]),
            "stands on two rows",
        ),
    ],
)
def test_idaci_tables_that_cannot_be(table, words):
    with pytest.raises(FiguresError, match=words):
        deprivation(table)


def schools(lsoas: list[str], phases: list[str]) -> pd.DataFrame:
    urns = [f"9{k:05d}" for k in range(len(lsoas))]
    return pd.DataFrame({"lsoa": lsoas, "phase": phases}, index=pd.Index(urns, name="urn"))


def ranked(**ranks: str):
    return deprivation(
        headed(["LSOA21CD", "IDACI rank"], *([code, rank] for code, rank in ranks.items()))
    )


def test_pounds_of_a_band_by_phase_at_the_schools_own_lsoa():
    """Of 33,755: rank 800 is in the top 2.5 % (A), rank 2,000 in the next 5 % (B), 30,000 in G."""
    table = schools(["E1", "E1", "E1", "E2", "E3"],
                    ["primary", "secondary", "all_through", "primary", "primary"])  # fmt: skip
    found = idaci_rates(table, ranked(E1="800", E2="2000", E3="30000"), unit_values())
    assert found.rate.tolist() == [685, 950, 817.5, 520, 0]
    assert "neighbourhood of the school" in found.approximate


def test_pupils_homes_are_weighted_and_not_approximate():
    homes = read_homes(
        headed(
            ["urn", "lsoa21", "pupils"],
            ["900000", "e1", "30"],
            ["900000", "E3", "10"],
            ["900001", "E3", "c"],
        ),
        parse_numbers,
        file="homes.csv",
    )
    assert homes["pupils"].tolist() == [30, 10, 2.5]
    table = schools(["", ""], ["primary", "primary"])
    found = idaci_rates(table, ranked(E1="800", E3="30000"), unit_values(), homes=homes)
    assert found.rate.tolist() == [685 * 0.75, 0]
    assert found.approximate == ""


def test_codes_of_another_year_are_refused_unless_accepted_on_record():
    table = schools(["E1", "E9"], ["primary", "primary"])
    old = deprivation(headed(["LSOA11CD", "IDACI rank"], ["E1", "800"]))
    with pytest.raises(FiguresError, match=r"only 50\.0% .* of 2011, .* of 2021. Not found: E9"):
        idaci_rates(table, old, unit_values())
    found = idaci_rates(table, old, unit_values(), match=0.5)
    assert found.rate.notna().tolist() == [True, False]
    assert found.approximate.endswith(
        "; 50.0% of the neighbourhoods are not among the LSOAs of 2011 of its table"
    )


def test_schools_without_lsoa_cannot_be_looked_up():
    with pytest.raises(FiguresError, match="no LSOA codes"):
        idaci_rates(schools([""], ["primary"]), ranked(E1="1"), unit_values())


# -- unit values -----------------------------------------------------------------------------------

AREA_COST = 1.00017
"""Area cost adjustment of the council of the two academies whose statements are quoted below."""
PRIMARY_STATEMENT = {"B": 1_040.18, "D": 890.16, "E": 13_682.40, "F": 4_935.84}
SECONDARY_STATEMENT = {
    **{"A": 84_564.24, "B": 73_022.74, "C": 2_085.36},
    **{"D": 89_550.51, "E": 15_302.72, "F": 76_173.44},
}
"""IDACI pounds of two academies' funding statements of 2025-26, as quoted in public code."""


def test_shipped_unit_values_say_that_nobody_checked_them():
    values = unit_values()
    assert "nobody has checked in full" in values.note
    assert values.year == "2025-26"


@pytest.mark.parametrize(
    ("phase", "band", "pounds"),
    [
        *(("primary", band, pounds) for band, pounds in PRIMARY_STATEMENT.items()),
        *(("secondary", band, pounds) for band, pounds in SECONDARY_STATEMENT.items()),
    ],
)
def test_unit_values_divide_a_funding_statement_into_whole_pupils(phase, band, pounds):
    unit = getattr(unit_values().idaci, phase)[band]
    pupils = pounds / round(unit * AREA_COST, 2)
    assert abs(pupils - round(pupils)) < 1e-6


def test_a_planners_own_unit_values(tmp_path: Path):
    from importlib.resources import files

    text = files("clustering").joinpath("tables", "nff_2025_26.toml").read_text(encoding="utf-8")
    own = tmp_path / "own.toml"
    own.write_text(text.replace("checked = false", "checked = true"), encoding="utf-8")
    assert "nobody" not in unit_values(own).note
    own.write_text(text.replace("\nA = 685", ""), encoding="utf-8")
    with pytest.raises(StudyError, match="no value for IDACI band A"):
        unit_values(own)
    own.write_text("year = ", encoding="utf-8")
    with pytest.raises(StudyError, match="cannot be read"):
        unit_values(own)
    own.write_text('year = "2030-31"', encoding="utf-8")
    with pytest.raises(StudyError, match="low_prior_attainment: field required"):
        unit_values(own)
