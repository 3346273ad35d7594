"""Places in specs as a report names them: below the product's directory, wherever that lies."""

from dataclasses import dataclass
from pathlib import Path

from toolchain.model.origin import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Spells places of one product's files; `root` is its directory as the command line has it."""

    root: Path

    def spell(self, origin: Origin | None) -> str:
        """`4.1.0.yaml:12:5`: a page that moves to other readers names no path of its maker."""
        return "" if origin is None else self.shorten(str(origin))

    def shorten(self, text: str) -> str:
        """The same for every place of the product's files that stands in a sentence."""
        return text.replace(f"{self.root}/", "") if str(self.root) != "." else text
