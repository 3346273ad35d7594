"""The commented shards file that the packages install, made from the table of options."""

import textwrap

from toolchain.runner.core.options import OPTIONS, Reader

_INTRODUCTION = """\
The shards of {product}: one section for each PostgreSQL database. The section's name is what
messages call the shard: lower-case letters, digits and dashes.

    [north]
    dsn = host=db1.example.com dbname={product} user={product} sslmode=verify-full
    password_file = /etc/{package}/north.password

Write either a dsn (a connection string or a postgresql:// URL) or a service from
pg_service.conf. A password stands best in a file of its own, one line, mode 0600 or 0640; where
a dsn holds a password, this file must not be readable by others. Nobody but its owner and root
may be able to write it.

Options in [*] hold for every shard, and a shard's own come first. These are the defaults.
Durations are written 200ms, 10s, 5min, 2h or 1d.
"""


def example_configuration(product: str, package: str, reader: Reader) -> str:
    """The text of a fresh shards.ini for `package`, with what its reader heeds; no shard yet."""
    lines = [
        f"# {line}".rstrip()
        for line in _INTRODUCTION.format(product=product, package=package).splitlines()
    ]
    lines += ["", "[*]"]
    for name, option in OPTIONS.items():
        if reader not in option.readers:
            continue
        lines += [f"# {line}" for line in textwrap.wrap(option.meaning, 96)]
        lines += [f"# {name} = {option.default}".rstrip(), ""]
    return "\n".join(lines).rstrip() + "\n"
