"""The bytes of a subtitle file as text, whatever wrote them, and text as bytes."""

from __future__ import annotations

import codecs

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_BYTES = 65536


def decode_text(data: bytes) -> tuple[str, str]:
    """The text and the encoding it was read with; bytes that fit nowhere become U+FFFD.

    A byte order mark decides, then UTF-16's zero bytes, then whether it is UTF-8. What remains is
    from before Unicode and told apart by its letters only: Cyrillic (cp1251) or Western (cp1252).

    >>> decode_text("Gr\\u00fc\\u00dfe".encode("cp1252"))
    ('Grüße', 'cp1252')
    """
    encoding = _encoding_of(data)
    return data.decode(encoding, errors="replace").removeprefix("\ufeff"), encoding


def _encoding_of(data: bytes) -> str:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return encoding
    sample = data[:_SAMPLE_BYTES]
    if sample[1::2].count(0) > len(sample) // 5:
        return "utf-16-le"
    if sample[::2].count(0) > len(sample) // 5:
        return "utf-16-be"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1251" if _mostly_high(data) else "cp1252"
    return "utf-8"


def _mostly_high(data: bytes) -> bool:
    """Whether most letters lie beyond ASCII, as in a script other than Latin."""
    high = sum(byte >= 0xC0 for byte in data[:_SAMPLE_BYTES])
    low = sum(chr(byte).isalpha() for byte in data[:_SAMPLE_BYTES] if byte < 0x80)
    return high > low


def encode_text(text: str, bom: bool = False) -> bytes:
    """UTF-8, with a byte order mark for players that ask for one."""
    return text.encode("utf-8-sig" if bom else "utf-8", errors="replace")
