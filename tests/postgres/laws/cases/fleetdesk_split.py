"""The split that was written by hand: Fleetdesk's host in three, parts as views of the old table."""

from dataclasses import replace
from pathlib import Path

from tests.postgres.laws.case import OWNER, Case, Copy, Form
from tests.postgres.laws.forms import RANGE
from toolchain.model.refactoring import Strategy
from toolchain.model.relation_name import RelationName
from toolchain.refactor.phases import Expand, Migration, Phases

BY_HAND = Path(__file__).parents[2] / "refactor" / "by_hand"
CHAIN = Path(__file__).parents[4] / "release-specs" / "fleetdesk" / "sql"


def _sql(name: str) -> str:
    return (BY_HAND / name).read_text()


EXPAND = Expand(sql=_sql("12-split-host.sql"), undo=_sql("12-split-host.undo.sql"))
MIGRATION = Migration(
    table=RelationName("public", "host"),
    key="id",
    batch=_sql("12-split-host-batch.sql"),
    undo=_sql("12-split-host-batch.undo.sql"),
)
PHASES = Phases(
    strategy=Strategy.VIEW,
    why="the parts can be views of the old table",
    expand=EXPAND,
    migrate=MIGRATION,
    contract=_sql("13-split-host.sql"),
    ready_at_expand=True,
)

_HOST = "public.host (id, owner, name, os"
_NAMED = "key, key / 10, 'h' || key, m::text"
_PRESENT = (
    "EXISTS (SELECT FROM public.host_hardware AS there"
    " WHERE there.host_id = host_network.host_id AND there.cpu_count IS NOT NULL)"
)

OLD = Form(
    read="SELECT id::int AS key, cpu_count AS n, os::int AS m, fqdn AS text FROM public.host",
    insert=(
        f"INSERT INTO {_HOST}, cpu_count, fqdn) OVERRIDING SYSTEM VALUE"
        f" SELECT {_NAMED}, n, text FROM {{rows}}",
    ),
    add=(f"UPDATE public.host SET cpu_count = cpu_count + %(by)s WHERE id {RANGE}",),
    add_rest=(f"UPDATE public.host SET os = (os::int + %(by)s)::text WHERE id {RANGE}",),
    write=(
        f"UPDATE public.host SET fqdn = %(text)s WHERE id {RANGE} AND cpu_count IS NOT NULL",
    ),
    delete=(f"DELETE FROM public.host WHERE id {RANGE}",),
    upsert=(
        f"INSERT INTO {_HOST}, cpu_count, fqdn) OVERRIDING SYSTEM VALUE"
        f" SELECT {_NAMED}, n, text FROM {{rows}} ON CONFLICT (id) DO UPDATE"
        " SET os = excluded.os, fqdn = excluded.fqdn,"
        " cpu_count = COALESCE(host.cpu_count, 0) + excluded.cpu_count",
    ),
    clear=(f"UPDATE public.host SET cpu_count = NULL, fqdn = NULL WHERE id {RANGE}",),
    clear_low=(
        f"UPDATE public.host SET cpu_count = NULL, fqdn = NULL"
        f" WHERE id {RANGE} AND cpu_count < %(by)s",
    ),
    truncate=("TRUNCATE public.host CASCADE",),
    copy=(
        Copy(
            into=f"{_HOST}, cpu_count, fqdn)", fields=("key", "owner", "key", "m", "n", "text")
        ),
    ),
)  # fmt: skip

NEW = Form(
    read="SELECT id::int AS key, hardware.cpu_count AS n, os::int AS m, network.fqdn AS text"
    " FROM public.host LEFT JOIN public.host_hardware AS hardware ON hardware.host_id = id"
    " LEFT JOIN public.host_network AS network ON network.host_id = id",
    insert=(
        f"INSERT INTO {_HOST}) OVERRIDING SYSTEM VALUE SELECT {_NAMED} FROM {{rows}}",
        "INSERT INTO public.host_hardware (host_id, cpu_count) SELECT key, n FROM {rows}",
        "INSERT INTO public.host_network (host_id, fqdn) SELECT key, text FROM {rows}",
    ),
    add=(f"UPDATE public.host_hardware SET cpu_count = cpu_count + %(by)s WHERE host_id {RANGE}",),
    add_rest=OLD.add_rest,
    write=(f"UPDATE public.host_network SET fqdn = %(text)s WHERE host_id {RANGE} AND {_PRESENT}",),
    delete=OLD.delete,
    # In the order in which rows come into being, or two servers deadlock by themselves.
    clear=(
        f"DELETE FROM public.host_hardware WHERE host_id {RANGE}",
        f"DELETE FROM public.host_network WHERE host_id {RANGE}",
    ),
    truncate=OLD.truncate,
    copy=(
        Copy(into=f"{_HOST})", fields=("key", "owner", "key", "m")),
        Copy(into="public.host_hardware (host_id, cpu_count)", fields=("key", "n")),
        Copy(into="public.host_network (host_id, fqdn)", fields=("key", "text")),
    ),
)

FINAL = replace(
    NEW,
    upsert=(
        f"INSERT INTO {_HOST}) OVERRIDING SYSTEM VALUE SELECT {_NAMED} FROM {{rows}}"
        " ON CONFLICT (id) DO UPDATE SET os = excluded.os",
        "INSERT INTO public.host_hardware (host_id, cpu_count) SELECT key, n FROM {rows}"
        " ON CONFLICT (host_id) DO UPDATE"
        " SET cpu_count = COALESCE(host_hardware.cpu_count, 0) + excluded.cpu_count",
        "INSERT INTO public.host_network (host_id, fqdn) SELECT key, text FROM {rows}"
        " ON CONFLICT (host_id) DO UPDATE SET fqdn = excluded.fqdn",
    ),
)

_COPIES = (
    "public.host_hardware_next AS hardware",
    "public.host_network_next AS network USING (host_id)",
)
_WRONG = (
    "host.cpu_count IS DISTINCT FROM hardware.cpu_count OR host.fqdn IS DISTINCT FROM network.fqdn"
)

CASE = Case(
    name="fleetdesk split",
    schema=f"""{OWNER}
{(CHAIN / "10-inventory.sql").read_text()}
ALTER TABLE public.host ADD owner integer NOT NULL
    REFERENCES public.owner (id) ON DELETE CASCADE;
""",
    phases=PHASES,
    old=OLD,
    new=NEW,
    after=FINAL,
    outlives=False,  # it was written before anybody thought of that
    main="public.host",
    again="UPDATE public.host SET cpu_count = cpu_count + 1000"
    " WHERE id = NEW.id AND cpu_count < 1000",
    straying=(
        f"SELECT * FROM {' FULL JOIN '.join(_COPIES)} JOIN public.host ON id = host_id"
        f" WHERE (hardware.host_id IS NOT NULL AND network.host_id IS NOT NULL) AND ({_WRONG})",
    ),
    differing=(
        f"SELECT * FROM ({' FULL JOIN '.join(_COPIES)}) FULL JOIN public.host ON id = host_id"
        f" WHERE id IS NULL OR hardware.host_id IS NULL OR network.host_id IS NULL OR {_WRONG}",
    ),
)
CASES = (CASE,)
