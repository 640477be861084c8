"""The panel of each cluster: who has a seat, who is host, and whether one trust has most of them.

Seats belong to schools; nobody's name is written here.
"""

from __future__ import annotations

import pandas as pd

from clustering.plan import Plan

TRUST_SHARE = 0.6
"""A trust with more than this part of a cluster's seats is flagged, not forbidden."""
COLUMNS = (
    *("cluster", "urn", "school", "phase", "trust", "federation", "seats", "host"),
    *("minutes_to_host", "trust_seats", "trust_share", "flag"),
)


def panel(
    plan: Plan,
    schools: pd.DataFrame,
    minutes: pd.DataFrame,
    *,
    federation_one_seat: bool = False,
    trust_share: float = TRUST_SHARE,
) -> pd.DataFrame:
    """Return a row for each seat-holding school: `COLUMNS`, by cluster and URN.

    The host is the hub; `minutes_to_host` from the school, 0 for the host. With
    `federation_one_seat`, schools of one federation in a cluster share one seat in equal parts.
    `trust_share` is the trust's part of the cluster's seats, NaN for a school in no trust; `flag`
    says where it is above the limit.
    """
    rows = []
    for cluster in plan.clusters:
        for urn in cluster.schools:
            school = schools.loc[urn]
            rows.append(
                {
                    "cluster": cluster.label,
                    "urn": urn,
                    "school": school["name"],
                    "phase": school["phase"],
                    "trust": str(school.get("trust", "") or ""),
                    "federation": str(school.get("federation", "") or ""),
                    "host": "yes" if urn == cluster.hub else "no",
                    "minutes_to_host": round(float(minutes.at[urn, cluster.hub]), 1),
                }
            )
    table = pd.DataFrame(rows, columns=[c for c in COLUMNS if c not in COUNTED])
    table["seats"] = _seats(table, federation_one_seat)
    all_seats = table.groupby("cluster")["seats"].transform("sum")
    own = table.groupby(["cluster", "trust"])["seats"].transform("sum")
    in_trust = table["trust"] != ""
    table["trust_seats"] = own.where(in_trust).round(6)
    table["trust_share"] = (own / all_seats).where(in_trust).round(4)
    limit = f"one trust has more than {trust_share:.0%} of the seats"
    table["flag"] = [limit if share > trust_share + 1e-9 else "" for share in table["trust_share"]]
    return table[list(COLUMNS)]


def largest_trusts(seats: pd.DataFrame) -> pd.DataFrame:
    """Return by cluster the trust with most seats of a panel and its part of them.

    Columns `largest_trust` ("" where no school is in a trust; of equal ones the first by name) and
    `trust_share` (NaN there), index cluster in the order of the panel.
    """
    ranked = seats.sort_values(["trust_share", "trust"], ascending=[False, True], kind="stable")
    first = ranked.drop_duplicates("cluster").set_index("cluster")
    found = first.loc[seats["cluster"].unique(), ["trust", "trust_share"]]
    return found.rename(columns={"trust": "largest_trust"})


def trust_sentences(seats: pd.DataFrame) -> list[str]:
    """Name each cluster in which one trust has more of the seats than the limit of the panel."""
    flagged = seats[seats["flag"] != ""].drop_duplicates("cluster")
    return [
        f"{row.cluster}: {row.trust} has {row.trust_share:.0%} of the seats."
        for row in flagged.itertuples()
    ]


COUNTED = ("seats", "trust_seats", "trust_share", "flag")


def _seats(table: pd.DataFrame, one_seat: bool) -> pd.Series:
    seats = pd.Series(1.0, index=table.index)
    if one_seat:
        size = table.groupby(["cluster", "federation"])["urn"].transform("size")
        seats = seats.where(table["federation"] == "", (1 / size).round(6))
    return seats
