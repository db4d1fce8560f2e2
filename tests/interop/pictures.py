"""Pictures made of nothing but a size and a colour, so that no file of somebody else's is needed."""

import struct
import zlib

#: Pixels of an avatar, on each side.
AVATAR_SIZE = 96


def avatar(colour):
    """A PNG picture of one colour (red, green, blue)."""
    return png(AVATAR_SIZE, AVATAR_SIZE, lambda _line: colour)


def photograph(width, height, colour):
    """A PNG picture that gets darker from top to bottom: seen whole, small and the right way up, or not at all."""
    return png(width, height, lambda line: tuple(part * (height - line) // height for part in colour))


def png(width, height, colour_of):
    """A PNG picture (RFC 2083) whose lines are of the colours that `colour_of` gives them, counted from the top."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    lines = b"".join(b"\0" + bytes(colour_of(line)) * width for line in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
