"""Variables in another tool's configuration: the user gives their values, never a shell."""

import re
from collections.abc import Mapping

from toolchain.importer.texts import refuse

_VARIABLE = re.compile(
    r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)(?::?-([^{}]*))?\}|([A-Za-z_][A-Za-z0-9_]*))"
)


def filled(text: str, values: Mapping[str, str], where: str, line: int) -> str:
    """The text with `$NAME`, `${NAME}` and `${NAME:-DEFAULT}` replaced; raises UsageError."""

    def value(match: re.Match[str]) -> str:
        name, default = match[1] or match[3], match[2]
        if name in values:
            return values[name]
        if default is not None:
            return default
        raise refuse(
            where, line, f"the variable {match[0]} has no value", f"give it: --define {name}=VALUE"
        )

    return _VARIABLE.sub(value, text)
