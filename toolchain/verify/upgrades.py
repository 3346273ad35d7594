"""Transitions inside libsolv, with the jobs and flags that dnf gives it.

libdnf sets: keep orphans, best obeys policy, yum's meaning of Obsoletes, downgrades and changes
of vendor allowed. Under --allowerasing it allows removal package by package and leaves the
protected ones out. For debs the same jobs stand in for a solver as bold as that.
"""

from collections.abc import Sequence
from typing import Any, assert_never

from toolchain.model.release import Format
from toolchain.verify.finding import Finding
from toolchain.verify.halves import Case, DatabaseHalf, Report, ServerHalf
from toolchain.verify.libsolv import libsolv_version
from toolchain.verify.pool import SolverPool, known_names
from toolchain.verify.questions import Row
from toolchain.verify.transitions import (
    HostState,
    Order,
    Verb,
    edge_targets,
    host_states,
    judge,
    transition_finding,
)

# Up to so many, every version is asked for by name; beyond, those at the edges.
_FEW_RELEASES = 20
_SLOT = "one"


class Host:
    """A host in one state, with all packages of the case in its repository."""

    def __init__(self, case: Case, state: HostState, known: frozenset[str]) -> None:
        import solv  # noqa: PLC0415

        self._solv: Any = solv
        self._pool = SolverPool(case.format)
        installed = self._pool.repository("installed")
        available = self._pool.repository("available")
        self._kinds: dict[int, tuple[str, int]] = {}
        self._loose: list[Any] = []
        halves: tuple[tuple[str, Sequence[ServerHalf | DatabaseHalf], int | None], ...] = (
            ("server", case.servers, state.server),
            ("database", case.databases, state.database),
        )
        for kind, found, here in halves:
            for number, half in enumerate(found):
                solvable = self._pool.add(available, half.file, known)
                self._kinds[solvable.id] = kind, number
                if number == here:
                    copy = self._pool.add(installed, half.file, known)
                    self._kinds[copy.id] = kind, number
                    if not half.file.protected:
                        self._loose.append(copy)
        for number in state.shards:
            shard = self._pool.add_shard(installed, case.names, _SLOT, case.states[number])
            self._kinds[shard.id] = "shard", number
        for other in case.others:
            self._pool.add(available, other, known)
        self._available = {
            place: id_
            for id_, place in self._kinds.items()
            if self._pool.pool.id2solvable(id_).repo.name == "available"
        }
        self._pool.pool.installed = installed
        self._pool.pool.createwhatprovides()

    @property
    def is_protected(self) -> bool:
        """Whether nothing that stands on it may be removed."""
        return not self._loose

    def after(self, order: Order) -> HostState | None:
        """How the command ends; None where it is refused and nothing changes."""
        solv, pool = self._solv, self._pool.pool
        solver = pool.Solver()
        for flag in (
            solver.SOLVER_FLAG_KEEP_ORPHANS,
            solver.SOLVER_FLAG_BEST_OBEY_POLICY,
            solver.SOLVER_FLAG_YUM_OBSOLETES,
            solver.SOLVER_FLAG_ALLOW_DOWNGRADE,
            solver.SOLVER_FLAG_ALLOW_VENDORCHANGE,
        ):
            solver.set_flag(flag, 1)
        best = solv.Job.SOLVER_FORCEBEST if order.best else 0
        jobs = [self._job(order, best)]
        if order.bold:
            allow = solv.Job.SOLVER_ALLOWUNINSTALL | solv.Job.SOLVER_SOLVABLE
            jobs += [pool.Job(allow, solvable.id) for solvable in self._loose]
        if solver.solve(jobs):
            return None
        transaction = solver.transaction()
        stand = [*transaction.newsolvables(), *transaction.keptsolvables()]
        places = [self._kinds[item.id] for item in stand if item.id in self._kinds]
        return HostState(
            next((number for kind, number in places if kind == "server"), None),
            next((number for kind, number in places if kind == "database"), None),
            tuple(number for kind, number in places if kind == "shard"),
        )

    def _job(self, order: Order, best: int) -> Any:
        solv, pool = self._solv, self._pool.pool
        match order.verb:
            case Verb.UPGRADE | Verb.FULL_UPGRADE | Verb.AUTOREMOVE:
                update = solv.Job.SOLVER_UPDATE | solv.Job.SOLVER_SOLVABLE_ALL
                return pool.Job(update | best, 0)
            case Verb.INSTALL_SERVER:
                target = self._available["server", order.target]
            case Verb.INSTALL_DATABASE:
                target = self._available["database", order.target]
        install = solv.Job.SOLVER_INSTALL | solv.Job.SOLVER_SOLVABLE
        return pool.Job(install | best, target)


def orders(
    case: Case, rows: tuple[Row, ...], state: HostState, *, every: bool
) -> tuple[Order, ...]:
    """What is tried from a state: each command, with and without its bold options."""
    servers, databases = edge_targets(rows, state)
    if every:
        servers, databases = tuple(range(len(case.servers))), tuple(range(len(case.databases)))
    return tuple(
        Order(verb, target, bold=bold, best=best)
        for bold in (False, True)
        for best in (False, True)
        for verb, targets in (
            (Verb.UPGRADE, (0,)),
            (Verb.INSTALL_SERVER, servers),
            (Verb.INSTALL_DATABASE, databases),
        )
        for target in targets
    )


def order_words(case: Case, order: Order) -> str:
    """The order as dnf's command line; for debs in words, as no command of apt means just this."""
    half: ServerHalf | DatabaseHalf | None = None
    if order.verb is Verb.INSTALL_SERVER:
        half = case.servers[order.target]
    elif order.verb is Verb.INSTALL_DATABASE:
        half = case.databases[order.target]
    match case.format:
        case Format.RPM:
            target = "" if half is None else f"{half.file.name}-{half.file.version}"
            words = ["dnf", "install", target] if target else ["dnf", "upgrade"]
            words += ["--allowerasing"] if order.bold else []
            words += [] if order.best else ["--nobest"]
            return " ".join(words)
        case Format.DEB:
            target = "" if half is None else f"{half.file.name}={half.file.version}"
            words = [f"a solver that installs {target}" if target else "a solver that upgrades"]
            words += ["may remove what is not protected"] if order.bold else []
            words += [] if order.best else ["may pass over what it can't upgrade"]
            return " and ".join(words)
        case _ as never:
            assert_never(never)


def libsolv_transitions(
    case: Case, rows: tuple[Row, ...], report: Report, *, every: bool = False
) -> tuple[int, tuple[Finding, ...]]:
    """How many commands were tried from how many states, and every bad end."""
    known = known_names(case.names, (*case.files, *case.others))
    states = host_states(rows, shards=True, every=every)
    few = len(case.servers) <= _FEW_RELEASES
    label = f"libsolv {libsolv_version()}"
    count, findings = 0, []
    for number, state in enumerate(states, 1):
        host = Host(case, state, known)
        for order in orders(case, rows, state, every=every or few):
            if order.bold and host.is_protected:
                continue  # nothing may be removed, so the very same question again
            count += 1
            after = host.after(order)
            wrong = "" if after is None else judge(case, rows, state, after)
            if wrong:
                words = order_words(case, order)
                findings.append(transition_finding(case, state, words, wrong, label))
        report(number, len(states), f"upgrading {case.format.value}s with libsolv")
    return count, tuple(findings)
