"""OpenPGP's armor, taken off: the bytes of a block."""

import base64


def dearmored(block: bytes) -> bytes:
    """The bytes inside an armored block (RFC 4880, 6.2); its checksum is gpg's affair."""
    _, _, body = block.replace(b"\r\n", b"\n").partition(b"\n\n")
    lines = body.split(b"\n")
    ends = (at for at, line in enumerate(lines) if line.startswith((b"=", b"-----")))
    return base64.b64decode(b"".join(lines[: next(ends)]), validate=True)
