"""Refactorings with the known traps in them, which the harness must catch."""

import re
from dataclasses import replace

from tests.postgres.laws.case import Case
from tests.postgres.laws.cases import fleetdesk_split
from tests.postgres.laws.cases.fleetdesk_split import EXPAND, MIGRATION
from tests.postgres.laws.forms import ITEM, wide
from toolchain.model.refactoring import Strategy
from toolchain.model.relation_name import RelationName
from toolchain.refactor.phases import Expand, Migration, Phases


def _replaced(text: str, pattern: str, by: str) -> str:
    changed, times = re.subn(pattern, by, text, flags=re.DOTALL)
    if times != 1:
        raise ValueError(f"{pattern} is there {times} times")
    return changed


def _split(expand: Expand = EXPAND, migrate: Migration = MIGRATION) -> Case:
    phases = replace(fleetdesk_split.PHASES, expand=expand, migrate=migrate)
    return replace(fleetdesk_split.CASE, phases=phases)


def plain_delete() -> Case:
    """A DELETE of a part goes through the view, and takes the whole row."""
    trigger = r"CREATE TRIGGER host_hardware_delete\n.*?;"
    return _split(expand=replace(EXPAND, sql=_replaced(EXPAND.sql, trigger, "")))


def batch_without_locks() -> Case:
    """The batch writes what it read a while ago. It reads slowly, so that this happens at once."""
    slowly = "FROM public.host, LATERAL (SELECT pg_sleep(0.002 + 0 * id)) AS slowly"
    return _split(
        migrate=replace(
            MIGRATION,
            batch=f"""
INSERT INTO public.host_hardware_next (host_id, cpu_model, cpu_count, memory_mb)
SELECT id, cpu_model, cpu_count, memory_mb {slowly} WHERE id BETWEEN $1 AND $2
ON CONFLICT (host_id) DO UPDATE SET cpu_model = excluded.cpu_model,
    cpu_count = excluded.cpu_count, memory_mb = excluded.memory_mb;
INSERT INTO public.host_network_next (host_id, fqdn, ipv4, ipv6)
SELECT id, fqdn, ipv4, ipv6 FROM public.host WHERE id BETWEEN $1 AND $2
ON CONFLICT (host_id) DO UPDATE SET fqdn = excluded.fqdn, ipv4 = excluded.ipv4,
    ipv6 = excluded.ipv6;
""",
        )
    )


_SETTING = "coalesce(current_setting('laws.syncing', true), '') = 'on'"
_DEPTH = "pg_trigger_depth() > 1"


def _follow(source: str, target: str, guard: str, *, truncate: bool) -> str:
    truncates = f"""
CREATE TRIGGER {source}_truncate AFTER TRUNCATE ON public.{source}
    FOR EACH STATEMENT EXECUTE FUNCTION public.{source}_follow();
"""
    return f"""
CREATE FUNCTION public.{source}_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF {guard} THEN
        RETURN NULL;
    END IF;
    PERFORM set_config('laws.syncing', 'on', true);
    IF TG_OP = 'TRUNCATE' THEN
        DELETE FROM public.{target};
    ELSE
        IF TG_OP <> 'INSERT' THEN
            PERFORM pg_sleep(0.001);
            DELETE FROM public.{target} WHERE id = OLD.id AND (TG_OP = 'DELETE' OR id <> NEW.id);
        END IF;
        IF TG_OP <> 'DELETE' THEN
            INSERT INTO public.{target} SELECT NEW.*
            ON CONFLICT (id) DO UPDATE SET (owner, m, n, label)
                = (excluded.owner, excluded.m, excluded.n, excluded.label);
        END IF;
    END IF;
    PERFORM set_config('laws.syncing', '', true);
    RETURN NULL;
END
$$;
CREATE TRIGGER {source}_follow AFTER INSERT OR UPDATE OR DELETE ON public.{source}
    FOR EACH ROW EXECUTE FUNCTION public.{source}_follow();
{truncates if truncate else ""}"""


def two_copies(guard: str = _SETTING, *, truncate: bool = True) -> Case:
    """Two tables whose AFTER triggers point at each other: right one by one, and it deadlocks."""
    follow = [
        _follow("item", "thing", guard, truncate=truncate),
        _follow("thing", "item", guard, truncate=truncate),
    ]
    phases = Phases(
        strategy=Strategy.COPY,
        why="a bad example",
        expand=Expand(
            sql="CREATE TABLE public.thing (LIKE public.item INCLUDING ALL);" + "".join(follow),
            undo="DROP TABLE public.thing; DROP FUNCTION public.item_follow CASCADE;"
            " DROP FUNCTION public.thing_follow;",
        ),
        migrate=Migration(
            table=RelationName("public", "item"),
            key="id",
            batch="WITH batch AS MATERIALIZED (SELECT * FROM public.item WHERE id BETWEEN $1 AND $2"
            " ORDER BY id FOR SHARE) INSERT INTO public.thing SELECT * FROM batch"
            " ON CONFLICT (id) DO NOTHING",
        ),
        contract="DROP TABLE public.item CASCADE; DROP FUNCTION public.item_follow;"
        " DROP FUNCTION public.thing_follow CASCADE;",
    )
    new = wide("public.thing")
    return Case(
        name="two copies",
        schema=ITEM,
        phases=phases,
        old=wide(),
        new=new,
        after=replace(new, cascade=None),  # the copy has no foreign key of its own
    )


def no_truncate() -> Case:
    """A TRUNCATE leaves the other form as it was: row triggers do not see it."""
    return two_copies(truncate=False)


def guarded_by_depth() -> Case:
    """What a trigger of the application writes is taken for an answer, as it is not the outermost."""
    return two_copies(_DEPTH)
