"""`[provision]` of a study: which provisions there are, who needs them, and the council's limits.

Every threshold here is the council's own; the defaults are where a planner would start
(45 and 75 minutes door to door are the rule of thumb of the DfE's guidance on home-to-school
travel; £6,000 for a place that is filled and £10,000 for one that is not, that of the high needs
operational guide). What cannot be known from figures, such as which share of a need type needs a
place, has no default: it is asked for.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from clustering.rules import Frozen

NEED_TYPES: dict[str, str] = {
    "SPLD": "specific learning difficulty",
    "MLD": "moderate learning difficulty",
    "SLD": "severe learning difficulty",
    "PMLD": "profound and multiple learning difficulty",
    "SEMH": "social, emotional and mental health",
    "SLCN": "speech, language and communication needs",
    "HI": "hearing impairment",
    "VI": "vision impairment",
    "MSI": "multi-sensory impairment",
    "PD": "physical disability",
    "ASD": "autistic spectrum disorder",
    "DS": "Down's syndrome",
    "OTH": "other difficulty or disability",
    "NSA": "no specialist assessment of type of need",
}
"""Codes of the DfE's school census, and their words. DS is in it since January 2025."""
ALIASES = {"ASC": "ASD", "SPL": "SPLD", "BESD": "SEMH"}
"""Other codes that councils and the NHS use."""

KINDS: dict[str, str] = {
    "srp": "SRP",
    "sen_unit": "SEN unit",
    "special": "special school",
    "alternative": "alternative provision",
}
"""Kinds of provision. An SRP and a SEN unit serve the same demand; the other two each their own."""
SERVES = {"srp": "srp", "sen_unit": "srp", "special": "special", "alternative": "alternative"}
"""Which demand a kind of provision meets."""
PHASES = ("primary", "secondary")
AGES = {"primary": (4, 11), "secondary": (11, 16)}
"""Ages of Reception to Year 6 and of Years 7 to 11: from, and up to but not with."""

Share = Annotated[float, Field(ge=0, le=1)]
Pair = tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]]


def _as_codes(value: Any) -> Any:
    """Read need types in any case, one or many, with the usual other codes."""
    listed = (value,) if isinstance(value, str) else value
    return tuple(need_type(str(one)) for one in listed)


def need_type(word: str) -> str:
    """Return the code of a need type; a `ValueError` for one that is not known."""
    code = word.strip().upper()
    code = ALIASES.get(code, code)
    if code not in NEED_TYPES:
        raise ValueError(f'"{word}" is no need type; known are {", ".join(NEED_TYPES)}')
    return code


def _by_type(value: Any) -> Any:
    """Let one number by need type stand in any case of the code."""
    if not isinstance(value, dict):
        return value
    return {need_type(str(key)): number for key, number in value.items()}


Codes = Annotated[tuple[str, ...], BeforeValidator(_as_codes)]
SharesByType = Annotated[dict[str, Share], BeforeValidator(_by_type)]
GrowthByType = Annotated[
    dict[str, Annotated[float, Field(ge=-0.5, le=1)]], BeforeValidator(_by_type)
]


class Limits(Frozen):
    """Minutes from door to door: a first limit to aim at and a second not to pass, by phase."""

    primary: Pair = (30.0, 45.0)
    secondary: Pair = (45.0, 75.0)

    @model_validator(mode="after")
    def _ordered(self) -> Limits:
        for phase in PHASES:
            first, second = getattr(self, phase)
            if first > second:
                raise ValueError(f"{phase} = [{first:g}, {second:g}]: the first is beyond the last")
        return self

    def of(self, phase: str) -> tuple[float, float]:
        """Return both limits of a phase, in minutes."""
        first, second = getattr(self, phase)
        return float(first), float(second)


class DemandTable(Frozen):
    """`[provision.demand]`: children who need a place, by where they live or learn.

    Either `file` (the council's own table), `schools` (published primary need by school) or
    `rates` and `places` (an estimate from rates of the whole council).
    """

    file: str | None = None
    schools: str | None = None
    rates: str | None = None
    la: str | None = None
    """The council whose rows of `rates` count; needed where the file has several."""
    places: str | None = None
    """Neighbourhoods (LSOAs): code, coordinates, children and, if known, IDACI."""
    share: SharesByType = {}
    """Part of the children of a type that needs a place in an SRP or SEN unit."""
    special_share: SharesByType = {}
    """Part of the children of a type that needs a place in a special school."""
    alternative_share: SharesByType = {}
    """Part of the children of a type that needs a place in alternative provision."""
    growth: GrowthByType = {}
    """Growth of the demand a year, by type."""
    year: int = Field(2026, ge=2000, le=2100)
    """The year in whose autumn the demand is as the files say."""
    gradient: float = Field(1.08, ge=0, le=20)
    """An estimate gives a place a rate in proportion to 1 + gradient × IDACI score."""
    suppressed: float = Field(2.5, ge=1, le=10)
    """Children that a suppressed count stands for."""

    def shares(self) -> dict[str, dict[str, float]]:
        """Return the shares by what they need: srp, special, alternative."""
        return {
            "srp": self.share,
            "special": self.special_share,
            "alternative": self.alternative_share,
        }


class ViabilityTable(Frozen):
    """`[provision.viability]`: the council's thresholds; a flag is never a verdict."""

    amber: float = Field(0.75, ge=0, le=1)
    """Filled to less than this part in two years running: amber."""
    red: float = Field(0.60, ge=0, le=1)
    """Filled to less than this part: red."""
    least_children: int = Field(6, ge=0)
    """Fewer children than this: red."""
    over: float = Field(1.05, ge=1)
    """Filled beyond this part: over-full."""
    least_places: dict[Literal["primary", "secondary"], int] = {"primary": 8, "secondary": 12}
    """Smallest efficient size, by phase."""


class CostTable(Frozen):
    """`[provision.costs]`: pounds a year for a place, and what building one costs."""

    filled: float = Field(6_000, ge=0)
    """A place in an SRP that is filled at the census, beside the pupil's ordinary funding."""
    empty: float = Field(10_000, ge=0)
    """A commissioned place that is not filled."""
    special: float = Field(10_000, ge=0)
    """A place in a special school or alternative provision."""
    top_up: Annotated[dict[str, Annotated[float, Field(ge=0)]], BeforeValidator(_by_type)] = {}
    """Expected top-up for a child in a place, by type; nothing where not given."""
    capital: float | None = Field(None, ge=0)
    """Pounds to build one place, once; unknown where not given."""


class ProvisionTable(Frozen):
    """`[provision]`: the provisions of the council and how they are judged."""

    file: str | None = None
    """The council's own list of provisions. It goes before the record, and that before the
    census."""
    census: str | None = None
    """The DfE's SEN file by school, for its flags of provision."""
    minutes: str | None = None
    """Minutes from places of demand to schools with provision, where `[travel]` is a table."""
    history: str | None = None
    """Children on roll in earlier years: `urn, year, on_roll` and, if known, `places`."""
    unlisted: Literal["leave_out", "count"] = "leave_out"
    """Provisions of the record that the council's list does not have."""
    not_by_srp: Codes = ()
    """Need types for which this council has no SRPs by its own decision."""
    open_to_all: tuple[Literal["selective", "faith"], ...] = ("faith",)
    """Limits on admission that a plan naming the school overrides. A selective school's provision
    is open to nobody unless it stands here."""
    limits: Limits = Limits()
    pickup_factor: float = Field(1.3, ge=1, le=5)
    """Driving minutes are multiplied by this for a shared vehicle…"""
    pickup_minutes: float = Field(5.0, ge=0, le=60)
    """… and so many are added for picking up and waiting."""
    demand: DemandTable = DemandTable()
    viability: ViabilityTable = ViabilityTable()
    costs: CostTable = CostTable()

    @model_validator(mode="after")
    def _one_demand(self) -> ProvisionTable:
        own = self.demand
        given = [key for key in ("file", "schools", "rates") if getattr(own, key)]
        if len(given) > 1:
            raise ValueError(f"demand comes from one of file, schools and rates, not {given}")
        if own.rates and not own.places:
            raise ValueError("demand from rates needs places: LSOA codes, coordinates, children")
        return self

    def files(self) -> dict[str, str | None]:
        """Return the files named here by their keys in the study."""
        own = self.demand
        return {
            "provision.file": self.file,
            "provision.census": self.census,
            "provision.history": self.history,
            "provision.minutes": self.minutes,
            "provision.demand.file": own.file,
            "provision.demand.schools": own.schools,
            "provision.demand.rates": own.rates,
            "provision.demand.places": own.places,
        }
