"""The desk of consultation packs: publishes one, checks one again, and counts the answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from clustering.inputs import Inputs
from clustering.publish.build import consultation, read_plans
from clustering.publish.consultation import Consultation, options_of
from clustering.publish.dashboard import dashboard_of
from clustering.publish.pack_verify import Verdict, verify
from clustering.publish.pack_write import publish
from clustering.publish.pages import counted
from clustering.publish.you_said import FILES_WORDS, notes_on, write_you_said, you_said
from clustering.responses import read_answers, spellings_of


@dataclass(frozen=True)
class Published:
    """A pack that was written: what it says, where it lies, and its copy where one was asked."""

    consultation: Consultation
    folder: Path
    copy: Path | None

    def sentences(self) -> tuple[str, ...]:
        """Say what was published, which option breaks how many rules, what nobody could check."""
        found = []
        for option in self.consultation.options:
            broken = len(option.report.breaches)
            kept = (
                "keeps every rule"
                if not broken
                else f"breaks {counted(broken, 'rule')}, as it says"
            )
            found.append(f"{option.name}: {len(option.plan)} clusters; it {kept}.")
        cells = [c for c in self.consultation.numbers.published()["cells"] if c["name"] != "pupils"]
        hidden = sum(cell["value"] is None for cell in cells)
        found.append(f"{hidden:,} of {len(cells):,} numbers are hidden to protect children.")
        inputs, said = self.consultation.inputs, self.consultation
        if said.settings.budget and inputs.study.config.budget and not said.has_budget:
            found.append(
                "No money is published: the pot cannot pay the topslice of every option, or a "
                "count of the whole county is hidden, which could be worked out from the money."
            )
        found += dashboard_of(self.consultation).notes
        return tuple(found)


def publish_pack(
    inputs: Inputs, plans: Sequence[Path], out: Path, *, archive: bool = False
) -> Published:
    """Write the pack of a study and of plans (files or folders of runs), complete or not at all."""
    said = consultation(inputs, read_plans(inputs, plans))
    folder, *copy = publish(said, out, archive=archive)
    return Published(said, folder, copy[0] if copy else None)


def verify_pack(pack: Path, inputs: Inputs | None = None, plans: Sequence[Path] = ()) -> Verdict:
    """Check a pack by itself; with the study and its plans, also against them."""
    said = None if inputs is None else consultation(inputs, read_plans(inputs, plans))
    return verify(pack, said)


@dataclass(frozen=True, eq=False)
class Counted:
    """Answers that were counted: the exact table, by `you_said`, and sentences on the count."""

    table: pd.DataFrame
    sentences: tuple[str, ...]

    @property
    def shown(self) -> pd.DataFrame:
        """The counts by option and question."""
        rows = self.table[self.table["by"] == "option"]
        return rows[["group", "question", "answers", "you_said"]]


def count_answers(
    inputs: Inputs, file: Path, plans: Sequence[Path] = (), out: Path | None = None
) -> Counted:
    """Count a file of answers by the options of a pack: today's clusters and its plans, in order.

    With `out`, writes the tables and the page there; what the council wrote into `we_did` of an
    earlier count stays.
    """
    own = inputs.study.config.publish
    read = read_plans(inputs, plans)
    options = options_of(inputs, read, own)
    answers = read_answers(file, inputs, spellings_of(options, list(read)), own.threshold)
    if out is None:
        table = you_said(answers, options, inputs)
        return Counted(table, tuple(notes_on(table, answers)))
    table = write_you_said(out, answers, inputs, options)
    return Counted(table, (*notes_on(table, answers), *FILES_WORDS))
