"""What leavers choose from: segments by sex and bent, and the pull of each school on each.

`origins` are the schools left, `goals` those joined (rows of `clustering.intake.intake` with the
columns `faith` and, for origins, `tau` in minutes); `t` (r, c) is the minutes between them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq

from clustering.furness import Floats
from clustering.gravity_settings import GravitySettings
from clustering.intake import faith_factor

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Segments:
    """Leavers of one school, sex and bent: each array runs over segments with any pupils."""

    origin: NDArray[np.int64]
    girls: Bools
    selective: Bools
    pupils: Floats
    fits: Bools
    """(r, c): may the segment go to the school at all?"""


def segments_of(
    origins: pd.DataFrame, goals: pd.DataFrame, t: Floats, settings: GravitySettings
) -> Segments:
    """Split leavers by sex and bent; the grammar-bound without a grammar in reach go elsewhere."""
    n = len(origins)
    takes_girls, takes_boys = goals["girls"].to_numpy() > 0, goals["girls"].to_numpy() < 1
    grammar = goals["selective"].to_numpy(bool)
    itself = origins.index.to_numpy()[:, None] == goals.index.to_numpy()[None, :]
    sexes = [
        (True, origins["girls"].to_numpy(float), takes_girls),
        (False, 1 - origins["girls"].to_numpy(float), takes_boys),
    ]
    leavers = origins["leavers"].to_numpy(float)
    ways = np.stack(
        [np.where(fits & grammar & ~itself, t, np.inf).min(axis=1) for _, _, fits in sexes]
    )
    ways[ways > settings.truncate_minutes] = np.inf
    amounts = np.stack([leavers * part for _, part, _ in sexes])
    share = _selective_shares(ways, amounts, origins["fsm6"], goals, settings)
    parts = []
    for s, (girls, _, fits) in enumerate(sexes):
        for selective in (True, False):
            pupils = amounts[s] * (share[s] if selective else 1 - share[s])
            open_to = fits & (grammar == selective) & ~itself
            parts.append((np.arange(n), girls, selective, pupils, open_to))
    origin = np.concatenate([part[0] for part in parts])
    pupils = np.concatenate([part[3] for part in parts])
    some = pupils > 0
    return Segments(
        origin=origin[some],
        girls=np.repeat([part[1] for part in parts], n)[some],
        selective=np.repeat([part[2] for part in parts], n)[some],
        pupils=pupils[some],
        fits=np.concatenate([part[4] for part in parts])[some],
    )


def _selective_shares(
    ways: Floats, amounts: Floats, fsm6: pd.Series, goals: pd.DataFrame, settings: GravitySettings
) -> Floats:
    """Return the grammar-bound share (2, r) by sex and school, which is right on average.

    It falls with FSM6 and with the minutes `ways` to the nearest grammar school of one's sex; the
    share over all `amounts` is the setting's, or what the grammar schools' places allow.
    """
    places, grammar = goals["places"].to_numpy(float), goals["selective"].to_numpy(bool)
    mean = settings.selective_share
    if mean is None:
        mean = places[grammar].sum() / places.sum() * (1 - settings.outside_selective)
    known = fsm6.fillna(fsm6.mean() if fsm6.notna().any() else 0.0).to_numpy(float)
    tilt = np.exp(-settings.fsm6_tilt * known)[None, :] * np.exp(-ways / settings.truncate_minutes)
    most = settings.most_selective
    wanted = mean * amounts.sum()

    def bound(scale: float) -> Floats:
        shares: Floats = np.minimum(most, scale * tilt)
        return shares

    able = most * amounts[tilt > 0].sum()
    if wanted <= 0 or able <= 0:
        return np.zeros_like(tilt)
    if able <= wanted:
        return np.where(tilt > 0, most, 0.0)
    top = most / tilt[tilt > 0].min()
    scale = brentq(lambda s: float((bound(s) * amounts).sum() - wanted), 0.0, top, xtol=1e-12)
    return bound(scale)


def pull_of(
    origins: pd.DataFrame,
    goals: pd.DataFrame,
    t: Floats,
    segments: Segments,
    settings: GravitySettings,
) -> Floats:
    """Return the pull (segments, goals): within reach, or of the nearest school if none is."""
    tau = origins["tau"].to_numpy(float)
    row_tau = tau[segments.origin] * np.where(segments.selective, settings.selective_stretch, 1.0)
    way = t[segments.origin]
    near = segments.fits & (way <= settings.truncate_minutes)
    nearest = np.where(segments.fits, way, np.inf).min(axis=1)
    lonely = ~near.any(axis=1) & np.isfinite(nearest)
    near[lonely] = segments.fits[lonely] & (way[lonely] == nearest[lonely, None])
    faith = faith_factor(origins["faith"], goals["faith"], settings)[segments.origin]
    pull: Floats = near * faith * goals["places"].to_numpy(float) * np.exp(-way / row_tau[:, None])
    return pull


def out_shares(pull: Floats, pupils: Floats, settings: GravitySettings) -> Floats:
    """Return the part of each segment that goes elsewhere: one outside pull, right on average."""
    if not len(pull):
        return pull
    mean, most = min(settings.out_share, settings.most_out), settings.most_out

    def shares(log_outside: float) -> Floats:
        found: Floats = np.minimum(most, 1 / (1 + pull / np.exp(log_outside)))
        return found

    def miss(log_outside: float) -> float:
        return float((shares(log_outside) * pupils).sum() / pupils.sum() - mean)

    ends = (float(np.log(pull.min())) - 20, float(np.log(pull.max())) + 20)
    return shares(float(brentq(miss, *ends))) if miss(ends[1]) > 0 else np.full_like(pull, most)
