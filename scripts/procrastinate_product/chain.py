"""Pure: what procrastinate's migrations mean in Interlock's terms of phases and windows.

Three documents of procrastinate say what may run with what:

- "Migrate the Procrastinate schema" as of 2.x (docs/howto/production/migrations.md): before the
  code is upgraded from X to Y, the migrations from X up to, not including, Y are applied, and
  within one major version the code is then upgraded live. So every 2.x server works on every
  later 2.x schema, and needs the schema that was current at its release.
- the same page since 3.0: "pre" migrations are applied before the code is upgraded and "post"
  migrations after it, and without interruption one must "stop at every version that provides
  migrations".
- "Contributing" (CONTRIBUTING.md, Migration tests): a schema with the new pre and without the new
  post migrations is tested with the last released code and with the new code, and no other.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from procrastinate_product.errors import SourceError
from procrastinate_product.releases import Number

_NAME = re.compile(r"(\d\d)\.(\d\d)\.(\d\d)_(\d\d)_(?:(pre|post)_)?([a-z0-9_]+)\.sql")

# The migrations between 2.0.0 and 3.0.0 say neither pre nor post. Read one by one, each only adds:
# columns with a default, functions beside or in place of ones with the same arguments, values of
# enums, indexes. The later page calls unmarked ones "post"; that cannot hold for these, since
# servers of the release that brought them fail without them (MEASURED).
_ADDING = frozenset(
    {
        "02.00.03_01_add_job_priority.sql",
        "02.05.00_01_add_periodic_job_priority.sql",
        "02.06.00_01_add_cancel_states.sql",
        "02.08.00_01_add_additional_params_to_retry_job.sql",
        "02.14.01_01_add_indexes_for_fetch_job.sql",
    }
)

Phase = Literal["expand", "contract"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """What the wheel of one release says of the schema: its migrations and the whole, by text."""

    number: Number
    migrations: Mapping[str, bytes]
    schema: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One phase of one change; `since` is the packaged release whose wheel brought the file."""

    change: str
    phase: Phase
    file: str
    sql: bytes
    since: Number
    rewritten_by: Number | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One release of the chain: its schema, the steps to it, and the oldest that it works with.

    `expanded` is the release whose expand steps its server needs, and `oldest_peer` the one from
    which procrastinate documents an upgrade to that; `contracted` is the release whose post
    migrations have run. `skipped` are versions with migrations that the chain passes by.
    """

    number: Number
    schema: int
    steps: tuple[Step, ...]
    oldest_schema: int
    oldest_server: Number
    oldest_peer: Number
    expanded: Number
    contracted: Number | None
    skipped: tuple[str, ...] = ()

    def of(self, phase: Phase) -> tuple[Step, ...]:
        """The steps of one phase, in order."""
        return tuple(step for step in self.steps if step.phase == phase)


@dataclass(slots=True)
class _Walk:
    """What is known on the way from one release to the next."""

    expanded: Number
    documented: Number
    schema: int = 1
    oldest_schema: int = 1
    contracted: Number | None = None
    waiting: list[str] = field(default_factory=list)
    waiting_since: Number | None = None
    owners: dict[str, str] = field(default_factory=dict)
    taken: set[tuple[str, Phase]] = field(default_factory=set)


def phase_of(file: str) -> Phase:
    """Whether a migration adds or removes; raises SourceError when its name does not say."""
    match = _NAME.fullmatch(file)
    if match is not None:
        if match[5] == "pre" or file in _ADDING:
            return "expand"
        if match[5] == "post":
            return "contract"
    raise SourceError(
        f"the migration {file} is marked neither pre nor post, and this script has not judged it"
    )


def change_of(file: str) -> str:
    """The change that a migration belongs to: its name without version, number and mark."""
    match = _NAME.fullmatch(file)
    if match is None:
        raise SourceError(f"{file} is not the name of a migration of procrastinate")
    return match[6].replace("_", "-")


def version_of(file: str) -> str:
    """The version that stands in a migration's name, as `03.00.00`."""
    return file.partition("_")[0]


def build(upstreams: Sequence[Upstream]) -> tuple[Link, ...]:
    """The chain of the releases, which stand in order; raises SourceError.

    A post migration becomes the contract of the release after the one that brought it: in
    procrastinate it runs when every worker of that release is up, and a contract comes one release
    later at the earliest. A migration that a later wheel has rewritten is taken as rewritten, since
    procrastinate mends migrations in place (that of 3.0.0 needed PostgreSQL 16 until 3.0.2).
    """
    first = upstreams[0]
    walk = _Walk(expanded=first.number, documented=first.number, owners={"initial": ""})
    initial = Step(
        change="initial",
        phase="expand",
        file=f"schema-{first.number}.sql",
        sql=first.schema,
        since=first.number,
    )
    links = [_link(walk, first.number, (initial,), ())]
    for previous, upstream in pairwise(upstreams):
        links.append(_next(walk, previous, upstream, upstreams))
    return tuple(links)


def _next(
    walk: _Walk, previous: Upstream, upstream: Upstream, upstreams: Sequence[Upstream]
) -> Link:
    gone = sorted(set(previous.migrations) - set(upstream.migrations))
    if gone:
        raise SourceError(f"procrastinate {upstream.number} has dropped the migration {gone[0]}")
    brought = sorted(set(upstream.migrations) - set(previous.migrations))
    adding = [file for file in brought if phase_of(file) == "expand"]
    steps = [_step(walk, file, "expand", upstream.number, upstreams) for file in adding]
    if walk.waiting and walk.waiting_since is not None:
        since = walk.waiting_since
        steps += [_step(walk, file, "contract", since, upstreams) for file in walk.waiting]
        walk.contracted = since
    walk.waiting = [file for file in brought if phase_of(file) == "contract"]
    walk.waiting_since = upstream.number
    walk.schema += bool(steps)
    if adding:
        walk.oldest_schema = walk.schema
        # Within 2.x the documented reach stays where the chain begins.
        if upstream.number.major > 2:
            walk.documented = walk.expanded
        walk.expanded = upstream.number
    versions = sorted({version_of(file) for file in brought})
    skipped = tuple(versions[:-1]) if upstream.number.major > 2 else ()
    return _link(walk, upstream.number, tuple(steps), skipped)


def _step(
    walk: _Walk, file: str, phase: Phase, since: Number, upstreams: Sequence[Upstream]
) -> Step:
    change, version = change_of(file), version_of(file)
    if walk.owners.setdefault(change, version) != version:
        change = f"{change}-{version.replace('.', '-')}"
    if (change, phase) in walk.taken:
        raise SourceError(f"{file} is the second migration of {version} with its name and mark")
    if phase == "contract" and (change, "expand") not in walk.taken:
        raise SourceError(f"no pre migration of its name belongs to the post migration {file}")
    walk.taken.add((change, phase))
    texts = {up.number: up.migrations[file] for up in upstreams if file in up.migrations}
    newest = texts[max(texts)]
    rewritten = [number for number, text in texts.items() if text == newest != texts[since]]
    return Step(
        change=change,
        phase=phase,
        file=file,
        sql=newest,
        since=since,
        rewritten_by=min(rewritten) if rewritten else None,
    )


def _link(walk: _Walk, number: Number, steps: tuple[Step, ...], skipped: tuple[str, ...]) -> Link:
    return Link(
        number=number,
        schema=walk.schema,
        steps=steps,
        oldest_schema=walk.oldest_schema,
        oldest_server=max(walk.documented, walk.contracted or walk.documented),
        oldest_peer=walk.documented,
        expanded=walk.expanded,
        contracted=walk.contracted,
        skipped=skipped,
    )
