"""What a measurement was made on: machine, versions, seed. No names of hosts or people."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("numba", "numpy", "ortools", "pyproj")


def processor() -> str:
    """Return the name of the processor as the system gives it."""
    cpu = Path("/proc/cpuinfo")
    if cpu.exists():
        for line in cpu.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def header(**facts: object) -> str:
    """Return a Markdown line with the machine, the versions and any further facts."""
    parts = [
        f"{processor()}, {os.cpu_count()} cores",
        f"{platform.system()} {platform.machine()}",
        f"Python {platform.python_version()}",
        *(f"{name} {version(name)}" for name in PACKAGES),
        *(f"{name.replace('_', ' ')} {value}" for name, value in facts.items()),
    ]
    return " · ".join(parts) + "\n"


def busy() -> str:
    """Return how busy the machine was when it was asked: runnable processes a core."""
    if not hasattr(os, "getloadavg"):
        return "unknown"
    return f"{os.getloadavg()[0] / (os.cpu_count() or 1):.1f}"


def peak() -> float:
    """Return the greatest memory this process has had, in MB; NaN where it cannot be asked.

    Linux keeps it by address space; what `resource` tells there begins with the parent's memory.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text("utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def page(
    out: Path,
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    words: str = "",
    **facts: object,
) -> None:
    """Write a page of results: the title, the machine and the facts, the table, and any words."""
    parts = [
        f"# {title}\n",
        header(**facts),
        table(columns, rows),
        *([f"{words}\n"] if words else []),
    ]
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join(parts), encoding="utf-8")
