"""Stops long compiled work from outside within a fraction of a second.

The kernels and CP-SAT run for seconds without coming back to Python. A thread asks now and then
whether to stop and raises a flag in memory that the kernels look at. What is done until then is
kept; without a stop the thread changes nothing, so answers do not depend on it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

import numpy as np
from ortools.sat.python import cp_model

PAUSE = 0.1
"""Seconds between two looks."""


class Halt:
    """A flag that goes up once `stop` says so; used as a context in which a thread asks it."""

    def __init__(self, stop: Callable[[], bool]) -> None:
        self.flag = np.zeros(1, np.uint8)
        self._stop, self._done = stop, threading.Event()
        self._solver: cp_model.CpSolver | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Halt:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()

    def __call__(self) -> bool:
        """Return whether to stop; once up, the flag stays up."""
        if not self.flag[0] and self._stop():
            self.flag[0] = 1
        return bool(self.flag[0])

    def choose(self, solver: cp_model.CpSolver, model: cp_model.CpModel) -> int:
        """Let CP-SAT solve a model, cut short if the flag goes up; return its status."""
        with self._lock:
            self._solver = solver
        try:
            return int(solver.solve(model))
        finally:
            with self._lock:
                self._solver = None

    def _watch(self) -> None:
        while not self._done.wait(PAUSE):
            if self():
                with self._lock:
                    if self._solver is not None:
                        self._solver.stop_search()
