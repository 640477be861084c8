"""Checks a pack as it lies there: is it whole, does it ask nobody, does it give no child away?

Without the study the pack is judged by itself: hashes, links, policies, released cells, and an
attack on everything that it publishes. With the study and the plans it is also made again and
compared byte for byte, attacked by somebody who knows public rolls, and its plans are audited.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from clustering.publish.attack import attack
from clustering.publish.consultation import COUNTY, Consultation
from clustering.publish.disclosed import NOT_KNOWN
from clustering.publish.pack_counts import key_of, small_in_files, small_in_pages
from clustering.publish.pack_scan import Page, scan
from clustering.publish.pack_tables import PUBLISHED
from clustering.publish.pack_write import KIND, MANIFEST, contents
from clustering.publish.pages import counted
from geo.errors import Fault, InputError
from geo.offline import POLICY

PARTS = frozenset(
    ("threshold", "zeros_shown", "public", "wholes", "amounts", "groupings", "cells", "rates")
)
"""What stands in the numbers of every pack."""


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
    _check_shapes(manifest, published)
    texts = {a: d for a, d in files.items() if a.endswith(".html")}
    pages = {a: scan(d.decode("utf-8", errors="replace")) for a, d in texts.items()}
    faults = [
        *_hashes(files, manifest),
        *_not_utf8(texts),
        *(f for address, page in pages.items() for f in _alone(address, page, manifest)),
        *_links(files, pages),
        *_cells(pages, published),
        *_pounds(published),
        *small_in_pages(pages, published),
        *small_in_files(files, published),
    ]
    checked = [
        f"{len(files)} files against their hashes",
        f"{len(pages)} pages: links, policy, nothing from elsewhere{_but(manifest)}, "
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


def _check_shapes(manifest: Any, published: Any) -> None:
    """Refuse what is no manifest, and what holds no numbers of a pack."""
    known = isinstance(manifest, dict) and manifest.get("kind") == KIND
    listed = manifest.get("files") if known else None
    if not isinstance(listed, list) or not all(
        isinstance(entry, dict) and {"file", "sha256"} <= entry.keys() for entry in listed
    ):
        raise PackError(Fault("is not the manifest of a pack.", "Name a pack.", MANIFEST))
    if not isinstance(published, dict) or not published.keys() >= PARTS:
        raise PackError(Fault("does not hold the numbers of a pack.", "Name a pack.", PUBLISHED))


def _not_utf8(texts: Mapping[str, bytes]) -> Iterator[str]:
    for address, data in texts.items():
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            yield f"{address} is not written in UTF-8."


def _but(manifest: Mapping[str, Any]) -> str:
    host = urlsplit(str(manifest.get("third_party") or "")).netloc
    return f" but for pictures of {host}" if host else ""


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
    known = {key_of(cell): cell["text"] for cell in published["cells"]}
    for rate in published["rates"]:
        measure = f"{rate['part']} of {rate['total']}"
        known["|".join((rate["grouping"], rate["group"], measure))] = rate["text"]
    for address, page in pages.items():
        for key, text in page.cells:
            if key not in known:
                yield f"{address}: {key} was never released."
            elif text != known[key]:
                yield f'{address}: {key} says "{text}" and was released as "{known[key]}".'


def _pounds(published: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a pupil adds to the pounds where that tells a hidden count of the county."""
    hidden = {
        cell["name"]
        for cell in published["cells"]
        if cell["grouping"] == COUNTY and cell["value"] is None and cell["text"] != NOT_KNOWN
    }
    for name, amount in published["amounts"].items():
        for measure in sorted(hidden & set(amount["rates"])):
            yield f"{PUBLISHED}: the county's hidden {measure} can be worked out from {name}."


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
