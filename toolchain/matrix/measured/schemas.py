"""Fresh install against upgraded install: the objects that differ."""

from collections.abc import Mapping

from toolchain.matrix.measured.values import SchemaDifference


def compare_schemas(
    upgraded: Mapping[str, str], fresh: Mapping[str, str]
) -> tuple[SchemaDifference, ...]:
    """The objects that only one schema has, or that the two define differently, by name."""
    return tuple(
        SchemaDifference(name=name, upgraded=upgraded.get(name), fresh=fresh.get(name))
        for name in sorted({*upgraded, *fresh})
        if upgraded.get(name) != fresh.get(name)
    )
