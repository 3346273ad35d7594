"""Release versions, kept to the grammar that dpkg and rpm order in the same way."""

import re
from dataclasses import dataclass, field

_NUMBER = r"(?:0|[1-9][0-9]{0,8})"
_GRAMMAR = re.compile(rf"({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:-([a-z]{{1,16}})({_NUMBER}))?")

GRAMMAR_HINT = "X.Y.Z or X.Y.Z-preN, for example 4.1.0 or 4.1.0-rc1"


@dataclass(frozen=True, slots=True)
class Version:
    """A release's version `X.Y.Z[-preN]`.

    The pre-release is letters followed by one number, with nothing between. Dots, underscores,
    letters without a number and leading zeros are outside the grammar, because dpkg and rpm order
    them differently or find two spellings equal (deb-version(7); rpm's rpmvercmp).
    """

    major: int
    minor: int
    patch: int
    stage: str | None = None
    stage_number: int = 0
    # Versions are compared by the million in a long chain, so the key is made once.
    _key: tuple[int, int, int, bool, str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        final = self.stage is None
        key = self.major, self.minor, self.patch, final, self.stage or "", self.stage_number
        object.__setattr__(self, "_key", key)

    @classmethod
    def parse(cls, text: str) -> "Version":
        """Read a version; raises ValueError with the grammar when it is anything else."""
        match = _GRAMMAR.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a version of the form {GRAMMAR_HINT}")
        major, minor, patch, stage, number = match.groups()
        return cls(int(major), int(minor), int(patch), stage, int(number or 0))

    def __str__(self) -> str:
        base = f"{self.major}.{self.minor}.{self.patch}"
        return base if self.stage is None else f"{base}-{self.stage}{self.stage_number}"

    @property
    def packaged(self) -> str:
        """The one mapping for dpkg and rpm: in both, `~` sorts before the end of a version."""
        return str(self).replace("-", "~")

    def __lt__(self, other: "Version") -> bool:
        return self._key < other._key

    def __le__(self, other: "Version") -> bool:
        return self._key <= other._key

    def __gt__(self, other: "Version") -> bool:
        return self._key > other._key

    def __ge__(self, other: "Version") -> bool:
        return self._key >= other._key
