"""The row trigger that keeps both forms equal: where it stands among others, made and removed."""

from dataclasses import dataclass

from toolchain.model.relation_name import RelationName
from toolchain.model.schema import TableSchema
from toolchain.refactor.phases import UnableError
from toolchain.refactor.sql import (
    comment,
    ident,
    named,
    relation,
    script,
    trigger,
    trigger_function,
)

_OURS = "interlock_"
_PLACE = (
    "BEFORE triggers fire in the order of their names: by its name this one comes after the table's"
    " own, and sees the row as it will be stored."
)
_EVERY = (
    " It fires on every update, not only of its columns: a row that was not filled yet is filled"
    " whatever is written."
)
_FIRST, _LAST = "00_" + _OURS, "zz_" + _OURS


@dataclass(frozen=True, slots=True, kw_only=True)
class RowTrigger:
    """A trigger before each INSERT and UPDATE; it reads its name to know where it stands.

    PostgreSQL fires BEFORE triggers in the order of their names. The last one sees what the table's
    own triggers made of the row. `settling` is the body of one before them, where there are any, so
    that they find what they know whichever form was written.
    """

    change: str
    table: TableSchema
    body: str
    declare: tuple[str, ...] = ()
    settling: str = ""
    event: str = "BEFORE INSERT OR UPDATE"
    when: str | None = None

    def __post_init__(self) -> None:
        for name in own_triggers(self.table):
            if not self._last.encode() > name.encode():
                raise UnableError(
                    f"the trigger {name} of {self.table.name} would fire after {self._last}, which"
                    " must see the row as it is stored",
                    f"rename the trigger, so that it sorts before {_LAST}",
                )
            if self.settling and not self._first.encode() < name.encode():
                raise UnableError(
                    f"the trigger {name} of {self.table.name} would fire before {self._first},"
                    " and not see the old form of what a new server writes",
                    f"rename the trigger, so that it sorts after {_FIRST}",
                )

    def create(self) -> str:
        """The functions and triggers."""
        made = [
            trigger_function(self._function, self.body, self.declare),
            script(
                comment(_PLACE + (_EVERY if self._every_update else ""))
                + "\n"
                + trigger(self._last, self.event, self.table.name, self._function, self.when)
            ),
        ]
        if self._two:
            settle = trigger(self._first, self.event, self.table.name, self._settle)
            made += [
                trigger_function(self._settle, self.settling, self.declare),
                comment(
                    "The table's own triggers know the old form only; this one comes before them,"
                    " so that they find there what a new server wrote."
                )
                + "\n"
                + settle,
            ]
        return script(*made)

    def drop(self) -> str:
        """What takes them away again."""
        pairs = [(self._last, self._function)]
        pairs += [(self._first, self._settle)] if self._two else []
        table = relation(self.table.name)
        return "\n".join(
            f"DROP TRIGGER {ident(name)} ON {table};\nDROP FUNCTION {relation(function)}();"
            for name, function in pairs
        )

    @property
    def _every_update(self) -> bool:
        return "UPDATE" in self.event and self.when is None

    @property
    def _two(self) -> bool:
        return bool(self.settling and own_triggers(self.table))

    @property
    def _last(self) -> str:
        return named(_LAST.rstrip("_"), self.change)

    @property
    def _first(self) -> str:
        return named(_FIRST.rstrip("_"), self.change)

    @property
    def _function(self) -> RelationName:
        return self.table.name.beside(named(_OURS.rstrip("_"), self.change))

    @property
    def _settle(self) -> RelationName:
        return self.table.name.beside(named(_OURS.rstrip("_"), self.change, "settle"))


def own_triggers(table: TableSchema) -> tuple[str, ...]:
    """The table's own triggers that may change a row before it is written."""
    return tuple(
        each.name
        for each in table.triggers
        if each.each_row
        and each.timing == "before"
        and each.events & {"insert", "update"}
        and not each.name.startswith((_FIRST, _LAST))
    )
