"""A small product written to a directory, for tests that need one to build or to break."""

from datetime import date, timedelta
from pathlib import Path

PRODUCT = """\
product: demo
summary: Demonstration of a pair
description: |
  A product for tests, whose description is longer than its summary.
maintainer: Demo Developers <demo@example.com>
homepage: https://demo.example.com
licence: MIT
copyright: 2026 Demo Developers
rollout: database-first
skew: 1
targets:
  deb: {architectures: [ARCHITECTURES], distributions: [debian-12]}
  rpm: {architectures: [ARCHITECTURES], distributions: [el-9]}
"""

RELEASE = """\
release: VERSION
date: DAY
changelog:
  - Release VERSION.
schema:
  version: SCHEMA
  expand:
    - {change: CHANGE, sql: sql/CHANGE.sql}
server:
  binaries:
    - source: payload/demo-web
      target: /usr/bin/demo-web
      service: {user: demo, writable: [/var/lib/demo]}
  config:
    - {source: demo.ini, target: /etc/demo/demo.ini, mode: "0640", group: demo}
  files:
    - {source: payload/lib, target: /usr/lib/demo}
  users:
    - {name: demo, description: Demo services, home: /var/lib/demo}
  directories:
    - {path: /var/lib/demo, owner: demo, group: demo, mode: "0750"}
  depends:
    deb: [python3]
    rpm: [python3]
compatibility:
  server: {schema: ">= SCHEMA", peers: ">= OLDEST"}
  database: {servers: ">= OLDEST"}
"""

WEB = """\
#!/usr/bin/python3 -I
import time
while True:
    time.sleep(60)
"""


def write_product(root: Path, releases: int = 2, *, architectures: str = "all") -> Path:
    """Write the product with releases 1.0.0, 1.1.0, …, each accepting its predecessor."""
    for directory in ("payload/lib/sub", "sql"):
        (root / directory).mkdir(parents=True, exist_ok=True)
    (root / "product.yaml").write_text(PRODUCT.replace("ARCHITECTURES", architectures))
    (root / "payload/demo-web").write_text(WEB)
    (root / "payload/demo-web").chmod(0o755)
    (root / "payload/lib/module.py").write_text("VALUE = 1\n")
    (root / "payload/lib/sub/data").write_bytes(bytes(range(256)))
    (root / "demo.ini").write_text("[demo]\nkey = value\n")
    for number in range(releases):
        write_release(root, number)
    return root


def write_release(root: Path, number: int) -> Path:
    """Write release 1.NUMBER.0 with one expanding change."""
    change = f"table-{number}"
    (root / f"sql/{change}.sql").write_text(
        f"CREATE TABLE demo_{number} (id bigint PRIMARY KEY);\n"
    )
    text = (
        RELEASE.replace("VERSION", f"1.{number}.0")
        .replace("DAY", str(date(2026, 1, 1) + timedelta(days=number)))
        .replace("SCHEMA", str(10 + number))
        .replace("CHANGE", change)
        .replace("OLDEST", f"1.{max(0, number - 1)}.0")
    )
    path = root / f"1.{number}.0.yaml"
    path.write_text(text)
    return path
