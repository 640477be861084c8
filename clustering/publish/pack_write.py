"""Writes a pack: every page and file, a manifest with their hashes, and a copy that stays.

The same study and plans give the same bytes, so a pack can be made again to prove that nothing in
it was changed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clustering.outputs import all_or_nothing
from clustering.publish import (
    accessibility,
    consultation_page,
    dashboard_files,
    dashboard_page,
    easy_read,
    pack_pages,
    pack_tables,
    respond,
)
from clustering.publish.consultation import Consultation
from clustering.publish.pack_tables import zip_bytes
from clustering.publish.sources import NOT_STATED, manifest
from geo.errors import Fault, StudyError

MANIFEST = "manifest.json"
PUBLIC_INPUTS = ("areas.", "travel.", "map.", "schools.links", "need.idaci", "need.nff")
"""Beginnings of the keys of inputs that hold no count of pupils."""
KIND = "consultation pack"
PAGES = (pack_pages, consultation_page, dashboard_page, respond, easy_read, accessibility)
FILES = (pack_tables, dashboard_files)
DIGITS = 12
"""Digits of a pack's digest in the name of its copy."""


def contents(consultation: Consultation) -> dict[str, bytes]:
    """Return every file of a pack by its address, the manifest last."""
    found: dict[str, bytes] = {}
    for address, data in _parts(consultation):
        if address in found:
            raise AssertionError(f"two parts of a pack are called {address}")
        found[address] = data
    ordered = dict(sorted(found.items()))
    text = json.dumps(_manifest(consultation, ordered), ensure_ascii=False, indent=2)
    return {**ordered, MANIFEST: (text + "\n").encode("utf-8")}


def _parts(consultation: Consultation) -> Iterator[tuple[str, bytes]]:
    for module in PAGES:
        for address, text in module.pages(consultation):
            yield address, text.encode("utf-8")
    for source in FILES:
        yield from source.files(consultation)


def _manifest(consultation: Consultation, files: dict[str, bytes]) -> dict[str, Any]:
    """Return what a pack is, what it was made from and what it consists of; no clock is asked."""
    own = consultation.settings
    made_from = manifest(consultation.inputs)
    made_from["files"] = [_public_input(entry) for entry in made_from["files"]]
    program = made_from.pop("versions")["school-clusters"]
    return {
        "kind": KIND,
        "title": consultation.title,
        "council": own.council,
        "version": own.version,
        "draft": own.draft,
        "opens": str(own.opens or ""),
        "closes": str(own.closes or ""),
        "third_party": own.tiles or "",
        "program": f"school-clusters {program}",
        "made_from": made_from,
        "options": [
            {
                "key": option.key,
                "name": option.name,
                "clusters": len(option.plan),
                "rules_broken": len(option.report.breaches),
                "sha256": _sha256(option.plan.to_frame().to_csv(index=False).encode("utf-8")),
            }
            for option in consultation.options
        ],
        "files": [
            {"file": address, "bytes": len(data), "sha256": _sha256(data)}
            for address, data in files.items()
        ],
    }


def _public_input(entry: dict[str, Any]) -> dict[str, Any]:
    """Return what a pack says of an input; size and hash only of published ones.

    Whoever knows all of a file but a few small counts could try them until the hash fits.
    """
    openly = entry["key"].startswith(PUBLIC_INPUTS) and entry["licence"] != NOT_STATED
    return entry if openly else {k: v for k, v in entry.items() if k not in ("bytes", "sha256")}


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def publish(consultation: Consultation, out: Path, *, archive: bool = False) -> tuple[Path, ...]:
    """Write a pack into `out`, complete or not at all, and with `archive` its copy beside.

    The copy is called by the study, the version and a digest of the pack, cannot be written to, and
    is never replaced. Returns what was written. Raises `StudyError` where `out` holds something
    else than a pack, and where the version has a copy with other contents.
    """
    out = out.resolve()
    _check_folder(out)
    files = contents(consultation)
    copy = out.parent / _copy_name(consultation, _sha256(files[MANIFEST])[:DIGITS])
    _check_version(consultation, copy)
    with all_or_nothing(out, whole=True) as folder:
        for address, data in files.items():
            path = folder / address
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    if not archive:
        return (out,)
    if not copy.exists():
        part = copy.with_name(f".{copy.name}.part")
        part.write_bytes(zip_bytes(files))
        part.chmod(0o444)
        part.rename(copy)
    return out, copy


def _copy_name(consultation: Consultation, digest: str) -> str:
    return f"{_copy_stem(consultation)}-{digest}.zip"


def _copy_stem(consultation: Consultation) -> str:
    version = re.sub(r"[^A-Za-z0-9.]+", "-", consultation.settings.version)
    return f"{consultation.inputs.study.name}-v{version}"


def _check_version(consultation: Consultation, copy: Path) -> None:
    """Refuse to give a version that people have been sent to other contents."""
    pattern = re.compile(rf"{re.escape(_copy_stem(consultation))}-[0-9a-f]{{{DIGITS}}}\.zip")
    others = [p.name for p in copy.parent.glob("*.zip") if pattern.fullmatch(p.name)]
    for name in sorted(set(others) - {copy.name}):
        version = consultation.settings.version
        raise StudyError(
            Fault(
                f"version {version} is out already with other contents: {name}.",
                'Give this one a new version under [publish], such as version = "2".',
                consultation.inputs.study.path.name,
            )
        )


def _check_folder(out: Path) -> None:
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    try:
        known = json.loads((out / MANIFEST).read_text(encoding="utf-8"))["kind"] == KIND
    except (OSError, ValueError, KeyError, TypeError):
        known = False
    if not known:
        what = "holds something else than a pack, which would be lost."
        raise StudyError(Fault(what, "Name a new folder.", out.name))
