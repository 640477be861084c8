"""What a reader of a pack can write down: an equation or a bound for everything that it says."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ortools.linear_solver import pywraplp

NEAR = 1e-4
"""Bounds that near to a whole number are that number."""
MOST = 1e6
"""Pupils that no school has: where nothing bounds a count, this does."""
LAST_DECIMAL = 0.05
"""Half of the last decimal of a rate."""
Key = tuple[str, str]
"""A count: of a measure, at a school (URN)."""
Sum = dict[Key, float]
"""Weights of counts."""


class Reader:
    """A pack as a linear programme over the counts of schools.

    `published` and `knowledge` are those of `Released`. `variables` by measure and URN; `exact` are
    the sums of which the value is known. Raises `ValueError` for words that mean nothing.
    """

    def __init__(self, published: Mapping[str, Any], knowledge: Mapping[str, Any]) -> None:
        self.said = published
        self.limit = int(published["threshold"])
        self.least = 1 if published["zeros_shown"] else 0
        self.told = frozenset(published["public"])
        self.public: Mapping[str, Mapping[str, float | None]] = knowledge.get("public", {})
        self.fixed: Mapping[str, Mapping[str, float | None]] = knowledge.get("fixed", {})
        self.unknown = {m: frozenset(urns) for m, urns in knowledge.get("unknown", {}).items()}
        self.solver = pywraplp.Solver.CreateSolver("GLOP")
        self.variables: dict[Key, Any] = {}
        self.exact: list[tuple[Sum, float]] = []
        for cell in published["cells"]:
            self._write_cell(cell)
        for rate in published["rates"]:
            self._write_rate(rate)
        everywhere = published["groupings"].values()
        urns = sorted({urn for groups in everywhere for at in groups.values() for urn in at})
        for number, whole in enumerate(published["wholes"], start=1):
            self._write_whole(whole, f"the rest of {whole['total']} ({number})", urns)

    def extreme(self, keys: Iterable[Key], *, largest: bool) -> float:
        """Return the least or the largest sum of counts; `ValueError` if the pack has no world."""
        return self.extreme_of([self.variables[key] for key in keys], largest=largest)

    def extreme_of(self, variables: Iterable[Any], *, largest: bool) -> float:
        """Return the least or the largest sum of any variables of the programme."""
        aim = self.solver.Objective()
        aim.Clear()
        for variable in variables:
            aim.SetCoefficient(variable, 1.0)
        aim.SetOptimizationDirection(largest)
        status = self.solver.Solve()
        if status != self.solver.OPTIMAL:
            raise ValueError("The pack contradicts itself: no counts agree with all it says.")
        return float(aim.Value())

    def schools(self, cell: Mapping[str, Any]) -> list[str]:
        """Return the URNs behind a cell."""
        found: list[str] = self.said["groupings"][cell["grouping"]][cell["group"]]
        return found

    def groups(self) -> list[frozenset[str]]:
        """Return the groups of which anything protected is told, each once."""
        cells = (c for c in self.said["cells"] if c["name"] not in self.told)
        return list(dict.fromkeys(frozenset(self.schools(cell)) for cell in cells))

    def _is_unknown(self, measure: str, urn: str) -> bool:
        return urn in self.unknown.get(measure, ())

    def _hold(self, weights: Sum, low: float, high: float) -> None:
        row = self.solver.Constraint(low, high)
        for key, weight in weights.items():
            if key not in self.variables:
                name = f"{key[0]} of {key[1]}"
                self.variables[key] = self.solver.NumVar(0, MOST, name)
            row.SetCoefficient(self.variables[key], weight)
        if low == high:
            self.exact.append((weights, low))

    def _write_cell(self, cell: Mapping[str, Any]) -> None:
        name, text, value = cell["name"], cell["text"], cell["value"]
        if name in self.told or text == "not known":
            return
        if name in self.said["amounts"]:
            if value is not None:
                self._write_amount(name, self.schools(cell), value)
            return
        weights = {(name, urn): 1.0 for urn in self.schools(cell)}
        meant = {
            f"fewer than {self.limit}": (self.least, self.limit - 1),
            "not shown": (self.limit, self.solver.infinity()),
            "small or not shown": (0, self.solver.infinity()),
        }
        if value is None and text not in meant:
            raise ValueError(f'"{text}" stands in place of a number: what does it mean?')
        self._hold(weights, *(meant[text] if value is None else (value, value)))

    def _write_amount(self, name: str, urns: Iterable[str], value: float) -> None:
        amount = self.said["amounts"][name]
        fixed = [self.fixed.get(name, {}).get(urn) for urn in urns]
        known = sum(pounds for pounds in fixed if pounds is not None)
        weights = {
            (measure, urn): rate
            for measure, rate in amount["rates"].items()
            for urn in urns
            if measure not in self.told and not self._is_unknown(measure, urn)
        }
        if weights and None not in fixed:
            middle, half = value - known, amount["step"] / 2
            self._hold(weights, middle - half, middle + half)

    def _write_rate(self, rate: Mapping[str, Any]) -> None:
        urns = self.schools(rate)
        of = self._known(rate["total"], urns)
        for cell in self.said["cells"]:
            same = all(cell[key] == rate[key] for key in ("grouping", "group"))
            if math.isnan(of) and same and cell["name"] == rate["total"]:
                of = math.nan if cell["value"] is None else cell["value"]
        if rate["value"] is None or math.isnan(of) or rate["part"] in self.told:
            return
        # A count is whole: where only one fits the rate, the rate says it.
        low = math.ceil(of * (rate["value"] - LAST_DECIMAL) / 100 - NEAR)
        high = math.floor(of * (rate["value"] + LAST_DECIMAL) / 100 + NEAR)
        if low <= high:
            self._hold({(rate["part"], urn): 1.0 for urn in urns}, max(low, 0), high)

    def _known(self, measure: str, urns: Iterable[str]) -> float:
        table = self.public.get(measure, {})
        values = [table.get(urn) for urn in urns]
        return math.nan if None in values else sum(v for v in values if v is not None)

    def _write_whole(self, whole: Mapping[str, Any], rest: str, urns: Iterable[str]) -> None:
        total, parts = whole["total"], whole["parts"]
        for urn in urns:
            weights = {(part, urn): 1.0 for part in parts if part not in self.told}
            high = 0.0
            if total in self.told:
                others = [self._known(part, [urn]) for part in parts if part in self.told]
                high = self._known(total, [urn]) - sum(others)
            gap = any(self._is_unknown(measure, urn) for measure in (total, *parts))
            if gap or math.isnan(high) or not weights:
                continue
            if not whole["complete"]:
                weights[rest, urn] = 1.0
            if total not in self.told:
                weights[total, urn] = -1.0
            self._hold(weights, high, high)
