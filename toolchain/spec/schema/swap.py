"""Another name, or none, in values that are frozen."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from toolchain.model.schema import Check, Column, ForeignKey, Key, Trigger

Named = TypeVar("Named", Check, Column, ForeignKey, Key, Trigger)
Value = TypeVar("Value")
Other = TypeVar("Other")


def named(values: tuple[Named, ...], old: str, new: str) -> tuple[Named, ...]:
    """The values, one of them under its new name."""
    return tuple(replace(each, name=new) if each.name == old else each for each in values)


def swapped(values: tuple[Value, ...], old: Value, new: Value) -> tuple[Value, ...]:
    """The values with one in the place of another."""
    return tuple(new if each == old else each for each in values)


def swapped_set(values: frozenset[str], old: str, new: str) -> frozenset[str]:
    """The names with one in the place of another."""
    return frozenset(new if each == old else each for each in values)


def rekeyed(values: Mapping[Value, Other], old: Value, new: Value) -> dict[Value, Other]:
    """The same mapping, in its order, with one key changed."""
    return {new if key == old else key: value for key, value in values.items()}


def without(values: Iterable[Named], name: str) -> tuple[Named, ...]:
    """The values but the one of that name."""
    return tuple(each for each in values if each.name != name)
