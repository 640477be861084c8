"""The desk of consultation packs: publishes one from a study and plans, and checks one again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clustering.inputs import Inputs
from clustering.publish.build import consultation, read_plans
from clustering.publish.consultation import Consultation
from clustering.publish.pack_verify import Verdict, verify
from clustering.publish.pack_write import publish
from clustering.publish.pages import counted


@dataclass(frozen=True)
class Published:
    """A pack that was written: what it says, where it lies, and its copy where one was asked."""

    consultation: Consultation
    folder: Path
    copy: Path | None

    def sentences(self) -> tuple[str, ...]:
        """Say what was published, and which option breaks how many rules."""
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
