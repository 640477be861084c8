"""Shares £10m among the districts of Kent under several weights, beside the figures once worked
out by hand for this project; counts the leavers that plans keep; writes
benchmarks/results/budget.md. The search for three plans takes some minutes.

    python benchmarks/budget.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from benchmarks.retention import retention  # noqa: E402
from clustering.budget import budgets  # noqa: E402
from clustering.budget_rules import BudgetRules  # noqa: E402
from clustering.inputs import Inputs, load_inputs  # noqa: E402
from clustering.plan import Cluster, Plan  # noqa: E402
from clustering.sensitivity import sensitivity  # noqa: E402
from clustering.study import Study  # noqa: E402

RESULTS = HERE / "results" / "budget.md"
POT = 10_000_000
RULES = BudgetRules(pot=POT, contingency=0, running_cost=0, floors="off", round_to=1)
WEIGHTS = {
    "50 pupils, 20 FSM6, 15 SEN support, 15 EHC plans": (
        {"pupils": 0.50, "fsm6": 0.20, "sen_support": 0.15, "ehc_plans": 0.15},
        (33.3, "Tunbridge Wells", 48.3, "Thanet"),
    ),
    "50 pupils, 30 FSM6, 20 SEN support": (
        {"pupils": 0.50, "fsm6": 0.30, "sen_support": 0.20},
        (34.1, "Tunbridge Wells", 49.8, "Thanet"),
    ),
    "30 pupils, 10 FSM6, 10 SEN support, 50 EHC plans": (
        {"pupils": 0.30, "fsm6": 0.10, "sen_support": 0.10, "ehc_plans": 0.50},
        (28.4, "Tunbridge Wells", 49.9, "Dover"),
    ),
}
"""Weights, and the printed lowest and highest £ per pupil with their districts."""
PRINTED_ROLL = 245_063
PRINTED_SCHOOLS = (22.9, 97.0, 10.5, 16.2)
"""Printed: least and most £ per pupil of a school; grammars' part of money and of pupils, %."""


def districts(inputs: Inputs) -> Plan:
    """Return the districts as if they were clusters."""
    groups = inputs.table.groupby("area").groups
    return Plan(
        tuple(Cluster(str(a), min(urns), tuple(sorted(urns))) for a, urns in sorted(groups.items()))
    )


def per_pupil(inputs: Inputs, plan: Plan, weights: dict[str, float]) -> pd.DataFrame:
    """Return budgets by district under some weights."""
    need = inputs.need.reweighted(weights)
    found = budgets(plan, need.shares, RULES, schools=inputs.table)
    assert found.table["budget"].sum() == POT
    return found.table


def main() -> None:
    """Work everything out and write the page."""
    inputs = load_inputs(Study.load(HERE / "kent.toml"))
    plan = districts(inputs)
    roll = inputs.table["pupils"].sum()
    lines = [
        "# Budgets: Kent by district, a pot of £10m",
        "",
        "Made by `python benchmarks/budget.py`. No topslice, no floor; pounds per pupil on roll.",
        f"{inputs.table['pupils'].notna().sum()} schools with a roll, {roll:,.0f} pupils, county "
        f"£{POT / roll:.2f}; the printed figures were on {PRINTED_ROLL:,} pupils, county "
        f"£{POT / PRINTED_ROLL:.2f}. The measures that fit the printed figures are the raw counts "
        "of the census: no SRP places netted off, no rates drawn in. The third set of weights was "
        "printed only as 50 % on EHC plans; 30, 10 and 10 for the others fit it.",
        "",
        "| weights | | lowest | highest |",
        "|---|---|--:|--:|",
    ]
    census = census_schools()
    for words, (weights, (low, low_at, high, high_at)) in WEIGHTS.items():
        rate = per_pupil(inputs, plan, weights)["per_pupil"]
        hand = by_hand(census, weights)
        assert (rate.idxmin(), rate.idxmax()) == (hand.idxmin(), hand.idxmax()) == (low_at, high_at)
        assert abs(hand.min() - low) <= 0.05 + 1e-9
        assert abs(hand.max() - high) <= 0.05 + 1e-9
        lines += [
            f"| {words} | printed | £{low:.1f} {low_at} | £{high:.1f} {high_at} |",
            f"| | the census's 563 schools, by hand | £{hand.min():.2f} | £{hand.max():.2f} |",
            f"| | the program on the study | £{rate.min():.2f} | £{rate.max():.2f} |",
        ]
    lines += ["", *schools(inputs, next(iter(WEIGHTS.values()))[0]), "", *missing(inputs, roll)]
    lines += ["", *every_district(inputs, plan), "", *ranks(inputs, plan), ""]
    lines += [*retention(inputs, plan), ""]
    RESULTS.write_text("\n".join(lines), encoding="utf-8", newline="\n")
    print(RESULTS.read_text(encoding="utf-8"))


def schools(inputs: Inputs, weights: dict[str, float]) -> list[str]:
    """Return the range of schools and the part of grammars."""
    share = inputs.need.reweighted(weights).shares
    pupils = inputs.table["pupils"]
    rate = POT * share / pupils
    grammar = inputs.table["selective"].fillna(False).astype(bool)
    names = inputs.table["name"]
    low, high, money, heads = PRINTED_SCHOOLS
    return [
        f"Schools (first weights): £{rate.min():.1f} {names[rate.idxmin()]} (printed £{low}) to "
        f"£{rate.max():.1f} {names[rate.idxmax()]} (printed £{high:.0f}). Grammars: "
        f"{share[grammar].sum():.1%} of the money (printed {money} %) with "
        f"{pupils[grammar].sum() / pupils.sum():.1%} of the pupils (printed {heads} %).",
    ]


def census_schools() -> pd.DataFrame:
    """Return the 563 schools of the census of January 2025, district from the composite table."""
    kent = HERE.parent.parent / "shared" / "data" / "kent"
    census = pd.read_csv(kent / "sen.csv", dtype=str)
    kinds = census["SCHOOLTYPE"].isin(["State-funded primary", "State-funded secondary"])
    here = census[kinds & (census["LA"] == "886")].set_index("URN")
    figures = {"NOR": "pupils", "NUMFSMEVER": "fsm6", "TSENELK": "sen_support"}
    figures["TSENELSE"] = "ehc_plans"
    table = here[list(figures)].rename(columns=figures).apply(pd.to_numeric, errors="coerce")
    places = pd.read_csv(kent / "schools_composite.csv", dtype=str, keep_default_na=False)
    district = dict(zip(places["URN"], places["DistrictAdministrative (name)"], strict=True))
    for _, row in places.iterrows():
        for old in row["Predecessor URN"].split(";"):
            district.setdefault(old.strip(), row["DistrictAdministrative (name)"])
    table["area"] = table.index.map(district)
    return table


def by_hand(table: pd.DataFrame, weights: dict[str, float]) -> pd.Series:
    """Return £ per pupil by district in three lines of pandas, without the package."""
    share = sum(w * table[f].fillna(0) / table[f].sum() for f, w in weights.items())
    pupils = table.groupby("area")["pupils"].sum()
    return POT * share.groupby(table["area"]).sum() / pupils


def missing(inputs: Inputs, roll: float) -> list[str]:
    """Return what makes the difference between the two counts of pupils."""
    census = census_schools()
    former = {u: urn for urn, t in inputs.table["predecessors"].items() for u in t.split(";") if u}
    today = [u if u in inputs.table.index else former.get(u, "") for u in census.index]
    rolls = census["pupils"].groupby(today).sum()
    changed = (rolls.drop("", errors="ignore") - inputs.table["pupils"]).dropna()
    changed = changed[changed != 0]
    lost = census[[u == "" for u in today]]
    names = ", ".join(f"URN {urn}" for urn in lost.index)
    moved = ", ".join(f"{u} {v:+.0f}" for u, v in changed.items())
    return [
        f"**Why the study's figures lie up to 0.3 % higher than the printed ones.** The census of "
        f"January 2025 has {len(census)} state-funded primaries and secondaries in Kent with "
        f"{census['pupils'].sum():,.0f} pupils, and the printed figures are of those. Of the "
        f"{census['pupils'].sum() - roll:,.0f} pupils that the study has fewer, "
        f"{lost['pupils'].sum():,.0f} are at {names}, which the register of January 2026 no longer "
        f"lists as open; the others are at schools under a new URN, whose own roll goes before "
        f"that of the census ({moved}). The school that the study has instead is new and has no "
        "roll yet.",
    ]


def every_district(inputs: Inputs, plan: Plan) -> list[str]:
    """Return a table of districts under every set of weights."""
    columns = {k: per_pupil(inputs, plan, w)["per_pupil"] for k, (w, _) in WEIGHTS.items()}
    lines = [f"| district | {' | '.join(columns)} |", f"|---|{'--:|' * len(columns)}"]
    for label in plan.labels:
        cells = " | ".join(f"£{c[label]:.2f}" for c in columns.values())
        lines.append(f"| {label} | {cells} |")
    return lines


def ranks(inputs: Inputs, plan: Plan) -> list[str]:
    """Return how the rank of districts moves with the default weights."""
    found = sensitivity(inputs.need, plan)
    lines = [
        f"Rank by need under the study's weights, and in {len(found.draws)} draws around them: "
        f"{len(found.changing)} of {len(plan)} districts change rank.",
        "",
        "| district | part of need | rank | in draws |",
        "|---|--:|--:|---|",
    ]
    for label, row in found.table.iterrows():
        span = f"{row['rank_from']} to {row['rank_to']}"
        lines.append(f"| {label} | {row['share']:.2%} | {row['rank']} | {span} |")
    return lines


if __name__ == "__main__":
    main()
