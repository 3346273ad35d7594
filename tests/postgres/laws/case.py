"""A case: one refactoring, and how each of its two forms says the same operations in SQL.

All cases share one logical row, whatever tables hold it: `key`, a number `n` and a `text` that the
refactoring is about, and a number `m` that it leaves where it was. A row of key k belongs to owner
k / 10, a row of the table `owner` whose deletion cascades.

Statements of a form have `%(low)s` and `%(high)s`, the keys that they are about, both inclusive,
and `%(by)s`, `%(text)s` and `%(to)s`. `{rows}` stands for the rows to insert, as a table called
`fresh` with the columns key, n, m, text.
"""

from dataclasses import dataclass

from toolchain.refactor.phases import Phases

Statements = tuple[str, ...]

ROWS = (
    "unnest(%(keys)s::integer[], %(ns)s::integer[], %(ms)s::integer[], %(texts)s::text[])"
    " AS fresh (key, n, m, text)"
)
OWNERS = 40
OWNER = f"""
CREATE TABLE public.owner (id integer PRIMARY KEY);
INSERT INTO public.owner SELECT * FROM generate_series(0, {OWNERS}) AS id;
"""
CASCADE = (
    "DELETE FROM public.owner WHERE id = %(low)s / 10",
    "INSERT INTO public.owner VALUES (%(low)s / 10)",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one logical row holds, beside its key."""

    n: int | None
    m: int
    text: str | None


Rows = dict[int, Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A COPY … FROM STDIN; `fields` say what of a logical row each column takes."""

    into: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One form; `read` answers key, n, m and text. What a form cannot do is None.

    `clear` sets n and text to NULL, which in a table of its own may mean that the row is gone; so
    `write` leaves such rows alone. `clear_low` is `clear` where n is below `by`. `upsert` writes m
    and text over those of a row that is there, and adds its n to the other, where NULL counts as 0.
    `join` inserts rows into groups that have rows, and says nothing of their n; `repeat` inserts
    them with the n that it finds there.
    """

    read: str
    insert: Statements
    add: Statements  # by to n
    add_rest: Statements  # by to m
    write: Statements  # text, where n is not NULL
    delete: Statements
    upsert: Statements | None = None
    rekey: Statements | None = None
    clear: Statements | None = None
    clear_low: Statements | None = None
    join: Statements | None = None
    repeat: Statements | None = None
    truncate: Statements | None = None
    copy: tuple[Copy, ...] | None = None
    cascade: Statements | None = CASCADE


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A refactoring to prove.

    `differing` are queries that answer rows where a stored copy is not as its source, once the
    migration is done; `straying`, at any time after the expand. With `retries` a READ COMMITTED
    transaction may be told to try again; with `deferred` the other form follows at the commit;
    without `isolated` servers stay at READ COMMITTED; without `outlives` nobody has a snapshot
    that is older than the migration when the contract comes.

    With `group` above 1 the rows of the keys that are equal when divided by it share their n, and
    whoever writes it to one row writes it to all. While the migration has not begun, servers of the
    old form must do so themselves; `begun` is their form afterwards.

    `again` is what a trigger of the application does for each row whose m somebody writes; `main`
    is the table that m is in.
    """

    name: str
    schema: str
    phases: Phases
    old: Form
    new: Form
    after: Form | None = None  # the new form after the contract, where it can do more then
    begun: Form | None = None
    group: int = 1
    main: str = "public.item"
    again: str = "UPDATE public.item SET n = n + 1000 WHERE id = NEW.id AND n < 1000"
    differing: Statements = ()
    straying: Statements = ()
    retries: bool = False
    deferred: bool = False
    isolated: bool = True
    outlives: bool = True

    def __str__(self) -> str:
        return self.name

    @property
    def final(self) -> Form:
        """The new form when it is the only one."""
        return self.after or self.new


class LawBrokenError(AssertionError):
    """What happened that must not happen."""
