"""Products of a few lines whose rehearsal has something to tell, written to a directory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

_PRODUCT = """\
product: demo
summary: A demonstration
description: Releases that a rehearsal is about.
maintainer: Demo <demo@example.com>
homepage: https://example.com
licence: MIT
copyright: Demo
rollout: database-first
skew: {skew}
targets:
  deb: {{architectures: [all]}}
"""
_FIRST_DAY = date(2026, 1, 1)


@dataclass(frozen=True, kw_only=True)
class Spec:
    """One release; `steps` are SQL by `phase:change`, `statements` the text of its file."""

    schema: int
    steps: Mapping[str, str] = field(default_factory=dict)
    statements: str = ""
    forms: Mapping[str, str] = field(default_factory=dict)
    probe: str = ""
    timeout: int = 30
    day: int | None = None
    batch: str = ""
    peers: str = ""


def write_chain(root: Path, specs: Mapping[str, Spec], *, skew: int = 1) -> Path:
    """Write a product; the releases come out a day after another unless they say otherwise."""
    (root / "sql").mkdir(parents=True)
    (root / "web").write_text("#!/bin/sh\n")
    (root / "product.yaml").write_text(_PRODUCT.format(skew=skew))
    for number, (version, spec) in enumerate(specs.items()):
        day = _FIRST_DAY + timedelta(days=number if spec.day is None else spec.day)
        lines = [f"release: {version}", f"date: {day}", "changelog: [News.]", "schema:"]
        lines += [f"  version: {spec.schema}", *_steps(root, spec)]
        lines += ["server:", "  binaries: [{source: web, target: /usr/bin/demo}]"]
        if spec.forms:
            forms = ", ".join(f"{change}: {form}" for change, form in spec.forms.items())
            lines.append(f"  forms: {{{forms}}}")
        if spec.statements:
            (root / f"{version}.sql").write_text(spec.statements)
            lines.append(f"  statements: {version}.sql")
        if spec.probe:
            path = root / f"probe-{version}"
            path.write_text(spec.probe)
            path.chmod(0o755)
            lines.append(f"  probe: {{command: [./probe-{version}, one], timeout: {spec.timeout}}}")
        if spec.peers:
            lines.append(f'compatibility: {{server: {{peers: "{spec.peers}"}}}}')
        (root / f"{version}.yaml").write_text("\n".join(lines) + "\n")
    return root


def _steps(root: Path, spec: Spec) -> Sequence[str]:
    lines = []
    for phase in ("expand", "migrate", "contract"):
        named = {key.split(":")[1]: sql for key, sql in spec.steps.items() if key.startswith(phase)}
        if named:
            lines.append(f"  {phase}:")
        for change, sql in named.items():
            path = root / "sql" / f"{change}.{phase}.sql"
            path.write_text(sql + "\n")
            batch = f", batch: {spec.batch}" if phase == "migrate" and spec.batch else ""
            lines.append(f"    - {{change: {change}, sql: sql/{path.name}{batch}}}")
    return lines


BASE = "CREATE TABLE public.host (id bigint PRIMARY KEY, name text NOT NULL, os text);"
ADD = '-- name: add-host\n-- sample: [1, "web1"]\nINSERT INTO host (id, name) VALUES ($1, $2);\n'
READ_OS = "-- name: read-os\nSELECT os FROM host WHERE id = $1;\n"
READ_NEW = "-- name: read-os-name\nSELECT os_name FROM host WHERE id = $1;\n"
NEW_COLUMN = "ALTER TABLE public.host ADD COLUMN os_name text;"
DROP_OLD = "ALTER TABLE public.host DROP COLUMN os;"


def honest() -> dict[str, Spec]:
    """A column replaced by another: every window is true."""
    return {
        "1.0.0": Spec(schema=1, steps={"expand:base": BASE}, statements=ADD + READ_OS),
        "1.1.0": Spec(schema=2, steps={"expand:os": NEW_COLUMN}, statements=ADD + READ_NEW),
        "1.2.0": Spec(schema=3, steps={"contract:os": DROP_OLD}, statements=ADD + READ_NEW),
    }


def lying() -> dict[str, Spec]:
    """The server of 1.1.0 says that it works with either form, and reads the old column."""
    specs = honest()
    return {**specs, "1.1.0": Spec(
        schema=2,
        steps={"expand:os": NEW_COLUMN},
        statements=ADD + READ_OS,
        forms={"os": "both"},
    )}  # fmt: skip


_REFUSE = """\
CREATE OR REPLACE FUNCTION public.keep() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'not yet'; END $$;
CREATE TRIGGER keep BEFORE INSERT ON public.host FOR EACH ROW EXECUTE FUNCTION public.keep();"""
_ACCEPT = """\
CREATE OR REPLACE FUNCTION public.keep() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RETURN NEW; END $$;"""


def half_way() -> dict[str, Spec]:
    """Between two steps of 1.1.0 nobody can write; before and after, everybody can."""
    return {
        "1.0.0": Spec(schema=1, steps={"expand:base": BASE}, statements=ADD),
        "1.1.0": Spec(
            schema=2,
            steps={"expand:guard": _REFUSE, "expand:mend": _ACCEPT},
            statements=ADD,
            forms={"guard": "both", "mend": "both"},
        ),
    }


def branched(copied: str = "") -> dict[str, Spec]:
    """A hotfix of 1.0.0 adds a column that the main line adds after another one.

    With `copied` 1.1.0 makes a table of that name like the other, whatever columns that has.
    """
    main = {"expand:os": NEW_COLUMN}
    if copied:
        main["expand:copy"] = f"CREATE TABLE public.{copied} (LIKE public.host);"
    fix = {"expand:fix": "ALTER TABLE public.host ADD COLUMN fixed text;"}
    return {
        "1.0.0": Spec(schema=1, steps={"expand:base": BASE}, statements=ADD, day=0),
        "1.0.1": Spec(schema=1, steps=fix, statements=ADD, forms={"fix": "both"}, day=20),
        "1.1.0": Spec(schema=2, steps=main, statements=ADD, day=10),
        "1.2.0": Spec(
            schema=3, steps=fix, statements=ADD + READ_NEW, forms={"fix": "both"}, day=30
        ),
    }


def broken() -> dict[str, Spec]:
    """A step that PostgreSQL refuses."""
    return {
        **honest(),
        "1.2.0": Spec(
            schema=3,
            steps={"contract:os": "ALTER TABLE public.host DROP COLUMN nothing;"},
            statements=ADD,
        ),
    }


# What two servers see of each other's writes: os becomes os_name, or moves to a table of its own.
PUT_OS = """\
-- name: put-host
-- sample: {"id": 1, "name": "web1", "os": "debian"}
INSERT INTO host (id, name, os) VALUES (%(id)s, %(name)s, %(os)s);
"""
GET_OS = """\
-- name: get-host
-- sample: {"id": 1}
SELECT id, name, os FROM host WHERE id = %(id)s;
"""
PUT_NEW = PUT_OS.replace("name, os)", "name, os_name)")
GET_NEW = GET_OS.replace("name, os ", "name, os_name ")
INTO_NEW = "NEW.os_name := coalesce(NEW.os_name, NEW.os);"
INTO_OLD = "NEW.os := coalesce(NEW.os, NEW.os_name);"


def renamed(*, sync: str = INTO_NEW + INTO_OLD, more: str = "") -> dict[str, Spec]:
    """The column os becomes os_name, and a trigger fills what its body says; `more` is for all."""
    expand = f"""{NEW_COLUMN}
CREATE FUNCTION public.sync() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN {sync} RETURN NEW; END $$;
CREATE TRIGGER sync BEFORE INSERT ON public.host FOR EACH ROW EXECUTE FUNCTION public.sync();"""
    drop = f"DROP TRIGGER sync ON public.host; DROP FUNCTION public.sync(); {DROP_OLD}"
    return {
        "1.0.0": Spec(schema=1, steps={"expand:base": BASE}, statements=PUT_OS + GET_OS + more),
        "1.1.0": Spec(schema=2, steps={"expand:os": expand}, statements=PUT_NEW + GET_NEW + more),
        "1.2.0": Spec(
            schema=3,
            steps={"contract:os": drop},
            statements=PUT_NEW + GET_NEW + more,
            peers=">= 1.1.0",
        ),
    }


_SPLIT = """\
-- name: put-host
-- sample: {"id": 1, "name": "web1"}
INSERT INTO host (id, name) VALUES (%(id)s, %(name)s);

-- name: put-system
-- sample: {"id": 1, "os": "debian"}
INSERT INTO host_system (host, os) VALUES (%(id)s, %(os)s);

-- name: get-host
-- sample: {"id": 1}
SELECT id, name, part.os FROM host LEFT JOIN host_system AS part ON part.host = id WHERE id = %(id)s;
"""
SPLIT_VIEW = """\
CREATE VIEW public.host_system AS SELECT id AS host, os FROM public.host;
CREATE FUNCTION public.put_system() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN UPDATE public.host SET os = NEW.os WHERE id = NEW.host; RETURN NEW; END $$;
CREATE TRIGGER put_system INSTEAD OF INSERT ON public.host_system
    FOR EACH ROW EXECUTE FUNCTION public.put_system();"""
SPLIT_TABLE = "CREATE TABLE public.host_system (host bigint PRIMARY KEY, os text);"


def split(part: str) -> dict[str, Spec]:
    """The column os moves to a part, which is whatever `part` makes: a view, or an empty table."""
    return {
        "1.0.0": Spec(schema=1, steps={"expand:base": BASE}, statements=PUT_OS + GET_OS),
        "1.1.0": Spec(schema=2, steps={"expand:split": part}, statements=_SPLIT),
    }


_PRICE = """\
-- name: put-item
-- sample: [{price}]
INSERT INTO item (id, {column}) VALUES (1, $1);

-- name: price
-- sample: []
SELECT id, {read} AS price FROM item;
"""


def priced(cents: int) -> dict[str, Spec]:
    """A price becomes one in cents, and each form is computed from the other."""
    sync = """\
ALTER TABLE public.item ADD COLUMN cents bigint;
CREATE FUNCTION public.sync() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    NEW.cents := coalesce(NEW.cents, NEW.price * 100);
    NEW.price := coalesce(NEW.price, NEW.cents / 100.0);
    RETURN NEW;
END $$;
CREATE TRIGGER sync BEFORE INSERT ON public.item FOR EACH ROW EXECUTE FUNCTION public.sync();"""
    table = "CREATE TABLE public.item (id bigint PRIMARY KEY, price numeric);"
    old = _PRICE.format(price=19.99, column="price", read="price")
    new = _PRICE.format(price=cents, column="cents", read="cents / 100.0")
    return {
        "1.0.0": Spec(schema=1, steps={"expand:item": table}, statements=old),
        "1.1.0": Spec(schema=2, steps={"expand:cents": sync}, statements=new),
    }


_CUSTOMER = """\
-- name: put-customer
-- sample: []
INSERT INTO customer (id, address) VALUES (1, 'Main Road 1');
"""
_CUSTOMER_AND_ADDRESS = """\
-- name: put-customer
-- sample: []
INSERT INTO customer (id) VALUES (1);

-- name: put-address
-- sample: []
INSERT INTO address (customer, line) VALUES (1, 'Main Road 1');
"""
_INVOICE = """
-- name: put-invoice
-- sample: []
INSERT INTO invoice (customer) VALUES (1) RETURNING id;

-- name: get-invoice
-- sample: [{"from": "put-invoice", "column": "id"}]
SELECT customer.address FROM invoice JOIN customer ON customer.id = invoice.customer
WHERE invoice.id = $1;
"""


def invoiced() -> dict[str, Spec]:
    """The address moves to a table of its own, and nobody carries it over."""
    tables = """\
CREATE TABLE public.customer (id bigint PRIMARY KEY, address text);
CREATE TABLE public.invoice (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer bigint NOT NULL
);"""
    address = "CREATE TABLE public.address (customer bigint PRIMARY KEY, line text);"
    return {
        "1.0.0": Spec(schema=1, steps={"expand:base": tables}, statements=_CUSTOMER + _INVOICE),
        "1.1.0": Spec(
            schema=2,
            steps={"expand:address": address},
            statements=_CUSTOMER_AND_ADDRESS + _INVOICE,
        ),
    }
