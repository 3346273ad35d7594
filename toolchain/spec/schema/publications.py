"""Publications: everything, whole schemas, or tables by name."""

from collections.abc import Iterator

from toolchain.model.relation_name import RelationName
from toolchain.spec.schema.state import Publication, State
from toolchain.spec.schema.text import Node, columns_of, strings


def create_publication(state: State, node: Node) -> None:
    """Follow CREATE PUBLICATION."""
    state.publications[node.pubname] = Publication(
        everything=node.for_all_tables,
        schemas=frozenset(_schemas(state, node)),
        tables=dict(_tables(state, node)),
    )


def alter_publication(state: State, node: Node) -> None:
    """Follow ALTER PUBLICATION, which adds, takes away or sets what is published."""
    known = state.publications.get(node.pubname)
    if known is None or not node.pubobjects:
        return
    schemas, tables = frozenset(_schemas(state, node)), dict(_tables(state, node))
    match node.action.name:
        case "AP_AddObjects":
            schemas, tables = known.schemas | schemas, {**known.tables, **tables}
        case "AP_DropObjects":
            schemas = known.schemas - schemas
            tables = {name: c for name, c in known.tables.items() if name not in tables}
    state.publications[node.pubname] = Publication(
        everything=known.everything, schemas=schemas, tables=tables
    )


def _schemas(state: State, node: Node) -> Iterator[str]:
    for each in node.pubobjects or ():
        match each.pubobjtype.name:
            case "PUBLICATIONOBJ_TABLES_IN_SCHEMA":
                yield each.name
            case "PUBLICATIONOBJ_TABLES_IN_CUR_SCHEMA":
                yield state.path[0]


def _tables(state: State, node: Node) -> Iterator[tuple[RelationName, frozenset[str]]]:
    """Each table with the columns that its list or its condition names."""
    for each in node.pubobjects or ():
        published = each.pubtable
        if published is not None:
            listed = frozenset(strings(published.columns))
            yield state.found_by(published.relation), listed | columns_of(published.whereClause)
