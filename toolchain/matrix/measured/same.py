"""What PostgreSQL spells in several ways and is one value: numbers, moments, documents."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime


def canonical(value: str | None, kind: int) -> str | None:
    """One spelling of a value of a type, which its OID tells; other types are as they are."""
    spell = _SPELLINGS.get(kind)
    if value is None or spell is None:
        return value
    try:
        return spell(value)
    except (ValueError, OverflowError):  # infinity, a year that Python does not know
        return value


def _number(value: str) -> str:
    """A numeric by its digits: its scale tells where it was computed, and not how much it is."""
    return value.rstrip("0").rstrip(".") if "." in value else value


def _float(value: str) -> str:
    return repr(float(value) + 0.0)  # -0 is 0


def _moment(value: str) -> str:
    """A moment in UTC: a statement may set the session's time zone."""
    return datetime.fromisoformat(value).astimezone(UTC).isoformat()


def _document(value: str) -> str:
    """A jsonb, in which PostgreSQL keeps a number's scale; its keys are in order already."""
    plain = json.loads(
        value, parse_float=lambda text: f"\0{_number(text)}", parse_int="\0{}".format
    )
    return json.dumps(plain)


def _array(spell: Callable[[str], str]) -> Callable[[str], str]:
    """An array of numbers, which PostgreSQL never quotes."""

    def spelled(value: str) -> str:
        parts = value.replace("{", "{,").replace("}", ",}").split(",")
        return ",".join(part if part in _NO_NUMBERS else spell(part) for part in parts)

    return spelled


_NO_NUMBERS = ("", "{", "}", "NULL")
# float4, float8, numeric, their arrays, timestamptz, jsonb, char(n).
_SPELLINGS: Mapping[int, Callable[[str], str]] = {
    700: _float,
    701: _float,
    1700: _number,
    1021: _array(_float),
    1022: _array(_float),
    1231: _array(_number),
    1184: _moment,
    3802: _document,
    1042: lambda value: value.rstrip(" "),
}
