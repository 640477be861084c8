"""A toy town whose best plan is obvious to the eye, for every test to share.

    W4 W5 W6                 E4 E5 E6
    W3 WS W7   (10 km gap)   E3 ES E7
    W2 W1 W8                 E2 E1 E8

Two groups of nine schools, eight primaries around one secondary in the middle, a minute or two
apart within a group and half an hour across the gap. Any person would draw two clusters with the
secondaries as hubs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clustering.problem import Problem, build_problem
from clustering.rules import Goals, Rules
from tests.page_checks import chromium

AROUND = [(0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1)]
SPACING, GAP = 1_000.0, 20_000.0
METRES_A_MINUTE = 500.0


def town_schools() -> pd.DataFrame:
    """Return the schools table of the toy town: 900101.. in the west, 900201.. in the east."""
    rows = []
    for side, (letter, centre) in enumerate((("W", 600_000.0), ("E", 600_000.0 + GAP))):
        for k, (dx, dy) in enumerate([(0, 0), *AROUND]):
            rows.append(
                {
                    "urn": f"900{side + 1}{k:02d}",
                    "name": f"{letter}S Academy" if k == 0 else f"{letter}{k} Primary School",
                    "phase": "secondary" if k == 0 else "primary",
                    "low_age": 11.0 if k == 0 else 4.0,
                    "high_age": 16.0 if k == 0 else 11.0,
                    "sex": "mixed",
                    "faith": "",
                    "selective": False,
                    "area": "Westby" if side == 0 else "Eastby",
                    "easting": centre + dx * SPACING,
                    "northing": 400_000.0 + dy * SPACING,
                    "pupils": 800.0 if k == 0 else 200.0,
                    "ehc_plans": 24.0 if k == 0 else 6.0,
                    "sen_support": 100.0 if k == 0 else 25.0,
                    "fsm6": 200.0 if k == 0 else 50.0,
                    "laestab": f"9{side}{k:05d}",
                    "postcode": f"ZZ{side}{k}",
                }
            )
    table = pd.DataFrame(rows).set_index("urn")
    return table.astype({"selective": "boolean"})


def crow_minutes(schools: pd.DataFrame) -> pd.DataFrame:
    """Return straight-line minutes between the schools of a table."""
    xy = schools[["easting", "northing"]].to_numpy(float)
    metres = np.hypot(*(xy[:, None, :] - xy[None, :, :]).transpose(2, 0, 1))
    return pd.DataFrame(metres / METRES_A_MINUTE, index=schools.index, columns=schools.index)


def town_flows(schools: pd.DataFrame) -> pd.DataFrame:
    """Return 28 leavers a year from each primary: 20 to its own secondary, 8 across the gap."""
    primaries = schools.index[schools["phase"] == "primary"]
    rows = []
    for urn in primaries:
        own, other = ("900100", "900200") if urn < "900200" else ("900200", "900100")
        rows += [(urn, own, 20.0), (urn, other, 8.0)]
    return pd.DataFrame(rows, columns=["from_urn", "to_urn", "pupils"])


@pytest.fixture
def schools() -> pd.DataFrame:
    """The schools table of the toy town."""
    return town_schools()


TownMaker = Callable[..., Problem]


@pytest.fixture
def town() -> TownMaker:
    """Make the toy town's problem; keywords change rules, goals or any input."""

    def make(
        rules: dict[str, object] | None = None,
        goals: dict[str, object] | None = None,
        **inputs: object,
    ) -> Problem:
        table = inputs.pop("schools", None)
        table = town_schools() if table is None else table
        assert isinstance(table, pd.DataFrame)
        given: dict[str, object] = {
            "minutes": crow_minutes(table),
            "need": table["pupils"],
            "feeders": town_flows(table),
            **inputs,
        }
        return build_problem(
            table,
            rules=Rules(**{"areas": "price", **(rules or {})}),  # type: ignore[arg-type]
            goals=Goals(**(goals or {})),  # type: ignore[arg-type]
            **given,  # type: ignore[arg-type]
        )

    return make


Opener = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium for the tests of a module."""
    with chromium() as running:
        yield running


@pytest.fixture
def open_page(browser: Any, address: str) -> Iterator[Opener]:
    """Open the module's `address` without a network; fail on any request, message or error."""
    contexts, said, asked = [], [], []

    def opener(width: int = 1280, height: int = 900, wait: bool = True, **options: Any) -> Any:
        viewport = {"width": width, "height": height}
        contexts.append(browser.new_context(viewport=viewport, offline=True, **options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        if wait:
            page.wait_for_selector("[data-ready]", timeout=10_000)
        return page

    yield opener
    for context in contexts:
        context.close()
    assert said == []
    assert {url for url in asked if not url.startswith("data:")} <= {address}
