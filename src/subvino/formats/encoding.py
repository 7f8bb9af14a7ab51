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

_OTHER_SCRIPTS = [
    "cp932",
    "euc_jp",
    "gb18030",
    "big5",
    "cp949",
    "cp1251",
    "koi8_r",
    "cp1253",
    "cp1255",
    "cp1256",
    "cp874",
]
"""What text in other scripts than the Latin one came in before Unicode."""

_LATIN_LETTERS = {
    "cp1252": "àáâãäåæçèéêëìíîïñòóôõöøùúûüœß¿¡«»‘’“”…–",
    "cp1254": "âçğıîöşûüİ‘’“”…–",
    "cp1250": "áâäćčďéęěíîłńňóôőöřśšťúůűüýźżžßăąđşţ„”…–",
    "cp1257": "āąäčēėęģįīķļņõöšūųüž„“”…–",
}
"""Signs of the languages that each code page was made for, common ones first. Source: the
alphabets of these languages, as Unicode CLDR has them."""


def decode_text(data: bytes) -> tuple[str, str]:
    """The text and the encoding it was read with; bytes that fit nowhere become U+FFFD.

    A byte order mark decides, then UTF-16's zero bytes, then whether it is UTF-8. What remains is
    from before Unicode: Latin letters are told apart by the languages they make, other scripts by
    charset-normalizer.

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
    if b"\x1b$" in sample:
        return "iso2022_jp"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return _encoding_before_unicode(_whole_lines(data))
    return "utf-8"


def _whole_lines(data: bytes) -> bytes:
    """So much of the start that no letter is cut in two, where there are lines at all."""
    sample = data[:_SAMPLE_BYTES]
    end = sample.rfind(b"\n") + 1 if len(data) > len(sample) else 0
    return sample[:end] if end else sample


def _encoding_before_unicode(sample: bytes) -> str:
    if not _is_mostly_high(sample):
        return max(_LATIN_LETTERS, key=lambda encoding: _share_of_letters(sample, encoding))
    from charset_normalizer import from_bytes

    found = from_bytes(sample, cp_isolation=_OTHER_SCRIPTS).best()
    return "cp1251" if found is None else found.encoding


def _is_mostly_high(sample: bytes) -> bool:
    """Whether most letters lie beyond ASCII, as in a script other than Latin."""
    high = sum(byte >= 0x80 for byte in sample)
    low = sum(chr(byte).isalpha() for byte in sample if byte < 0x80)
    return high > low


def _share_of_letters(sample: bytes, encoding: str) -> float:
    """How many of the signs beyond ASCII are such as the encoding's languages have."""
    high = [sign for sign in sample.decode(encoding, errors="replace").lower() if sign > "\x7f"]
    return sum(sign in _LATIN_LETTERS[encoding] for sign in high) / max(len(high), 1)


def encode_text(text: str, bom: bool = False) -> bytes:
    """UTF-8, with a byte order mark for players that ask for one."""
    return text.encode("utf-8-sig" if bom else "utf-8", errors="replace")
