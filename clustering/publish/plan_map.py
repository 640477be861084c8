"""The planner's map of one plan: what is drawn, in plain tables, for `geo.maps` to draw."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import pandas as pd
import shapely

from clustering.inputs import Inputs
from clustering.opting import opted_out_table, opted_out_words
from clustering.plan import Plan
from clustering.publish.money import rounded_budgets
from clustering.publish.sources import sources_of
from clustering.publish.ways import hub_routes
from clustering.report import Report, leavers_kept
from clustering.rules import OPTED_OUT
from geo.areas import NATIONAL_GRID
from geo.map_data import MapData
from geo.outlines import outlines

AROUND = 30_000.0
"""Metres of neighbouring land that are drawn around the schools of a study."""
SMALL_FLOW = 5.0
"""Flows of fewer pupils never enter a page: they can point to a child."""


def plan_map(
    inputs: Inputs,
    plan: Plan,
    report: Report,
    *,
    banner: str = "",
    routes: gpd.GeoDataFrame | None = None,
    notes: tuple[str, ...] = (),
) -> MapData:
    """Return everything the map of a plan shows.

    `routes` (`hub_routes`) saves finding them; `notes` are further sentences for the map's foot.
    """
    config = inputs.study.config
    schools = _schools(inputs, plan)
    clusters = _clusters(inputs, report, schools, rounded_budgets(inputs, plan))
    links = feeder_links(inputs, plan, report)
    return MapData(
        title=config.title or config.name,
        subtitle=_subtitle(report, inputs),
        schools=schools,
        clusters=clusters,
        areas=areas_of(inputs),
        feeders=links[(links["pupils"] >= SMALL_FLOW) & ~links["opted_out"]],
        existing=_existing(inputs),
        context=context_of(inputs),
        routes=hub_routes(inputs, plan) if routes is None else routes,
        set_aside=inputs.schools.set_aside.dropna(subset=["easting", "northing"]),
        sources=sources_of(inputs),
        travel_source=f"Minutes: {inputs.minutes.source}.",
        notes=(*_out_words(inputs, plan), *notes, inputs.need.banner),
        banner=banner or config.map.banner,
        words={**_alone(schools, plan), **config.words},
    )


def _subtitle(report: Report, inputs: Inputs) -> str:
    minutes = report.summary["mean_minutes"]
    text = f"{len(report.clusters)} clusters, {minutes:.0f} minutes to the hub"
    kept = leavers_kept(report, estimated=inputs.feeders.estimated)
    return f"{text}, {kept}." if kept else f"{text}."


def _schools(inputs: Inputs, plan: Plan) -> pd.DataFrame:
    table = inputs.table
    hubs = {cluster.hub for cluster in plan.clusters}
    cluster = pd.Series(plan.cluster_of, dtype=object).reindex(table.index).fillna("")
    old, out = inputs.existing_labels, dict(plan.opted_out)
    hub_of = {urn: c.hub for c in plan.clusters for urn in c.schools}
    names = table["name"]
    details = []
    for urn, school in table.iterrows():
        rows = [("Phase", _phase(school)), ("Area", school["area"])]
        if urn in out:
            rows.append(("Cluster", "Opted out: in no cluster"))
        if cluster[urn]:
            rows.append(("Cluster", cluster[urn]))
            minutes = inputs.minutes.table.at[urn, hub_of[urn]]
            if urn not in hubs:
                rows.append(("Hub", f"{names[hub_of[urn]]}, about {minutes:.0f} minutes away"))
        if not pd.isna(school["pupils"]):
            rows.append(("Pupils", f"{school['pupils']:,.0f}"))
        if urn in old:
            rows.append(("Today’s cluster", old[urn]))
        details.append(tuple((label, str(value)) for label, value in rows))
    return pd.DataFrame(
        {
            "name": names,
            "phase": table["phase"],
            "area": table["area"],
            "easting": table["easting"],
            "northing": table["northing"],
            "cluster": cluster,
            "is_hub": [urn in hubs for urn in table.index],
            "selective": table["selective"],
            "details": details,
        },
        index=table.index,
    )


def _out_words(inputs: Inputs, plan: Plan) -> tuple[str, ...]:
    """Return a sentence on each school that opted out; the reason stays with the council."""
    public = [(urn, OPTED_OUT) for urn, _ in plan.opted_out]
    table = opted_out_table(public, inputs.table, inputs.feeders.links)
    return tuple(opted_out_words(table))


def _alone(schools: pd.DataFrame, plan: Plan) -> dict[str, str]:
    """Return what grey means on this map where schools opted out."""
    alone = set(schools.index[schools["cluster"] == ""])
    if not plan.opted_out:
        return {}
    rest = alone - set(dict(plan.opted_out))
    return {"alone": "opted out, or in no cluster" if rest else "opted out: in no cluster"}


def _phase(school: pd.Series) -> str:
    """Return phase with what a parent would want to know: "Secondary, girls, selective"."""
    words = [str(school["phase"]).replace("_", " ").replace("all through", "all-through")]
    if school["high_age"] == 7:
        words = ["infant"]
    elif school["low_age"] == 7:
        words = ["junior"]
    if school["sex"] in ("boys", "girls"):
        words.append(str(school["sex"]))
    if school["selective"] is not pd.NA and bool(school["selective"]):
        words.append("selective")
    if school["faith"]:
        words.append(str(school["faith"]))
    text = ", ".join(words)
    return text[0].upper() + text[1:]


def _clusters(
    inputs: Inputs, report: Report, schools: pd.DataFrame, budgets: Mapping[str, str]
) -> gpd.GeoDataFrame:
    rows = report.clusters.set_index("cluster")
    shapes = _outlines(inputs, schools)
    guess = inputs.feeders.estimated
    details = [
        _cluster_details(row, budgets.get(str(label)), estimated=guess)
        for label, row in rows.iterrows()
    ]
    return gpd.GeoDataFrame(
        {
            "number": range(1, len(rows) + 1),
            "name": rows["name"],
            "details": details,
            "summary": [
                f"{row['schools']} schools, {row['pupils']:,} pupils" for _, row in rows.iterrows()
            ],
        },
        index=rows.index,
        geometry=shapes.reindex(rows.index).to_numpy(),
        crs=NATIONAL_GRID,
    )


def _cluster_details(
    row: pd.Series, budget: str | None = None, *, estimated: bool = False
) -> tuple[tuple[str, str], ...]:
    moved = row["feeder_pupils_kept"] + row["feeder_pupils_lost"]
    details = [
        (
            "Schools",
            f"{row['schools']} ({row['primaries']} primary, {row['secondaries']} secondary)",
        ),
        ("Pupils", f"{row['pupils']:,}"),
        ("Need units", f"{row['need']:,.0f}"),
        (
            "Minutes to the hub",
            f"{row['mean_minutes']:.0f} on average, {row['max_minutes']:.0f} most",
        ),
    ]
    if budget:
        details.insert(3, ("Budget, to £1,000", budget))
    if moved:
        label = " (estimated)" if estimated else ""
        details.append(("Leavers who stay", f"{row['feeder_pupils_kept'] / moved:.0%}{label}"))
    if "srp_minutes" in row:
        far = f"{row['srp_farthest']}, {row['srp_minutes']:.0f} minutes from the hub"
        details.append(("Farthest SRP", far))
    if row["breaches"]:
        details.append(("Rules broken", str(row["breaches"])))
    return tuple(details)


def cluster_outlines(inputs: Inputs, cluster_of: Mapping[str, str]) -> gpd.GeoSeries:
    """Return the outline of each cluster of a plan in EPSG:27700, by label."""
    schools = inputs.table.assign(
        cluster=pd.Series(dict(cluster_of), dtype=object).reindex(inputs.table.index).fillna("")
    )
    return _outlines(inputs, schools)


def _outlines(inputs: Inputs, schools: pd.DataFrame) -> gpd.GeoSeries:
    placed = schools[schools["cluster"] != ""]
    if inputs.areas is None:
        hull = shapely.MultiPoint(placed[["easting", "northing"]].to_numpy(float)).convex_hull
        return outlines(placed, hull.buffer(1500.0)).geometry
    inside = inputs.study.config.rules.areas == "never"
    used = inputs.areas.table[inputs.areas.table.index.isin(inputs.table["area"])]
    ground = type(inputs.areas)(used)
    return outlines(placed, ground, inside_areas=inside and _never_crossed(placed)).geometry


def _never_crossed(placed: pd.DataFrame) -> bool:
    return bool((placed.groupby("cluster")["area"].nunique() == 1).all())


def areas_of(inputs: Inputs) -> gpd.GeoDataFrame:
    """Return the areas of a study by name in EPSG:27700; none where it has no polygons."""
    if inputs.areas is not None:
        return inputs.areas.table
    empty = gpd.GeoDataFrame({"code": []}, geometry=[], crs=NATIONAL_GRID)
    return empty.set_index(pd.Index([], name="area", dtype=object))


def feeder_links(inputs: Inputs, plan: Plan, report: Report) -> pd.DataFrame:
    """Return the feeder links with `kept` and `opted_out`.

    `kept`: both ends stand in one cluster or one is its associate. `opted_out`: an end takes no
    part, so that the link counts neither as kept nor as lost.
    """
    links = inputs.feeders.links
    home, lent, out = plan.cluster_of, report.lent, dict(plan.opted_out)
    kept = [
        bool(home.get(a)) and (home.get(a) == home.get(b) or lent.get(home[a]) == b)
        for a, b in zip(links["from_urn"], links["to_urn"], strict=True)
    ]
    outside = links["from_urn"].isin(out) | links["to_urn"].isin(out)
    return links.assign(kept=kept, opted_out=outside)


def _existing(inputs: Inputs) -> gpd.GeoDataFrame | None:
    if inputs.existing is None:
        return None
    shapes = cluster_outlines(inputs, inputs.existing.cluster_of)
    return gpd.GeoDataFrame(
        {
            "number": range(1, len(shapes) + 1),
            "name": shapes.index,
            "details": [() for _ in shapes],
            "summary": ["" for _ in shapes],
        },
        index=shapes.index,
        geometry=shapes.to_numpy(),
        crs=NATIONAL_GRID,
    )


def context_of(inputs: Inputs) -> gpd.GeoDataFrame | None:
    """Return land, main roads and places of `[map]`: columns kind, name; None without them."""
    own = inputs.study.config.map
    frames = []
    for kind, name in (("land", own.land), ("road", own.roads), ("place", own.places)):
        if not name:
            continue
        layer = gpd.read_file(inputs.study.resolve(name)).to_crs(NATIONAL_GRID)
        if kind == "land":
            layer = _neighbourhood(layer, inputs)
        named = layer["name"] if "name" in layer else pd.Series("", index=layer.index)
        frames.append(
            gpd.GeoDataFrame({"kind": kind, "name": named.fillna("")}, geometry=layer.geometry)
        )
    return gpd.GeoDataFrame(pd.concat(frames, ignore_index=True)) if frames else None


def _neighbourhood(land: gpd.GeoDataFrame, inputs: Inputs) -> gpd.GeoDataFrame:
    """Return the land around the study's schools as one shape: what lies far off is not drawn."""
    places = inputs.table[["easting", "northing"]].to_numpy(float)
    box = shapely.box(*(places.min(axis=0) - AROUND), *(places.max(axis=0) + AROUND))
    near = land[land.intersects(box)]
    shape = near.geometry.make_valid().union_all().intersection(box)
    return gpd.GeoDataFrame({"name": [""]}, geometry=[shape], crs=land.crs)
