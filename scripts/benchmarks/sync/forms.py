"""What the servers of a benchmark do, as pgbench scripts: one set for each form of the table.

The table `host` is split: `cpu_model`, `cpu_count` and `reboots` move to `host_hardware`. A server
looks at hardware, looks at it and then counts a reboot, counts one in a single statement, counts
scans (a column that stays), replaces hosts and deletes hosts. The first four meet the hot hosts,
the last two cold ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass

HOT = 1000
# The hottest fifth of the hot hosts gets 64 % of the work.
PICK_HOT = f"\\set id random_exponential(1, {HOT}, 5)\n"
# Each server has keys of its own to replace, and deletes those of the other one.
FIRST_BASE, SECOND_BASE = 1_000_000_000, 2_000_000_000
PICK_OWN = "\\set id :base + :client_id * 1000 + random(1, 1000)\n"
PICK_OTHER = "\\set id :other + :client_id * 1000 + random(1, 1000)\n"
# How many of a hundred transactions are of which kind.
MIXES: Mapping[str, Mapping[str, int]] = {
    "application": {
        "look": 30, "look-count": 25, "count": 20, "scan": 20, "replace": 4, "delete": 1,
    },
    "counts": {"count": 100},
}  # fmt: skip
COUNTING = ("look-count", "count")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A server's transactions by kind, and the search_path of its connections."""

    look: tuple[str, ...]
    count: tuple[str, ...]
    replace: tuple[str, ...]
    delete: tuple[str, ...]
    scan: tuple[str, ...] = ("UPDATE host SET scans = scans + 1 WHERE id = :id",)
    search_path: str = "public"

    def scripts(self) -> dict[str, str]:
        """A pgbench script for each kind."""
        return {
            "look": PICK_HOT + _statements(self.look),
            "look-count": PICK_HOT + _transaction(self.look + self.count),
            "count": PICK_HOT + _transaction(self.count),
            "scan": PICK_HOT + _transaction(self.scan),
            "replace": PICK_OWN + _transaction(self.replace),
            "delete": PICK_OTHER + _transaction(self.delete),
        }


def _statements(statements: tuple[str, ...]) -> str:
    return "".join(f"{statement};\n" for statement in statements)


def _transaction(statements: tuple[str, ...]) -> str:
    """A single statement is a transaction by itself."""
    return _statements(statements if len(statements) == 1 else ("BEGIN", *statements, "END"))


OLD = Form(
    look=("SELECT cpu_model, cpu_count, reboots FROM host WHERE id = :id",),
    count=("UPDATE host SET reboots = reboots + 1 WHERE id = :id",),
    replace=(
        "DELETE FROM host WHERE id = :id",
        "INSERT INTO host (id, name, cpu_model, cpu_count, reboots)"
        " VALUES (:id, 'cold', 'Xeon', 4, 0)",
    ),
    delete=("DELETE FROM host WHERE id = :id",),
)
INSERT_PART = (
    "INSERT INTO host_hardware (host_id, cpu_model, cpu_count, reboots) VALUES (:id, 'Xeon', 4, 0)"
)
NEW = Form(
    look=("SELECT cpu_model, cpu_count, reboots FROM host_hardware WHERE host_id = :id",),
    count=("UPDATE host_hardware SET reboots = reboots + 1 WHERE host_id = :id",),
    replace=(
        "DELETE FROM host WHERE id = :id",
        "INSERT INTO host (id, name) VALUES (:id, 'cold')",
        INSERT_PART,
    ),
    delete=("DELETE FROM host WHERE id = :id",),
)
# The cheapest that dual writes can be: the wide table answers every question.
DUAL_ONE_READ = Form(
    look=OLD.look,
    count=OLD.count + NEW.count,
    replace=(*OLD.replace, INSERT_PART),
    delete=OLD.delete,
)
# As long as the backfill runs a part may be missing, so who asks for it, or is to write both, looks
# at both.
DUAL = Form(
    look=OLD.look + NEW.look,
    count=OLD.look + NEW.look + DUAL_ONE_READ.count,
    replace=DUAL_ONE_READ.replace,
    delete=DUAL_ONE_READ.delete,
)
