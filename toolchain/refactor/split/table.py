"""Which way a table is split, and the phases that follow from it."""

from toolchain.model.refactoring import SplitTable, Strategy
from toolchain.model.relation_name import RelationName
from toolchain.model.schema import Schema
from toolchain.refactor.phases import Act, Limit, Phases, UnableError
from toolchain.refactor.split import copy, view
from toolchain.refactor.split.follow import migration
from toolchain.refactor.split.layout import PartLayout, walk_key
from toolchain.refactor.split.plan import layouts
from toolchain.refactor.split.swap import contract


def phases(change: str, split: SplitTable, schema: Schema) -> Phases:
    """The phases of a split; raises UnableError where it would break somebody."""
    keyed = [part for part in split.into if part.key]
    if keyed:
        if len(keyed) < len(split.into):
            raise UnableError(
                f"{split.table} is split into parts of its own key and parts with another",
                "declare two changes, one for each kind of part",
            )
        from toolchain.refactor.move import keyed as by_key  # noqa: PLC0415 - only where needed

        return by_key.phases(change, split, schema)
    if not split.into:
        raise UnableError(f"{split.table} is split into nothing", "name its parts in 'into'")
    parts = layouts(split, schema)
    walk = walk_key(schema.tables[split.table])
    match split.strategy:
        case None | Strategy.VIEW:
            return _views(change, parts, walk)
        case Strategy.COPY:
            return _copies(change, parts, walk)
        case other:
            raise UnableError(
                f"{split.table} cannot be split by the strategy {other.value}",
                "leave 'strategy' out, or write copy for parts that are real tables at once",
            )


def _views(change: str, parts: tuple[PartLayout, ...], walk: str) -> Phases:
    return Phases(
        strategy=Strategy.VIEW,
        why="each part is a view of some columns of one table, which PostgreSQL can update, so"
        " nothing is copied before servers may use it",
        expand=view.expand(parts),
        migrate=migration(parts, walk),
        contract=contract(change, parts),
        ready_at_expand=True,
        limits=(
            _no_truncate(parts[0].source, "from the migrate phase on"),
            *(limit for part in parts for limit in view.limits(part)),
        ),
    )


def _copies(change: str, parts: tuple[PartLayout, ...], walk: str) -> Phases:
    copy.refuse(parts)
    return Phases(
        strategy=Strategy.COPY,
        why="the spec asks for parts that are real tables at once: foreign keys can refer to them,"
        " and ON CONFLICT finds their keys",
        expand=copy.expand(parts),
        migrate=copy.migration(parts, walk),
        contract=copy.contract(change, parts),
        limits=(
            _no_truncate(parts[0].source, "from the expand on"),
            *(limit for part in parts for limit in copy.limits(part)),
        ),
    )


def _no_truncate(table: RelationName, since: str) -> Limit:
    return Limit(
        act=Act.TRUNCATE,
        relation=table,
        why=f"{since} the parts refer to {table}, and PostgreSQL truncates no table that another"
        " refers to; use DELETE",
    )
