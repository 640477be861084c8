"""`BudgetRules`: how the money of clusters is worked out, validated on construction."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from clustering.rules import Frozen

PRESETS = {"hounslow": 0.01, "nottinghamshire": 0.18}
"""Share of the high-needs block that these councils are reported to devolve to clusters."""
PHASES = ("primary", "secondary")
Pounds = Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False)]
Part = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Growth = Annotated[float, Field(gt=-1, le=1, allow_inf_nan=False)]


def _as_share(value: Any) -> Any:
    if isinstance(value, str):
        if value not in PRESETS:
            raise ValueError(
                f"give a part of one, or a council whose part is known ({', '.join(PRESETS)})"
            )
        return PRESETS[value]
    return value


def _as_loss(value: Any) -> Any:
    return None if value == "off" else value


def _as_losses(value: Any) -> Any:
    return (value,) if isinstance(value, int | float | str) else value


Loss = Annotated[Part | None, BeforeValidator(_as_loss)]


class DeficitPlan(Frozen):
    """`[budget.deficit]`: the way of the high-needs block to balance; all in pounds."""

    opening: Pounds
    """Accumulated deficit at the start of the first year."""
    spend: Pounds
    """High-needs spending of the first year, the pot of clusters within it."""
    spend_growth: Growth = 0.0
    block: Pounds
    """High-needs block of the first year."""
    block_growth: Growth = 0.0
    contributions: tuple[Pounds, ...] = ()
    """What others pay towards the deficit, year by year."""
    target_year: int | None = Field(default=None, ge=2000, le=2100)
    """Calendar year in which the last financial year begins that may still show a deficit."""


class BudgetRules(Frozen):
    """How a pot is shared: topslice, formula, protection, rounding.

    Every share is a part of one: 0.05 is five per cent.
    """

    pot: Pounds | None = None
    """Pounds of the first year; or `high_needs_block` with `devolved_share`."""
    high_needs_block: Pounds | None = None
    devolved_share: Annotated[Part | None, BeforeValidator(_as_share)] = None
    """Part of the block; or the name of a council in `PRESETS`, for its part."""
    growth: Growth = 0.0
    """Growth of the pot from one year to the next."""
    contingency: Part = 0.05
    """Share of the pot that stays with the council for exceptional needs."""
    running_cost: Pounds = 12_000.0
    """Pounds a year for each cluster's chair, clerk and cover, shown apart."""
    phase_weights: dict[Literal["primary", "secondary"], Pounds] = {}
    """What a share of a phase counts for; 1 unless said. All-through counts as secondary."""
    ring_fence: dict[Literal["primary", "secondary"], Part] | None = None
    """Part of the money for the schools of each phase; must sum to 1."""
    floors: Annotated[tuple[Loss, ...], BeforeValidator(_as_losses)] = (0.05, 0.10, 0.15, None)
    """Greatest loss against the baseline, year by year; "off" for none. The last one stays."""
    cap: Annotated[float, Field(ge=0)] | None = None
    """Greatest gain over the baseline, as long as there are floors; none unless said."""
    round_to: int = Field(default=100, ge=1, le=10_000)
    project_share: Part = 1.0
    """Part of each budget for whole-school projects; the rest is for single pupils."""
    outside: Literal["held", "shared"] = "held"
    """The share of schools in no cluster: the council holds it, or all clusters share it."""
    first_year: int = Field(default=2025, ge=2000, le=2100)
    """Calendar year in which the first financial year begins."""
    years: int = Field(default=4, ge=1, le=10)
    """How many years the outlook shows."""
    deficit: DeficitPlan | None = None

    @model_validator(mode="after")
    def _one_pot(self) -> BudgetRules:
        share = self.high_needs_block is not None and self.devolved_share is not None
        half = (self.high_needs_block is None) != (self.devolved_share is None)
        if (self.pot is None) == (not share) or half:
            raise ValueError(
                "needs either pot, or high_needs_block with devolved_share (a part of one, "
                '"hounslow" or "nottinghamshire")'
            )
        if self.ring_fence is not None and (
            set(self.ring_fence) != set(PHASES) or abs(sum(self.ring_fence.values()) - 1) > 1e-9
        ):
            raise ValueError("ring_fence needs primary and secondary, which sum to 1")
        if not self.floors:
            raise ValueError('floors is empty; for no floor write floors = ["off"]')
        if self.cap is not None and all(loss is None for loss in self.floors):
            raise ValueError(
                "cap is in force only beside a floor; for a cap alone write floors = [1.0], "
                "which lets a cluster lose everything"
            )
        if self.phase_weights and not any(self.phase_weight(p) for p in PHASES):
            raise ValueError("phase_weights are all zero")
        return self

    def phase_weight(self, phase: str) -> float:
        """Return what a share of a phase counts for."""
        return {str(k): v for k, v in self.phase_weights.items()}.get(phase, 1.0)

    def pot_of(self, year: int = 0) -> int:
        """Return the pot of a year in whole pounds; year 0 is the first."""
        if self.pot is not None:
            first = self.pot
        else:
            first = (self.high_needs_block or 0.0) * (self.devolved_share or 0.0)
        return whole(first * (1 + self.growth) ** year)

    def loss_of(self, year: int = 0) -> float | None:
        """Return the greatest loss against the baseline in a year, None for no floor."""
        return self.floors[min(year, len(self.floors) - 1)]

    def label(self, year: int = 0) -> str:
        """Return a financial year as "2025-26"."""
        first = self.first_year + year
        return f"{first}-{(first + 1) % 100:02d}"


def whole(pounds: float) -> int:
    """Return whole pounds, halves rounded up."""
    return int(pounds + 0.5)
