"""Which changes of a column's type keep the rows as they are.

The manual's notes on ALTER TABLE: "when the USING clause does not change the column contents and
the old type is either binary coercible to the new type or an unconstrained domain over the new
type, a table rewrite is not needed"; length coercions that widen are left out in the same way
(varchar_support, numeric_support and the others in PostgreSQL's source).
"""

from toolchain.spec.lint.names import Type

# pg_cast with castmethod 'b', among types that columns have.
_COERCIBLE = frozenset({
    ("varchar", "text"), ("text", "varchar"), ("cidr", "inet"), ("xml", "text"),
    ("xml", "varchar"),
})  # fmt: skip

# Types whose one modifier is a length or a number of digits after the second.
_WIDENING = frozenset({"varchar", "varbit", "timestamp", "timestamptz", "time", "timetz"})

_LARGER = {
    "int2": ("int4", "int8", "numeric"), "int4": ("int8", "numeric"), "int8": ("numeric",),
    "float4": ("float8",), "bpchar": ("text", "varchar"), "json": ("jsonb",),
}  # fmt: skip

_SERIAL = {
    "serial": "int4", "serial4": "int4", "bigserial": "int8", "serial8": "int8",
    "smallserial": "int2", "serial2": "int2",
}  # fmt: skip


def is_serial(type_: Type) -> bool:
    """Whether a type stands for an integer with a sequence."""
    return type_.name in _SERIAL


def stored(type_: Type) -> Type:
    """The type that a column has in the end."""
    return Type(_SERIAL[type_.name]) if is_serial(type_) else type_


def keeps_rows(old: Type, new: Type) -> bool:
    """Whether the change needs neither a rewrite nor a look at the rows."""
    if old == new:
        return True
    if not new.modifiers and (old.name, new.name) in _COERCIBLE:
        return True
    if old.name != new.name:
        return False
    if old.name == "numeric":
        return _numeric_widens(old, new)
    if old.name not in _WIDENING:
        return False
    if not new.modifiers:
        return True
    return bool(old.modifiers) and old.modifiers[0] <= new.modifiers[0]


def _numeric_widens(old: Type, new: Type) -> bool:
    if not new.modifiers or not old.modifiers:
        return not new.modifiers
    (old_digits, old_scale), (new_digits, new_scale) = (
        (*each.modifiers, 0)[:2] for each in (old, new)
    )
    return old_scale == new_scale and old_digits <= new_digits


def holds_all(old: Type, new: Type) -> bool:
    """Whether every value of the old type is one of the new type."""
    if keeps_rows(old, new):
        return True
    return not new.modifiers and new.name in _LARGER.get(old.name, ())
