"""A toy county of provision, small enough to work out by hand.

Four neighbourhoods of one district stand in a row, ten minutes apart, and one lies on an island
from which no way leads. Two primary provisions for ASD stand at the ends, with six places each.

    a ---10--- b ---10--- c ---10--- d        e (island)
    West                          East
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from clustering.provision.demand import Demand
from clustering.provision.register import COLUMNS, Register
from clustering.provision.settings import ProvisionTable

POINTS = {"a": (0, 0.9), "b": (10, 0.5), "c": (20, 0.3), "d": (30, 0.1), "e": (99, 0.2)}
"""Minutes along the row, and IDACI."""
PLAIN = {"pickup_factor": 1.0, "pickup_minutes": 0.0}


def settings(**changes: object) -> ProvisionTable:
    """Return settings without an overhead for picking up, so that minutes stay as drawn."""
    return ProvisionTable.model_validate({**PLAIN, **changes})


def provision(label: str, at: float, **changes: object) -> dict[str, object]:
    """Return one provision of the row, primary and for ASD unless said otherwise."""
    return {
        "provision": label,
        "urn": label.split("/")[0],
        "name": label.title(),
        "kind": "srp",
        "need_types": "ASD",
        "low_age": 4.0,
        "high_age": 11.0,
        "places": 6.0,
        "on_roll": 6.0,
        "sex": "mixed",
        "selective": False,
        "faith": "",
        "opened": "",
        "closes": "",
        "easting": at,
        "northing": 0.0,
        "area": "Row",
        "source": "council",
        **changes,
    }


def register(rows: Iterable[Mapping[str, object]] | None = None) -> Register:
    """Return a register: West and East unless others are given."""
    given = [provision("west", 0), provision("east", 30)] if rows is None else list(rows)
    table = pd.DataFrame(given).set_index("provision")[list(COLUMNS)]
    return Register(table.sort_index(), pd.DataFrame())


def demand(
    children: Mapping[str, float], *, need: str = "ASD", phase: str = "primary", boys: float = 0.5
) -> Demand:
    """Return children of one need type and phase by point."""
    rows = pd.DataFrame(
        [(p, "srp", need, phase, float(n)) for p, n in sorted(children.items())],
        columns=["point", "kind", "need_type", "phase", "children"],
    ).astype({"children": float})
    points = pd.DataFrame(
        {
            "name": [f"Place {p}" for p in POINTS],
            "easting": [x for x, _ in POINTS.values()],
            "northing": 0.0,
            "area": "Row",
            "idaci": [score for _, score in POINTS.values()],
        },
        index=pd.Index(POINTS, name="point"),
    )
    return Demand(rows, points, "by hand", 2026, False, boys={(need, phase): boys})


def minutes(own: Register) -> pd.DataFrame:
    """Return driving minutes from points and provisions to provisions; NaN to and from e."""
    ends = own.table["easting"]
    starts = pd.concat([pd.Series({p: float(x) for p, (x, _) in POINTS.items()}), ends])
    way = np.abs(starts.to_numpy()[:, None] - ends.to_numpy()[None, :])
    way[(starts == 99).to_numpy()] = np.nan
    return pd.DataFrame(way, index=starts.index, columns=ends.index)
