"""Text to lines: where a line may break, where it should, and how wide it is.

Floor 0 of the road; pure. A text comes as units, the pieces between which it may break: words
with the space before them ("Hello", " world"), or, in scripts without spaces, small groups of
characters. `bond` tells how much two neighbours belong together, and `break_lines` weighs bonds
against balance. The cue builder cuts cues by the same bonds.

The rules follow Netflix' Timed Text Style Guide, General Requirements, "Line Treatment" (break
after punctuation and before conjunctions and prepositions; keep together article and noun, first
and last name, subject pronoun and verb, verb and auxiliary or negation; bottom-heavy lines), the
Unicode East Asian Width property (UAX 11), and kinsoku as in JIS X 4051 and W3C's "Requirements
for Japanese Text Layout", 3.1.7 and 3.1.8.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module
from importlib.util import find_spec
from itertools import accumulate, pairwise
from types import MappingProxyType
from typing import TypeVar

import numpy as np
import numpy.typing as npt

FREE = 0.0
"""Bond at the end of a sentence: the best place to break."""
NEUTRAL = 0.5
"""Bond of two words of which nothing is known."""
TIGHT = 1.0
"""Bond of article and noun: break only if nothing else fits."""
NEVER = 20.0
"""Bond inside a word or against kinsoku; finite, so that any text still has a break."""

# The shape of a cue, in units of the bond's cost. Tuned by reading cues of real speech.
_BOND_WEIGHT = 1.0
_BALANCE_WEIGHT = 2.0
_TOP_HEAVY_COST = 0.12
_LINE_COST = 0.15
_ORPHAN_COST = 0.35
_ORPHAN_WIDTH = 0.3

Number = TypeVar("Number", float, npt.NDArray[np.float64])


@dataclass(frozen=True, slots=True)
class LineRules:
    """How much text fits.

    max_chars: per line.
    max_lines: per cue.
    narrow_width: what a character counts that is not wide by UAX 11; 0.5 where the wide
        characters of the language are the measure (Netflix Korean: Latin, space, punctuation).
    """

    max_chars: float
    max_lines: int
    narrow_width: float = 1.0


# --- width ----------------------------------------------------------------------------------


def text_width(text: str, narrow_width: float = 1.0) -> float:
    """Characters of a line as the guides count them: marks that stand on a letter count nothing.

    >>> text_width("Grüße"), text_width("한국 TV", narrow_width=0.5)
    (5.0, 3.5)
    """
    if text.isascii():
        return len(text) * narrow_width
    return sum(_char_width(char, narrow_width) for char in text)


@lru_cache(maxsize=65536)
def _char_width(char: str, narrow_width: float) -> float:
    if unicodedata.category(char) in ("Mn", "Me", "Cf", "Cc"):
        return 0.0
    return 1.0 if unicodedata.east_asian_width(char) in "WF" else narrow_width


# --- scripts without spaces -----------------------------------------------------------------

_UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f"  # Myanmar
    "\u1780-\u17ff"  # Khmer
    "\u2e80-\u31ff"  # CJK radicals, CJK punctuation, kana, bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # ideographs
    "\uff01-\uff65"  # full-width forms
    "\uff66-\uff9f"  # half-width kana
    "\U00020000-\U0003ffff"  # ideographs beyond the basic plane
)
_UNSPACED_RUN = re.compile(f"[{_UNSPACED}]+")
_UNSPACED_CHAR = re.compile(f"[{_UNSPACED}]")

_OPENING = frozenset("([{«‹“‘„‚¿¡「『（［｛〈《【〔〖〘“‘«")
_CLOSING = frozenset(
    ")]}»›”’\"',.;:!?…%‰°、。，．；：！？」』）］｝〉》】〕〗〙・゠–—~～ー々〻ヽヾゝゞ"
    "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶㇰㇱㇲㇳㇴㇵㇶㇷㇸㇹㇺㇻㇼㇽㇾㇿ،؛؟۔।॥ๆฯ"
)
_CLINGING_CATEGORIES = ("Mn", "Me", "Mc")
# Thai and Lao: vowels written before their consonant, and vowels that follow it.
_LEADING_VOWELS = frozenset("เแโใไເແໂໃໄ")
_FOLLOWING_VOWELS = frozenset("ะาำๅະາຳຽ")


def split_unspaced(text: str) -> list[str]:
    """A word cut where its script allows a break; a word of Latin letters stays whole.

    >>> split_unspaced("「日本」の車。"), split_unspaced("can't")
    (['「日', '本」', 'の', '車。'], ["can't"])
    """
    pieces: list[str] = []
    for char in text:
        if pieces and not _may_cut(pieces[-1], char):
            pieces[-1] += char
        else:
            pieces.append(char)
    return pieces


def _may_cut(before: str, char: str) -> bool:
    last = before[-1]
    if last.isspace() or char in _FOLLOWING_VOWELS or last in _LEADING_VOWELS:
        return False
    if char in _CLOSING or last in _OPENING or _clings(char):
        return False
    return bool(_UNSPACED_CHAR.match(last) or _UNSPACED_CHAR.match(char))


@lru_cache(maxsize=65536)
def _clings(char: str) -> bool:
    return unicodedata.category(char) in _CLINGING_CATEGORIES


def split_words(text: str) -> list[str]:
    """The units of a text; each carries the white space before it as one space.

    >>> split_words("Hello,  world 日本")
    ['Hello,', ' world', ' 日', '本']
    """
    units: list[str] = []
    for word in text.split():
        first, *rest = split_unspaced(word)
        units += [" " + first if units else first, *rest]
    return units


def join_lines(lines: Sequence[str]) -> str:
    """Lines as one: with a space between, or none where both sides write without spaces."""
    text = ""
    for line in (line.strip() for line in lines):
        if text and line:
            text += "" if _unspaced_joint(text[-1], line[0]) else " "
        text += line
    return text


def _unspaced_joint(left: str, right: str) -> bool:
    return bool(_UNSPACED_CHAR.match(left) and _UNSPACED_CHAR.match(right))


# --- words that lean on the next ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FunctionWords:
    """A language's small words, lower case, that decide where a line may break.

    determiners: articles, possessives, demonstratives, small numbers.
    links: words that tie a noun to the one before ("of", German "des").
    clitics: words that lean on the word before (Russian particles, French "pas").
    titles: before a name.
    adjective_endings: that few other words have; an adjective leans on its noun.
    nouns_capitalised: so two capitals in a row may be no name.
    inverts: the subject may follow its verb ("gestern kam | sie"), and stays with it.
    """

    determiners: frozenset[str]
    prepositions: frozenset[str]
    links: frozenset[str]
    conjunctions: frozenset[str]
    pronouns: frozenset[str]
    auxiliaries: frozenset[str]
    clitics: frozenset[str] = frozenset()
    titles: frozenset[str] = frozenset()
    adjective_endings: tuple[str, ...] = ()
    nouns_capitalised: bool = False
    inverts: bool = False


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_NONE = _set("")
_NO_WORDS = FunctionWords(_NONE, _NONE, _NONE, _NONE, _NONE, _NONE)

FUNCTION_WORDS = MappingProxyType(
    {
        "en": FunctionWords(
            determiners=_set(
                "a an the my your his her its our their this these those every each some any no "
                "another whose which what very too so such more most "
                "two three four five six seven eight nine ten eleven twelve thirteen fourteen "
                "fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty hundred "
                "thousand million"
            ),
            prepositions=_set(
                "about above across after against along among around as at before behind below "
                "beneath beside between beyond by despite down during except for from in inside "
                "into like near off on onto out outside over past per since than through to toward "
                "towards under underneath until up upon via with within without"
            ),
            links=_set("of"),
            conjunctions=_set(
                "and or but nor because although though if unless while when where whereas "
                "whether that who whom whose which what how why"
            ),
            pronouns=_set("i you he she it we they there who i'm you're we're they're it's"),
            auxiliaries=_set(
                "am is are was were be been being have has had do does did will would shall should "
                "can could may might must not don't doesn't didn't won't can't isn't wasn't aren't "
                "couldn't wouldn't shouldn't haven't hasn't hadn't cannot never going"
            ),
            titles=_set("mr mrs ms miss mister dr doctor prof professor sir lady lord captain st"),
            adjective_endings=("ous", "ful", "ive", "able", "ible", "ical", "less", "ish"),
        ),
        "fr": FunctionWords(
            determiners=_set(
                "le la les un une des du mon ma mes ton ta tes son sa ses notre nos votre vos leur "
                "leurs ce cet cette ces chaque quelque quelques aucun aucune quel quelle quels "
                "quelles plusieurs très trop si plus deux trois quatre cinq six sept huit neuf dix "
                "vingt cent mille"
            ),
            prepositions=_set(
                "à au aux en dans par pour sur sous avec sans vers chez entre depuis pendant "
                "avant après contre dès selon malgré parmi jusque jusqu'à jusqu'au derrière devant "
                "comme"
            ),
            links=_set("de d'un d'une"),
            conjunctions=_set(
                "et ou mais donc or ni car que qui dont où quand lorsque puisque si comme parce"
            ),
            pronouns=_set(
                "je tu il elle on nous vous ils elles me te se lui y ça c'est j'ai qu'il qu'elle "
                "qu'on qu'ils ne"
            ),
            auxiliaries=_set(
                "suis es est sommes êtes sont étais était étaient serai sera seront ai as a avons "
                "avez ont avais avait avaient aurai aura auront peut peux doit dois va vais vont "
                "n'est n'a n'ai"
            ),
            clitics=_set("pas plus jamais rien"),
            titles=_set("m mme mlle monsieur madame mademoiselle docteur dr saint sainte"),
        ),
        "de": FunctionWords(
            determiners=_set(
                "der die das den dem des ein eine einen einem einer eines kein keine keinen keinem "
                "keiner mein meine meinen meinem meiner dein deine deinen sein seine seinen seinem "
                "seiner ihr ihre ihren ihrem ihrer unser unsere unseren unserem unserer euer eure "
                "dieser diese dieses diesen diesem jeder jede jedes jeden jedem welche welcher "
                "welches alle allen sehr so zu zwei drei vier fünf sechs sieben acht neun zehn "
                "zwölf zwanzig hundert tausend"
            ),
            prepositions=_set(
                "an am ans auf aufs aus bei beim bis durch für gegen hinter in im ins mit nach "
                "neben ohne seit trotz über um unter vom von vor während wegen zwischen zum zur ab "
                "außer als wie"
            ),
            links=_set("von vom der des"),
            conjunctions=_set(
                "und oder aber denn sondern dass daß weil wenn ob obwohl damit nachdem bevor "
                "während da wo wer was"
            ),
            pronouns=_set("ich du er sie es wir man mich dich sich mir dir ihm uns euch"),
            auxiliaries=_set(
                "bin bist ist sind seid war waren habe hast hat haben hatte hatten werde wirst "
                "wird werden wurde wurden würde kann können muss müssen soll sollen will wollen "
                "darf nicht"
            ),
            titles=_set("herr herrn frau dr doktor prof professor sankt st"),
            adjective_endings=("er", "es", "em"),
            nouns_capitalised=True,
            inverts=True,
        ),
        "es": FunctionWords(
            determiners=_set(
                "el la los las un una unos unas mi mis tu tus su sus nuestro nuestra nuestros "
                "nuestras este esta estos estas ese esa esos esas aquel aquella cada algún alguna "
                "ningún ninguna muy tan más lo dos tres cuatro cinco seis siete ocho nueve diez "
                "veinte cien mil"
            ),
            prepositions=_set(
                "a al ante bajo con contra desde durante en entre hacia hasta para por según sin "
                "sobre tras como"
            ),
            links=_set("de del"),
            conjunctions=_set("y e o u pero sino ni que porque pues si cuando donde quien aunque"),
            pronouns=_set("yo tú él ella nosotros ellos ellas usted ustedes me te se le les nos"),
            auxiliaries=_set(
                "soy eres es somos son era eran fue fueron ha he has han había habían hay está "
                "están estoy estaba puede pueden debe deben voy va van no"
            ),
            titles=_set("señor señora señorita sr sra don doña dr doctor san santa d"),
        ),
        "it": FunctionWords(
            determiners=_set(
                "il lo la i gli le un uno una mio mia miei mie tuo tua suo sua suoi sue nostro "
                "nostra vostro vostra loro questo questa questi queste quello quella quel ogni "
                "qualche nessun nessuna molto così più due tre quattro cinque sei sette otto nove "
                "dieci venti cento mille"
            ),
            prepositions=_set(
                "a al allo alla ai agli alle da dal dallo dalla dai dagli dalle in nel nello nella "
                "nei negli nelle con su sul sullo sulla sui sugli sulle per tra fra sotto sopra "
                "senza verso dopo prima durante contro come"
            ),
            links=_set("di del dello della dei degli delle"),
            conjunctions=_set("e ed o od ma né che perché se quando dove mentre anche però quindi"),
            pronouns=_set("io tu lui lei noi voi essi mi ti si ci vi lo ne gli cui chi"),
            auxiliaries=_set(
                "sono sei è siamo siete era erano fu ho hai ha abbiamo avete hanno aveva avevano "
                "può possono deve devono sta stanno non"
            ),
            titles=_set("signor signora signorina sig dott dottor dottoressa san santa"),
        ),
        "pt": FunctionWords(
            determiners=_set(
                "o a os as um uma uns umas meu minha meus minhas teu tua seu sua seus suas nosso "
                "nossa este esta estes estas esse essa esses essas aquele aquela cada algum alguma "
                "nenhum nenhuma muito tão mais dois duas três quatro cinco seis sete oito nove dez "
                "vinte cem mil"
            ),
            prepositions=_set(
                "ao aos à às até com contra desde em no na nos nas num numa entre para pra pelo "
                "pela pelos pelas por sem sob sobre após como"
            ),
            links=_set("de do da dos das"),
            conjunctions=_set("e ou mas nem que porque pois se quando onde quem embora"),
            pronouns=_set("eu tu ele ela nós vós eles elas você vocês me te se lhe lhes"),
            auxiliaries=_set(
                "sou é somos são era eram foi foram tem têm tenho tinha tinham está estão estava "
                "pode podem deve devem vou vai vão há não"
            ),
            titles=_set("senhor senhora sr sra dom dona doutor doutora dr dra são santa"),
        ),
        "nl": FunctionWords(
            determiners=_set(
                "de het een mijn jouw je zijn haar ons onze jullie hun uw deze dit die dat elke "
                "elk ieder iedere geen welke heel zeer te zo twee drie vier vijf zes zeven acht "
                "negen tien twintig honderd duizend"
            ),
            prepositions=_set(
                "aan achter bij binnen boven door in langs met na naar naast om onder op over per "
                "rond sinds tegen tot tussen uit vanaf voor zonder als dan"
            ),
            links=_set("van"),
            conjunctions=_set(
                "en of maar want omdat dat als toen terwijl hoewel zodat wanneer waar wie wat"
            ),
            pronouns=_set("ik jij je hij zij ze wij we het er u men me hem haar"),
            auxiliaries=_set(
                "ben bent is zijn was waren heb hebt heeft hebben had hadden zal zullen zou zouden "
                "kan kunnen moet moeten mag mogen wil willen word wordt worden werd niet"
            ),
            titles=_set("meneer mevrouw dhr mevr mr dr prof sint"),
            inverts=True,
        ),
        "ru": FunctionWords(
            determiners=_set(
                "мой моя моё мои твой твоя твои наш наша наше наши ваш ваша ваше ваши свой своя "
                "своё свои этот эта это эти тот та те каждый каждая очень самый самая самое самые "
                "два две три четыре пять шесть семь восемь девять десять сто тысяча"
            ),
            prepositions=_set(
                "в во на с со к ко у о об обо от ото до из изо за под подо над по при про для без "
                "безо через перед передо между около после среди ради против кроме из-за из-под"
            ),
            links=_NONE,
            conjunctions=_set(
                "и а но или да что чтобы если когда потому как где куда хотя который которая "
                "которое которые пока будто"
            ),
            pronouns=_set("я ты он она оно мы вы они"),
            auxiliaries=_set("не ни был была было были будет будут буду может могут"),
            clitics=_set("бы б ли ль же ж"),
            titles=_set("господин госпожа г-н г-жа доктор св"),
            adjective_endings=("ый", "ая", "ое", "ые", "ого", "ому", "ую", "ых", "ыми"),
        ),
    }
)
"""Function words by language code. To add a language: one row, and its cases in the tests."""


# --- bonds ----------------------------------------------------------------------------------

_SENTENCE_END = frozenset(".!?…。！？｡؟۔।॥")
_CLAUSE_END = frozenset(";:；：؛—–")
_COMMA = frozenset(",，、､،・")
_QUOTES = "\"'”’»›)]}」』）】》〉〕"
_EDGES = re.compile(r"^[^\w]+|[^\w]+$")
_INITIAL = re.compile(r"(?:\w\.)+")


def primary_language(language: str) -> str:
    """The code without its region: "pt-BR" is "pt"."""
    return re.split("[-_]", language.lower(), maxsplit=1)[0]


def ends_sentence(left: str, right: str, language: str) -> bool:
    """Whether a sentence ends between two neighbouring units.

    >>> ends_sentence("home.", " He", "en"), ends_sentence("Mr.", " Hale", "en")
    (True, False)
    """
    tail = left.rstrip(_QUOTES)
    if not tail or tail[-1] not in _SENTENCE_END:
        return False
    if tail[-1] not in ".…":
        return True
    following = _EDGES.sub("", right)
    if following[:1].islower():
        return False
    return not (tail.endswith(".") and _abbreviates(tail, following, language))


def _abbreviates(tail: str, following: str, language: str) -> bool:
    core = _core(tail)
    if core in _words(language).titles:
        return True
    if core.isdigit():
        # German ordinals: "am 3. Mai"; elsewhere a number may well end a sentence.
        return language in ("de", "nl") and not following[:1].isdigit()
    return bool(_INITIAL.fullmatch(tail.strip())) and core not in ("i", "я", "o", "y", "e")


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
    if head[0] in _CLOSING and not _core(head) and head[0] not in "'’":
        return NEVER
    return _word_bond(tail, head, _words(language))


def _words(language: str) -> FunctionWords:
    return FUNCTION_WORDS.get(language, _NO_WORDS)


@lru_cache(maxsize=65536)
def _core_cached(text: str) -> str:
    return _EDGES.sub("", text.lower().replace("’", "'"))


def _core(text: str) -> str:
    """The word without the punctuation around it, lower case."""
    text = text.strip()
    return text.lower() if text.isalpha() else _core_cached(text)


def _word_bond(tail: str, head: str, words: FunctionWords) -> float:
    last = tail.rstrip(_QUOTES)[-1:]
    if last in _CLAUSE_END:
        return 0.1
    if last in _COMMA:
        return 0.15
    if last in _SENTENCE_END and _core(tail) not in words.titles:
        return 0.25
    left, right = _core(tail), _core(head)
    if tail[-1] in _OPENING and not left:
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
        return 0.85 if head[-1] in _SENTENCE_END or head[-1] in _COMMA else 0.35
    if head[0] in _OPENING or head[0] in "-–—\"'":
        return 0.25
    if words.inverts and right in words.pronouns:
        return 0.65
    if right in words.determiners or right in words.pronouns or right in words.auxiliaries:
        return 0.4
    return NEUTRAL


# Chinese: words that end a phrase (never begin one), and words that begin one.
_ZH_TAIL = frozenset("的地得了着過过们們吗嗎呢吧啊呀")
_ZH_HEAD = frozenset("但而和与與因所如就也都在对對把被从從将將或及并並让讓跟")
_ZH_LEANS = frozenset("不没沒第很最更这這那每各一二三四五六七八九十两兩几幾")
_JA_PARTICLE = frozenset("はがをにでとものへやねよかばてし")


def _inner_bond(tail: str, head: str, language: str) -> float:
    """Between two units with no space between them."""
    left, right = tail[-1], head[0]
    if not (_UNSPACED_CHAR.match(left) or _UNSPACED_CHAR.match(right)):
        return 0.6 if left == "-" else NEVER
    if right in _CLOSING or left in _OPENING or _clings(right):
        return NEVER
    if right in _FOLLOWING_VOWELS or left in _LEADING_VOWELS:
        return NEVER
    closed = tail.rstrip(_QUOTES)[-1:]
    if closed in _SENTENCE_END:
        return FREE
    if closed in _CLAUSE_END or closed in _COMMA:
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


# --- lines ----------------------------------------------------------------------------------


def line_cost(width: Number, single: bool, last: bool, max_chars: float) -> Number:
    """What a line of this width adds to the cost of a cue; sums over a cue's lines.

    Squares make even lines cheapest, a small slope makes the lower line the longer one, and a
    word alone on a line is an orphan.
    """
    share = width / max_chars
    slope = -_TOP_HEAVY_COST if last else _TOP_HEAVY_COST
    cost: Number = (_BALANCE_WEIGHT * share + slope) * share
    return cost + _ORPHAN_COST * (share < _ORPHAN_WIDTH) if single else cost


def layout_offset(width: Number, n_lines: int, max_chars: float) -> Number:
    """What to add to the sum of line costs so that layouts of unlike line counts compare."""
    share = width / max_chars
    cost: Number = _LINE_COST * (n_lines - 1) - _BALANCE_WEIGHT * share * share / n_lines
    return cost


def break_cost(bond_there: Number) -> Number:
    """What a line break over a bond costs."""
    cost: Number = _BOND_WEIGHT * bond_there
    return cost


def break_lines(units: Sequence[str], rules: LineRules, language: str = "") -> tuple[str, ...]:
    """The units on at most `max_lines` lines, broken where it hurts least.

    Text that does not fit gets as many lines as it needs; a unit wider than a line stands alone.

    >>> break_lines(split_words("We walked for hours to the old mill"), LineRules(24, 2), "en")
    ('We walked for hours', 'to the old mill')
    """
    if not units:
        return ()
    prefix, spaces = measure(units, rules.narrow_width)
    text = _Measured(prefix, spaces, [0.0, *bonds(units, language)])
    breaks = _best_breaks(text, max(rules.max_lines, _fewest_lines(text, rules)), rules)
    return tuple("".join(units[a:b]).strip() for a, b in pairwise(breaks))


def bonds(units: Sequence[str], language: str) -> Iterator[float]:
    """The bond of each unit with the next; one less than there are units.

    In Chinese, Japanese and Thai the phrases that BudouX finds stay whole, where it is installed.
    """
    found = (bond(left, right, language) for left, right in pairwise(units))
    parse = _phrase_parser(language)
    return found if parse is None or not units else _phrase_bonds(units, found, parse, language)


_INSIDE_PHRASE = 1.5
"""Bond within a phrase: worse than between article and noun, but a long phrase may be broken."""

_PHRASE_LOADERS = {
    "ja": "load_default_japanese_parser",
    "th": "load_default_thai_parser",
    "yue": "load_default_traditional_chinese_parser",
    "zh": "load_default_simplified_chinese_parser",
}
_Parse = Callable[[str], Sequence[str]]


@cache
def _phrase_parser(language: str) -> _Parse | None:
    """What parts a text into phrases; None where there is none for the language (extra cjk)."""
    if language not in _PHRASE_LOADERS or find_spec("budoux") is None:
        return None
    parse: _Parse = getattr(import_module("budoux"), _PHRASE_LOADERS[language])().parse
    return parse


def _phrase_bonds(
    units: Sequence[str], found: Iterator[float], parse: _Parse, language: str
) -> Iterator[float]:
    begins = set(accumulate(map(len, parse("".join(units)))))
    places = accumulate(map(len, units))
    for (left, right), tie, place in zip(pairwise(units), found, places, strict=False):
        if tie == NEVER or not _unspaced_joint(left[-1:], right[:1]):
            yield tie
        elif place not in begins:
            yield max(tie, _INSIDE_PHRASE)
        else:
            # Japanese phrases end with their particles; Chinese ones are words, some of which lean.
            yield min(tie, NEUTRAL) if language == "ja" else tie


def measure(units: Sequence[str], narrow_width: float) -> tuple[list[float], list[float]]:
    """Widths summed up (n + 1) and the width of the space before each unit (n).

    A line of units a to b is `prefix[b] - prefix[a] - spaces[a]` wide.
    """
    prefix = [0.0]
    for unit in units:
        prefix.append(prefix[-1] + text_width(unit, narrow_width))
    return prefix, [narrow_width if unit[:1].isspace() else 0.0 for unit in units]


@dataclass(frozen=True, slots=True)
class _Measured:
    prefix: list[float]
    spaces: list[float]
    bonds: list[float]

    def width(self, start: int, end: int) -> float:
        return self.prefix[end] - self.prefix[start] - self.spaces[start]


def _fewest_lines(text: _Measured, rules: LineRules) -> int:
    n_lines, start = 1, 0
    for end in range(1, len(text.prefix)):
        if end > start + 1 and text.width(start, end) > rules.max_chars:
            n_lines, start = n_lines + 1, end - 1
    return n_lines


_Layout = tuple[float, tuple[int, ...]]


def _best_breaks(text: _Measured, max_lines: int, rules: LineRules) -> tuple[int, ...]:
    """Where the cheapest layout of at most `max_lines` lines breaks; 0 and n are among them."""
    n = len(text.spaces)
    begun: dict[int, _Layout] = {0: (0.0, (0,))}
    best: _Layout = (float("inf"), (0, n))
    for n_lines in range(1, max_lines + 1):
        offset = layout_offset(text.width(0, n), n_lines, rules.max_chars)
        longer: dict[int, _Layout] = {}
        for layout in begun.values():
            for end, cost in _next_lines(text, layout, rules):
                grown = (cost, (*layout[1], end))
                if end == n:
                    best = min(best, (cost + offset, grown[1]))
                else:
                    longer[end] = min(longer.get(end, grown), grown)
        begun = longer
    return best[1]


def _next_lines(text: _Measured, layout: _Layout, rules: LineRules) -> Iterator[tuple[int, float]]:
    """Each end that the next line may have, with the cost of the layout up to there."""
    cost, breaks = layout
    start, n = breaks[-1], len(text.spaces)
    for end in range(start + 1, n + 1):
        width = text.width(start, end)
        if width > rules.max_chars and end > start + 1:
            return
        line = line_cost(width, end == start + 1 and n > 1, end == n, rules.max_chars)
        yield end, cost + line + (0.0 if end == n else break_cost(text.bonds[end]))
