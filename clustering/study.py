"""`Study`: one TOML file is one question; it is frozen, and its digest names the output folder."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_core import ErrorDetails

from clustering.budget_rules import BudgetRules
from clustering.provision.settings import ProvisionTable
from clustering.publish_settings import PublishTable
from clustering.rules import Frozen, Goals, Rules
from geo.errors import Faults, StudyError, did_you_mean


def _listed(value: Any) -> Any:
    """Let a lone text stand for a list of one."""
    return (value,) if isinstance(value, str) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Point = tuple[float, float]


class SchoolsTable(Frozen):
    """`[schools]`: which schools there are, and what the planner decides about dirty rows."""

    file: str
    la: Texts = ()
    census: Texts = ()
    links: str | None = None
    twins: Literal["newer", "older", "ask", "both"] = "newer"
    no_roll: Literal["ask", "count", "leave_out"] = "ask"
    successors: dict[str, str] = {}
    exclude: dict[str, str] = {}
    fix: dict[str, dict[str, Any]] = {}


class AreasTable(Frozen):
    """`[areas]`: a polygon layer, or a column of the schools table."""

    file: str | None = None
    layer: str | None = None
    column: str | None = None
    name_field: str | None = None
    code_field: str | None = None
    land: str | None = None
    """A layer of land; without one, the areas themselves are the land."""


class CrossingTable(Frozen):
    """`[[travel.crossing]]`: a bridge or tunnel over water."""

    name: str
    start: Point
    end: Point
    minutes: float | None = Field(default=None, gt=0)
    closed: bool = False


def _as_kmh(value: Any) -> Any:
    """Let a speed be a number that a road may have, or the word for the law by distance."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if value == "by_distance" or (number and 0 < value <= 130):
        return value
    raise ValueError('give km/h above 0 and up to 130, or "by_distance"')


class TravelTable(Frozen):
    """`[travel]`: where the minutes come from."""

    source: Literal["straight_line", "matrix", "roads"] = "straight_line"
    file: str | None = None
    roads: Texts = ()
    """A road file, a pair of tables (nodes, edges), or `"live"` for OSMnx."""
    roads_date: str = ""
    mode: Literal["drive", "walk"] = "drive"
    peak: float = Field(default=1.0, ge=0.2, le=5)
    """Multiplies driving minutes: 1 is light traffic, 1.3 a third slower."""
    speeds: str | None = None
    ferries: bool = False
    tolls: bool = False
    cache: str | None = None
    """A folder for the network and its minutes: only new and moved schools are searched again."""
    detour: float = Field(default=1.3, ge=1, le=5)
    kmh: Annotated[float | Literal["by_distance"], BeforeValidator(_as_kmh)] = "by_distance"
    """km/h throughout, or `"by_distance"`: faster the farther the way."""
    floor_minutes: float = Field(default=2.0, ge=0)
    water: bool = True
    crossing: tuple[CrossingTable, ...] = ()

    def road_files(self) -> dict[str, str]:
        """Return the road files by key; none where the roads are fetched."""
        if self.roads == ("live",):
            return {}
        if len(self.roads) == 1:
            return {"travel.roads": self.roads[0]}
        return {f"travel.roads {k}": name for k, name in enumerate(self.roads, start=1)}

    def check_roads(self, faults: Faults) -> None:
        """Fault a source of roads without roads, or fetched ones that would not be kept."""
        if len(self.roads) not in (1, 2):
            faults.add(
                '[travel] source = "roads" needs `roads`.',
                'One file, "county.osm.pbf"; two tables, ["nodes.csv", "edges.csv"]; or "live".',
            )
        if self.roads == ("live",) and not self.cache:
            faults.add(
                '[travel] roads = "live" needs `cache`, so that the roads are fetched once.',
                'For instance: cache = "cache".',
            )


def _as_winsor(value: Any) -> Any:
    return None if value == "off" else value


class NeedTable(Frozen):
    """`[need]`: the need formula: its weights, and figures beyond the schools table."""

    weights: dict[str, float] | None = None
    """Weights by factor; the default depends on the data."""
    figures: Texts = ()
    """Files of figures by URN: pupils by stage, published allocations, notional SEN."""
    previous: Texts = ()
    """Earlier censuses, for the mean rate of recorded SEN."""
    idaci: str | None = None
    """A table of IDACI by LSOA."""
    idaci_match: float = Field(default=0.98, ge=0, le=1)
    """Least share of schools whose LSOA must be in that table."""
    homes: str | None = None
    """Pupils by school and LSOA of their homes: `urn, lsoa, pupils`."""
    ehc_weight: float = Field(default=2.0, ge=0, le=20)
    winsor: Annotated[
        tuple[Annotated[float, Field(ge=0, lt=0.5)], Annotated[float, Field(gt=0.5, le=1)]] | None,
        BeforeValidator(_as_winsor),
    ] = (0.05, 0.95)
    """Rates of recorded SEN beyond these shares of schools are drawn in; "off" for none."""
    nff: str | None = None
    """Unit values of the national funding formula in place of those that are shipped."""


class BudgetTable(BudgetRules):
    """`[budget]`: the money of clusters; keys as in `BudgetRules`."""

    baseline: str | None = None
    """A file of what schools had before: `urn, baseline` and, if known, `baseline_pupils`."""


class PanelTable(Frozen):
    """`[panel]`: seats on the panels of clusters."""

    federation_one_seat: bool = False
    trust_share: float = Field(default=0.6, gt=0, le=1)
    """A trust with more than this part of a cluster's seats is flagged."""


class FeedersTable(Frozen):
    """`[feeders]`: the file of flows, an estimate, or both: counted flows go before estimated."""

    file: str | None = None
    estimate: bool = False
    suppressed: float = Field(default=2.5, ge=1, le=10)
    """Pupils that a suppressed cell stands for; half-way between 1 and 4 unless said otherwise."""
    tau_urban: float | None = Field(default=None, ge=0.5, le=60)
    """Minutes after which the pull of a school falls to 1/e, from a school in town. With a file and
    no tau, the estimate is calibrated on the file; without, 5 and 8 (country), with a speed by
    distance 3.6 and 5.7."""
    tau_rural: float | None = Field(default=None, ge=0.5, le=60)
    selective_share: float | None = Field(default=None, ge=0, le=1)
    """Share of leavers who go on to grammar schools; from the schools' places unless said."""
    truncate_minutes: float | None = Field(default=None, ge=1)
    no_local_intake: Texts = ()
    """URNs of schools that draw on no local school: boarding, or a national intake."""


class ExistingTable(Frozen):
    """`[existing]`: today's clusters, `urn,cluster`."""

    file: str
    locked: Texts = ()
    """Names of today's clusters that stay exactly as they are."""


class MapTable(Frozen):
    """`[map]`: what is drawn under the clusters, and a line that must not be overlooked."""

    land: str | None = None
    roads: str | None = None
    places: str | None = None
    banner: str = ""


class SolveTable(Frozen):
    """`[solve]`: how hard to look."""

    seed: int = Field(default=1, ge=0)
    effort: Literal["quick", "standard", "thorough"] = "standard"
    gap: float = Field(default=0.0, ge=0)


class Config(Frozen):
    """A whole study file."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=40)]
    title: str = ""
    schools: SchoolsTable
    areas: AreasTable
    travel: TravelTable = TravelTable()
    need: NeedTable = NeedTable()
    budget: BudgetTable | None = None
    panel: PanelTable | None = None
    provision: ProvisionTable | None = None
    publish: PublishTable = PublishTable()
    feeders: FeedersTable = FeedersTable()
    existing: ExistingTable | None = None
    rules: Rules = Rules()
    goals: Goals = Goals()
    solve: SolveTable = SolveTable()
    map: MapTable = MapTable()
    sources: tuple[SourceTable, ...] = ()
    words: dict[str, str] = {}


class SourceTable(Frozen):
    """`[[sources]]`: what a file is, for the map's foot: description, date and licence."""

    file: str
    what: str
    date: str = ""
    licence: str = ""
    attribution: str = ""


@dataclass(frozen=True)
class Study:
    """A study file as read: its path, exact text and checked contents."""

    path: Path
    text: str
    config: Config

    @classmethod
    def load(cls, path: Path | str) -> Study:
        """Read and check a study file; a `StudyError` names every key and value that is wrong."""
        path = Path(path)
        faults = Faults(StudyError, path.name)
        try:
            text = path.read_bytes().decode("utf-8-sig")
            data = tomllib.loads(text)
        except FileNotFoundError:
            near = [p.name for p in path.parent.glob("*.toml")] if path.parent.is_dir() else []
            faults.add(
                "the study file is not there.", did_you_mean(path.name, near) or "Check the path."
            )
        except IsADirectoryError:
            faults.add("is a folder, not a study file.", "Name the .toml file in it.")
        except (UnicodeDecodeError, OSError):
            faults.add("the study cannot be read as text.", "Save it as UTF-8 plain text.")
        except tomllib.TOMLDecodeError as error:
            twice = "twice" in str(error) or "overwrite" in str(error)
            fix = (
                "A heading or key stands twice: put its lines under the heading that is there."
                if twice
                else 'Texts stand in "quotes"; lists in [brackets].'
            )
            faults.add(f"is not valid TOML: {error}.", fix)
        faults.raise_if_any()
        try:
            config = Config.model_validate(data)
        except ValidationError as error:
            for problem in error.errors():
                what, fix, row = _sentence(problem, data, text)
                faults.add(what, fix, row=row)
            faults.raise_if_any()
        study = cls(path, text, config)
        study._check_files(faults)
        faults.raise_if_any()
        return study

    @property
    def name(self) -> str:
        """Short name of the study; the start of its output folder's name."""
        return self.config.name

    def files(self) -> Mapping[str, Path]:
        """Return every file the study names, by its key; paths are relative to the study file."""
        return {key: self.resolve(name) for key, name in self._named_files()}

    def resolve(self, name: str) -> Path:
        """Return the path of a file named in the study."""
        return (self.path.parent / name).resolve()

    def digest(self, *settings: object) -> str:
        """Return 10 hex digits that change with the study, any of its files, or the settings."""
        total = hashlib.sha256(self.text.encode())
        for _, path in sorted(self.files().items()):
            total.update(hashlib.sha256(path.read_bytes()).digest())
        total.update(repr(settings).encode())
        return total.hexdigest()[:10]

    def _named_files(self) -> Iterator[tuple[str, str]]:
        config = self.config
        yield "schools.file", config.schools.file
        for k, census in enumerate(config.schools.census, start=1):
            yield f"schools.census {k}", census
        for key in ("figures", "previous"):
            for k, name in enumerate(getattr(config.need, key), start=1):
                yield f"need.{key} {k}", name
        optional = {
            "schools.links": config.schools.links,
            "need.idaci": config.need.idaci,
            "need.homes": config.need.homes,
            "need.nff": config.need.nff,
            "budget.baseline": config.budget.baseline if config.budget else None,
            "areas.file": config.areas.file,
            "areas.land": config.areas.land,
            "travel.file": config.travel.file,
            "travel.speeds": config.travel.speeds,
            **config.travel.road_files(),
            "feeders.file": config.feeders.file,
            "existing.file": config.existing.file if config.existing else None,
            "map.land": config.map.land,
            "map.roads": config.map.roads,
            "map.places": config.map.places,
            **(config.provision.files() if config.provision else {}),
            "publish.outcomes": config.publish.outcomes,
        }
        yield from ((key, name) for key, name in optional.items() if name)

    def _check_files(self, faults: Faults) -> None:
        for key, path in self.files().items():
            if not path.is_file():
                near = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
                hint = did_you_mean(path.name, near) or "Paths are relative to the study file."
                faults.add(f'{key} = "{path.name}": the file is not there.', hint)
        areas, travel = self.config.areas, self.config.travel
        if bool(areas.file) == bool(areas.column):
            faults.add(
                "[areas] needs either `file` (a polygon layer) or `column` (of the schools table).",
                'For instance: file = "districts.geojson".',
            )
        if travel.source == "matrix" and not travel.file:
            faults.add('[travel] source = "matrix" needs `file`.', 'For instance: "minutes.csv".')
        if travel.source == "roads":
            travel.check_roads(faults)


Config.model_rebuild()


def _sentence(
    problem: ErrorDetails, data: Mapping[str, Any], text: str
) -> tuple[str, str, int | None]:
    """Turn one finding of the validator into what is wrong, what to do, and the line."""
    path = [str(part) for part in problem["loc"] if part not in ("literal", "tuple", "function")]
    key = path[-1] if path else ""
    row = _line_of(key, text)
    place = f"[{'.'.join(path[:-1])}] {key}" if len(path) > 1 else key
    if problem["type"] == "extra_forbidden":
        known = _known_keys(path[:-1])
        where = f" in [{'.'.join(path[:-1])}]" if len(path) > 1 else ""
        hint = did_you_mean(key, known) or f"Known keys: {', '.join(sorted(known))}."
        return f'unknown key "{key}"{where}.', hint, row
    if problem["type"] == "missing":
        where = f" in [{'.'.join(path[:-1])}]" if len(path) > 1 else ""
        return f'the key "{key}" is missing{where}.', "Add it.", None
    message = problem["msg"].removeprefix("Value error, ")
    value = problem.get("input")
    shown = f" = {value!r}" if isinstance(value, str | int | float | bool | list) else ""
    return f"{place}{shown}: {message}.", "", row


def _known_keys(path: list[str]) -> set[str]:
    """Return the keys that may stand at a place in the study file."""
    model: Any = Config
    for part in path:
        field = getattr(model, "model_fields", {}).get(part)
        if field is None:
            continue
        model = next(iter(_models(field.annotation)), model)
    return set(getattr(model, "model_fields", {}))


def _models(annotation: Any) -> Iterator[Any]:
    """Yield the model classes within a type such as `dict[str, AreaRules]`."""
    if isinstance(annotation, type) and issubclass(annotation, Frozen):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models(inner)


def _line_of(key: str, text: str) -> int | None:
    """Return the first line on which a key is set or a table opened, for the planner's eye."""
    pattern = re.compile(rf'^\s*(\[+[^\]]*)?"?{re.escape(key)}"?\s*(=|\])')
    for number, line in enumerate(text.splitlines(), start=1):
        if pattern.search(line):
            return number
    return None
