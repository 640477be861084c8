"""Need by factor as a table and bars, and the table of feeders: what stands there is what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from clustering.inputs import Inputs, load_inputs
from clustering.opting import FEW
from clustering.plan import Plan
from clustering.publish.feeder_table import feeder_table
from clustering.publish.need_page import FROM, need_of_schools, write_need
from clustering.report import assess
from clustering.run import judge
from clustering.study import Study
from tests.studies import county

NASTY = "<script>alert(1)</script> & Co Primary School"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Inputs, Plan]:
    """A county with a nasty name and a school in no cluster, and today's clusters as a plan."""
    folder = tmp_path_factory.mktemp("need")
    whole = county()
    whole.cell("910001", "name", NASTY)
    whole.existing = whole.existing[whole.existing["urn"] != "910003"]
    inputs = load_inputs(Study.load(whole.write(folder)))
    return inputs, judge(inputs, folder / "existing.csv")[0]


@pytest.fixture(scope="module")
def written(loaded: tuple[Inputs, Plan], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    write_need(folder, *loaded)
    return folder


def test_factors_add_up_to_the_need_of_clusters_and_schools(loaded, written):
    inputs, plan = loaded
    table = pd.read_csv(written / "need.csv").set_index("cluster")
    parts = [c for c in table if c.startswith(FROM)]
    assert parts == [FROM + f for f in inputs.need.weights]
    assert (table[parts].sum(axis=1) - table["need"]).abs().max() < 0.02
    of = pd.Series(dict(plan.cluster_of))
    for label, row in table.iterrows():
        own = of.index[of == label]
        assert row["need"] == pytest.approx(inputs.need.units[own].sum(), abs=0.01)
        assert row["schools"] == len(own)
    assert table["rank"].tolist() == table["need"].rank(ascending=False).astype(int).tolist()
    assert (table["rank_from"] <= table["rank"]).all()
    assert (table["rank"] <= table["rank_to"]).all()
    schools = need_of_schools(inputs.need, plan, inputs.table)
    assert sorted(schools.index) == sorted(inputs.table.index)
    assert schools["cluster"].iloc[-1] == ""
    assert (schools[parts].sum(axis=1) - schools["need"]).abs().max() < 1e-9


def test_page_is_whole_safe_and_asks_the_network_for_nothing(loaded, written):
    inputs, _ = loaded
    page = (written / "need.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r"https?:|url\(|@import| src=", page)
    assert "Not for publication" in page
    for urn in inputs.table.index:
        assert page.count(f"({urn})") == 1
    assert "In no cluster: 1 school<" in page
    assert inputs.need.banner in page


def test_bars_are_as_long_as_their_numbers(loaded, written):
    page = (written / "need.html").read_text(encoding="utf-8")
    clusters = pd.read_csv(written / "need.csv").set_index("cluster")
    rows = re.findall(
        r'<th scope="row">(Community \d)</th>\s*<td class="bar">(.*?)</td>', page, re.S
    )
    assert len(rows) == len(clusters)
    widest = clusters["need"].max()
    for label, bar in rows:
        widths = [float(w) for w in re.findall(r' width="([\d.]+)"', bar)]
        assert sum(widths) == pytest.approx(100 * clusters.at[label, "need"] / widest, abs=0.02)


def test_same_inputs_same_bytes(loaded, written, tmp_path):
    write_need(tmp_path, *loaded)
    for name in ("need.csv", "need.html"):
        assert (tmp_path / name).read_bytes() == (written / name).read_bytes()


def test_a_school_without_a_roll_is_not_known(tmp_path):
    whole = county()
    whole.cell("910002", "pupils", "")
    whole.merge('[schools]\nno_roll = "count"')
    inputs = load_inputs(Study.load(whole.write(tmp_path)))
    write_need(tmp_path, inputs, judge(inputs, tmp_path / "existing.csv")[0])
    page = (tmp_path / "need.html").read_text(encoding="utf-8")
    row = page.split("(910002)")[1].split("</tr>")[0]
    assert "<rect" not in row
    assert "not known" in row


def test_feeders_say_who_is_kept_and_hide_small_counts(loaded):
    inputs, plan = loaded
    report = assess(plan, inputs.problem)
    table = feeder_table(inputs, plan, report)
    links = inputs.feeders.links
    assert len(table) == len(links) + len(inputs.feeders.elsewhere)
    assert set(table["flow"]) == {"counted"}
    known = pd.to_numeric(table["pupils"], errors="coerce")
    assert (table["pupils"] == "c").sum() == (links["pupils"] < FEW).sum() + (
        inputs.feeders.elsewhere["pupils"] < FEW
    ).sum()
    assert known.dropna().min() >= FEW
    ours = table[table["to_urn"].isin(inputs.table.index)]
    assert set(ours["from_urn"]) == set(ours.loc[ours["principal"] == "yes", "from_urn"])
    largest = links.sort_values(["from_urn", "pupils", "to_urn"], ascending=[True, False, True])
    expected = largest.drop_duplicates("from_urn").set_index("from_urn")["to_urn"].to_dict()
    first = table[table["principal"] == "yes"]
    assert dict(zip(first["from_urn"], first["to_urn"], strict=True)) == expected
    same = (table["from_cluster"] == table["to_cluster"]) & (table["from_cluster"] != "")
    assert (table["in_plan"] == "kept").tolist() == same.tolist()
