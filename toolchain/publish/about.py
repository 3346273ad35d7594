"""Who makes a product, as the bill of materials beside its packages says."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from toolchain.publish.state import State

_SETTING = "about"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the client packages say of the product, a line each."""

    summary: str
    maintainer: str
    homepage: str
    licence: str
    copyright: str

    @classmethod
    def remembered(cls, state: State, product: str, url: str) -> "About":
        """What the newest packages said; the product's name and address where none did."""
        text = state.settings.get(_SETTING)
        if text is not None:
            return cls(**json.loads(text))
        return cls(
            summary=product,
            maintainer=f"{product} <root@localhost>",
            homepage=url,
            licence="Apache-2.0",
            copyright=product,
        )

    def remember(self, state: State) -> None:
        """Keep it for later publications."""
        state.settings.set(_SETTING, json.dumps(asdict(self)))


def read_about(bill: bytes) -> About | None:
    """What a CycloneDX document says; None where it says less."""
    try:
        component: Any = json.loads(bill)["metadata"]["component"]
        (contact,) = component["supplier"]["contact"]
        (licence,) = component["licenses"]
        return About(
            summary=str(component["description"]).removesuffix(" - server"),
            maintainer=f"{contact['name']} <{contact['email']}>",
            homepage=str(component["supplier"]["url"][0]),
            licence=str(licence["expression"]),
            copyright=str(component["copyright"]),
        )
    except (LookupError, TypeError, ValueError, RecursionError):
        return None
