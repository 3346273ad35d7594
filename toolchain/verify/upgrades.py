"""Transitions inside libsolv, with the jobs and flags that dnf gives it.

libdnf sets: keep orphans, best obeys policy, yum's meaning of Obsoletes, downgrades and changes
of vendor allowed. Under --allowerasing it allows removal package by package and leaves the
protected ones out. For debs the same jobs stand in for a solver as bold as that.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from toolchain.model.release import Format
from toolchain.verify.finding import Finding
from toolchain.verify.halves import Case, DatabaseHalf, Report, ServerHalf
from toolchain.verify.libsolv import libsolv_version
from toolchain.verify.likeness import Likeness
from toolchain.verify.pool import SolverPool, known_names
from toolchain.verify.questions import Row
from toolchain.verify.restriction import New
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


@dataclass(frozen=True, slots=True)
class Near:
    """The servers and databases, by place, that a repository offers."""

    servers: Collection[int]
    databases: Collection[int]


class Neighbours:
    """Which packages of a long history matter for a command: those asked for, and what fits them.

    What fits is taken at both ends of its window: a solver chooses the newest that does.
    """

    def __init__(self, rows: tuple[Row, ...]) -> None:
        self._of_servers = [_ends(row.databases) for row in rows]
        columns = zip(*(row.databases for row in rows), strict=True)
        self._of_databases = [_ends(column) for column in columns]

    def near(self, state: HostState, orders: Iterable[Order], new: New | None) -> Near:
        """What a host in this state is offered for these orders."""
        servers = set() if new is None else set(new.servers)
        databases = set() if new is None else set(new.databases)
        for order in orders:
            if order.verb is Verb.INSTALL_SERVER:
                servers.add(order.target)
            elif order.verb is Verb.INSTALL_DATABASE:
                databases.add(order.target)
        beside_servers = (self._of_servers[at] for at in servers)
        beside_databases = (self._of_databases[at] for at in databases)
        return Near(
            _places((*servers.union(*beside_databases), state.server)),
            _places((*databases.union(*beside_servers), state.database)),
        )


def _ends(fits: Iterable[bool]) -> tuple[int, ...]:
    places = [at for at, fit in enumerate(fits) if fit]
    return (*places[:1], *places[-1:])


def _places(found: Iterable[int | None]) -> tuple[int, ...]:
    return tuple(sorted({at for at in found if at is not None}))


class Host:
    """A host in one state, with packages of the case in its repository: all, or those `near`."""

    def __init__(
        self, case: Case, state: HostState, known: frozenset[str], near: Near | None = None
    ) -> None:
        import solv  # noqa: PLC0415

        self._solv: Any = solv
        self._pool = SolverPool(case.format)
        installed = self._pool.repository("installed")
        available = self._pool.repository("available")
        self._kinds: dict[int, tuple[str, int]] = {}
        self._loose: list[Any] = []
        near = near or Near(range(len(case.servers)), range(len(case.databases)))
        halves: tuple[
            tuple[str, Sequence[ServerHalf | DatabaseHalf], Collection[int], int | None], ...
        ] = (
            ("server", case.servers, near.servers, state.server),
            ("database", case.databases, near.databases, state.database),
        )
        for kind, found, places, here in halves:
            for number in places:
                half = found[number]
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
    case: Case, rows: tuple[Row, ...], state: HostState, *, every: bool, new: New | None = None
) -> tuple[Order, ...]:
    """What is tried from a state: each command, with and without its bold options.

    With `new`, from a state that is not new only what may lead to something that is.
    """
    servers: Iterable[int]
    databases: Iterable[int]
    if new is not None and not new.holds(state):
        servers, databases = sorted(new.servers), sorted(new.databases)
    elif every:
        servers, databases = range(len(case.servers)), range(len(case.databases))
    else:
        servers, databases = edge_targets(rows, state)
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
    case: Case,
    rows: tuple[Row, ...],
    report: Report,
    *,
    every: bool = False,
    new: New | None = None,
    lawful: bool = False,
) -> tuple[int, tuple[Finding, ...]]:
    """How many commands were tried from how many states, and every bad end.

    libsolv's time goes with the square of the versions that a repository offers, so of a long
    history a host sees those alone that are near. `lawful` says that every relation is known to be
    the law's: then of the hosts that are alike one stands for all, unless it ends badly.
    """
    known = known_names(case.names, (*case.files, *case.others))
    states = host_states(rows, shards=True, every=every)
    every = every or len(case.servers) <= _FEW_RELEASES
    neighbours = None if every else Neighbours(rows)
    likeness = Likeness(case, rows) if lawful else None
    seen: set[object] = set()
    label = f"libsolv {libsolv_version()}"
    count, findings = 0, []
    for number, state in enumerate(states, 1):
        given = orders(case, rows, state, every=every, new=new)
        near = None if neighbours is None else neighbours.near(state, given, new)
        if likeness is not None and near is not None:
            kind = likeness.of(state, near.servers, near.databases, given)
            if kind in seen:
                continue
            seen.add(kind)
        host = Host(case, state, known, near)
        for order in given:
            if order.bold and host.is_protected:
                continue  # nothing may be removed, so the very same question again
            count += 1
            after = host.after(order)
            wrong = "" if after is None else judge(case, rows, state, after)
            if wrong:
                words = order_words(case, order)
                findings.append(transition_finding(case, state, words, wrong, label))
        report(number, len(states), f"upgrading {case.format.value}s with libsolv")
    if findings and likeness is not None:
        return libsolv_transitions(case, rows, report, every=every, new=new)
    return count, tuple(findings)
