"""A small product, as text by path, that tests change in one place at a time."""

from pathlib import Path

from toolchain.edge.directory import Directory
from toolchain.spec import Problem, check_product

PRODUCT = """\
product: fleetdesk
summary: Systems management for fleets of hosts
description: |
  Fleetdesk keeps hosts in the state that you declare.
maintainer: Fleetdesk Developers <fleetdesk@example.com>
homepage: https://fleetdesk.example.com
licence: Apache-2.0
copyright: 2025-2026 Fleetdesk Developers
rollout: database-first
skew: 1
targets:
  deb: {architectures: [all], distributions: [debian-12], compression: zstd:3}
  rpm: {architectures: [all]}
environment:
  BUILD_LABEL: {default: dev}
"""

FIRST = """\
release: 4.0.0
date: 2026-02-02
changelog:
  - The first release.
payload: payload
schema:
  version: 11
  expand:
    - {change: os-name, sql: sql/11-os-name.sql, undo: sql/11-os-name.undo.sql}
server:
  binaries:
    - {source: web, target: /usr/bin/fleetdesk-web, service: {user: fleetdesk}}
  users:
    - {name: fleetdesk, description: Fleetdesk services, home: /var/lib/fleetdesk}
compatibility:
  server: {schema: ">= 11", peers: ">= 4.0.0"}
  database: {servers: ">= 4.0.0"}
"""

SECOND = """\
release: 4.1.0
date: 2026-05-04
revision: 2
changelog:
  - Hosts are split into hardware and network tables.
payload: payload
schema:
  version: 12
  expand:
    - {change: split-host, sql: sql/12-split-host.sql, undo: sql/12-split-host.undo.sql}
    - {change: audit-index, sql: sql/12-audit-index.sql, transaction: false}
  migrate:
    - change: split-host
      sql: sql/12-split-host-batch.sql
      batch: {table: public.host, key: id}
  contract:
    - {change: os-name, sql: sql/12-drop-os-name.sql}
server:
  binaries:
    - source: web
      target: /usr/bin/fleetdesk-web
      mode: "0755"
      service:
        name: fleetdesk-web
        description: Fleetdesk web server
        user: fleetdesk
        arguments: [--port, 8080, --label, "${BUILD_LABEL}"]
        environment: {FLEETDESK_MODE: web, DEBUG: no}
        after: [network-online.target]
        writable: [/var/lib/fleetdesk]
  config:
    - {source: fleetdesk.toml, target: /etc/fleetdesk/fleetdesk.toml, mode: "0640", group: fleetdesk}
    - logging.toml
  files:
    - {source: lib, target: /usr/lib/fleetdesk}
  users:
    - {name: fleetdesk, description: Fleetdesk services, home: /var/lib/fleetdesk}
  directories:
    - {path: /var/lib/fleetdesk, owner: fleetdesk, group: fleetdesk, mode: "0750"}
  documents: [upgrading.md]
  manuals: [fleetdesk-web.1]
  depends:
    deb: [python3, "python3-psycopg2 >= 2.9"]
    rpm: [python3, python3-psycopg2]
compatibility:
  server: {schema: ">= 12", peers: ">= 4.0.0"}
  database: {servers: ">= 4.0.0, < 6.0.0"}
"""

SAMPLE = {
    "product.yaml": PRODUCT,
    "4.0.0.yaml": FIRST,
    "4.1.0.yaml": SECOND,
    "payload/web": "#!/bin/sh\n",
    "payload/fleetdesk.toml": "port = 8080\n",
    "payload/logging.toml": "level = 'info'\n",
    "payload/lib/a b/x*.py": "",
    "payload/upgrading.md": "# Upgrading\n",
    "payload/fleetdesk-web.1": ".TH FLEETDESK-WEB 1\n",
    "sql/11-os-name.sql": "ALTER TABLE host ADD COLUMN os text;\n",
    "sql/11-os-name.undo.sql": "ALTER TABLE host DROP COLUMN os;\n",
    "sql/12-split-host.sql": "CREATE VIEW host_network AS SELECT id, fqdn FROM host;\n",
    "sql/12-split-host.undo.sql": "DROP VIEW host_network;\n",
    "sql/12-audit-index.sql": "CREATE INDEX CONCURRENTLY audit_at ON audit (at);\n",
    "sql/12-split-host-batch.sql": ("UPDATE host SET moved = true WHERE id BETWEEN $1 AND $2;\n"),
    "sql/12-drop-os-name.sql": "ALTER TABLE host DROP COLUMN os_name;\n",
}


def changed(name: str, old: str, new: str) -> dict[str, str]:
    """The sample with one text in one file replaced."""
    assert SAMPLE[name].count(old) >= 1, f"{old!r} is not in {name}"
    return {**SAMPLE, name: SAMPLE[name].replace(old, new, 1)}


def write(directory: Path, files: dict[str, str]) -> Path:
    """A product's directory with these files; returns it."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    return directory


def problems(directory: Path, files: dict[str, str], **environment: str) -> tuple[Problem, ...]:
    """What is wrong with a product of these files."""
    return check_product(Directory(write(directory, files)), environment).problems


def told(directory: Path, files: dict[str, str], **environment: str) -> list[str]:
    """Each problem as `file:line code: message; cure`, with the file by its name alone."""
    return [
        f"{problem.origin.file.removeprefix(f'{directory}/')}:{problem.origin.line} "
        f"{problem.code.value}: {problem.message}; {problem.cure}"
        for problem in problems(directory, files, **environment)
    ]


def expect_one(directory: Path, files: dict[str, str], start: str, *words: str) -> None:
    """There is one problem, it begins with `file:line code:`, and it holds all the words."""
    listed = told(directory, files)
    assert len(listed) == 1, "\n".join(listed)
    assert listed[0].startswith(f"{start}:"), listed[0]
    for word in words:
        assert word in listed[0], listed[0]
