"""Whether a directory that a release makes, and a purge removes, is the product's own."""

from collections.abc import Set as AbstractSet

from toolchain.spec.codes import Code
from toolchain.spec.problem import Complaint
from toolchain.spec.values.paths import STATE
from toolchain.spec.wording import show


def not_own(path: str, product: str, users: AbstractSet[str]) -> Complaint | None:
    """What makes a sound state path another's: its first name below /var/lib and its like.

    `users` are the users that the same spec declares.
    """
    above = next(directory for directory in STATE if path.startswith(f"{directory}/"))
    first = path.removeprefix(f"{above}/").partition("/")[0]
    if first == f"{product}-server":
        return Complaint(
            Code.TARGET,
            f"{above}/{first} is where the start-up check keeps its own memory",
            f"write a path below {above}/{product}",
        )
    if first == product or first.startswith(f"{product}-") or first in users:
        return None
    return Complaint(
        Code.TARGET,
        f"{above}/{first} is not named after this product, and a purge would remove {show(path)}",
        f"write a path in {above}/{product}, {above}/{product}-NAME or a directory named after one"
        " of 'users'",
    )
