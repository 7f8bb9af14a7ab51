"""How much two neighbouring units belong together."""

from __future__ import annotations

from subvino.linebreak.function_words import FunctionWords, words_of
from subvino.linebreak.sentences import (
    CLAUSE_END,
    COMMA,
    QUOTES,
    SENTENCE_END,
    core_of,
    ends_sentence,
)
from subvino.linebreak.units import (
    CLOSING,
    FOLLOWING_VOWELS,
    LEADING_VOWELS,
    OPENING,
    UNSPACED_CHAR,
    clings,
)

FREE = 0.0
"""Bond at the end of a sentence: the best place to break."""
NEUTRAL = 0.5
"""Bond of two words of which nothing is known."""
TIGHT = 1.0
"""Bond of article and noun: break only if nothing else fits."""
NEVER = 20.0
"""Bond inside a word or against kinsoku; finite, so that any text still has a break."""


def bond(left: str, right: str, language: str = "") -> float:
    """How much two neighbouring units belong together, FREE to TIGHT, or NEVER.

    left, right: units as they stand in the text; `right` begins with a space where there is one.

    >>> bond("the", " house", "en") == TIGHT, bond("home.", " He", "en") == FREE
    (True, True)
    """
    head, tail = right.lstrip(), left.rstrip()
    if not head or not tail:
        return NEVER
    if not right[0].isspace() and not left[-1].isspace():
        return _inner_bond(tail, head, language)
    if ends_sentence(tail, head, language):
        return FREE
    if head[0] in CLOSING and not core_of(head) and head[0] not in "'’":
        return NEVER
    return _word_bond(tail, head, words_of(language))


def _word_bond(tail: str, head: str, words: FunctionWords) -> float:
    last = tail.rstrip(QUOTES)[-1:]
    if last in CLAUSE_END:
        return 0.1
    if last in COMMA:
        return 0.15
    if last in SENTENCE_END and core_of(tail) not in words.titles:
        return 0.25
    left, right = core_of(tail), core_of(head)
    if tail[-1] in OPENING and not left:
        return NEVER
    return max(_leaning_bond(tail, head, left, right, words), _following_bond(head, right, words))


def _leaning_bond(tail: str, head: str, left: str, right: str, words: FunctionWords) -> float:
    """What the left word asks for: most function words lean on the word after them."""
    if left in words.determiners or left in words.titles:
        return TIGHT
    if left in words.prepositions or left in words.links:
        return 0.9
    if left in words.conjunctions:
        return 0.85
    if left in words.pronouns:
        return 0.8
    if left in words.auxiliaries:
        return 0.7
    if left[-1:].isdigit() and right[:1].isalnum():
        return 0.85 if right[:1].isdigit() or right not in words.prepositions else NEUTRAL
    if _is_name(tail) and _is_name(head):
        return 0.85 if words.nouns_capitalised else 0.95
    if right[:1].isdigit() and left.isalpha():
        return 0.65
    if _is_adjective(tail, left, head, words):
        return 0.65
    return FREE


def _is_adjective(tail: str, left: str, head: str, words: FunctionWords) -> bool:
    if len(left) < 6 or not left.endswith(words.adjective_endings or "\0"):
        return False
    return not words.nouns_capitalised or (tail.islower() and head[0].isupper())


def _is_name(word: str) -> bool:
    return word[:1].isupper() and (not word.isupper() or len(word) > 1)


def _following_bond(head: str, right: str, words: FunctionWords) -> float:
    """What the right word allows: before a conjunction or preposition is a good place."""
    if right in words.clitics:
        return 0.9
    if right in words.conjunctions:
        return 0.25
    if right in words.links:
        return NEUTRAL
    if right in words.prepositions:
        # Before punctuation it is the verb's particle: "give up,".
        return 0.85 if head[-1] in SENTENCE_END or head[-1] in COMMA else 0.35
    if head[0] in OPENING or head[0] in "-–—\"'":
        return 0.25
    if words.inverts and right in words.pronouns:
        return 0.65
    if right in words.determiners or right in words.pronouns or right in words.auxiliaries:
        return 0.4
    return NEUTRAL


# --- units with no space between them ---------------------------------------------------------

# Chinese: words that end a phrase (never begin one), and words that begin one.
_ZH_TAIL = frozenset("的地得了着過过们們吗嗎呢吧啊呀")
_ZH_HEAD = frozenset("但而和与與因所如就也都在对對把被从從将將或及并並让讓跟")
_ZH_LEANS = frozenset("不没沒第很最更这這那每各一二三四五六七八九十两兩几幾")
_JA_PARTICLE = frozenset("はがをにでとものへやねよかばてし")


def _inner_bond(tail: str, head: str, language: str) -> float:
    """Between two units with no space between them."""
    left, right = tail[-1], head[0]
    if not (UNSPACED_CHAR.match(left) or UNSPACED_CHAR.match(right)):
        return 0.6 if left == "-" else NEVER
    if right in CLOSING or left in OPENING or clings(right):
        return NEVER
    if right in FOLLOWING_VOWELS or left in LEADING_VOWELS:
        return NEVER
    closed = tail.rstrip(QUOTES)[-1:]
    if closed in SENTENCE_END:
        return FREE
    if closed in CLAUSE_END or closed in COMMA:
        return 0.1
    if language == "ja" or _script(left) in "hk" or _script(right) in "hk":
        return _japanese_bond(left, right)
    return _chinese_bond(left, right) if _script(left) == "c" else 0.6


def _script(char: str) -> str:
    """h: hiragana, k: katakana, c: ideograph, o: other."""
    if "\u3041" <= char <= "\u309f":
        return "h"
    if "\u30a0" <= char <= "\u30ff" or "\uff66" <= char <= "\uff9f":
        return "k"
    return "c" if "\u3400" <= char <= "\u9fff" or char >= "\U00020000" else "o"


def _japanese_bond(left: str, right: str) -> float:
    """A phrase (bunsetsu) ends where hiragana gives way to another script, after a particle."""
    pair = _script(left) + _script(right)
    if pair[0] == "h" and pair[1] != "h":
        return 0.3 if left in _JA_PARTICLE else 0.5
    if pair in ("cc", "kk", "oo"):
        return TIGHT if pair == "cc" else 1.5
    if pair == "hh":
        return 0.7 if left in "はがをにで" and right not in _JA_PARTICLE else 1.2
    return 0.9 if pair[1] == "h" else 0.65


def _chinese_bond(left: str, right: str) -> float:
    if right in _ZH_TAIL or left in _ZH_LEANS or left == right:
        return TIGHT
    if left in _ZH_TAIL:
        return 0.4
    if right in _ZH_HEAD:
        return 0.45
    if left in _ZH_HEAD:
        return 0.9
    # Most words have two characters: a break between any two is as likely as not inside a word.
    return 0.7
