"""Which statements of servers a refactoring breaks, and when, as a table of its reference page."""

from collections.abc import Iterator, Mapping, Sequence

from toolchain.model.change import Step
from toolchain.model.schema import Schema, TableSchema
from toolchain.refactor.phases import Act, Limit
from toolchain.spec.schema.replay import Replay

_WORDS: Mapping[Act, str] = {
    Act.ON_CONSTRAINT: "ON CONFLICT ON CONSTRAINT",
    Act.COPY: "COPY … FROM",
    Act.COPY_OUT: "COPY … TO",
    Act.LOCK: "SELECT … FOR UPDATE",
}


def break_table(limits: Sequence[Limit], replay: Replay, steps: Sequence[Step]) -> Iterator[str]:
    """What breaks statements of servers, and when; `replay` has seen what was there before."""
    before = replay.schema
    rows = [f"| until the contract | {_act(limit)} | {limit.why} |" for limit in limits]
    replay.apply(steps[0].sql.text or "")
    if bound := list(_new_rules(before, replay.schema)):
        why = "servers of every release are bound at once"
        rows.append(f"| from the expand on | writes that {_listed(bound)} refuses | {why} |")
    for step in steps[1:]:
        replay.apply(step.sql.text or "")
    if gone := list(_gone(before, replay.schema)):
        why = "servers that use the old form alone are refused there"
        rows.append(f"| from the contract on | what needs {_listed(gone)} | {why} |")
    if not rows:
        yield from ("No statement of any server breaks.", "")
        return
    yield "| when | statements that break | why |"
    yield from ("| --- | --- | --- |", *rows, "")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _act(limit: Limit) -> str:
    columns = f" ({', '.join(sorted(limit.columns))})" if limit.columns else ""
    words = _WORDS.get(limit.act, limit.act.value.upper())
    return f"{words} on `{limit.relation.name}{columns}`"


def _rules(table: TableSchema) -> dict[str, frozenset[str]]:
    """What refuses rows of a table, or makes them quick to find, with the columns that it needs."""
    return {
        **{each.name: frozenset(each.needs) for each in table.keys},
        **{each.name: each.columns for each in table.checks},
        **{each.name: frozenset(each.columns) for each in table.foreign_keys},
        **{each.name.name: frozenset(each.columns) for each in table.indexes},
    }


def _new_rules(before: Schema, after: Schema) -> Iterator[str]:
    for name, table in before.tables.items():
        now = after.tables.get(name, table)
        plain = {each.name.name for each in now.indexes if not each.unique}
        yield from sorted(_rules(now).keys() - _rules(table).keys() - plain)


def _gone(before: Schema, after: Schema) -> Iterator[str]:
    """Tables, columns, and the keys and indexes of columns that are still there."""
    for name, table in sorted(before.tables.items()):
        now = after.tables.get(name)
        if now is None:
            yield name.name
            continue
        left = {column.name for column in now.columns}
        yield from (f"{name.name}.{each.name}" for each in table.columns if each.name not in left)
        known = _rules(now).keys() | {check.name for check in table.checks}
        yield from (
            rule for rule, columns in _rules(table).items() if rule not in known and columns <= left
        )
