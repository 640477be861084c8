"""Measures of reach and of inequality: worked by hand, and against slower definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering.provision.measures import (
    PRIMARY_BANDS,
    SECONDARY_BANDS,
    concentration_index,
    gini,
    p90_p10,
    share_within,
    theil,
    two_step,
    weighted_quantile,
)

NO = np.inf
counts = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 6)), min_size=1, max_size=12)


def spread(pairs: list[tuple[int, int]]) -> np.ndarray:
    """Return one value a child."""
    return np.repeat([value for value, _ in pairs], [weight for _, weight in pairs]).astype(float)


def columns(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([p[0] for p in pairs], float), np.array([p[1] for p in pairs], float)


# -- minutes ---------------------------------------------------------------------------------------


def test_quantile_is_the_minutes_of_a_child() -> None:
    minutes, children = [30, 10, NO, 20], [1, 5, 1, 3]
    assert weighted_quantile(minutes, children, 0.5) == 10
    assert weighted_quantile(minutes, children, 0.51) == 20
    assert weighted_quantile(minutes, children, 0.9) == 30
    assert weighted_quantile(minutes, children, 1.0) == NO
    assert weighted_quantile(minutes, children, 0.0) == 10


def test_quantile_leaves_out_nobody_and_the_unknown() -> None:
    assert np.isnan(weighted_quantile([], [], 0.5))
    assert np.isnan(weighted_quantile([5, np.nan], [0, 2], 0.5))
    assert weighted_quantile([5, 7, np.nan], [0, 2, 9], 0.0) == 7


def test_quantile_is_not_moved_by_rounding() -> None:
    assert weighted_quantile(range(1, 11), [0.1] * 10, 0.3) == 3
    assert weighted_quantile(range(1, 11), [0.1] * 10, 0.9) == 9


@given(counts, st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]))
def test_quantile_counts_children(pairs: list[tuple[int, int]], q: float) -> None:
    children = spread(pairs)
    found = weighted_quantile(*columns(pairs), q)
    if not len(children):
        assert np.isnan(found)
    else:
        assert found == np.quantile(children, q, method="inverted_cdf")


def test_share_within_counts_no_provision_as_beyond() -> None:
    assert share_within([10, 45, 46, NO], [2, 1, 1, 4], 45) == pytest.approx(3 / 8)
    assert share_within([10, 60, 60], [1, 1, 2], [45, 45, 75]) == pytest.approx(3 / 4)
    assert share_within([NO], [3], NO) == 1.0
    assert np.isnan(share_within([10, 20], [0, 0], 45))
    assert share_within([10, np.nan], [1, 9], 45) == 1.0


# -- inequality ------------------------------------------------------------------------------------


def test_gini_by_hand() -> None:
    assert gini([3, 3, 3], [1, 5, 2]) == pytest.approx(0.0)
    assert gini([0, 1], [3, 1]) == pytest.approx(0.75)
    assert gini([1, 3], [1, 1]) == pytest.approx(0.25)
    assert np.isnan(gini([0, 0], [1, 1]))
    assert np.isnan(gini([1, NO], [1, 1]))
    assert np.isnan(gini([1, 2], [0, 0]))


@given(counts)
def test_gini_is_the_mean_difference_between_children(pairs: list[tuple[int, int]]) -> None:
    children = spread(pairs)
    found = gini(*columns(pairs))
    if not children.sum():
        assert np.isnan(found)
    else:
        apart = np.abs(children[:, None] - children).mean()
        assert found == pytest.approx(apart / (2 * children.mean()), abs=1e-12)


def test_theil_by_hand() -> None:
    # All is held by one child in four: T = ln 4. Both districts have the mean: nothing between.
    whole = theil([0, 4, 0, 0], [1, 1, 1, 1], ["a", "a", "a", "a"])
    assert whole == pytest.approx((np.log(4), 0.0, np.log(4)))
    between = theil([1, 1, 3, 3], [1, 1, 1, 1], ["a", "a", "b", "b"])
    wanted = 0.5 * (0.5 * np.log(0.5) + 1.5 * np.log(1.5))
    assert between == pytest.approx((wanted, wanted, 0.0))
    empty = theil([0, 0, 2], [1, 1, 2], [1, 1, 2])
    assert empty == pytest.approx((np.log(2), np.log(2), 0.0))
    assert all(np.isnan(theil([0, 0], [1, 1], [1, 2])))
    assert all(np.isnan(theil([1, NO], [1, 1], [1, 2])))


@given(counts, st.integers(1, 4))
def test_theil_is_its_two_parts(pairs: list[tuple[int, int]], districts: int) -> None:
    value, weight = columns(pairs)
    total, between, within = theil(value, weight, np.arange(len(value)) % districts)
    if not value @ weight:
        assert np.isnan(total)
        return
    ratio = spread(pairs) / spread(pairs).mean()
    slow = np.mean([x * np.log(x) if x else 0.0 for x in ratio])
    assert total == pytest.approx(slow, abs=1e-12)
    assert total == pytest.approx(between + within, abs=1e-12)
    assert min(total, between, within) >= 0
    if districts == 1:
        assert between == pytest.approx(0, abs=1e-12)


def test_p90_p10() -> None:
    assert p90_p10(range(1, 11), [1] * 10) == 9
    assert np.isnan(p90_p10([0, 5], [1, 1]))
    assert np.isnan(p90_p10([5, NO], [8, 2]))
    assert p90_p10([5, 10, NO], [50, 45, 5]) == 2
    assert np.isnan(p90_p10([], []))


def test_concentration_index_says_who_has_more() -> None:
    # Two children: all with the less deprived, C = 1/2; all with the more deprived, C = -1/2.
    assert concentration_index([0, 1], [1, 1], [1, 2]) == pytest.approx(0.5)
    assert concentration_index([1, 0], [1, 1], [1, 2]) == pytest.approx(-0.5)
    assert concentration_index([4, 4], [1, 7], [1, 2]) == pytest.approx(0.0)
    assert concentration_index([0, 1, 9], [1, 1, 4], [1, 2, np.nan]) == pytest.approx(0.5)
    assert np.isnan(concentration_index([0, 0], [1, 1], [1, 2]))
    assert np.isnan(concentration_index([NO, 1], [1, 1], [1, 2]))


def test_concentration_index_of_the_ranked_is_the_gini() -> None:
    value, weight = [1.0, 2.0, 2.0, 7.0], [3, 1, 2, 2]
    assert concentration_index(value, weight, value) == pytest.approx(gini(value, weight))


@given(counts, st.randoms(use_true_random=False))
def test_concentration_index_counts_children(pairs: list[tuple[int, int]], random) -> None:  # type: ignore[no-untyped-def]
    value, weight = columns(pairs)
    rank = np.array([random.randint(1, 4) for _ in pairs], float)
    found = concentration_index(value, weight, rank)
    child, place = spread(pairs), np.repeat(rank, weight.astype(int))
    if not child.sum():
        assert np.isnan(found)
        return
    middle = np.array([((place < r).sum() + (place <= r).sum()) / 2 / len(place) for r in place])
    slow = 2 * np.mean((child - child.mean()) * (middle - middle.mean())) / child.mean()
    assert found == pytest.approx(slow, abs=1e-12)


# -- floating catchments ---------------------------------------------------------------------------


def test_two_step_by_hand() -> None:
    minutes = [[10, 40], [20, NO], [50, 10]]
    access = two_step(minutes, [10, 30, 20], [8, 3], ((30, 1.0),))
    assert access == pytest.approx([0.2, 0.2, 0.15])
    banded = two_step(minutes, [10, 30, 20], [8, 3], PRIMARY_BANDS)
    first, second = 8 / (10 + 0.68 * 30), 3 / (0.22 * 10 + 20)
    assert banded == pytest.approx([first + 0.22 * second, 0.68 * first, second])


def test_two_step_goes_from_the_child_to_the_provision_in_both_steps() -> None:
    # Out of the village it takes 20 minutes, back an hour: only the way to the provision counts.
    there, back = np.array([[5, 20], [60, 5]]), np.array([[5, 60], [20, 5]])
    children, places = [10, 10], [4, 6]
    assert two_step(there, children, places, ((30, 1.0),)) == pytest.approx([0.4 + 0.3, 0.3])
    assert two_step(back, children, places, ((30, 1.0),)) == pytest.approx([0.4 / 2, 0.2 + 0.6])


def test_two_step_without_anybody_near() -> None:
    assert two_step([[90.0], [np.nan]], [4, 5], [6], PRIMARY_BANDS) == pytest.approx([0, 0])
    assert two_step(np.zeros((2, 0)), [4, 5], [], PRIMARY_BANDS) == pytest.approx([0, 0])


@given(st.integers(0, 10_000))
def test_two_step_hands_out_every_place_within_reach(seed: int) -> None:
    rng = np.random.default_rng(seed)
    minutes = rng.uniform(0, 90, (7, 4))
    children, places = rng.integers(1, 9, 7), rng.integers(0, 9, 4)
    access = two_step(minutes, children, places, PRIMARY_BANDS)
    assert children @ access == pytest.approx(places @ (minutes.min(axis=0) <= 45))


# Six places with children and provisions, minutes along a grid of streets. The numbers below were
# made with the PySAL package `access` 1.1.10: `two_stage_fca(max_cost=...)` and
# `enhanced_two_stage_fca(weight_fn=weights.step_fn({15: 1.0, 30: 0.68, 45: 0.22}))` (and 25, 50,
# 75). The minutes are symmetric: the package reads some tables the other way round.
MINUTES = [
    [0, 31, 31, 30, 72, 54],
    [31, 0, 14, 49, 73, 25],
    [31, 14, 0, 49, 59, 23],
    [30, 49, 49, 0, 52, 72],
    [72, 73, 59, 52, 0, 48],
    [54, 25, 23, 72, 48, 0],
]
CHILDREN, PLACES = [36, 1, 20, 33, 6, 32], [2, 9, 16, 6, 6, 5]
PYSAL = {
    ((30.0, 1.0),): [
        0.11594202898550725,
        0.5660377358490566,
        0.5660377358490566,
        0.11594202898550725,
        1.0,
        0.5660377358490566,
    ],
    ((45.0, 1.0),): [
        0.39007762036584703,
        0.397460721268226,
        0.397460721268226,
        0.10917874396135266,
        1.0,
        0.3752384990460038,
    ],
    PRIMARY_BANDS: [
        0.21122110966569269,
        0.5737345808937065,
        0.5737345808937065,
        0.1259508954258363,
        1.0,
        0.443476072006707,
    ],
    SECONDARY_BANDS: [
        0.28648565118908687,
        0.4115841313615318,
        0.4115841313615318,
        0.3025562665290271,
        0.24943712438959675,
        0.4238209455251633,
    ],
}


@pytest.mark.parametrize("bands", PYSAL, ids=["30", "45", "primary", "secondary"])
def test_two_step_is_that_of_pysal(bands: tuple[tuple[float, float], ...]) -> None:
    access = two_step(MINUTES, CHILDREN, PLACES, bands)
    assert access == pytest.approx(PYSAL[bands], rel=1e-12)
