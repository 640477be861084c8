"""Where next: the best sites are those that trying every set finds, with every rule kept."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from clustering.provision import site_search
from clustering.provision.site_bound import bound
from clustering.provision.site_choice import in_whole_numbers
from clustering.provision.site_model import beyond_limit, minutes_up_to
from clustering.provision.sites import SiteChoice, Sites, choose

NO = np.inf
OBJECTIVES = ("coverage", "minutes", "worst_off", "cost")


def county(seed: int, objective: str, **options) -> SiteChoice:  # type: ignore[no-untyped-def]
    """Return a small invented county with every option drawn at random."""
    rng = np.random.default_rng(seed)
    points, candidates = int(rng.integers(2, 9)), int(rng.integers(1, 7))
    minutes = rng.integers(1, 60, (points, candidates)).astype(float)
    minutes[rng.random(minutes.shape) < 0.15] = NO
    now = rng.integers(20, 90, points).astype(float)
    now[rng.random(points) < 0.3] = NO
    cost = rng.integers(1, 6, candidates) * 1000.0
    drawn = {
        "children": rng.integers(0, 9, points) / rng.choice([1, 2]),
        "minutes_now": now,
        "minutes": minutes,
        "limit": np.full(points, 30.0),
        "sites": int(rng.integers(1, 4)),
        "places": rng.integers(0, 12, candidates).astype(float) if rng.random() < 0.5 else None,
        "cost": cost,
        "budget": float(rng.integers(2, 12) * 1000) if rng.random() < 0.4 else None,
        "target": float(rng.choice([0.3, 0.5, 0.7])) if objective == "cost" else None,
        "groups": np.array(["North", "South"])[rng.integers(0, 2, points)],
        "fair_share": float(rng.choice([0.2, 0.5])) if rng.random() < 0.4 else None,
        "forced_in": (int(rng.integers(candidates)),) if rng.random() < 0.2 else (),
        "forced_out": (int(rng.integers(candidates)),) if rng.random() < 0.2 else (),
    }
    return SiteChoice(objective=objective, **(drawn | options))  # type: ignore[arg-type]


class Slow:
    """What one set of sites is worth, by a linear program on who goes where."""

    def __init__(self, choice: SiteChoice, chosen: tuple[int, ...]) -> None:
        self.choice, self.chosen = choice, chosen
        self.points = len(choice.children)
        self.minutes = np.column_stack([choice.minutes[:, list(chosen)], choice.minutes_now])
        self.within = np.isfinite(self.minutes) & (self.minutes <= choice.limit[:, None])
        self.without = ~np.isfinite(self.minutes)

    def least(self, aim: np.ndarray, most: float = NO, without: float | None = None) -> float:
        """Return the least sum of `aim` over children; NaN if no way to go keeps the rules.

        The last column is where they are today; `most` minutes and `without` are limits.
        """
        choice, wide = self.choice, len(self.chosen) + 1
        upper, room = [], []
        if choice.places is not None:
            for at, c in enumerate(self.chosen):
                column = np.zeros((self.points, wide))
                column[:, at] = 1
                upper.append(column)
                room.append(choice.places[c])
        shares = [] if choice.target is None else [(choice.target, np.ones(self.points, bool))]
        if choice.fair_share is not None:
            shares += [(choice.fair_share, choice.groups == g) for g in np.unique(choice.groups)]
        for share, rows in shares:
            upper.append(-(self.within & rows[:, None]).astype(float))
            room.append(-share * choice.children[rows].sum())
        if without is not None:
            upper.append((self.without | (self.minutes > most)).astype(float))
            room.append(without)
        each = np.kron(np.eye(self.points), np.ones(wide))
        open_to = np.isfinite(self.minutes)
        open_to[:, -1] = True
        answer = linprog(
            np.where(open_to, aim, 0).ravel(),
            np.array([one.ravel() for one in upper]) if upper else None,
            np.array(room) + 1e-9 if upper else None,
            each,
            choice.children,
            [(0, None if can else 0) for can in open_to.ravel()],
        )
        return float(answer.fun) if answer.status == 0 else math.nan

    def fewest_without(self) -> float:
        return self.least(self.without.astype(float))

    def child_minutes(self, without: float, most: float = NO) -> float:
        finite = np.where(self.without, 0, self.minutes)
        return self.least(finite, most, without + 1e-9)


def allowed_sets(choice: SiteChoice) -> list[tuple[int, ...]]:
    assert choice.cost is not None
    every = range(choice.minutes.shape[1])
    most = len(every) if choice.sites is None else choice.sites
    return [
        chosen
        for size in range(min(most, len(every)) + 1)
        for chosen in combinations(every, size)
        if set(choice.forced_in) <= set(chosen)
        and not set(choice.forced_out) & set(chosen)
        and (choice.budget is None or choice.cost[list(chosen)].sum() <= choice.budget)
    ]


def by_trying(choice: SiteChoice) -> dict[tuple[int, ...], float]:
    """Return the value of every set that keeps the rules (lower is better; coverage negated)."""
    slow = {chosen: Slow(choice, chosen) for chosen in allowed_sets(choice)}
    today = choice.minutes_now <= choice.limit
    if choice.objective == "coverage":
        found = {s: -one.least(-one.within.astype(float)) for s, one in slow.items()}
        return {s: -(v - choice.children[today].sum()) for s, v in found.items() if v == v}
    if choice.objective == "cost":
        kept = [s for s, one in slow.items() if not math.isnan(one.least(one.within * 0.0))]
        return {s: float(choice.cost[list(s)].sum()) for s in kept}  # type: ignore[index]
    without = {s: one.fewest_without() for s, one in slow.items()}
    fewest = min((v for v in without.values() if v == v), default=math.nan)
    slow = {s: one for s, one in slow.items() if without[s] <= fewest + 1e-6}
    if choice.objective == "minutes":
        return {s: one.child_minutes(fewest) for s, one in slow.items()}
    levels = np.unique(np.append(choice.minutes, choice.minutes_now))
    levels = levels[np.isfinite(levels)]
    worst = {}
    for s, one in slow.items():
        ways = [level for level in levels if not math.isnan(one.child_minutes(fewest, level))]
        worst[s] = min(ways)
    return worst


def worth(answer: Sites, choice: SiteChoice) -> float:
    return -answer.value if choice.objective == "coverage" else answer.value


@pytest.mark.parametrize("objective", OBJECTIVES)
@given(seed=st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_the_best_set_is_the_one_that_trying_all_finds(objective: str, seed: int) -> None:
    choice = county(seed, objective)
    values = by_trying(choice)
    answer = choose(choice, alternatives=2, within=0.1)
    if not values:
        assert answer.status == "infeasible"
        assert answer.reasons
        assert answer.remedies
        assert not answer.chosen
        return
    best = min(values.values())
    assert answer.status == "optimal"
    assert answer.value == answer.bound
    assert worth(answer, choice) == pytest.approx(best, abs=1e-6)
    assert values[answer.chosen] == pytest.approx(best, abs=1e-6)
    assert answer.figures is not None
    sets = [answer.chosen, *(one.chosen for one in answer.alternatives)]
    assert len(set(sets)) == len(sets)
    assert set(sets) <= set(values)
    near = best + 0.1 * abs(best) + 1e-6
    assert all(values[one] <= near for one in sets)
    assert len(sets) == min(3, sum(v <= near for v in values.values()))
    for one in (answer, *answer.alternatives):
        _figures_hold(choice, one.chosen, one.figures)  # type: ignore[arg-type]


def _figures_hold(choice: SiteChoice, chosen: tuple[int, ...], figures) -> None:  # type: ignore[no-untyped-def]
    slow = Slow(choice, chosen)
    assert choice.cost is not None
    assert figures.pounds == choice.cost[list(chosen)].sum()
    if choice.fair_share is not None and not math.isnan(figures.least_group_share):
        assert figures.least_group_share >= choice.fair_share - 1e-6
    if choice.target is not None and choice.children.sum():
        assert figures.share_within >= choice.target - 1e-6
    if choice.objective in ("minutes", "worst_off"):
        assert figures.without == pytest.approx(slow.fewest_without(), abs=1e-6)
    if choice.objective == "minutes":
        assert figures.child_minutes == pytest.approx(
            slow.child_minutes(slow.fewest_without()), abs=1e-5
        )
    if choice.places is None:
        nearest = slow.minutes.min(axis=1)
        has = np.isfinite(nearest) & (choice.children > 0)
        assert figures.without == choice.children[~np.isfinite(nearest)].sum()
        if has.any():
            assert figures.greatest_minutes == nearest[has].max()
            mean = np.average(nearest[has], weights=choice.children[has])
            assert figures.mean_minutes == pytest.approx(mean)


@given(st.integers(0, 10**6), st.sampled_from(OBJECTIVES))
@settings(max_examples=25, deadline=None)
def test_leaving_out_candidates_loses_nothing(seed: int, objective: str) -> None:
    choice = county(seed, objective)
    with pytest.MonkeyPatch.context() as patch:
        all_at_once = choose(choice, within=0.2)
        patch.setattr(site_search, "FIRST", 1)
        assert choose(choice, within=0.2).value == pytest.approx(all_at_once.value, nan_ok=True)


@given(st.integers(0, 10**6), st.sampled_from(["coverage", "minutes"]))
@settings(max_examples=60, deadline=None)
def test_bound_is_below_every_set(seed: int, objective: str) -> None:
    choice = county(seed, objective)
    whole = in_whole_numbers(choice)
    if set(choice.forced_in) & set(choice.forced_out):
        return
    loss = beyond_limit(whole) if objective == "coverage" else minutes_up_to(whole)[0]
    limits = bound(whole, loss)
    price = np.where(loss.near < 2**40, loss.near, 10**9)
    for chosen in allowed_sets(choice):
        slow = Slow(choice, chosen)
        aim = np.column_stack([price[:, list(chosen)], loss.stay]).astype(float)
        slow.minutes[:, -1] = 1
        least = slow.least(aim) / whole.unit
        if not math.isnan(least):
            assert limits.any_set <= least + 1e-3
            assert all(limits.with_site[c] <= least + 1e-3 for c in chosen)


# -- one rule at a time, on a road with three villages --------------------------------------------

VILLAGES = SiteChoice(
    objective="coverage",
    children=np.array([10.0, 6.0, 4.0]),
    minutes_now=np.array([20.0, 50.0, NO]),
    minutes=np.array([[5.0, 25, 60], [25, 5, 40], [60, 40, 5]]),
    limit=np.array([30.0, 30, 30]),
    sites=1,
    cost=np.array([100.0, 300, 200]),
    groups=np.array(["Town", "Town", "Marsh"]),
)


def asked(**changes) -> Sites:  # type: ignore[no-untyped-def]

    return choose(replace(VILLAGES, **changes))


def test_each_objective_by_hand() -> None:
    covered = asked()
    assert covered.value == 6
    assert covered.chosen in ((0,), (1,))
    # Any site serves the four of the marsh, who have none today: what counts is the sum.
    minutes = asked(objective="minutes")
    assert (minutes.chosen, minutes.value) == ((1,), 10 * 20 + 6 * 5 + 4 * 40)
    worst = asked(objective="worst_off")
    assert (worst.chosen, worst.value, worst.bound) == ((1,), 40, 40)
    cheap = asked(objective="cost", target=0.75)
    assert (cheap.chosen, cheap.value) == ((0,), 100)
    everybody = asked(objective="cost", target=1.0, sites=None)
    assert (everybody.chosen, everybody.value) == ((0, 2), 300)


def test_figures_are_those_of_the_children() -> None:
    figures = asked(sites=2, forced_in=(1, 2)).figures
    assert figures is not None
    assert figures.newly_within == 10
    assert figures.share_within == 1
    assert figures.least_group_share == 1
    assert figures.mean_minutes == pytest.approx((200 + 30 + 20) / 20)
    assert (figures.greatest_minutes, figures.without, figures.pounds) == (20, 0, 500)


def test_no_more_sites_than_help() -> None:
    assert len(asked(sites=3).chosen) == 2


def test_places_are_filled_once() -> None:
    full = asked(places=np.array([4.0, 3, 9]))
    assert (full.value, full.bound) == (4, 4)
    assert full.chosen in ((0,), (2,))
    both = asked(places=np.array([4.0, 1, 0]), sites=2)
    assert both.value == 5
    assert both.figures is not None
    assert both.figures.newly_within == pytest.approx(5)


def test_candidates_forced_in_or_out() -> None:
    assert asked(forced_in=(2,)).chosen == (2,)
    assert asked(forced_out=(0,)).chosen == (1,)
    assert asked(forced_out=(0, 1)).chosen == (2,)


def test_budget() -> None:
    assert asked(sites=3, budget=250).chosen == (0,)
    assert asked(sites=3, budget=300).chosen == (0, 2)


def test_fair_share_kept() -> None:
    assert asked(fair_share=0.6).chosen == (2,)
    assert asked(fair_share=0.6).value == 4


def test_fair_share_that_needs_more_sites() -> None:
    answer = asked(fair_share=0.9)
    assert answer.status == "infeasible"
    assert answer.reasons == (
        "No set of at most 1 site brings 90 % of the children of every group within their limit.",
    )
    assert answer.remedies[0] == "Allow 2 sites."
    assert asked(fair_share=0.9, sites=2).status == "optimal"


def test_fair_share_that_needs_more_money() -> None:
    answer = asked(fair_share=0.9, sites=3, budget=250)
    assert "and £250 brings" in answer.reasons[0]
    assert answer.remedies[0] == "Raise the budget to £300."
    assert asked(fair_share=0.9, sites=3, budget=300).status == "optimal"


def test_fair_share_out_of_reach_names_the_group() -> None:
    answer = asked(fair_share=0.9, forced_out=(2,), sites=3)
    assert answer.status == "infeasible"
    assert answer.reasons[0].startswith("Even with every candidate only 0 % of the children of M")
    assert answer.remedies[0].startswith("Ask for at most 0 % of the children of Marsh")
    few = asked(fair_share=0.9, places=np.array([9.0, 9, 1]), sites=3)
    assert "only 25 % of the children of Marsh" in few.reasons[0]


def test_forced_sites_that_cannot_be() -> None:
    for changes, words in (
        ({"forced_in": (1,), "forced_out": (1,)}, "Candidate 1 is forced in and forced out."),
        ({"forced_in": (0, 1)}, "2 candidates are forced in, but at most 1 may be chosen."),
        ({"forced_in": (1,), "budget": 250}, "cost £300, more than the £250 there is."),
    ):
        answer = asked(**changes)
        assert answer.status == "infeasible"
        assert answer.reasons[0].endswith(words)
        assert answer.remedies


def test_every_fault_of_the_question_at_once() -> None:
    with pytest.raises(ValueError, match=r"children must have 3.*cost must be known.*candidate 7"):
        asked(children=np.zeros(2), cost=np.array([1, np.nan, 2]), forced_in=(7,))
    with pytest.raises(ValueError, match=r"needs the cost.*needs a target"):
        asked(objective="cost", cost=None)
    with pytest.raises(ValueError, match=r"needs the group.*at least one site"):
        asked(groups=None, fair_share=0.5, sites=0)
    with pytest.raises(ValueError, match="no objective 'best'"):
        asked(objective="best")


def test_without_effort_nothing_is_claimed() -> None:
    choice = county(3, "minutes", forced_in=(), forced_out=())
    answer = choose(choice, effort=0.0)
    assert answer.status in ("unknown", "feasible")


def wide(seed: int, objective: str, **options) -> SiteChoice:  # type: ignore[no-untyped-def]
    """Return a larger county, of which a set of three cannot be guessed."""
    rng = np.random.default_rng(seed)
    homes, yards = rng.uniform(0, 60, (120, 2)), rng.uniform(0, 60, (50, 2))
    minutes = np.hypot(*(homes[:, None] - yards).transpose(2, 0, 1)).round(2) + 5
    return SiteChoice(
        objective=objective,  # type: ignore[arg-type]
        children=rng.gamma(1, 2, 120).round(3),
        minutes_now=minutes[:, :3].min(axis=1),
        minutes=minutes,
        limit=np.full(120, 20.0),
        sites=3,
        cost=rng.integers(1, 9, 50) * 1000.0,
        target=0.8 if objective == "cost" else None,
        groups=np.where(homes[:, 0] < 30, "West", "East"),
        **options,
    )


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_same_question_same_answer_and_proof(objective: str) -> None:
    choice = wide(5, objective, fair_share=0.5)
    one, other = (choose(choice, seed=1) for _ in range(2))
    assert one == other
    assert one.status == "optimal"
    assert len(one.alternatives) >= 2
    assert choose(choice, seed=2).value == one.value


@pytest.mark.parametrize("objective", ["coverage", "minutes", "worst_off"])
def test_three_of_fifty_as_good_as_trying_all(objective: str) -> None:
    choice = wide(6, objective)
    found = choose(choice)
    best = NO
    for chosen in combinations(range(50), 3):
        nearest = np.minimum(choice.minutes_now, choice.minutes[:, chosen].min(axis=1))
        if objective == "coverage":
            newly = (nearest <= choice.limit) & (choice.minutes_now > choice.limit)
            value = -float(choice.children[newly].sum())
        else:
            value = nearest.max() if objective == "worst_off" else choice.children @ nearest
        best = min(best, float(value))
    assert worth(found, choice) == pytest.approx(best, rel=1e-4)
    assert found.status == "optimal"
