"""Client set-ups for tests: small values, real keys."""

from datetime import date

from toolchain.plan.client import ClientSetup, PublicKey

KEY = PublicKey(
    fingerprint="30EF8CE4E31617851DCA04F38F30D93AE329E6BD",
    expires=None,
    armored=b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n",
)


def client_setup(
    *keys: PublicKey,
    url: str = "https://packages.example.com/acme",
    serial: int = 1,
    channels: tuple[str, ...] = ("stable", "candidate"),
    former: tuple[PublicKey, ...] = (),
) -> ClientSetup:
    """The set-up of a repository of the product acme that follows its first channel."""
    return ClientSetup(
        product="acme",
        summary="Acme fleet",
        url=url,
        channels=channels,
        enabled=channels[:1],
        keys=keys or (KEY,),
        former=former,
        maintainer="Acme Developers <dev@example.com>",
        homepage="https://acme.example.com",
        licence="MIT",
        copyright="2026 Acme",
        serial=serial,
        date=date(2026, 5, 4),
    )
