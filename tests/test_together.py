"""Which schools are kept together by default."""

from __future__ import annotations

import pandas as pd

from clustering.together import infant_junior_pairs, same_site_pairs, ties


def table(*rows: tuple[str, str, float, float, float, float]) -> pd.DataFrame:
    columns = ["urn", "name", "low_age", "high_age", "easting", "northing"]
    return pd.DataFrame(rows, columns=columns).set_index("urn")


INFANT = ("900001", "Ivy Lane Infant School", 4.0, 7.0, 600_000.0, 400_000.0)
JUNIOR = ("900002", "Ivy Lane Junior School", 7.0, 11.0, 600_300.0, 400_000.0)


def test_infant_and_junior_side_by_side_are_a_pair():
    assert infant_junior_pairs(table(JUNIOR, INFANT)) == [("900001", "900002")]


def test_namesakes_may_stand_farther_apart_than_strangers():
    apart = (*JUNIOR[:4], 601_200.0, 400_000.0)
    assert infant_junior_pairs(table(INFANT, apart)) == [("900001", "900002")]
    stranger = (apart[0], "Oak Row Junior School", *apart[2:])
    assert infant_junior_pairs(table(INFANT, stranger)) == []


def test_a_junior_with_two_infant_schools_is_tied_to_both():
    second = ("900003", "Elm Infant School", 5.0, 7.0, 600_350.0, 400_100.0)
    assert len(infant_junior_pairs(table(INFANT, JUNIOR, second))) == 2


def test_all_age_primaries_are_no_pair():
    a = ("900001", "Ivy Lane Primary School", 4.0, 11.0, 600_000.0, 400_000.0)
    assert infant_junior_pairs(table(a, JUNIOR)) == []


def test_shared_sites():
    near = ("900003", "Beech High School", 11.0, 16.0, 600_020.0, 400_000.0)
    assert same_site_pairs(table(INFANT, near, JUNIOR)) == [("900001", "900003")]


def test_a_study_chooses_what_is_kept_together():
    assert ties(table(INFANT, JUNIOR), ("same_site",)) == []
    assert ties(table(INFANT, JUNIOR), ("infant_junior", "same_site")) == [("900001", "900002")]
