"""Every number of the estimate of feeder flows, with where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

BY_DISTANCE_TAUS = {"tau_urban": 3.6, "tau_rural": 5.7}
"""Usual taus where the straight line goes faster with distance: far schools are fewer minutes away,
and with 5 and 8 Kent's children would travel 4.7 miles instead of the national 3.5."""


@dataclass(frozen=True)
class GravitySettings:
    """How the model of `clustering.gravity` sees the world.

    "Planning assumption" means: chosen by judgement, to be replaced by local knowledge or
    calibrated on known flows (`clustering.gravity.calibrate`). Raises `ValueError` for a value
    outside its range.
    """

    tau_urban: float = 5.0
    """Minutes after which the pull of a school falls to 1/e, from a school in town. With this and
    `tau_rural` the model has Kent's children travel 3.5 miles to a non-selective secondary school,
    the national mean (National Travel Survey), by a straight line at 40 km/h. 8 and 12, often used
    with slower door-to-door minutes, would make that 4.8 miles; for a speed by distance see
    `BY_DISTANCE_TAUS`."""
    tau_rural: float = 8.0
    """The same from a school in the country."""
    tau_young: float = 4.0
    """The same for children who change school before 9, as from infant to junior school; their
    mean trip is about 1.6 miles (National Travel Survey)."""
    young_minutes: float = 15.0
    """An infant school without a junior school this near feeds the nearest primary school."""
    own_junior: float = 10.0
    """Factor on the pull of the junior school that belongs to an infant school (by name or
    neighbourhood, see `clustering.together`). Planning assumption."""
    selective_stretch: float = 2.0
    """Factor on tau for the grammar-bound: grammar catchments are long. Planning assumption."""
    urban_schools: int = 10
    """A school is in town if this many others are within `urban_minutes`. Planning assumption."""
    urban_minutes: float = 10.0
    truncate_minutes: float = 45.0
    """Nobody travels longer, unless no fitting school is nearer; statutory guidance on home to
    school travel has 75 minutes from door to door as the most for secondary age, 45 for primary."""
    floor_minutes: float = 2.0
    """Two schools on one site are this far apart, so that the nearest never takes all."""

    selective_share: float | None = None
    """Share of leavers who go on to grammar schools. None: the grammar schools' part of all Y7
    places, less what they give to children from outside."""
    outside_selective: float = 0.15
    """Part of grammar places taken from outside. Planning assumption: brings Kent to about a
    quarter of its own leavers, as commonly said of Kent."""
    outside_open: float = 0.03
    """Part of other secondary places taken from outside. Planning assumption."""
    most_selective: float = 0.6
    """No school sends a larger part of its leavers to grammar schools."""
    fsm6_tilt: float = 2.5
    """The grammar-bound share falls as exp(-tilt × FSM6 share). Kent's grammar schools have 7.5 %
    FSM6 against 24 % of all pupils (DfE census 2025); the slope is a planning assumption."""
    sexes: float = 0.5
    """Part of girls in a mixed school."""

    same_faith: float = 4.0
    """Factor on the pull of a school of one's own denomination. Planning assumption (3 to 5)."""
    other_faith: float = 0.3
    """Factor on the pull of a school of another denomination, and of a Roman Catholic school on
    children from schools without one. Planning assumption."""

    out_share: float = 0.08
    """Part of leavers who go elsewhere: other councils, independent and special schools. Planning
    assumption; less where many places are near, more where none is."""
    most_out: float = 0.5
    """No school loses a larger part of its leavers to elsewhere before the balancing."""
    stay_share: float = 0.8
    """Part of an all-through school's own leavers who stay. Planning assumption."""
    all_through_primary: float = 0.27
    """Part of an all-through school's roll that is of primary age: two forms of entry below six to
    seven, as in Kent's. Only used for all-through schools."""
    sixth_form: float = 0.12
    """Part of the roll that is in the sixth form, where there is one. Planning assumption."""
    sixth_form_selective: float = 0.24
    """The same in grammar schools, where most stay: 2 of 7 year groups, less leavers."""
    nursery_years: float = 0.5
    """Year groups that a nursery class counts for on the roll of a school that starts at 2 or 3."""

    keep_share: float = 0.10
    """A link is kept if it takes this part of a school's leavers..."""
    keep_pupils: float = 5.0
    """... or this many pupils a year; smaller ones count in what a plan keeps, and nowhere else."""
    no_local_intake: tuple[str, ...] = ()
    """URNs of schools that draw on no local school: boarding, national or entry at 14."""

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        for name in ("tau_urban", "tau_rural", "tau_young", "own_junior", "same_faith"):
            self._check(name, 0.01, 1000.0)
        self._check("selective_stretch", 0.01, 100.0)
        for name in ("truncate_minutes", "urban_minutes", "young_minutes"):
            self._check(name, 1.0, 1000.0)
        for name in ("floor_minutes", "other_faith", "fsm6_tilt", "keep_pupils"):
            self._check(name, 0.0, 1000.0)
        for name in ("outside_selective", "outside_open", "out_share", "most_out"):
            self._check(name, 0.001, 0.95)
        for name in ("most_selective", "sexes", "stay_share", "all_through_primary", "keep_share"):
            self._check(name, 0.0, 1.0)
        for name in ("sixth_form", "sixth_form_selective"):
            self._check(name, 0.0, 0.6)
        if self.selective_share is not None:
            self._check("selective_share", 0.0, 1.0)

    def _check(self, name: str, low: float, high: float) -> None:
        value = getattr(self, name)
        if not low <= value <= high:
            raise ValueError(f"{name} = {value:g} is not between {low:g} and {high:g}")

    @classmethod
    def given(cls, values: Mapping[str, object]) -> GravitySettings:
        """Return the defaults with every value that is given (not None) in their stead."""
        known = {field.name for field in fields(cls)}
        return replace(
            cls(),
            **{k: v for k, v in values.items() if k in known and v is not None},  # type: ignore[arg-type]
        )
