"""How the kernels of search and proof are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def compiled(function: Callable[..., Any], **options: bool | str) -> Callable[..., Any]:
    """Compile on first use, without the GIL, and keep the machine code where that is possible.

    Neither the package's folder nor the user's cache folder may be writable (a read-only
    installation); numba then refuses to cache, and the code is compiled again in each session.
    """
    njit: Any = numba.njit
    try:
        return njit(cache=True, nogil=True, **options)(function)
    except RuntimeError:
        return njit(cache=False, nogil=True, **options)(function)


def lean(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile code that makes no arrays, without counting references to those it is given.

    Every call with a bundle of thirty arrays else counts thirty references up and down, which
    costs several times what the small kernels do themselves. The caller holds the arrays, so there
    is nothing to count. `_nrt` is numba's own, private switch for it: a numba that does not have it
    compiles the same code in the ordinary way, only slower.
    """
    plain: Any = numba.njit(function)
    if not hasattr(plain.targetdescr.options, "_nrt"):
        return compiled(function, error_model="numpy")
    return compiled(function, error_model="numpy", _nrt=False)
