"""What the pricer is made of: sets as bits, subset rows, the table of completions.

A set of atoms around a hub is one unsigned 64-bit word; bit k is the k-th atom in the hub's order.
"""

from __future__ import annotations

import numpy as np

from clustering.solve.around import FAR_OFF
from clustering.solve.kernels import compiled, lean
from clustering.solve.tables import BALANCE, COUNT, TOTAL_NEED, deviation

ONE, NONE = np.uint64(1), np.uint64(0)
DEEP = np.int32(2**30)
"""A completion that does not exist."""
_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
_PLACE = np.zeros(64, np.int64)
for _k in range(64):
    _PLACE[((0x03F79D71B4CB0A89 << _k) & (2**64 - 1)) >> 58] = _k
"""Number of the only bit that is set, through a de Bruijn sequence (Leiserson et al. 1998)."""


@lean
def place_of(bit):
    """Return the number of the only bit set in a word."""
    return _PLACE[(bit * _DE_BRUIJN) >> np.uint64(58)]


@lean
def flood(links, inside):
    """Return the part of `inside` that is connected to atom 0."""
    seen = ONE
    front = links[0] & inside
    seen |= front
    while front != NONE:
        low = front & (~front + ONE)
        front ^= low
        fresh = links[place_of(low)] & inside & ~seen
        seen |= fresh
        front |= fresh
    return seen


@lean
def conflicts(first, mask, price, k, chosen):
    """Return what atom k pays for subset rows: every second atom of a row pays its price."""
    paid = 0
    for place in range(first[k], first[k + 1]):
        both, odd = chosen & mask[place], False
        while both != NONE:
            both &= both - ONE
            odd = not odd
        if odd:
            paid += price[place]
    return paid


@compiled
def rows_of(n, triples, rho):
    """Return where the priced subset rows of each of n atoms start in a list, and the list."""
    first = np.zeros(n + 1, np.int64)
    for r in range(len(rho)):
        for x in range(triples.shape[1]):
            if rho[r] > 0 and triples[r, x] >= 0:
                first[triples[r, x] + 1] += 1
    for i in range(n):
        first[i + 1] += first[i]
    at, rows = first.copy(), np.empty(first[n], np.int64)
    for r in range(len(rho)):
        for x in range(triples.shape[1]):
            i = triples[r, x]
            if rho[r] > 0 and i >= 0:
                rows[at[i]] = r
                at[i] += 1
    return first, rows


@compiled
def rows_around(order, where, triples, rho, row_start, row_list):
    """Return the subset rows of each atom around a hub: the other atoms as bits, and the price."""
    n, most = len(order), 0
    for k in range(n):
        most += row_start[order[k] + 1] - row_start[order[k]]
    first = np.zeros(n + 1, np.int64)
    mask, price = np.zeros(most, np.uint64), np.zeros(most, np.int64)
    size = 0
    for k in range(n):
        for place in range(row_start[order[k]], row_start[order[k] + 1]):
            r, others = row_list[place], NONE
            for x in range(triples.shape[1]):
                i = triples[r, x]
                if i >= 0 and i != order[k] and where[i] >= 0:
                    others |= ONE << np.uint64(where[i])
            if others != NONE:
                # where the third atom is out of reach `others` is one bit: it pays when that is in
                mask[size] = others
                price[size] = rho[r]
                size += 1
        first[k + 1] = size
    return first, mask, price


@lean
def completions(
    values_, sizes, needs, count, room, least, steps, base, width, low, high, shift, t, table
):
    """Fill `table[k, c, u]`: cheapest use of atoms k.. when c schools and u steps are taken.

    `base` is the need of the core, a step is `width` units; `least`..`room` schools may be added.
    Prices are divided by 2^shift, rounded down, to fit 32 bits.
    """
    p = t.prices
    last = table[count, room]
    mean = p[TOTAL_NEED] // p[COUNT]
    for u in range(steps + 1):
        # the need in this step that is nearest to the mean prices the whole step
        a, b = max(base + u * width, low), min(base + u * width + width - 1, high)
        last[u] = DEEP
        if a <= b and u < steps:
            x, y = max(a, min(b, mean)), max(a, min(b, mean + 1))
            best = min(
                deviation(p[BALANCE], x, p[TOTAL_NEED], p[COUNT]),
                deviation(p[BALANCE], y, p[TOTAL_NEED], p[COUNT]),
            )
            last[u] = np.int32(min(best >> shift, 2**29))
    for c in range(room):
        row = table[count, c]
        for u in range(steps + 1):
            row[u] = last[u] if c >= least else DEEP
    for k in range(count - 1, -1, -1):
        size, value = sizes[k], np.int32(values_[k] >> shift)
        jump = needs[k] // width
        carry = 1 if needs[k] % width else 0
        for c in range(room + 1):
            old = table[k + 1, c]
            new = table[k, c]
            for u in range(steps + 1):
                new[u] = old[u]
            if c + size > room or jump >= steps:
                continue
            up = table[k + 1, c + size]
            for u in range(np.uint64(steps - jump)):
                there = min(up[u + np.uint64(jump)], up[u + np.uint64(jump + carry)]) + value
                new[u] = min(new[u], there)


@lean
def smallest_sum(slices, count, low, high):
    """Return the least sum of `low`..`high` of the numbers, by keeping the smallest in order."""
    if high < 0 or low > count:
        return FAR_OFF
    size = 0
    for k in range(count):
        x = slices[k]
        if size >= low and x >= 0 and (low == 0 or x >= slices[low - 1]):
            continue
        if size == high:
            if high == 0 or x >= slices[size - 1]:
                continue
            size -= 1
        place = size
        while place > 0 and slices[place - 1] > x:
            slices[place] = slices[place - 1]
            place -= 1
        slices[place] = x
        size += 1
    total = 0
    for k in range(size):
        if k < low or slices[k] < 0:
            total += slices[k]
    return total
