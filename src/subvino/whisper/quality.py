"""Whether a decoded text can be believed, from figures that the decoding gives anyway.

Floor 2 of the road. Pure. Thresholds and the compression ratio are openai/whisper's.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

_MIN_LOOP_TOKENS = 24  # covered by repeats before a loop is cut short: a song's refrain is shorter
_MIN_REPEATS = 4
_MAX_PERIOD = 24


def compression_ratio(text: str) -> float:
    """Bytes of the text over its zlib-compressed bytes: high where it repeats itself."""
    raw = text.encode("utf-8")
    return len(raw) / len(zlib.compress(raw))


def is_looping(tokens: Sequence[int]) -> bool:
    """Whether the end of the tokens is one stretch said over and over.

    tokens: of text only: timestamps go on counting while the words repeat.
    """
    return n_before_loop(tokens) < len(tokens)


def n_before_loop(tokens: Sequence[int]) -> int:
    """How many tokens to keep so that a loop at the end is said once; all where there is none."""
    for period in range(1, min(_MAX_PERIOD, len(tokens) // _MIN_REPEATS) + 1):
        count = _n_repeats(tokens, period)
        if count * period >= max(_MIN_LOOP_TOKENS, _MIN_REPEATS * period):
            return len(tokens) - (count - 1) * period
    return len(tokens)


def _n_repeats(tokens: Sequence[int], period: int) -> int:
    """How often the last `period` tokens stand at the end, one after the other."""
    unit = list(tokens[-period:])
    count, end = 0, len(tokens)
    while end >= period and list(tokens[end - period : end]) == unit:
        count, end = count + 1, end - period
    return count


def is_invented_phrase(text: str) -> bool:
    """Whether the text is one that Whisper is known to write where nobody speaks.

    Such phrases ended many subtitles that it was trained on. They are also really said: this alone
    is no reason to take them out.
    """
    plain = "".join(character if character.isalnum() else " " for character in text.casefold())
    return " ".join(plain.split()) in _INVENTED


_INVENTED = frozenset(
    """\
thank you for watching
thanks for watching
thank you so much for watching
please subscribe to my channel
please subscribe
subtitles by the amara org community
transcription by castingwords
sous titres réalisés par la communauté d amara org
sous titrage société radio canada
merci d avoir regardé cette vidéo
untertitel der amara org community
untertitel im auftrag des zdf für funk 2017
untertitelung des zdf 2020
vielen dank fürs zuschauen
subtítulos realizados por la comunidad de amara org
subtítulos por la comunidad de amara org
gracias por ver el video
sottotitoli creati dalla comunità amara org
sottotitoli e revisione a cura di qtss
legendas pela comunidade amara org
ondertitels ingediend door de amara org gemeenschap
ondertiteld door de amara org gemeenschap
субтитры сделал dimatorzok
субтитры создавал dimatorzok
продолжение следует
спасибо за просмотр
ご視聴ありがとうございました
시청해주셔서 감사합니다
请不吝点赞 订阅 转发 打赏支持明镜与点点栏目
napisy stworzone przez społeczność amara org
altyazı m k
""".splitlines()
)
"""In the form that `is_invented_phrase` compares: seen in the output of Whisper models over music
and silence, as users of several engines report them."""
