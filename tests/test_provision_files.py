"""Lists of provisions, demand and scenarios as councils send them: read, or refused in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering.provision.demand_files import code_of, read_counts, read_school_needs
from clustering.provision.demand_rates import read_places, read_rates
from clustering.provision.register import ProvisionError
from clustering.provision.register_files import codes_in, read_council
from clustering.provision.register_record import from_census, from_record
from clustering.provision.scenario import read_scenario
from clustering.provision.settings import NEED_TYPES
from clustering.provision.viability import read_history
from geo.errors import StudyError
from geo.symbols import parse_numbers

SITES = pd.DataFrame(
    {
        "name": ["First Primary", "Second Juniors", "Big Academy", "Special School"],
        "setting": ["mainstream", "mainstream", "mainstream", "special"],
        "phase": ["primary", "primary", "all_through", ""],
        "easting": [1000.0, 2000.0, 3000.0, 4000.0],
        "northing": [5000.0] * 4,
        "area": ["Westby", "Westby", "Eastby", ""],
        "low_age": [4.0, 7.0, 4.0, 3.0],
        "high_age": [11.0, 11.0, 18.0, 19.0],
        "sex": ["mixed", "mixed", "girls", "mixed"],
        "selective": pd.array([pd.NA, False, True, pd.NA], dtype="boolean"),
        "faith": ["", "Roman Catholic", "", ""],
        "srp_kind": ["resourced provision", "", "sen unit", ""],
        "srp_places": [8.0, np.nan, 12.0, np.nan],
        "srp_on_roll": [7.0, np.nan, np.nan, np.nan],
        "need_types": ["SLCN;ASD", "", "NOT APPLICABLE;HI", "SLD"],
        "pupils": [200.0, 300.0, 1000.0, 90.0],
        "capacity": [210.0, 300.0, 1000.0, 100.0],
    },
    index=pd.Index(["100001", "100002", "100003", "100004"], name="urn"),
)


def sheet(text: str) -> pd.DataFrame:
    """Return cells as `read_sheet` does: text, index the line of the file."""
    lines = [line.strip().split(",") for line in text.strip().splitlines()]
    return pd.DataFrame(
        [[cell.strip() for cell in line] for line in lines[1:]],
        columns=[name.strip() for name in lines[0]],
        index=pd.RangeIndex(2, len(lines) + 1),
        dtype=str,
    )


def council(text: str) -> pd.DataFrame:
    return read_council(
        sheet(text), SITES, parse_numbers, file="srps.csv", replaced={"99": "100001"}
    )


# -- the council's list ------------------------------------------------------------------------


def test_a_list_as_a_council_keeps_it() -> None:
    table = council(
        """
        URN,Kind,Years,Need types,Places,On roll,Opened,Closes,Sex
        100001.0,SRP,R-6,ASC / SLCN,"16,4,01/09/2015,,
        """.replace('"', "")
    )
    one = table.loc["100001"]
    assert one["need_types"] == "SLCN;ASD"
    assert (one["low_age"], one["high_age"]) == (4, 11)
    assert (one["places"], one["on_roll"]) == (16, 4)
    assert one["opened"] == "2015-09-01"
    assert one["name"] == "First Primary"
    assert (one["area"], one["easting"]) == ("Westby", 1000)


def test_several_provisions_of_a_school_and_old_numbers() -> None:
    table = council(
        """
        urn,phase,need_types,places
        100003,secondary,HI,6
        99,primary,ASD,8
        100003,primary,ASD,10
        """
    )
    assert list(table.index) == ["100001", "100003/1", "100003/2"]
    ages = table[["low_age", "high_age"]].to_numpy().tolist()
    assert ages == [[4, 11], [4, 11], [11, 16]]
    assert table["selective"].tolist() == [False, True, True]
    assert table["sex"].tolist() == ["mixed", "girls", "girls"]


def test_a_junior_schools_provision_takes_its_own_years() -> None:
    table = council("urn,phase,need_types,places\n100002,primary,ASD,8")
    assert table[["low_age", "high_age"]].to_numpy().tolist() == [[7, 11]]


def test_a_provision_outside_the_schools_file() -> None:
    table = council(
        "urn,name,need_types,places,easting,northing\n555,Over the border,PD,9,7000,8000"
    )
    assert table.loc["555", ["name", "easting", "area"]].tolist() == ["Over the border", 7000, ""]


def test_unknown_places_stay_unknown() -> None:
    assert np.isnan(council("urn,need_types,places\n100001,ASD,").at["100001", "places"])


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("100009,SRP,primary,ASD,8,,", r"row 2: .*\(100009\): is no school.*Did you mean"),
        ("100001,SPR,primary,ASD,8,,", 'the kind is "SPR".*srp'),
        ("100001,SRP,primery,ASD,8,,", 'the phase is "primery".*primary'),
        ("100001,SRP,primary,AUT,8,,", '"AUT" is no need type.*Known are SPLD'),
        ("100001,SRP,primary,ASD,-3,,", 'places is "-3"'),
        ("100001,SRP,primary,ASD,many,,", 'places is "many"'),
        ("100001,SRP,primary,ASD,8,soon,", 'opened is "soon"'),
        ("100001,SRP,primary,ASD,8,2020-09-01,2019-08-31", "not after it opened"),
    ],
)
def test_faults_name_row_school_and_fix(line: str, told: str) -> None:
    with pytest.raises(ProvisionError, match=told):
        council("urn,kind,phase,need_types,places,opened,closes\n" + line)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("100001,6-1,,,,", 'row 2: .*the years are "6-1"'),
        ("100001,7-99,,,,", 'the years are "7-99"'),
        ("100001,,7,,,", "only one of low_age and high_age"),
        ("100001,,,11,,", "only one of low_age and high_age"),
        ("100001,,,,530000,", "only one of easting and northing"),
        ("100001,,,,,150000", "only one of easting and northing"),
    ],
)
def test_what_is_said_by_half_is_not_left_out(line: str, told: str) -> None:
    head = "urn,years,low_age,high_age,easting,northing,need_types,places\n"
    with pytest.raises(ProvisionError, match=told):
        council(f"{head}{line},ASD,8")


def test_a_school_of_two_years_is_not_counted_twice() -> None:
    needs = sheet("URN,EHC_Primary_need_asd\n100001,3\n100001,4")
    with pytest.raises(ProvisionError, match=r"row 3: .*100001.*stands on two rows"):
        read_school_needs(
            needs, parse_numbers, SITES, file="sen.csv", suppressed=2.5, replaced={}
        )  # fmt: skip
    joined = sheet("URN,EHC_Primary_need_asd\n100001,3\n99,4")
    counts, _ = read_school_needs(
        joined, parse_numbers, SITES, file="sen.csv", suppressed=2.5, replaced={"99": "100001"}
    )
    assert counts["children"].tolist() == [7]
    flags = sheet("URN,RP_Unit\n100001,1\n100001,1")
    with pytest.raises(ProvisionError, match=r"row 3: .*100001.*stands on two rows"):
        from_census(flags, SITES, parse_numbers, file="sen.csv")


def test_all_faults_at_once() -> None:
    with pytest.raises(ProvisionError) as caught:
        council(
            "urn,kind,need_types,places\n1,SRP,ASD,many\n100001,what,ZZ,3\n100001,,ASD,4\n100001,,ASD,4"
        )
    assert len(caught.value.faults) == 5
    with pytest.raises(ProvisionError, match="no column need_types, places"):
        council("urn,kind\n100001,SRP")


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=40))
def test_any_text_is_a_need_type_or_told(text: str) -> None:
    known, unknown = codes_in(text)
    assert set(known) <= set(NEED_TYPES)
    assert not set(unknown) & set(NEED_TYPES)


# -- the record and the census -----------------------------------------------------------------


def test_what_the_record_says() -> None:
    table = from_record(SITES)
    assert table["kind"].to_dict() == {"100001": "srp", "100003": "sen_unit", "100004": "special"}
    assert table["need_types"].to_dict() == {"100001": "SLCN;ASD", "100003": "HI", "100004": "SLD"}
    assert table.loc["100004", ["places", "on_roll"]].tolist() == [100, 90]
    assert table.at["100001", "places"] == 8


def test_flags_of_the_census_have_no_places() -> None:
    text = "URN,SEN_Unit,RP_Unit,prov_slcn,Prov_SLD\n100001,0,1,1,0\n100002,1,0,0,1\n100003,0,0,0,0"
    table = from_census(sheet(text), SITES, parse_numbers, file="sen.csv")
    assert table["kind"].to_dict() == {"100001": "srp", "100002": "sen_unit"}
    assert table["need_types"].to_dict() == {"100001": "SLCN", "100002": "SLD"}
    assert table["places"].isna().all()
    with pytest.raises(ProvisionError, match="RP_Unit"):
        from_census(sheet("URN,x\n1,2"), SITES, parse_numbers, file="sen.csv")


# -- demand ------------------------------------------------------------------------------------


def counts(text: str, places: tuple[str, ...] = ()) -> tuple[pd.DataFrame, list[str]]:
    return read_counts(
        sheet(text),
        parse_numbers,
        file="demand.csv",
        suppressed=2.5,
        schools=SITES.index,
        places=places,
        replaced={"99": "100001"},
    )


def test_counts_by_school_with_suppressed_cells() -> None:
    table, notes = counts(
        """
        urn,need_type,phase,children
        99,asc,primary,c
        100002,Speech Language and Communications needs,primary,12
        100003,HI,secondary,x
        """
    )
    assert table[["point", "need_type", "children"]].to_numpy().tolist() == [
        ["100001", "ASD", 2.5],
        ["100002", "SLCN", 12.0],
    ]
    assert any("1 suppressed counts" in note for note in notes)
    assert any("1 counts of demand are not known" in note for note in notes)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("lsoa,need_type,phase,children\nE0101,ASD,primary,3", "does not say where they are"),
        ("urn,need_type,phase,children\n100001,ASD,nursery,3", 'the phase is "nursery"'),
        ("urn,need_type,phase,children\n100001,ASD,primary,lots", 'children is "lots"'),
        ("urn,need_type,phase,children\n100001,AUT,primary,3", '"AUT" is no need type'),
        ("urn,need_type,phase,children\n7,ASD,primary,3", "is no school of the study"),
        ("urn,need_type,phase,children,kind\n100001,ASD,primary,3,hol", 'the kind is "hol"'),
        ("urn,type\n1,2", "needs urn or lsoa"),
        (
            "urn,need_type,phase,children\n100001,ASD,primary,3\n100001,ASD,primary,4",
            "row 3: 100001 stands twice",
        ),
    ],
)
def test_counts_that_cannot_be_used(text: str, told: str) -> None:
    with pytest.raises(ProvisionError, match=told):
        counts(text)


def test_two_vintages_of_neighbourhoods_are_refused() -> None:
    text = "lsoa11cd,need_type,phase,children\nE0101,ASD,primary,3\nE0102,ASD,primary,3"
    with pytest.raises(ProvisionError, match="2011 and 2021 cannot be mixed"):
        counts(text, places=("E0101",))
    table, _ = counts(text, places=("E0101", "E0102"))
    assert table["children"].sum() == 6


def test_published_need_by_school_adds_plans_and_support() -> None:
    text = (
        "URN,EHC_Primary_need_asd,SUP_Primary_need_asd,EHC_Primary_need_hi\n"
        "100001,3,4,z\n100003,12,c,x\n555,9,9,9"
    )
    table, notes = read_school_needs(
        sheet(text), parse_numbers, SITES[SITES["setting"] == "mainstream"],
        file="sen.csv", suppressed=2.5, replaced={},
    )  # fmt: skip
    found = table.set_index(["point", "need_type", "phase"])["children"].to_dict()
    assert found == pytest.approx(
        {("100001", "ASD", "primary"): 7, ("100003", "ASD", "primary"): 14.5 * 7 / 12,
         ("100003", "ASD", "secondary"): 14.5 * 5 / 12}
    )  # fmt: skip
    assert notes == [
        "1 suppressed counts are taken as 2.5 each.",
        "1 counts of primary need are not known and left out.",
    ]


RATES = """
la_name,phase_type_grouping,primary_need,number_of_pupils,pupil_gender_boys,pupil_gender_girls
Kent,State-funded primary,Autistic Spectrum Disorder,100,70,30
Kent,State-funded special school,Autistic Spectrum Disorder,24,18,6
Kent,State-funded nursery,Autistic Spectrum Disorder,5,4,1
Medway,State-funded primary,Autistic Spectrum Disorder,9,9,0
"""


def test_rates_of_one_council_with_special_schools_split() -> None:
    table, boys, _ = read_rates(sheet(RATES), parse_numbers, file="rates.csv", la="Kent")
    found = table.set_index(["need_type", "phase"])["children"].to_dict()
    assert found == pytest.approx({("ASD", "primary"): 114, ("ASD", "secondary"): 10})
    assert boys["ASD", "primary"] == pytest.approx((70 + 10.5) / 114)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("Kent,Total,Autistic Spectrum Disorder,129,90,39", "row 5.*a total of other rows"),
        ("Kent,State-funded primary,Autistic Spectrum Disorder,98,70,28", "row 5.*stands twice"),
    ],
)
def test_rates_count_nobody_twice(line: str, told: str) -> None:
    text = RATES.replace("Medway,State-funded primary,Autistic Spectrum Disorder,9,9,0", line)
    with pytest.raises(ProvisionError, match=told):
        read_rates(sheet(text), parse_numbers, file="rates.csv", la="Kent")


def test_rates_that_are_not_known_are_told() -> None:
    text = RATES.replace("Disorder,24,18,6", "Disorder,c,c,c")
    table, _, notes = read_rates(sheet(text), parse_numbers, file="rates.csv", la="Kent")
    assert table["children"].tolist() == [100]
    assert notes == ["1 counts of the council's rates are not known and left out."]


@pytest.mark.parametrize(
    ("la", "told"), [(None, "holds 2 councils: Kent, Medway"), ("Knt", 'Did you mean "Kent"')]
)
def test_whose_rates_is_asked(la: str | None, told: str) -> None:
    with pytest.raises(ProvisionError, match=told):
        read_rates(sheet(RATES), parse_numbers, file="rates.csv", la=la)


def test_neighbourhoods_with_names_and_degrees() -> None:
    text = "LSOA11CD,LSOA11NM,Population (0-15),IDACI,lat,lon\nE01,Ashford 006A,278,0.204,51.1,0.9"
    table = read_places(sheet(text), parse_numbers, file="idaci.csv")
    assert table.loc["E01", ["name", "children", "idaci", "latitude"]].tolist() == [
        "Ashford 006A", 278, 0.204, 51.1,
    ]  # fmt: skip
    assert np.isnan(table.at["E01", "easting"])
    with pytest.raises(ProvisionError, match="needs LSOA codes and children"):
        read_places(sheet("code,n\n1,2"), parse_numbers, file="x.csv")
    with pytest.raises(ProvisionError, match='row 2: children is "-4"'):
        read_places(sheet("lsoa,children\nE1,-4"), parse_numbers, file="x.csv")
    with pytest.raises(ProvisionError, match="stands on two rows"):
        read_places(sheet("lsoa,children\nE1,2\nE1,3"), parse_numbers, file="x.csv")


def test_words_of_need_types() -> None:
    assert code_of("Multi- Sensory Impairment") == "MSI"
    assert code_of(" asc ") == "ASD"
    assert code_of("SEN support but no specialist assessment of type of need") == "NSA"
    assert code_of("Gifted") == ""


# -- history and scenarios ---------------------------------------------------------------------


def test_earlier_rolls() -> None:
    table = read_history(sheet("urn,year,on_roll\n2,2025,4\n1,2024,6"), parse_numbers, file="h.csv")
    assert table["urn"].tolist() == ["1", "2"]
    assert table["places"].isna().all()
    for text, told in (
        ("urn,on_roll\n1,2", "needs urn, year and on_roll"),
        ("urn,year,on_roll\n1,2024,2\n1,2024,3", "stands twice for the same year"),
        ("urn,year,on_roll\n1,2024,few", 'on_roll is "few"'),
        ("urn,year,on_roll\n1,,3", "the year is missing"),
    ):
        with pytest.raises(ProvisionError, match=told):
            read_history(sheet(text), parse_numbers, file="h.csv")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('name = "x"\n[[clse]]\nprovision = "1"', 'unknown key "clse". Did you mean "close"'),
        ('name = "x"\n[[close]]\nprovison = "1"', r'close\.0\.provison.*Did you mean "provision"'),
        (
            'name = "x"\n[[open]]\nurn = "1"\nneed_types = ["AUT"]\nplaces = 3',
            '"AUT" is no need type',
        ),
        ('name = "x"\n[[resize]]\nprovision = "1"', "give either places or by"),
        ("name = x", "not valid TOML"),
        ('title = "x"', "name: Field required"),
    ],
)
def test_scenarios_that_cannot_be_read(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "s.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StudyError, match=told):
        read_scenario(path)


def test_a_scenario_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "close.toml").write_text('name = "x"', encoding="utf-8")
    with pytest.raises(StudyError, match=r"Did you mean .close\.toml."):
        read_scenario(tmp_path / "clse.toml")
