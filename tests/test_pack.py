"""What a pack says: numbers through the gate, reasons in words, no child, and awkward input."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from clustering.pack_desk import Published
from clustering.publish.attack import attack
from clustering.publish.build import consultation, read_plans
from clustering.publish.consultation import BUDGET, COUNTY, Consultation
from clustering.publish.disclosed import NOT_KNOWN
from clustering.publish.money import money_of
from clustering.publish.pack_numbers import pounds_a_pupil
from clustering.publish.pack_scan import scan
from clustering.publish.pack_tables import FILES
from clustering.publish.pack_words import (
    PLAIN_RULES,
    breach_words,
    cost_of_move,
    plain_rules,
    price_words,
)
from clustering.publish.pack_write import contents
from clustering.publish.pages import leavers_share, slugs, whole_minutes
from clustering.report import Breach
from clustering.solve.why import RULE_WORDS
from geo.errors import PlanError, StudyError
from tests.packs import FORMULA, inputs_of, pack_county, told, write_pack
from tests.studies import shuffled


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Consultation:
    return told(tmp_path_factory.mktemp("pack"))


@pytest.fixture(scope="module")
def files(said: Consultation) -> dict[str, bytes]:
    return contents(said)


def text(files: dict[str, bytes], address: str) -> str:
    """Return what is read on a page."""
    return " ".join(" ".join(scan(files[address].decode()).text).split())


# -- numbers ---------------------------------------------------------------------------------------


def test_small_numbers_are_hidden_and_stay_hidden(said):
    cells = [c for c in said.numbers.published()["cells"] if c["name"] == "ehc_plans"]
    assert any(c["value"] is None for c in cells)
    assert any(c["value"] is not None for c in cells)
    assert attack(said.numbers.published(), said.numbers.knowledge()) == ()


def test_a_school_moved_alone_is_not_told_by_the_difference(said):
    """West Alder alone moves between today and option A; two of its pupils have an EHC plan."""
    before, after = (said.cell(o, "Community 2", "ehc_plans").value for o in said.options[:2])
    assert before is None or after is None


def test_every_option_has_pounds_of_its_own(said):
    for option in said.options:
        formula = money_of(said.inputs, option.plan).budget.table["formula"]
        for label in option.plan.labels:
            value = said.cell(option, label, BUDGET).value
            assert value is None or abs(value - formula[label]) <= 500


def test_no_pounds_without_a_pot_or_against_the_will(tmp_path):
    found = pack_county()
    found.study["publish"]["budget"] = False
    assert not told(tmp_path / "unwilling", found).has_budget
    del found.study["budget"]
    found.study["publish"]["budget"] = True
    assert not told(tmp_path / "poor", found).has_budget


def test_no_pounds_where_the_pot_cannot_pay_the_topslice(tmp_path):
    found = pack_county()
    found.study["budget"]["pot"] = 30_000
    assert not told(tmp_path, found).has_budget


def test_no_pounds_where_they_would_tell_a_hidden_count_of_the_county(tmp_path):
    """What a pupil adds is made of the county's counts, and it stands in the pack."""
    found = pack_county()
    for urn in found.schools["urn"]:
        found.cell(urn, "ehc_plans", 3 if urn == "910002" else 0)
    said = told(tmp_path, found)
    assert said.numbers.shown(COUNTY, COUNTY, "ehc_plans").text == "fewer than 5"
    assert not said.has_budget
    assert said.numbers.published()["amounts"] == {}
    assert any("No money is published" in s for s in Published(said, tmp_path, None).sentences())


def test_a_pupil_adds_what_can_be_worked_out_by_hand(said):
    need, budget = said.inputs.need, money_of(said.inputs, said.options[1].plan).budget
    rates = pounds_a_pupil(need, budget, ("ehc_plans", "sen_support", "fsm6"))
    table, money = need.measures.table, budget.schools["formula"].sum()
    assert rates["fsm6"] == pytest.approx(
        need.weights["fsm6"] * money / table["fsm6"].sum(), abs=1e-3
    )
    recorded = need.weights["recorded_sen"] * money / table["recorded_sen"].sum()
    assert rates["sen_support"] == pytest.approx(recorded, abs=1e-3)
    assert rates["ehc_plans"] == pytest.approx(2 * recorded, abs=2e-3)


def test_a_dearer_phase_counts_for_all(said):
    plan = said.options[1].plan
    plain = money_of(said.inputs, plan).budget
    dear = money_of(said.inputs, plan, phase_weights={"secondary": 2.0}).budget
    rates = [pounds_a_pupil(said.inputs.need, b, ("fsm6",))["fsm6"] for b in (plain, dear)]
    most = (dear.schools["formula"] / plain.schools["formula"]).max()
    assert rates[1] == pytest.approx(rates[0] * most, rel=1e-3)


def test_what_a_school_did_not_publish_is_not_known(tmp_path):
    found = pack_county()
    found.cell("910006", "ehc_plans", "c")
    told_ = told(tmp_path, found)
    assert told_.numbers.shown(COUNTY, COUNTY, "ehc_plans").text == NOT_KNOWN
    home = told_.options[0].label_of("910006")
    assert told_.cell(told_.options[0], home, "ehc_plans").text == NOT_KNOWN
    assert told_.numbers.shown(COUNTY, COUNTY, "sen_support").value is not None


def test_a_school_without_a_roll_has_no_pupils_if_the_study_says_so(tmp_path):
    found = pack_county()
    for column in ("pupils", "ehc_plans", "sen_support", "fsm6"):
        found.cell("910112", column, "")
    found.study["schools"]["no_roll"] = "count"
    said = told(tmp_path, found)
    assert said.numbers.shown(COUNTY, COUNTY, "pupils").value is not None
    files = contents(said)
    assert "no roll yet" in text(files, "schools.html")
    assert "counted as schools without pupils: East Larch" in text(files, "index.html")


def test_a_measure_that_nobody_has_is_left_out_of_the_pages(tmp_path):
    found = pack_county()
    found.schools = found.schools.drop(columns="fsm6")
    found.study["need"] = {"weights": {"pupils": 1.0}}
    files = contents(told(tmp_path, found))
    assert "FSM6</th>" not in files["index.html"].decode()
    assert "fsm6" not in files["data/clusters.csv"].decode().splitlines()[0]


# -- pages -----------------------------------------------------------------------------------------


def test_a_page_for_every_cluster_and_every_district(said, files):
    for option in said.options:
        for label in option.plan.labels:
            page = text(files, f"clusters/{option.page_of(label)}.html")
            assert label in page
            for urn in option.plan[label].schools:
                assert said.inputs.table.at[urn, "name"] in page
    assert {"areas/westmoor.html", "areas/eastmoor.html"} <= set(files)
    assert {address for address, _ in FILES} <= set(files)


def test_every_school_is_found_with_its_cluster_in_every_option(said, files):
    page = files["schools.html"].decode()
    for urn in said.inputs.table.index:
        assert f'id="u{urn}"' in page
        row = re.search(rf'<tr data-urn="{urn}">.*?</tr>', page, re.S)
        assert row
        for option in said.options:
            assert f"clusters/{option.page_of(option.label_of(urn))}.html" in row[0]


def test_reasons_name_hub_next_best_and_what_changes(files):
    page = text(files, "schools.html")
    assert "from the hub" in page
    assert "The next-best cluster is" in page
    assert "What changes: It leaves Community 1 and joins most schools of Community 2" in page
    assert "What changes: It stays with most schools of Community 3" in page


def test_prices_are_coarse():
    assert price_words(7.4) == "about 5 minutes"
    assert price_words(-23) == "about 20 minutes"
    assert price_words(149) == "about 150 minutes"
    assert "less than 5 minutes" in cost_of_move(4.9)
    assert "better" in cost_of_move(-12)
    assert "more" in cost_of_move(12)


@pytest.mark.parametrize("pupil", [0.0, 1.0, 2.5, 8.0])
def test_no_price_tells_single_leavers(pupil):
    """Five leavers more or less make the same words somewhere, whatever one of them is worth."""
    for few in range(1, 5):
        assert cost_of_move(few * pupil, pupil) == cost_of_move(0, pupil)
    told_apart = {cost_of_move(40 * pupil + k * pupil, pupil) for k in range(10)}
    assert len(told_apart) <= 2


def test_pages_round_prices_by_what_a_leaver_is_worth(tmp_path):
    found = pack_county()
    found.study["goals"] = {"feeders": 4.0}
    page = text(contents(told(tmp_path, found)), "schools.html")
    prices = [int(n.replace(",", "")) for n in re.findall(r"about ([\d,]+) minutes more", page)]
    assert prices
    assert all(price % 20 == 0 for price in prices)


def test_every_rule_has_plain_words():
    assert set(PLAIN_RULES) <= set(RULE_WORDS.values())
    assert plain_rules("the number of schools, its primaries") == (
        "the number of schools, the number of primaries"
    )


def test_where_every_other_cluster_breaks_a_rule_it_is_said(tmp_path):
    found = pack_county()
    found.study["rules"]["schools"] = [5, 7]
    page = text(contents(told(tmp_path, found)), "schools.html")
    assert "In any other cluster a rule would be broken." in page
    assert re.search(r"would break a rule \([a-z ,]+\) and would", page)


def test_a_broken_rule_is_named_without_need_units(tmp_path):
    found = pack_county()
    found.study["rules"] |= {"schools": [4, 6], "need_tolerance": 0.01}
    said = told(tmp_path, found)
    page = text(contents(said), "index.html")
    assert "Option A: rules that are not kept" in page
    assert "its need is farther from the mean than the rule allows" in page
    assert not re.search(r"[\d.,]+ need units", page)


def test_names_are_names_whatever_they_look_like(files):
    for address, data in files.items():
        if address.endswith(".html"):
            assert b"<script>alert" not in data, address
    assert "&lt;script&gt;alert(1)&lt;/script&gt; Primary" in files["schools.html"].decode()
    csv = pd.read_csv(io.BytesIO(files["data/schools.csv"]), dtype=str).set_index("urn")
    assert csv.at["910004", "school"] == f"'{FORMULA}"
    book = openpyxl.load_workbook(io.BytesIO(files["data/consultation.xlsx"]))
    cells = [cell for row in book["schools"].iter_rows() for cell in row]
    assert [c.data_type for c in cells if c.value == FORMULA] == ["s"]


def test_nothing_is_said_of_leavers_and_srps_that_could_tell_a_child(said, files):
    whole = b"".join(files.values()).decode("utf-8", "ignore")
    assert "SRP for autistic spectrum disorder (ASD)" in whole
    assert "on_roll" not in whole
    assert "leavers_lost" not in whole
    assert said.settings.least_flow == 10
    links = said.inputs.feeders.links
    narrow = links[links["pupils"] < 10]
    assert len(narrow)
    page = text(files, "clusters/today-1.html")
    names = said.inputs.table["name"]
    for a, b in zip(narrow["from_urn"], narrow["to_urn"], strict=True):
        assert f"{names[a]} to {names[b]}" not in page


def test_scenarios_are_never_in_a_pack(tmp_path):
    """A scenario is a file of its own; a pack knows the register of today and nothing else."""
    found = pack_county()
    found.texts["close.toml"] = (
        'name = "secret_plan"\ntitle = "Close it"\n[[close]]\nprovision = "910003"\n'
    )
    whole = b"".join(contents(told(tmp_path, found)).values()).decode("utf-8", "ignore")
    assert "secret_plan" not in whole
    assert "Close it" not in whole
    assert whole.count("SRP for autistic spectrum disorder (ASD)") >= 2


def test_the_settings_are_said(tmp_path):
    found = pack_county()
    found.study["publish"] |= {
        "intro": ["Why we ask."],
        "fixed": ["The pot."],
        "may_change": ["The clusters."],
        "rejected": [{"name": "One cluster", "why": "Too far."}],
        "questions": ["Do you agree?"],
        "options": {"near": "The near one."},
        "draft": False,
        "post": "1 High Street",
    }
    page = text(contents(told(tmp_path, found)), "index.html")
    said = ("Why we ask.", "The pot.", "The clusters.", "One cluster", "Too far.", "Do you agree?")
    for words in (*said, "The near one.", "1 High Street", "1 February 2031 to 30 April 2031"):
        assert words in page
    assert "DRAFT" not in page
    assert "does not change admissions, catchments or any child’s plan" in page


# -- the same, whoever makes it --------------------------------------------------------------------


def test_rows_in_another_order_give_the_same_bytes(files, tmp_path):
    again = contents(told(tmp_path, shuffled(pack_county(), 5)))
    assert list(again) == list(files)
    assert [address for address in files if files[address] != again[address]] == []


def test_the_manifest_names_every_file_and_input(files):
    manifest = json.loads(files["manifest.json"])
    assert {entry["file"] for entry in manifest["files"]} == set(files) - {"manifest.json"}
    assert {"schools.csv", "flows.csv"} <= {f["file"] for f in manifest["made_from"]["files"]}
    assert [option["key"] for option in manifest["options"]] == ["today", "a", "b"]


# -- plans that cannot be consulted on -------------------------------------------------------------


def test_no_hash_of_a_file_with_counts(files):
    made_from = json.loads(files["manifest.json"])["made_from"]["files"]
    hashed = {entry["key"] for entry in made_from if "sha256" in entry}
    assert not {key for key in hashed if key.startswith(("schools.file", "feeders", "provision"))}
    assert all("licence" in entry for entry in made_from)


def test_a_rule_nobody_has_read_for_the_public_is_named_without_its_sentence():
    breach = Breach("new_rule", "West 1", "West 1 has 17.3 need units.")
    assert breach_words(breach) == "West 1: a rule is not kept (new rule)."
    known = Breach("schools", "West 1", "West 1 has 5 schools; the rule is 8 to 14.")
    assert breach_words(known) == known.text


def test_plans_that_are_none_or_the_same_are_refused(tmp_path):
    study, plans = write_pack(tmp_path)
    inputs = inputs_of(study)
    found = read_plans(inputs, plans)
    with pytest.raises(PlanError, match="no plan to consult on"):
        consultation(inputs, {})
    with pytest.raises(PlanError, match='"twin" is the same plan as "near"'):
        consultation(inputs, {**found, "twin": found["near"]})
    with pytest.raises(PlanError, match="11 plans are more than people can weigh"):
        consultation(inputs, {str(k): replace(found["near"]) for k in range(11)})
    with pytest.raises(PlanError, match='two plans are called "near"'):
        read_plans(inputs, [plans[0], plans[0] / "plan.csv"])


def test_words_on_a_plan_that_is_not_there_are_refused(tmp_path):
    found = pack_county()
    found.study["publish"]["options"] = {"nera": "The near one."}
    with pytest.raises(StudyError, match=r'"nera".* Did you mean "near"'):
        told(tmp_path, found)


# -- words -----------------------------------------------------------------------------------------


def test_words_for_numbers():
    assert whole_minutes(0.3) == "less than a minute"
    assert whole_minutes(1.2) == "about 1 minute"
    assert whole_minutes(float("nan")) == "not known"
    assert leavers_share(30, 49) == ""
    assert leavers_share(33, 60) == "about 55%"
    assert slugs(["St. Ann", "St Ann", "Ü", "…"]) == {
        "St Ann": "st-ann", "St. Ann": "st-ann-2", "Ü": "u", "…": "place",
    }  # fmt: skip


def test_ends_of_addresses_are_names_of_files_anywhere():
    found = slugs(["Index", "CON", "Con", "lpt1", "Contown", "Llan" * 80, "Llan" * 81])
    assert {found["Index"], found["CON"], found["Con"], found["lpt1"], found["Contown"]} == {
        *("index-place", "con-place", "con-place-2", "lpt1-place", "contown"),
    }  # fmt: skip
    assert len(set(found.values())) == len(found)
    assert max(map(len, found.values())) <= 62


def test_packs_read_from_the_study_are_folders_or_files(tmp_path):
    study, plans = write_pack(tmp_path)
    inputs = inputs_of(study)
    (tmp_path / "by-hand.csv").write_bytes((Path(plans[0]) / "plan.csv").read_bytes())
    assert list(read_plans(inputs, [tmp_path / "by-hand.csv", plans[1]])) == ["by-hand", "far"]
