"""The pack of the tiny county with everything a council can say about answers."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from clustering.publish.consultation import Consultation
from tests.packs import SCRIPT, pack_county, told, write_pack

NASTY = SCRIPT
WORDS = """
[publish]
intro = ["We propose new clusters of schools.", "Less than 5 < 6 & more."]
opens = "2027-03-01"
closes = "2027-04-30"
email = "send.views+2027@moorshire.example"
post = "Freepost MOORSHIRE VIEWS"
phone = "01632 960 000"
questions = ["Which option do you prefer, and why?", "Is 100% of what you need in a cluster?"]
accessibility = ["We will read it to you at any library."]
"""


def write_talkative(folder: Path) -> tuple[Path, list[Path]]:
    """Write the study and its two plans; return their paths."""
    own = pack_county()
    own.merge(WORDS)
    return write_pack(folder, own)


@cache
def talkative() -> Consultation:
    """Return the consultation on the two plans."""
    own = pack_county()
    own.merge(WORDS)
    with TemporaryDirectory() as folder:
        return told(Path(folder), own)
