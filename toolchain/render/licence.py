"""What a deb's copyright file says of the licence (Debian Policy §12.5)."""

# SPDX ids whose text every Debian system has, by its name in /usr/share/common-licenses.
_COMMON = {
    "Apache-2.0": "Apache-2.0",
    "Artistic-1.0": "Artistic",
    "BSD-3-Clause": "BSD",
    "CC0-1.0": "CC0-1.0",
    "GPL-2.0-only": "GPL-2",
    "GPL-2.0-or-later": "GPL-2",
    "GPL-3.0-only": "GPL-3",
    "GPL-3.0-or-later": "GPL-3",
    "LGPL-2.1-only": "LGPL-2.1",
    "LGPL-2.1-or-later": "LGPL-2.1",
    "LGPL-3.0-only": "LGPL-3",
    "LGPL-3.0-or-later": "LGPL-3",
    "MPL-1.1": "MPL-1.1",
    "MPL-2.0": "MPL-2.0",
}


def deb_licence_text(licence: str, text: str) -> str:
    """A pointer where Debian brings the text itself, as the Policy asks; else the text."""
    common = _COMMON.get(licence)
    if common is None:
        return text
    return (
        "On Debian systems the full text of this licence is in\n"
        f"/usr/share/common-licenses/{common}."
    )
