"""Checks of names: each becomes part of a path, a field or a statement that others read."""

import re
from collections.abc import Callable

from toolchain.spec.codes import Code
from toolchain.spec.problem import Complaint
from toolchain.spec.wording import show

Check = Callable[[str], None]


def _grammar(what: str, pattern: str, cure: str) -> Check:
    grammar = re.compile(pattern)

    def check(text: str) -> None:
        if grammar.fullmatch(text) is None:
            raise Complaint(Code.NAME, f"{show(text)} is not {what}", cure)

    return check


# Shorter than Debian Policy 5.6.7 allows: '-database' is appended, and file names hold it all.
# The packages of `acme-shard-x` would be taken for those of a shard of `acme`.
product = _grammar(
    "a product name",
    r"(?!.*-shard-)[a-z][a-z0-9-]{0,39}[a-z0-9]",
    "write 2 to 41 small letters, digits and hyphens, with a letter first, no hyphen last and no"
    " '-shard-' inside",
)
change = _grammar(
    "a change's name",
    r"(?=.{1,63}\Z)[a-z][a-z0-9]*(?:-[a-z0-9]+)*",
    "write small letters and digits in words joined by hyphens, for example split-host",
)
owner = _grammar(
    "a user name",
    r"[a-z_][a-z0-9_-]{0,30}",
    "write at most 31 small letters, digits, '_' and '-', with a letter or '_' first",
)
unit = _grammar(
    "a systemd unit",
    r"[A-Za-z0-9:_.@-]{1,200}\.(?:service|socket|target|mount|path|timer|slice|device|automount)",
    "write its whole name, for example network-online.target",
)
variable = _grammar(
    "a variable's name",
    r"[A-Z][A-Z0-9_]{0,99}",
    "write capital letters, digits and '_', with a letter first, for example BUILD_LABEL",
)
environment = _grammar(
    "an environment variable's name",
    r"[A-Za-z_][A-Za-z0-9_]{0,199}",
    "write letters, digits and '_', without a digit first",
)
distribution = _grammar(
    "a distribution",
    r"[a-z][a-z0-9]*(?:-[a-z0-9.]+)*",
    "write its name and version in small letters, for example debian-12 or rhel-9",
)
host = _grammar(
    "a host's name",
    r"[A-Za-z0-9](?:[A-Za-z0-9._:/@-]{0,253}[A-Za-z0-9])?",
    "write letters, digits, '.', '-', '_' and ':', for example web1.example.com",
)
shard = _grammar(
    "a shard's name",
    r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?",
    "write up to 40 small letters, digits and hyphens, as in shards.ini",
)
step = _grammar(
    "a step",
    r"[a-z][a-z0-9-]{0,62}\.(?:expand|migrate|contract)",
    "write CHANGE.PHASE, for example split-host.expand",
)
# Names are quoted where they are used, so capitals and letters of any script are as they stand.
_column = _grammar(
    "a name in a database",
    r"[^\W\d][\w$]*",
    "write it as PostgreSQL stores it: letters, digits, '_' and '$', without a schema",
)
_table = _grammar(
    "a table",
    r"[^\W\d][\w$]*(?:\.[^\W\d][\w$]*)?",
    "write TABLE or SCHEMA.TABLE as PostgreSQL stores the names, without quotes",
)
_KEPT = 63  # NAMEDATALEN - 1

_service = _grammar(
    "a service's name",
    r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}",
    "write letters, digits, '_', '.' and '-', for example fleetdesk-web",
)


def column(text: str) -> None:
    """A column, a constraint or an index, without a schema."""
    _column(text)
    _short(text)


def table(text: str) -> None:
    """A relation or a type, perhaps with its schema."""
    _table(text)
    for part in text.split("."):
        _short(part)


def _short(text: str) -> None:
    size = len(text.encode())
    if size > _KEPT:
        raise Complaint(
            Code.NAME,
            f"{show(text)} has {size} bytes, and PostgreSQL keeps {_KEPT} of a name",
            "shorten it",
        )


def user(text: str) -> None:
    """A user that the package may make."""
    owner(text)
    if text in ("root", "nobody"):
        raise Complaint(
            Code.NAME, f"{text} belongs to the system", "declare a user of the product's own"
        )


def service(text: str) -> None:
    """A unit's name without its suffix."""
    _service(text)
    if text.endswith(".service"):
        raise Complaint(
            Code.NAME,
            f"{show(text)} has the suffix .service",
            f"write {text.removesuffix('.service')}: the suffix is added",
        )
