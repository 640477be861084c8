"""Assignment of children to places: by hand, against linear programs, and never too many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from clustering.provision.assignment import (
    ALL_FULL,
    CHILD_UNITS,
    NONE_OPEN,
    Assignment,
    assign,
)

NO = np.inf
Case = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def flows(answer: Assignment, shape: tuple[int, int]) -> np.ndarray:
    table = np.zeros(shape)
    np.add.at(table, (answer.point, answer.place), answer.children)
    return table


def case(seed: int, fractional: bool = False) -> Case:
    """Return a small county: some provisions closed to some, about as many places as children."""
    rng = np.random.default_rng(seed)
    points, provisions = rng.integers(1, 7), rng.integers(1, 5)
    children = rng.integers(0, 7, points) * (rng.choice([1, 0.37, 0.1]) if fractional else 1)
    minutes = rng.integers(0, 60, (points, provisions)).astype(float)
    minutes[rng.random(minutes.shape) < 0.25] = NO
    return children.astype(float), minutes, rng.integers(0, 8, provisions), np.full(points, 30.0)


def best(children: np.ndarray, minutes: np.ndarray, places: np.ndarray, limits: np.ndarray):  # type: ignore[no-untyped-def]
    """Return children placed, children beyond the limit and minutes, from three linear programs."""
    open_to = np.isfinite(minutes)
    point, to = np.nonzero(open_to)
    if not len(point):
        return 0.0, 0.0, 0.0
    rows = np.vstack([point == d for d in range(len(children))])
    columns = np.vstack([to == p for p in range(len(places))])
    upper, room = np.vstack([rows, columns]).astype(float), np.concatenate([children, places])
    equal, fixed, found = np.zeros((0, len(point))), np.zeros(0), []
    late = (minutes > limits[:, None])[point, to].astype(float)
    for aim in (-np.ones(len(point)), late, minutes[point, to]):
        answer = linprog(aim, upper, room, equal, fixed)
        assert answer.status == 0
        found.append(answer.fun)
        equal, fixed = np.vstack([equal, aim]), np.append(fixed, answer.fun)
    return -found[0], found[1], found[2]


def test_the_nearest_is_full_and_somebody_goes_further() -> None:
    # Both live near the first; the second child has the shorter way to the other one.
    answer = assign([1, 1], [[5, 40], [6, 20]], [1, 3], [45, 45])
    assert answer.point.tolist() == [0, 1]
    assert answer.place.tolist() == [0, 1]
    assert answer.children.tolist() == [1, 1]
    assert answer.child_minutes == 25
    assert answer.filled.tolist() == [1, 1]
    assert answer.unmet.tolist() == [0, 0]
    assert answer.reason.tolist() == ["", ""]


def test_a_place_comes_before_the_limit_and_the_limit_before_minutes() -> None:
    # One place near: who takes it decides whether the other is served at all.
    first = assign([1, 1], [[5, NO], [1, 90]], [1, 1], [45, 45])
    assert (first.placed, first.beyond_limit, first.child_minutes) == (2, 1, 95)
    assert first.beyond.tolist() == [False, True]
    # 44 + 44 minutes within the limit rather than 1 + 46 with one child beyond it.
    second = assign([1, 1], [[1, 44], [44, 46]], [1, 1], [45, 45])
    assert (second.beyond_limit, second.child_minutes) == (0, 88)
    # With a longer limit for the second child, minutes decide.
    third = assign([1, 1], [[1, 44], [44, 46]], [1, 1], [45, 60])
    assert (third.beyond_limit, third.child_minutes) == (0, 47)


def test_reasons_of_those_without_a_place() -> None:
    answer = assign([3, 2, 0, 1], [[10, NO], [NO, NO], [NO, NO], [NO, 10]], [1, 1], [45] * 4)
    assert answer.unmet.tolist() == [2, 2, 0, 0]
    assert answer.reason.tolist() == [ALL_FULL, NONE_OPEN, "", ""]


def test_points_that_are_alike_share_alike() -> None:
    answer = assign([1, 3, 5], [[10], [10], [20]], [2], [45] * 3)
    assert answer.children == pytest.approx([0.5, 1.5])
    assert answer.unmet == pytest.approx([0.5, 1.5, 5])


def test_nobody_and_nothing() -> None:
    none = assign([2, 0], np.zeros((2, 0)), [], [45, 45])
    assert (none.placed, none.reason.tolist()) == (0, [NONE_OPEN, ""])
    empty = assign([], np.zeros((0, 2)), [4, 5], [])
    assert (empty.placed, empty.filled.tolist()) == (0, [0, 0])
    never_full = assign([2, 4], [[10], [20]], [NO], [45, NO])
    assert never_full.placed == 6


@pytest.mark.parametrize("wrong", [np.nan, -1.0])
def test_unknown_or_negative_numbers_are_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="children must be known"):
        assign([wrong], [[1.0]], [1], [45])
    with pytest.raises(ValueError, match="minutes must be known"):
        assign([1], [[wrong]], [1], [45])
    with pytest.raises(ValueError, match="places must be known"):
        assign([1], [[1.0]], [wrong], [45])


@given(st.integers(0, 100_000), st.booleans())
@settings(max_examples=150, deadline=None)
def test_as_good_as_three_linear_programs(seed: int, fractional: bool) -> None:
    children, minutes, places, limits = case(seed, fractional)
    answer = assign(children, minutes, places, limits)
    placed, beyond, total = best(children, minutes, places, limits)
    assert answer.placed == pytest.approx(placed, abs=1e-3)
    assert answer.beyond_limit == pytest.approx(beyond, abs=1e-3)
    assert answer.child_minutes == pytest.approx(total, abs=1e-1)
    table = flows(answer, minutes.shape)
    assert (table.sum(axis=0) <= places + 1e-9).all()
    assert table.sum(axis=0) == pytest.approx(answer.filled)
    assert table.sum(axis=1) + answer.unmet == pytest.approx(children)
    assert not table[~np.isfinite(minutes)].any()
    if not fractional:
        # Whole children in whole places, unless points that are alike share.
        assert len(np.unique(minutes, axis=0)) < len(minutes) or (table == table.round()).all()


@given(st.lists(st.floats(0, 3), min_size=1, max_size=30), st.floats(0, 9))
@settings(max_examples=100, deadline=None)
def test_rounding_never_hands_out_more_than_the_places(children: list[float], place: float) -> None:
    answer = assign(children, np.arange(len(children))[:, None], [place], [45] * len(children))
    assert answer.filled[0] <= place
    assert answer.placed <= place + 1e-9
    short = min(place, sum(children)) - answer.placed
    assert short <= (len(children) + 1) / CHILD_UNITS


@given(st.integers(0, 100_000))
@settings(max_examples=60, deadline=None)
def test_more_places_never_serve_fewer(seed: int) -> None:
    children, minutes, places, limits = case(seed)
    more = places + np.random.default_rng(seed).integers(0, 3, len(places))
    before, after = (assign(children, minutes, room, limits) for room in (places, more))
    assert after.placed >= before.placed


@given(st.integers(0, 100_000))
@settings(max_examples=60, deadline=None)
def test_order_of_points_is_no_information(seed: int) -> None:
    children, minutes, places, limits = case(seed, fractional=True)
    order = np.random.default_rng(seed).permutation(len(children))
    one = flows(assign(children, minutes, places, limits), minutes.shape)
    other = assign(children[order], minutes[order], places, limits[order])
    assert (flows(other, minutes.shape) == one[order]).all()
