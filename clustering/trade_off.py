"""The curve between two goals, as a table and as a drawing that needs no library."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import pandas as pd

WIDTH, HEIGHT, MARGIN = 560, 340, 62
"""The drawing in pixels; the margin holds the words on the axes."""


@dataclass(frozen=True, eq=False)
class TradeOff:
    """What more weight on one goal buys and what it costs in another.

    `table` has a row a factor on the price of `goal`: `factor`, what `goal` and `against` come to
    at the study's own prices, county-wide figures, and `moved`, schools that move against factor 1.
    """

    against: str
    goal: str
    table: pd.DataFrame

    @property
    def best(self) -> pd.DataFrame:
        """The rows that no other row beats in both goals."""
        rows = self.table[[self.against, self.goal]].to_numpy(float)
        beaten = [
            any((other <= row).all() and (other < row).any() for other in rows) for row in rows
        ]
        return self.table[[not b for b in beaten]]

    def svg(self) -> str:
        """Return the curve as an SVG drawing: `against` to the right, `goal` upwards."""
        table = self.table.sort_values([self.against, self.goal], kind="stable")
        x = _scaled(table[self.against], MARGIN, WIDTH - 20)
        y = _scaled(table[self.goal], HEIGHT - MARGIN, 20)
        best = set(self.best["factor"])
        line = " ".join(
            f"{a:.1f},{b:.1f}"
            for a, b, factor in zip(x, y, table["factor"], strict=True)
            if factor in best
        )
        dots = "".join(
            f'<circle cx="{a:.1f}" cy="{b:.1f}" r="5" fill="{_fill(f, best)}" stroke="#0b4f79"/>'
            f'<text x="{a + 8:.1f}" y="{b - 6:.1f}">×{f:g}</text>'
            for a, b, f in zip(x, y, table["factor"], strict=True)
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'width="{WIDTH}" font-family="sans-serif" font-size="12">'
            f"<title>{escape(self._title())}</title>"
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
            f'<path d="M{MARGIN} 10V{HEIGHT - MARGIN + 14}H{WIDTH - 10}" fill="none" '
            f'stroke="#5f6a70"/><polyline points="{line}" fill="none" stroke="#0b4f79"/>{dots}'
            f"{self._axes()}</svg>"
        )

    def _title(self) -> str:
        return f"{self.goal} against {self.against}: each point a plan, × its price on {self.goal}"

    def _axes(self) -> str:
        """Return the words on both axes: the goal, and its least and most."""
        low, middle = HEIGHT - MARGIN + 30, HEIGHT - 8
        marks = []
        for goal, upright in ((self.against, False), (self.goal, True)):
            least, most = f"{self.table[goal].min():,.0f}", f"{self.table[goal].max():,.0f}"
            if upright:
                marks.append(f'<text x="4" y="{HEIGHT - MARGIN}">{least}</text>')
                marks.append(f'<text x="4" y="22">{most}</text>')
                turned = f'transform="translate(14 {HEIGHT / 2 - 20}) rotate(-90)"'
                words = f"price of {escape(goal)}, minutes"
                marks.append(f'<text {turned} text-anchor="middle">{words}</text>')
            else:
                marks.append(f'<text x="{MARGIN}" y="{low}">{least}</text>')
                marks.append(f'<text x="{WIDTH - 20}" y="{low}" text-anchor="end">{most}</text>')
                words = f"price of {escape(goal)}, minutes"
                at = f'x="{WIDTH / 2}" y="{middle}" text-anchor="middle"'
                marks.append(f"<text {at}>{words}</text>")
        return "".join(marks)

    def _repr_html_(self) -> str:
        """Show drawing and table in a notebook."""
        return self.svg() + str(self.table.to_html(index=False, border=0))


def _scaled(values: pd.Series, low: float, high: float) -> list[float]:
    """Return values stretched from `low` to `high`; in the middle where all are one."""
    least, most = float(values.min()), float(values.max())
    if most == least:
        return [(low + high) / 2] * len(values)
    return [low + (float(v) - least) / (most - least) * (high - low) for v in values]


def _fill(factor: float, best: set[float]) -> str:
    return "#0b4f79" if factor in best else "#fff"
