"""A pack of all of Kent, from published figures: it holds, and it does not take long."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from clustering.inputs import Inputs
from clustering.publish.build import consultation, read_plans
from clustering.publish.pack_verify import verify
from clustering.publish.pack_write import publish
from tests.packs import inputs_of
from tests.test_money import needs_real

STUDY = Path(__file__).resolve().parents[1] / "benchmarks" / "kent.toml"


def sliced(inputs: Inputs, by: str, size: int) -> pd.DataFrame:
    """Return clusters that cut each district into slices of some schools along an axis."""
    table = inputs.table.sort_values([by, "name"])
    rank = table.groupby("area").cumcount()
    count = (table.groupby("area")["name"].transform("size") / size).round().clip(lower=1)
    place = (rank * count // table.groupby("area")["name"].transform("size") + 1).astype(int)
    labels = table["area"] + " " + place.astype(str)
    return labels.rename("cluster").rename_axis("urn").reset_index()


@pytest.mark.real
@needs_real
def test_a_pack_of_kent_is_as_it_should_be(tmp_path):
    inputs = inputs_of(STUDY)
    for name, by, size in (("across", "easting", 12), ("along", "northing", 11)):
        sliced(inputs, by, size).to_csv(tmp_path / f"{name}.csv", index=False)
    said = consultation(inputs, read_plans(inputs, sorted(tmp_path.glob("*.csv"))))
    out, *_ = publish(said, tmp_path / "pack")
    assert verify(out, said).faults == ()
    cells = [c for c in said.numbers.published()["cells"] if c["name"] != "pupils"]
    shown = sum(cell["value"] is not None for cell in cells)
    assert 0.9 * len(cells) < shown
    page = (out / "schools.html").read_text(encoding="utf-8")
    assert page.count('<details class="school"') == len(inputs.table) == 563
