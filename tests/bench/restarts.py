"""How soon a service is back that was killed after a second of readiness.

All supervisors run at the same time, one service each, and the services are killed
in turn: so each round is one round for all, and the second is waited for once.
"""

import os
import select
import signal
import time
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median, quantiles

from contenders import Contender, Services
from contest import Figure, Taken
from running import RunError
from supervised import Clock, running

READY_S = 1.05
"""A service that was ready for a second is started again at once, not later."""

PATIENCE_S = 30
ENOUGH_MS = 20_000
"""Who has needed so long in all is known to be slow, and left alone from then on."""

RUN = "echo $$ >../pids\n{ready}\nexec sleep 100000"
"""A run script that tells its pid as soon as it runs, then that it is ready."""

MEDIAN, LATE = "killed to running, median", "killed to running, 99 of 100"
FIGURES = (
    Figure(MEDIAN, "ms", 2, times=True),
    Figure(LATE, "ms", 2, times=True),
)


class Patient:
    """The service of one supervisor; it tells its pid each time it starts."""

    def __init__(self, name: str, tree: Path) -> None:
        self.name = name
        self.restarts_ms: list[float] = []
        self.pid = 0
        os.mkfifo(tree / "pids")
        # Both ends, so that no start ends the stream.
        self._pids = os.open(tree / "pids", os.O_RDWR)

    def close(self) -> None:
        """Stop listening."""
        os.close(self._pids)

    def wait(self) -> None:
        """Wait for the next start."""
        if not select.select([self._pids], [], [], PATIENCE_S)[0]:
            raise RunError(f"{self.name}: the service did not start")
        self.pid = int(os.read(self._pids, 4096).split()[-1])

    def kill(self) -> None:
        """Kill the service; note how long its next start took."""
        if sum(self.restarts_ms) > ENOUGH_MS:
            return
        clock = Clock()
        os.kill(self.pid, signal.SIGKILL)
        self.wait()
        self.restarts_ms.append(1000 * clock.elapsed_s())

    def taken(self) -> Taken:
        """Give the figures."""
        late = quantiles(self.restarts_ms, n=100, method="inclusive")[-1]
        return {MEDIAN: median(self.restarts_ms), LATE: late}


def restarts(
    contenders: tuple[Contender, ...], scratch: Path, kills: int
) -> dict[str, Taken]:
    """Kill a service of each supervisor so many times; give everyone's figures."""
    services = Services(("service",), RUN, log=None)
    patients = {}
    with ExitStack() as stack:
        for number, contender in enumerate(contenders):
            tree = scratch / f"restarts-{number}"
            contender.form.make(tree, services)
            patient = Patient(contender.name, tree)
            patients[contender.name] = stack.enter_context(closing(patient))
            stack.enter_context(running(contender, tree))
        for patient in patients.values():
            patient.wait()
        for _ in range(kills):
            time.sleep(READY_S)
            for patient in patients.values():
                patient.kill()
    return {name: patient.taken() for name, patient in patients.items()}
