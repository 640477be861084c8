"""The verbs as a planner types them: what they say, and with which status they end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import clustering.__main__ as front
from clustering.solve.whole import Tick
from tests.studies import clusters, county, hurry, too_few_secondaries

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "data" / "sample" / "study.toml"
WHOLE = {"plan.csv", "clusters.csv", "plan.xlsx", "plan.gpkg", "map.html", "report.json"}
Told = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study of the invented county."""
    return county().write(tmp_path_factory.mktemp("county"))


@pytest.fixture(scope="module")
def run(study: Path) -> Path:
    """The folder of a finished run."""
    with pytest.MonkeyPatch.context() as patch:
        hurry(patch)
        assert clusters("design", study, "--out", study.parent / "run") == 0
    return study.parent / "run"


def status_of(run: Path) -> str:
    found = json.loads((run / "report.json").read_text(encoding="utf-8"))
    return str(found["status"])


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# -- check ----------------------------------------------------------------------------------------


def test_check_tells_who_is_in_and_writes_nothing(study: Path, capsys: Told) -> None:
    before = names(study.parent)
    assert clusters("check", study) == 0
    told = capsys.readouterr().out
    assert "24 schools are in" in told
    assert "Westmoor" in told
    assert "Need by the formula" in told
    assert "straight line" in told
    assert "set aside" not in told
    assert names(study.parent) == before


def test_check_names_who_is_out_and_why(tmp_path: Path, capsys: Told) -> None:
    whole = county()
    whole.study["schools"]["exclude"] = {"910003": "head declined in May"}
    assert clusters("check", whole.write(tmp_path)) == 0
    told = capsys.readouterr().out
    assert "1 are set aside" in told or "1 is set aside" in told
    assert "head declined in May" in told
    assert "West Cedar Primary School" in told


def test_check_of_a_study_without_plan_says_why(tmp_path: Path, capsys: Told) -> None:
    assert clusters("check", too_few_secondaries().write(tmp_path)) == 1
    told = capsys.readouterr().out
    assert "Westmoor has 12 schools and 1 non-selective secondary (West Birch Academy)" in told
    assert 'associates = ["910002"]' in told


def test_check_of_the_sample(capsys: Told) -> None:
    assert clusters("check", SAMPLE) == 0
    assert "241 schools are in" in capsys.readouterr().out


# -- design ---------------------------------------------------------------------------------------


def test_design_tells_the_objective_beside_what_is_proven(
    study: Path, tmp_path: Path, capsys: Told
) -> None:
    assert clusters("design", study, "--out", tmp_path / "run") == 0
    told = capsys.readouterr().out
    assert "objective" in told
    assert "every rule is kept" in told
    assert "map.html" in told


def test_design_without_plan_ends_with_one_and_keeps_the_reasons(
    tmp_path: Path, capsys: Told
) -> None:
    study = too_few_secondaries().write(tmp_path)
    assert clusters("design", study, "--out", tmp_path / "run") == 1
    assert "No plan: infeasible." in capsys.readouterr().out
    found = json.loads((tmp_path / "run" / "report.json").read_text(encoding="utf-8"))
    assert found["status"] == "infeasible"
    assert found["objective"] is None
    assert len(found["reasons"]) == 1
    assert len(found["remedies"]) >= 3
    assert not (tmp_path / "run" / "plan.csv").exists()


def test_design_names_its_own_folder_by_study_and_digest(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert clusters("design", study) == 0
    assert clusters("design", study, "--seed", 2) == 0
    folders = sorted(names(tmp_path / "outputs"))
    assert len(folders) == 2
    assert all(folder.startswith("moorshire-") for folder in folders)


def test_sample_is_designed_within_its_seconds(tmp_path: Path) -> None:
    """The work is cut short or not, by the machine; either way everything is there and whole."""
    run = tmp_path / "run"
    assert clusters("design", SAMPLE, "--effort", "quick", "--seconds", 5, "--out", run) == 0
    assert status_of(run) in ("feasible", "interrupted", "optimal")
    assert names(run) >= WHOLE
    assert clusters("assess", SAMPLE, run / "plan.csv") == 0


def test_one_second_is_enough_for_a_plan(study: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    args = ("--effort", "thorough", "--seconds", 1, "--out", run)
    assert clusters("design", study, *args) == 0
    assert status_of(run) in ("feasible", "interrupted", "optimal")
    assert names(run) >= WHOLE
    if status_of(run) == "interrupted":
        assert "Interrupted: the best plan so far" in (run / "map.html").read_text("utf-8")


@pytest.mark.parametrize(
    "option",
    [
        ("--effort", "warp"),
        ("--seconds", "-1"),
        ("--gap", "-0.5"),
        ("--seed", "-3"),
        ("--seed", "many"),
        ("--sed", "3"),
    ],
)
def test_wrong_option_is_a_sentence(
    study: Path, tmp_path: Path, capsys: Told, option: tuple[str, str]
) -> None:
    assert clusters("design", study, *option, "--out", tmp_path / "run") == 2
    told = capsys.readouterr()
    assert option[0] in told.err
    assert "Traceback" not in told.out + told.err
    assert not (tmp_path / "run").exists()


def test_out_that_is_a_file_is_refused_before_the_work(
    study: Path, tmp_path: Path, capsys: Told
) -> None:
    (tmp_path / "run").write_text("mine", encoding="utf-8")
    assert clusters("design", study, "--out", tmp_path / "run") == 2
    assert "✗" in capsys.readouterr().err
    assert (tmp_path / "run").read_text(encoding="utf-8") == "mine"
    assert names(tmp_path) == {"run"}


# -- interruption ---------------------------------------------------------------------------------


def _interrupting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Press Ctrl-C at the first sign of progress."""
    pressed: list[int] = []
    tick = front.Watcher.tick

    def press(self: front.Watcher, step: Tick) -> None:
        if not pressed:
            pressed.append(1)
            signal.raise_signal(signal.SIGINT)
        tick(self, step)

    monkeypatch.setattr(front.Watcher, "tick", press)


def test_one_ctrl_c_keeps_the_best_plan(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Told
) -> None:
    _interrupting(monkeypatch)
    run = tmp_path / "run"
    assert clusters("design", study, "--effort", "thorough", "--out", run) == 0
    assert "Stopping with the best plan so far" in capsys.readouterr().err
    assert status_of(run) in ("interrupted", "feasible", "optimal")
    assert names(run) >= WHOLE


def test_two_ctrl_c_give_up_and_write_nothing(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Told
) -> None:
    _interrupting(monkeypatch)
    say = front.err.print

    def press_again(*words: object) -> None:
        say(*words)
        if "Stopping" in str(words):
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(front.err, "print", press_again)
    run = tmp_path / "run"
    assert clusters("design", study, "--effort", "thorough", "--out", run) == 1
    assert "nothing was written" in capsys.readouterr().err
    assert names(tmp_path) == set()


TALKATIVE = (
    "import clustering.show as show; show.QUIET_SECONDS = 0.1; "
    "from clustering.__main__ import main; main()"
)


def _started(study: Path, out: Path) -> subprocess.Popen[str]:
    """Start a long design in a process of its own and wait until it is under way."""
    command = [sys.executable, "-c", TALKATIVE, "design", str(study)]
    process = subprocess.Popen(
        [*command, "--effort", "thorough", "--out", str(out)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stderr is not None
    process.stderr.readline()
    return process


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_killed_run_leaves_nothing_half_written(tmp_path: Path) -> None:
    with _started(SAMPLE, tmp_path / "run") as process:
        assert process.poll() is None
        process.kill()
    assert names(tmp_path) == set()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_interrupted_process_ends_well(tmp_path: Path) -> None:
    with _started(SAMPLE, tmp_path / "run") as process:
        process.send_signal(signal.SIGINT)
        _, told = process.communicate()
    assert process.returncode == 0, told
    assert names(tmp_path / "run") >= WHOLE
    assert "Traceback" not in told


def test_output_is_utf8_whatever_the_terminal(study: Path) -> None:
    """A name with accents must not end a run on a Windows console."""
    whole = county()
    whole.cell("910003", "name", "West Łódź Ysgol Gŵyr School")
    folder = study.parent / "accents"
    done = subprocess.run(
        [sys.executable, "-m", "clustering", "check", str(whole.write(folder))],
        cwd=ROOT,
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"},
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
    assert "•" in done.stdout.decode("utf-8")


# -- assess, compare, map -------------------------------------------------------------------------


def test_assess_agrees_with_the_run(study: Path, run: Path, capsys: Told) -> None:
    assert clusters("assess", study, run / "plan.csv") == 0
    told = capsys.readouterr().out
    objective = json.loads((run / "report.json").read_text(encoding="utf-8"))["objective"]
    assert f"Objective {objective:,.1f} minutes; " in told
    assert "0 rules broken" in told


def test_assess_of_todays_clusters_names_each_breach(study: Path, capsys: Told) -> None:
    whole = pd.read_csv(study.parent / "existing.csv", dtype=str)
    whole["cluster"] = "Everybody"
    whole.to_csv(study.parent / "one.csv", index=False)
    assert clusters("assess", study, study.parent / "one.csv") == 1
    told = capsys.readouterr().out
    assert "Everybody has 24 schools; the rule is 4 to 7." in told
    assert "crosses the border" in told
    assert "✗" in told


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("urn,cluster\n910001,A\n999999,A\n", ("999999", "not a school of this study", "row 3")),
        ("urn,cluster\n910001,A\n910001,B\n", ("910001", "row 2 already", "row 3")),
        ("urn,cluster,hub\n910001,A,999999\n", ("999999", "hub", "row 2")),
        ("school,group\nWest,A\n", ("urn", "cluster", "missing", "school")),
        ("urn,cluster\n910001,\n", ("no school is in a cluster",)),
        ("", ("cannot be read",)),
        (b"\xff\xfe\x00\x01", ("cannot be read",)),
        (b"PK\x03\x04 no workbook", ("cannot be read",)),
    ],
)
@pytest.mark.parametrize("verb", ["assess", "compare"])
def test_plan_that_does_not_fit_is_refused(
    study: Path, tmp_path: Path, capsys: Told, verb: str, text: str | bytes, words: tuple[str, ...]
) -> None:
    plan = tmp_path / ("bad.xlsx" if text[:2] == b"PK" else "bad.csv")
    plan.write_bytes(text.encode() if isinstance(text, str) else text)
    second = [plan] if verb == "compare" else []
    assert clusters(verb, study, plan, *second) == 2
    told = capsys.readouterr()
    assert plan.name in told.err
    assert all(word in told.err for word in words), told.err
    assert "Traceback" not in told.err


def test_missing_plan_is_a_sentence(study: Path, capsys: Told) -> None:
    assert clusters("assess", study, study.parent / "none.csv") == 2
    assert "none.csv: the file is not there." in capsys.readouterr().err


def test_assess_writes_where_it_is_told(study: Path, run: Path, tmp_path: Path) -> None:
    assert clusters("assess", study, run / "plan.csv", "--out", tmp_path / "judged") == 0
    found = names(tmp_path / "judged")
    assert found >= {"plan.csv", "clusters.csv", "plan.xlsx", "plan.gpkg", "map.html"}
    mine, theirs = tmp_path / "judged" / "map.html", run / "map.html"
    assert mine.read_bytes() == theirs.read_bytes()


def test_compare_puts_two_plans_side_by_side(study: Path, run: Path, capsys: Told) -> None:
    assert clusters("compare", study, study.parent / "existing.csv", run / "plan.csv") == 0
    told = capsys.readouterr().out
    assert "existing" in told
    assert "mean_minutes" in told
    assert "move" in told


def test_compare_of_two_files_of_one_name(
    study: Path, run: Path, tmp_path: Path, capsys: Told
) -> None:
    copied = tmp_path / "plan.csv"
    copied.write_bytes((run / "plan.csv").read_bytes())
    assert clusters("compare", study, run / "plan.csv", copied) == 0
    assert "0 schools move" in capsys.readouterr().out


def test_map_follows_an_edited_plan(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert clusters("design", study, "--out", out) == 0
    before = (out / "map.html").read_text(encoding="utf-8")
    plan = pd.read_csv(out / "plan.csv", dtype=str)
    lone = plan.index[(plan["urn"] != plan["hub"]) & (plan["cluster"] == "Westmoor 1")][0]
    plan.loc[lone, "cluster"] = "Westmoor 2"
    plan.to_csv(out / "plan.csv", index=False)
    assert clusters("map", out) == 0
    assert (out / "map.html").read_text(encoding="utf-8") != before


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_map_of_no_run_is_a_sentence(tmp_path: Path, capsys: Told, name: str) -> None:
    (tmp_path / "empty").mkdir()
    assert clusters("map", tmp_path / name) == 2
    assert "is not the folder of a run" in capsys.readouterr().err


def test_map_of_a_run_whose_study_has_moved(
    study: Path, run: Path, tmp_path: Path, capsys: Told
) -> None:
    moved = tmp_path / "elsewhere" / "run"
    moved.mkdir(parents=True)
    for path in run.iterdir():
        (moved / path.name).write_bytes(path.read_bytes())
    assert clusters("map", moved) == 2
    assert "has moved" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [("desing",), ("design",), ("check", "a", "b")])
def test_wrong_usage_ends_with_two(arguments: tuple[str, ...], capsys: Told) -> None:
    assert clusters(*arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_help_names_the_verbs(capsys: Told) -> None:
    assert clusters("--help") == 0
    told = capsys.readouterr().out
    for verb in ("check", "design", "assess", "compare", "map"):
        assert verb in told
