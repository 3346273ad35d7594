"""What a query reads, and the columns of its result as far as plain names and casts tell them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from toolchain.model.relation_name import RelationName
from toolchain.model.schema import Column
from toolchain.spec.schema.state import State
from toolchain.spec.schema.text import UNKNOWN, Node, indexed_name, kind, strings, type_text, walk

# What stands in a FROM: its alias and its columns.
_Scope = list[tuple[str, tuple[Column, ...]]]
_With = Mapping[str, tuple[Column, ...]]


def relations_read(
    state: State, part: Node, known: frozenset[str] = frozenset()
) -> Iterator[tuple[RelationName, str]]:
    """Each relation that a query names, with its alias; `known` are the names of a WITH around."""
    if isinstance(part, (tuple, list)):
        for each in part:
            yield from relations_read(state, each, known)
    elif kind(part) == "RangeVar":
        if part.schemaname or part.relname not in known:
            alias = part.alias.aliasname if part.alias else part.relname
            yield state.found_by(part), alias
    elif kind(part) is not None:
        clause = getattr(part, "withClause", None)
        if clause is not None:
            names = [each.ctename for each in clause.ctes]
            for number, each in enumerate(clause.ctes):
                visible = names if clause.recursive else names[:number]
                yield from relations_read(state, each.ctequery, known | set(visible))
            known = known | set(names)
        for slot in part:
            if slot != "withClause":
                yield from relations_read(state, getattr(part, slot), known)


def columns_read(state: State, query: Node) -> dict[RelationName, frozenset[str]]:
    """By relation, the columns that a query names; a name that fits several counts for each."""
    named = list(relations_read(state, query))
    reads: dict[RelationName, set[str]] = {relation: set() for relation, _ in named}
    for part in walk(query):
        match kind(part):
            case "ColumnRef":
                fields = strings(part.fields)
                every = kind(part.fields[-1]) == "A_Star"
                before = fields if every else fields[:-1]
                column = None if every else fields[-1]
            case "JoinExpr" if part.usingClause:
                for column in strings(part.usingClause):
                    _note(state, reads, (name for name, _ in named), column)
                continue
            case "JoinExpr" if part.isNatural:
                before, column = (), None
            case _:
                continue
        meant = [name for name, alias in named if not before or before[-1] in (alias, name.name)]
        _note(state, reads, meant, column)
        if not before and column in {alias for _, alias in named}:  # a whole row
            _note(state, reads, (name for name, alias in named if alias == column), None)
    return {relation: frozenset(columns) for relation, columns in reads.items()}


def _note(
    state: State,
    reads: dict[RelationName, set[str]],
    relations: "Iterator[RelationName] | list[RelationName]",
    column: str | None,
) -> None:
    for relation in relations:
        known = {each.name for each in state.columns(relation)}
        reads[relation].update(known if column is None else known & {column})


def result_columns(state: State, query: Node, around: _With | None = None) -> tuple[Column, ...]:
    """The columns of a query's result; of a type that is not plain to see, `unknown`."""
    if kind(query) != "SelectStmt":
        return ()
    known = dict(around or {})
    for each in query.withClause.ctes if query.withClause else ():
        columns = result_columns(state, each.ctequery, known)
        known[each.ctename] = _aliased(columns, each.aliascolnames)
    if query.larg is not None:
        return result_columns(state, query.larg, known)
    if query.valuesLists:
        count = len(query.valuesLists[0])
        return tuple(Column(name=f"column{n + 1}", type=UNKNOWN) for n in range(count))
    scope = [entry for item in query.fromClause or () for entry in _scope(state, item, known)]
    return tuple(column for each in query.targetList or () for column in _columns(each, scope))


def _columns(target: Node, scope: _Scope) -> Iterator[Column]:
    value = target.val
    if kind(value) == "ColumnRef" and kind(value.fields[-1]) == "A_Star":
        wanted = strings(value.fields)[-1:]
        for alias, columns in scope:
            if not wanted or alias == wanted[0]:
                yield from columns
        return
    name = target.name or indexed_name(value) or "?column?"
    yield replace(_value(value, scope), name=name)


def _value(value: Node, scope: _Scope) -> Column:
    """A column of the value's type."""
    if kind(value) == "TypeCast":
        return Column(name="", type=type_text(value.typeName))
    if kind(value) == "ColumnRef":
        names = strings(value.fields)
        for alias, columns in scope:
            for column in columns:
                if column.name == names[-1] and (len(names) == 1 or alias == names[-2]):
                    return column
    return Column(name="", type=UNKNOWN)


def _scope(state: State, item: Node, known: _With) -> _Scope:
    match kind(item):
        case "RangeVar":
            name = item.relname
            own = item.schemaname is None and name in known
            columns = known[name] if own else state.columns(state.found_by(item))
            plain = tuple(
                Column(name=each.name, type=each.type, collation=each.collation) for each in columns
            )
            alias = item.alias.aliasname if item.alias else name
            return [(alias, _aliased(plain, item.alias and item.alias.colnames))]
        case "RangeSubselect":
            columns = result_columns(state, item.subquery, known)
            alias = item.alias.aliasname if item.alias else ""
            return [(alias, _aliased(columns, item.alias and item.alias.colnames))]
        case "JoinExpr":
            return _joined(item, _scope(state, item.larg, known), _scope(state, item.rarg, known))
        case _:
            return []


def _joined(join: Node, left: _Scope, right: _Scope) -> _Scope:
    """USING shows its columns once, and first; of two types it takes what holds both."""
    shared = strings(join.usingClause)
    if join.isNatural:
        names = {column.name for _, columns in right for column in columns}
        shared = tuple(c.name for _, columns in left for c in columns if c.name in names)
    if not shared:
        return [*left, *right]
    one, two = (
        {column.name: column for _, columns in side for column in columns} for side in (left, right)
    )
    first = tuple(
        one[name] if one[name].type == two[name].type else Column(name=name, type=UNKNOWN)
        for name in shared
        if name in one and name in two
    )
    rest = [
        (alias, tuple(column for column in columns if column.name not in shared))
        for alias, columns in (*left, *right)
    ]
    return [("", first), *rest]


def _aliased(columns: tuple[Column, ...], aliases: Node) -> tuple[Column, ...]:
    names = strings(aliases)
    pairs = zip(names, columns, strict=False)
    renamed = tuple(replace(column, name=name) for name, column in pairs)
    return renamed + columns[len(renamed) :]


def named_result(state: State, query: Node, names: Node) -> tuple[Column, ...]:
    """The columns of a view or a table made from a query, some of them perhaps renamed."""
    return _aliased(result_columns(state, query), names)
