"""What other tools and blog posts make of two forms; the SQL says after which sources."""

from pathlib import Path

from benchmarks.sync.schema import FILL_PART, PART

PGROLL_OLD, PGROLL_NEW = "public_01_init", "public_02_columns"
RESHAPE_OLD, RESHAPE_NEW = "migration_1_init", "migration_2_split"
DUAL_WRITES = (PART, FILL_PART)


def _file(name: str) -> tuple[str, ...]:
    return (Path(__file__).with_name(name).read_text(),)


PGROLL = _file("pgroll.sql")
RESHAPE = _file("reshape.sql")
AFTER_TRIGGERS = _file("after_triggers.sql")
