"""Reading a supplied table of minutes: every layout, every fault."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import TravelError
from geo.matrix import read_matrix

URNS = ["900003", "900001", "900002"]
WIDE = """urn,900001,900002,900003
900001,0,10,20.04
900002,12,0,30
900003,22,32,0
"""


def text_file(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_text(text, encoding=encoding)
    return path


def long_of(wide: str) -> pd.DataFrame:
    rows = [line.split(",") for line in wide.strip().splitlines()]
    return pd.DataFrame(
        [
            (row[0], end, float(value))
            for row in rows[1:]
            for end, value in zip(rows[0][1:], row[1:], strict=True)
            if row[0] != end
        ],
        columns=["from_urn", "to_urn", "minutes"],
    )


@pytest.mark.parametrize("layout", ["wide.csv", "long.csv", "long.parquet", "wide.xlsx"])
@pytest.mark.parametrize("labels", ["text", "numbers"])
def test_every_layout_gives_the_same_table(tmp_path, layout, labels):
    path = tmp_path / layout
    frame = long_of(WIDE)
    if labels == "numbers":
        frame = frame.astype({"from_urn": int, "to_urn": float})
    if layout == "wide.csv":
        text_file(path, WIDE)
    elif layout == "long.csv":
        frame.to_csv(path, index=False)
    elif layout == "long.parquet":
        frame.to_parquet(path)
    else:
        wide = frame.pivot(index="from_urn", columns="to_urn", values="minutes")
        wide.to_excel(path)
    minutes = read_matrix(path, URNS)
    assert list(minutes.table.index) == list(minutes.table.columns) == sorted(URNS)
    assert minutes.table.to_numpy().tolist() == [[0, 10, 20], [12, 0, 30], [22, 32, 0]]
    assert minutes.kind == "matrix"
    assert minutes.source == f"minutes supplied in {layout}"
    assert minutes.notes == ()


def test_wide_parquet_with_labels_as_index(tmp_path):
    path = tmp_path / "wide.parquet"
    long_of(WIDE).pivot(index="from_urn", columns="to_urn", values="minutes").to_parquet(path)
    assert read_matrix(path, URNS).table.loc["900003", "900001"] == 22


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
def test_encodings_of_spreadsheets(tmp_path, encoding):
    text = WIDE.replace("urn", "écoles") if encoding == "cp1252" else WIDE
    minutes = read_matrix(text_file(tmp_path / "m.csv", text, encoding), URNS)
    assert minutes.table.loc["900001", "900002"] == 10
    assert bool(minutes.notes) == (encoding == "cp1252")


def test_schools_not_asked_for_are_left_out_and_noted(tmp_path):
    minutes = read_matrix(text_file(tmp_path / "m.csv", WIDE), ["900001", "900003"])
    assert minutes.table.shape == (2, 2)
    assert minutes.notes == ("1 school of the table left out, not in the study: 900002.",)


def test_zero_between_two_schools_takes_the_floor_and_is_noted(tmp_path):
    text = WIDE.replace("900001,0,10", "900001,0,0")
    minutes = read_matrix(text_file(tmp_path / "m.csv", text), URNS, floor_minutes=3.0)
    assert minutes.table.loc["900001", "900002"] == 3.0
    assert minutes.table.loc["900002", "900001"] == 12.0
    assert minutes.notes[0].startswith("1 journey of zero minutes")


def test_missing_pairs_are_counted_and_named(tmp_path):
    text = WIDE.replace("20.04", "").replace("32", " ")
    with pytest.raises(TravelError) as caught:
        read_matrix(text_file(tmp_path / "m.csv", text), URNS)
    assert "2 journeys without minutes: 900001 to 900003, 900003 to 900002." in str(caught.value)


def test_pair_with_only_strangers_in_the_file_is_missing_too(tmp_path):
    frame = pd.DataFrame(
        [
            ("900001", "999999", 5),
            ("999999", "900002", 5),
            ("900002", "900001", 5),
            ("900001", "900002", 5),
            ("999999", "900003", 5),
            ("900003", "999999", 5),
        ],
        columns=["from", "to", "mins"],
    )
    path = tmp_path / "m.csv"
    frame.to_csv(path, index=False)
    with pytest.raises(TravelError, match="4 journeys without minutes"):
        read_matrix(path, URNS)


def test_only_the_first_ten_of_many_are_named(tmp_path):
    urns = [str(900_001 + number) for number in range(5)]
    heads = ",".join(urns)
    text = f"urn,{heads}\n" + "".join(f"{urn},,,,,\n" for urn in urns)
    with pytest.raises(TravelError, match=r"20 journeys without minutes.* and 10 more"):
        read_matrix(text_file(tmp_path / "m.csv", text), urns)


def test_faults_are_gathered_with_their_rows(tmp_path):
    text = WIDE.replace("900001,0,10", "900001,0,ten").replace("32", "-32").replace("12", "inf")
    with pytest.raises(TravelError) as caught:
        read_matrix(text_file(tmp_path / "m.csv", text), [*URNS, "900009"])
    said = {(fault.row, fault.urn): fault.what for fault in caught.value.faults}
    assert '"ten" from 900001 to 900002 is not a number' in said[2, ""]
    assert '"inf" from 900002 to 900001 is not a number' in said[3, ""]
    assert '"-32" from 900003 to 900002 is negative' in said[4, ""]
    assert "does not occur in the table" in said[None, "900009"]
    assert len(said) == 4


def test_school_in_rows_but_not_in_columns_is_named(tmp_path):
    with pytest.raises(TravelError, match=r"\(900004\): .*not occur in any column"):
        read_matrix(text_file(tmp_path / "m.csv", WIDE + "900004,1,1,1\n"), [*URNS, "900004"])


def test_seconds_are_suspected(tmp_path):
    frame = long_of(WIDE)
    frame["minutes"] *= 60
    path = tmp_path / "m.csv"
    frame.to_csv(path, index=False)
    with pytest.raises(TravelError, match="look like seconds"):
        read_matrix(path, URNS)


def test_pair_given_twice_must_agree(tmp_path):
    frame = long_of(WIDE)
    path = tmp_path / "m.csv"
    pd.concat([frame, frame.iloc[:1]]).to_csv(path, index=False)
    assert "1 journey given twice with the same" in read_matrix(path, URNS).notes[0]
    pd.concat([frame, frame.iloc[:1].assign(minutes=99)]).to_csv(path, index=False)
    with pytest.raises(TravelError, match="900001 to 900002 is given 2 times, from 10 to 99"):
        read_matrix(path, URNS)
    twice = "urn,900001,900002,900002\n900001,0,1,9\n900002,1,0,0\n"
    with pytest.raises(TravelError, match="column 900002 stands twice"):
        read_matrix(text_file(path, twice), ["900001", "900002"])


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("m.csv", "", "cannot be read"),
        ("m.csv", "urn,900001\n", "table is empty"),
        ("m.csv", "a,b,c\n1,2,3\n", "neither a wide nor a long table"),
        ("m.csv", "urn,900001\n900001,1,2,3,4\n", "cannot be read"),
        ("m.xlsx", "no workbook", "cannot be read"),
        ("m.parquet", "no parquet", "cannot be read"),
        ("m.pdf", "paper", "cannot be read. Use CSV"),
    ],
)
def test_files_that_are_no_table(tmp_path, name, text, words):
    with pytest.raises(TravelError, match=words):
        read_matrix(text_file(tmp_path / name, text), URNS)
    with pytest.raises(TravelError, match="no such file"):
        read_matrix(tmp_path / "absent.csv", URNS)


cells = st.one_of(
    st.floats(0, 200).map(lambda value: f"{value:.2f}"),
    st.sampled_from(["", "-1", "x", "nan", "inf", "0", " 7 ", "1e3", "1,5"]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(cells, min_size=6, max_size=6), st.permutations(range(6)))
def test_reader_gives_a_whole_table_or_faults_in_any_row_order(tmp_path_factory, values, order):
    pairs = [(a, b) for a in sorted(URNS) for b in sorted(URNS) if a != b]
    frame = pd.DataFrame(pairs, columns=["from_urn", "to_urn"]).assign(minutes=values)
    folder = tmp_path_factory.mktemp("matrix")
    results = []
    for number, table in enumerate((frame, frame.iloc[list(order)])):
        path = folder / f"{number}.csv"
        table.to_csv(path, index=False)
        try:
            minutes = read_matrix(path, URNS)
        except TravelError as error:
            results.append(sorted(fault.what for fault in error.faults))
        else:
            assert minutes.table.notna().all(axis=None)
            off = minutes.table.to_numpy()[~pd.Series([True, False, False]).to_numpy()]
            assert (off >= 0).all()
            results.append(minutes.table.to_numpy().tolist())
    assert results[0] == results[1]
