"""A pack is published whole and once, and whatever somebody does to it afterwards is found."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from clustering.publish.build import consultation, read_plans
from clustering.publish.pack_verify import PackError, Verdict, read_pack, verify
from clustering.publish.pack_write import publish
from geo.errors import StudyError
from tests.packs import inputs_of, pack_county, reseal, told, write_pack
from tests.studies import County, clusters


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a pack through the command line, with its copy."""
    folder = tmp_path_factory.mktemp("verify")
    study, plans = write_pack(folder)
    assert clusters("publish", study, *plans, "--out", folder / "pack", "--zip") == 0
    return folder


@pytest.fixture
def pack(good: Path, tmp_path: Path) -> Path:
    """Return a copy of the pack that a test may spoil."""
    shutil.copytree(good / "pack", tmp_path / "pack")
    return tmp_path / "pack"


def change(path: Path, old: str, new: str, *, times: int = 1) -> None:
    """Change a text in a file that must be there."""
    text = path.read_bytes().decode("utf-8")
    assert old in text, f"{old} is not in {path.name}"
    path.write_bytes(text.replace(old, new, times).encode("utf-8"))


def spoilt(pack: Path, *, sealed: bool = True) -> Verdict:
    """Judge a pack after somebody changed it, and its manifest with it."""
    if sealed:
        reseal(pack)
    return verify(pack)


def test_a_pack_is_as_it_should_be(good, capsys):
    study, plans = good / "study.toml", [good / "near", good / "far"]
    assert clusters("verify", good / "pack") == 0
    assert clusters("verify", good / "pack", study, *plans) == 0
    said = capsys.readouterr().out
    assert "The pack is as it should be." in said
    assert "Option B audited: 2 rules broken, as the pack says" in said
    assert "by somebody who knows public rolls" in said


def test_the_copy_is_judged_like_the_folder(good):
    (copy,) = good.glob("*.zip")
    assert not copy.stat().st_mode & 0o222
    assert verify(copy) == verify(good / "pack")


def test_a_changed_byte_a_lost_file_and_a_new_one(pack):
    change(pack / "index.html", "Overview", "Overwiev")
    (pack / "data" / "schools.csv").unlink()
    (pack / "new.txt").write_text("new", encoding="utf-8")
    faults = spoilt(pack, sealed=False).faults
    assert "index.html was changed after it was published." in faults
    assert "data/schools.csv is missing." in faults
    assert "new.txt is not in the manifest." in faults


ADDED = {
    '<img src="https://example.org/a.png" alt="">': "<img> asks for https://example.org/a.png",
    '<img srcset="//example.org/a.png 2x" alt="">': "<img> asks for //example.org/a.png 2x",
    '<link rel="stylesheet" href="a.css">': "<link> asks for a.css",
    '<script src="a.js"></script>': "<script> asks for a.js",
    '<p onclick="steal()">x</p>': 'the inline handler onclick="steal()"',
    '<iframe title="x"></iframe>': "<iframe> is on the page",
    '<meta http-equiv="refresh" content="0;url=x">': "sends readers elsewhere by itself",
    '<p style="background: url(https://example.org/a)">x</p>': "styles ask for https://example.org",
    "<style>@import 'a.css';</style>": "styles ask for other styles",
    "<style>@IMPORT 'a.css';</style>": "styles ask for other styles",
    '<p style="background: URL(https://example.org/b)">x</p>': "styles ask for https://example.org",
    '<a href="index.html" ping="https://example.org/p">x</a>': "<a> asks for https://example.org/p",
    '<a href="nowhere.html">x</a>': "the link nowhere.html leads nowhere",
    '<a href="../../passwords.txt">x</a>': "the link ../../passwords.txt leads nowhere",
    '<a href="#nowhere">x</a>': "the link #nowhere leads to no place on that page",
    '<a href="http://example.org/">x</a>': "the link http://example.org/ leads out of the pack",
    '<a href="javascript:alert(1)">x</a>': "the link javascript:alert(1) leads out of the pack",
    '<p id="main">x</p>': 'the id "main" stands twice',
    "<p>It has 3 children with an EHC plan.</p>": '"3 children" is a small number of pupils',
    "<p>2&nbsp;EHC plans</p>": '"2 EHC plans" is a small number of pupils',
    '<script>var a = {"ehc_plans": 3};</script>': "ehc_plans is 3 in the data of the page",
    '<span data-cell="a|x|ehc_plans">12</span>': "a|x|ehc_plans was never released",
    "<table><thead><tr><th>School</th><th>EHC plans</th></tr></thead><tbody><tr><th>X</th>"
    "<td>4</td></tr></tbody></table>": '"4" under EHC plans was never released',
}


@pytest.mark.parametrize("html", ADDED, ids=lambda html: html[:30])
def test_whatever_is_put_into_a_page_is_found(pack, html):
    change(pack / "index.html", "</main>", f"{html}</main>")
    assert any(ADDED[html] in fault for fault in spoilt(pack).faults)


def test_a_page_without_policy_or_language(pack):
    change(pack / "schools.html", "default-src &#39;none&#39;", "default-src *")
    change(pack / "clusters" / "a-1.html", ' lang="en-GB"', "")
    faults = spoilt(pack).faults
    assert "schools.html: the page does not forbid itself to ask others." in faults
    assert "clusters/a-1.html: the page does not say its language." in faults


def hidden(pack: Path) -> dict[str, str]:
    """Return a cell of EHC plans that is hidden as small."""
    cells = json.loads((pack / "data" / "published.json").read_text(encoding="utf-8"))["cells"]
    return next(c for c in cells if c["name"] == "ehc_plans" and c["value"] is None)


def in_page(pack: Path) -> None:
    cell = hidden(pack)
    key = f"{cell['grouping']}|{cell['group']}|ehc_plans"
    change(pack / "index.html", f'"{key}">{cell["text"]}', f'"{key}">3')


def in_csv(pack: Path) -> None:
    change(pack / "data" / "clusters.csv", hidden(pack)["text"], "3")


def in_workbook(pack: Path) -> None:
    path = pack / "data" / "consultation.xlsx"
    book = openpyxl.load_workbook(path)
    column = [cell.value for cell in book["clusters"][1]].index("ehc_plans") + 1
    book["clusters"].cell(2, column).value = 3
    book.save(path)


def in_json(pack: Path) -> None:
    path = pack / "data" / "published.json"
    said = json.loads(path.read_text(encoding="utf-8"))
    cell = next(c for c in said["cells"] if c["name"] == "ehc_plans" and c["value"] is None)
    cell |= {"text": "3", "value": 3}
    path.write_text(json.dumps(said), encoding="utf-8")


def in_dashboard(pack: Path) -> None:
    path = pack / "data" / "dashboard-figures.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    counted = (table["what"] == "Pupils") & table["chart"].str.contains("EHC plan")
    table.loc[table.index[counted][0], ["shown", "number"]] = "3"
    table.to_csv(path, index=False)


@pytest.mark.parametrize("leak", [in_page, in_csv, in_workbook, in_json, in_dashboard])
def test_a_leaked_count_is_found(pack, leak: Callable[[Path], None]):
    leak(pack)
    found = spoilt(pack)
    assert not found.ok
    assert any("small number" in fault or 'says "3"' in fault for fault in found.faults)


def test_what_follows_from_larger_numbers_is_found(good, pack):
    """Numbers that are all large give a small one away by subtraction; the sentence does not."""
    said = told(good / "again")
    path = pack / "data" / "published.json"
    known = json.loads(path.read_text(encoding="utf-8"))
    counts = said.inputs.table["ehc_plans"]
    for cell in known["cells"]:
        value = int(counts[known["groupings"][cell["grouping"]][cell["group"]]].sum())
        if cell["name"] == "ehc_plans" and value >= 5:
            cell |= {"text": str(value), "value": value}
    path.write_text(json.dumps(known), encoding="utf-8")
    (leak, *_) = [f for f in spoilt(pack).faults if "worked out" in f]
    assert "a small number of ehc_plans can be worked out (910001)" in leak


def test_pounds_beside_a_hidden_count_of_the_county_are_found(pack):
    path = pack / "data" / "published.json"
    known = json.loads(path.read_text(encoding="utf-8"))
    (cell,) = [c for c in known["cells"] if (c["group"], c["name"]) == ("county", "fsm6")]
    cell |= {"text": "not shown", "value": None}
    path.write_text(json.dumps(known), encoding="utf-8")
    assert any("county's hidden fsm6 can be" in fault for fault in spoilt(pack).faults)


def test_another_plan_than_the_one_published(good, capsys):
    assert clusters("verify", good / "pack", good / "study.toml", good / "far", good / "near") == 1
    said = capsys.readouterr().out
    assert "index.html is not what the study and its plans give." in said
    assert clusters("verify", good / "pack", good / "study.toml") == 2


def test_what_is_no_pack(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"no archive")
    with pytest.raises(PackError, match="neither the folder of a pack nor its copy"):
        verify(tmp_path / "a.zip")
    with pytest.raises(PackError, match=r"has no manifest\.json"):
        verify(tmp_path)


def test_what_is_broken_is_a_fault_and_no_traceback(pack):
    (pack / "easy-read.html").write_bytes(b"<p>caf\xe9</p>")
    assert "easy-read.html is not written in UTF-8." in spoilt(pack).faults
    known = json.loads((pack / "manifest.json").read_text(encoding="utf-8"))
    del known["files"][0]["sha256"]
    (pack / "manifest.json").write_text(json.dumps(known), encoding="utf-8")
    with pytest.raises(PackError, match="is not the manifest of a pack"):
        verify(pack)
    (pack / "data" / "published.json").write_text("[]", encoding="utf-8")
    with pytest.raises(PackError, match=r"manifest"):
        verify(pack)
    reseal_whole(pack, known)
    with pytest.raises(PackError, match="does not hold the numbers of a pack"):
        verify(pack)


def reseal_whole(pack: Path, known: dict[str, Any]) -> None:
    """Write a manifest that fits, in place of one that was spoilt."""
    (pack / "manifest.json").write_text(json.dumps(known), encoding="utf-8")
    reseal(pack)


def test_a_verdict_names_whose_pictures_a_pack_asks_for(tmp_path):
    found = pack_county()
    with_tiles_of_others(found)
    out, *_ = publish(told(tmp_path / "study", found), tmp_path / "pack")
    assert any("but for pictures of tiles.example.org" in words for words in verify(out).checked)


# -- writing ---------------------------------------------------------------------------------------


def test_a_version_is_published_once(tmp_path):
    said = told(tmp_path / "study")
    out = tmp_path / "out" / "pack"
    publish(said, out, archive=True)
    before = {p: p.read_bytes() for p in sorted(out.parent.glob("*.zip"))}
    publish(said, out, archive=True)
    assert {p: p.read_bytes() for p in sorted(out.parent.glob("*.zip"))} == before
    found = pack_county()
    found.study["publish"]["intro"] = ["Something else."]
    other = told(tmp_path / "other", found)
    with pytest.raises(StudyError, match="version 1 is out already with other contents"):
        publish(other, out)
    assert b"Something else" not in (out / "index.html").read_bytes()
    found.study["publish"]["version"] = "1.1"
    _, copy = publish(told(tmp_path / "newer", found), out, archive=True)
    assert copy.name.startswith("moorshire-v1.1-")
    with zipfile.ZipFile(copy) as archive:
        assert b"Something else" in archive.read("index.html")
    assert len(list(out.parent.glob("*.zip"))) == 2


def test_nothing_of_an_earlier_pack_is_left_and_nothing_else_is_lost(tmp_path):
    said = told(tmp_path / "study")
    out = tmp_path / "pack"
    publish(said, out)
    (out / "clusters" / "z-9.html").write_text("old", encoding="utf-8")
    publish(said, out)
    assert not (out / "clusters" / "z-9.html").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["pack", "study"]
    with pytest.raises(StudyError, match="holds something else than a pack"):
        publish(said, tmp_path / "study")
    assert (tmp_path / "study" / "schools.csv").exists()


def test_a_study_that_cannot_be_read_leaves_nothing(tmp_path):
    study, _ = write_pack(tmp_path / "study")
    assert clusters("publish", study, tmp_path / "no.csv", "--out", tmp_path / "pack") == 2
    assert [p.name for p in tmp_path.iterdir()] == ["study"]
    assert inputs_of(study).study.name == "moorshire"


# -- studies that are not like others --------------------------------------------------------------


def without_today(found: County) -> None:
    del found.study["existing"]


def without_feeders(found: County) -> None:
    del found.study["feeders"]


def with_a_school_that_declines(found: County) -> None:
    found.study["rules"]["opt_out"] = {"910012": "governors declined"}


def with_districts_of_one_name_to_be_told_apart(found: County) -> None:
    found.study["areas"] = {"column": "district"}
    found.schools["district"] = found.schools["district"].replace(
        {"Westmoor": "St Ann’s <b>", "Eastmoor": "St. Anns B"}
    )


def with_districts_called_like_pages_of_ours(found: County) -> None:
    found.study["areas"] = {"column": "district"}
    names = {"Westmoor": "Index", "Eastmoor": "Llan" * 80}
    found.schools["district"] = found.schools["district"].replace(names)


def with_zeros_and_a_wide_threshold(found: County) -> None:
    found.study["publish"] |= {"threshold": 10, "show_zeros": True, "measures": ["ehc_plans"]}


def with_tiles_of_others(found: County) -> None:
    found.study["publish"]["tiles"] = "https://tiles.example.org/{z}/{x}/{y}.png"


def with_everything_in_one_option(found: County) -> None:
    found.existing["cluster"] = found.existing["cluster"].replace("Community 2", "Community 1")


@pytest.mark.parametrize(
    "change_study",
    [
        without_today,
        without_feeders,
        with_a_school_that_declines,
        with_districts_of_one_name_to_be_told_apart,
        with_districts_called_like_pages_of_ours,
        with_zeros_and_a_wide_threshold,
        with_tiles_of_others,
        with_everything_in_one_option,
    ],
)
def test_packs_of_other_studies_are_as_they_should_be(tmp_path, change_study):
    found = pack_county()
    change_study(found)
    said = told(tmp_path / "study", found)
    out, *_ = publish(said, tmp_path / "pack")
    assert verify(out, said).faults == ()
    assert b"governors declined" not in b"".join(read_pack(out).values())


def test_plans_that_leave_schools_out_or_cross_borders(tmp_path):
    study, plans = write_pack(tmp_path / "study")
    table = pd.read_csv(plans[0] / "plan.csv", dtype=str)
    table["cluster"] = ["A" if int(urn) % 2 else "B" for urn in table["urn"]]
    table[3:].to_csv(plans[0] / "plan.csv", index=False)
    inputs = inputs_of(study)
    said = consultation(inputs, read_plans(inputs, plans))
    out, *_ = publish(said, tmp_path / "pack")
    assert verify(out, said).faults == ()
    assert "schools are in no cluster" in (out / "index.html").read_text(encoding="utf-8")
