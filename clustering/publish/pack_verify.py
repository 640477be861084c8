"""Checks a pack as it lies there: is it whole, does it ask nobody, does it give no child away?

Without the study the pack is judged by itself: hashes, links, policies, released cells, and an
attack on everything that it publishes. With the study and the plans it is also made again and
compared byte for byte, attacked by somebody who knows public rolls, and its plans are audited.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import posixpath
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pandas as pd

from clustering.publish.attack import attack
from clustering.publish.consultation import Consultation
from clustering.publish.disclosed import EITHER, NOT_KNOWN, NOT_SHOWN, few_words
from clustering.publish.pack_scan import Page, scan
from clustering.publish.pack_tables import PUBLISHED
from clustering.publish.pack_write import KIND, MANIFEST, contents
from clustering.publish.pages import counted
from geo.errors import Fault, InputError
from geo.offline import POLICY

PROTECTED = ("ehc_plans", "sen_support", "fsm6", "leavers")
"""Columns and keys, in tables and in data inside pages, that count pupils."""
PEOPLE = r"(?:pupils?|child(?:ren)?|learners?|leavers?|EHC plans?)"


class PackError(InputError):
    """What should be a pack is none."""


@dataclass(frozen=True)
class Verdict:
    """What was found wrong, in sentences, and what was looked at."""

    faults: tuple[str, ...]
    checked: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Is nothing wrong?"""
        return not self.faults


def verify(pack: Path, consultation: Consultation | None = None) -> Verdict:
    """Check a pack, a folder or its archived copy; with a consultation, also against its study.

    Raises `PackError` for what is no pack at all.
    """
    files = read_pack(pack)
    manifest = _json(files, MANIFEST, pack)
    published = _json(files, PUBLISHED, pack)
    if not isinstance(manifest, dict) or manifest.get("kind") != KIND:
        raise PackError(Fault("is not the manifest of a pack.", "Name a pack.", MANIFEST))
    pages = {a: scan(d.decode("utf-8")) for a, d in files.items() if a.endswith(".html")}
    faults = [
        *_hashes(files, manifest),
        *(f for address, page in pages.items() for f in _alone(address, page, manifest)),
        *_links(files, pages),
        *_cells(pages, published),
        *_words(pages, published),
        *_tables(files, published),
    ]
    checked = [
        f"{len(files)} files against their hashes",
        f"{len(pages)} pages: links, policy, nothing from elsewhere, "
        f"{sum(len(page.cells) for page in pages.values()):,} released cells",
    ]
    knowledge = consultation.numbers.knowledge() if consultation else None
    faults += _attacked(published, knowledge)
    checked.append(
        f"an attack on {len(published['cells']):,} numbers"
        + (" by somebody who knows public rolls" if knowledge else " by a reader of the pack alone")
    )
    if consultation is not None:
        faults += _made_again(files, consultation)
        checked.append("every file made again from the study and its plans")
        checked += [_audited(option) for option in consultation.options]
    return Verdict(tuple(dict.fromkeys(faults)), tuple(checked))


def read_pack(pack: Path) -> dict[str, bytes]:
    """Return every file of a pack by its address."""
    if pack.is_dir():
        found = {p.relative_to(pack).as_posix(): p for p in pack.rglob("*") if p.is_file()}
        return {address: path.read_bytes() for address, path in sorted(found.items())}
    try:
        with zipfile.ZipFile(pack) as archive:
            return {name: archive.read(name) for name in sorted(archive.namelist())}
    except (OSError, zipfile.BadZipFile):
        what = "is neither the folder of a pack nor its copy."
        raise PackError(Fault(what, "Name what `clusters publish` wrote.", pack.name)) from None


def _json(files: Mapping[str, bytes], address: str, pack: Path) -> Any:
    try:
        return json.loads(files[address])
    except (KeyError, ValueError):
        what = f"has no {address} that can be read, so it is no pack."
        raise PackError(Fault(what, "Name what `clusters publish` wrote.", pack.name)) from None


def _hashes(files: Mapping[str, bytes], manifest: Mapping[str, Any]) -> Iterator[str]:
    listed = {entry["file"]: entry["sha256"] for entry in manifest["files"]}
    for address, digest in listed.items():
        if address not in files:
            yield f"{address} is missing."
        elif hashlib.sha256(files[address]).hexdigest() != digest:
            yield f"{address} was changed after it was published."
    for address in sorted(set(files) - set(listed) - {MANIFEST}):
        yield f"{address} is not in the manifest."


def _alone(address: str, page: Page, manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a page by itself."""
    for fault in page.faults:
        yield f"{address}: {fault}."
    if not page.language.startswith("en"):
        yield f"{address}: the page does not say its language."
    if page.policy not in policies(str(manifest.get("third_party", ""))):
        yield f"{address}: the page does not forbid itself to ask others."


def policies(tiles: str) -> tuple[str, ...]:
    """Return the policies that a page may have: none but its own parts, or the study's tiles."""
    if not tiles:
        return (POLICY,)
    parts = urlsplit(tiles)
    return POLICY, POLICY.replace("img-src data:", f"img-src data: {parts.scheme}://{parts.netloc}")


def _links(files: Mapping[str, bytes], pages: Mapping[str, Page]) -> Iterator[str]:
    for address, page in pages.items():
        for link in dict.fromkeys(page.links):
            parts = urlsplit(link)
            if parts.scheme in ("mailto", "tel", "https"):
                continue
            if parts.scheme or parts.netloc or link.startswith("/"):
                yield f"{address}: the link {link[:60]} leads out of the pack."
                continue
            here = posixpath.dirname(address)
            target = posixpath.normpath(posixpath.join(here, unquote(parts.path)))
            target = target if parts.path else address
            place = unquote(parts.fragment)
            if target not in files:
                yield f"{address}: the link {link} leads nowhere."
            elif "=" in place:  # what the map is to show; it makes do with whatever it is given
                continue
            elif place and target in pages and place not in pages[target].ids:
                yield f"{address}: the link {link} leads to no place on that page."


def _cells(pages: Mapping[str, Page], published: Mapping[str, Any]) -> Iterator[str]:
    """Yield released cells on pages that say anything else than what was released."""
    known = {_key(cell): cell["text"] for cell in published["cells"]}
    for rate in published["rates"]:
        measure = f"{rate['part']} of {rate['total']}"
        known["|".join((rate["grouping"], rate["group"], measure))] = rate["text"]
    for address, page in pages.items():
        for key, text in page.cells:
            if key not in known:
                yield f"{address}: {key} was never released."
            elif text != known[key]:
                yield f'{address}: {key} says "{text}" and was released as "{known[key]}".'


def _key(cell: Mapping[str, Any]) -> str:
    return "|".join((cell["grouping"], cell["group"], cell["name"]))


def _words(pages: Mapping[str, Page], published: Mapping[str, Any]) -> Iterator[str]:
    """Yield small counts of pupils in sentences and in data inside pages."""
    small = _small(published)
    for address, page in pages.items():
        text = " ".join(" ".join(page.text).split())
        for found in re.finditer(rf"(?<![\d.,£–-])(\d+) {PEOPLE}\b", text):
            # "0 to 4 pupils" and "fewer than 5 pupils" explain words and count nobody.
            before = text[max(0, found.start() - 12) : found.start()]
            if int(found[1]) in small and not before.endswith((" to ", "than ")):
                yield f'{address}: "{found[0]}" is a small number of pupils.'
        for script in page.scripts:
            for name, number in re.findall(
                rf'"({"|".join(PROTECTED)})"\s*:\s*"?(\d+)(?![\d,.%])', script
            ):
                if int(number) in small:
                    yield f"{address}: {name} is {number} in the data of the page."


def _small(published: Mapping[str, Any]) -> range:
    return range(int(published["zeros_shown"]), int(published["threshold"]))


def _tables(files: Mapping[str, bytes], published: Mapping[str, Any]) -> Iterator[str]:
    """Yield small counts in CSV, Excel and JSON files."""
    small = _small(published)
    for cell in published["cells"]:
        value = cell["value"]
        counts = cell["name"] in PROTECTED
        if counts and value is not None and value in small:
            yield f"{PUBLISHED}: {_key(cell)} is {value}, a small number of pupils."
    words = {few_words(published["threshold"]), EITHER, NOT_KNOWN, NOT_SHOWN, ""}
    for address, data in files.items():
        for table, rows in _rows(address, data):
            for name, text in rows:
                if name not in PROTECTED or text in words:
                    continue
                number = re.fullmatch(r"'?(\d+)(?:\.0+)?", text.replace(",", ""))
                if number and int(number[1]) in small:
                    yield f"{address}{table}: {name} is {text}, a small number of pupils."
        if address.endswith(".json") and address not in (PUBLISHED, MANIFEST):
            for name, value in _leaves(json.loads(data)):
                if name in PROTECTED and isinstance(value, int | float) and value in small:
                    yield f"{address}: {name} is {value}, a small number of pupils."


def _rows(address: str, data: bytes) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield the cells of a table as (column, text), with the name of its sheet."""
    if address.endswith(".csv"):
        reader = csv.reader(io.StringIO(data.decode("utf-8-sig")))
        head = next(reader, [])
        yield "", [pair for row in reader for pair in zip(head, row, strict=False)]
    elif address.endswith(".xlsx"):
        sheets = pd.read_excel(io.BytesIO(data), sheet_name=None, dtype=str, keep_default_na=False)
        for name, sheet in sheets.items():
            cells = [(str(c), str(v)) for c in sheet.columns for v in sheet[c]]
            yield f" ({name})", cells


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, name)
    else:
        yield name, value


def _attacked(published: Mapping[str, Any], knowledge: Mapping[str, Any] | None) -> Iterator[str]:
    try:
        leaks = attack(published, knowledge)
    except ValueError as error:
        yield f"{PUBLISHED}: {error}"
        return
    for leak in leaks:
        # The number itself would make of this sentence the leak that it tells of.
        count = len(leak.schools)
        which = ", ".join(leak.schools[:6]) + (" …" if count > 6 else "")
        yield f"{PUBLISHED}: a small number of {leak.measure} can be worked out ({which})."


def _made_again(files: Mapping[str, bytes], consultation: Consultation) -> Iterator[str]:
    again = contents(consultation)
    for address in sorted(set(files) | set(again)):
        if files.get(address) != again.get(address):
            yield f"{address} is not what the study and its plans give."


def _audited(option: Any) -> str:
    broken = len(option.report.breaches)
    kept = f"{counted(broken, 'rule')} broken, as the pack says" if broken else "every rule is kept"
    return f"{option.name} audited: {kept}"
