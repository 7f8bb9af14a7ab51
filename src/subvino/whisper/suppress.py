"""Words that the user never wants to read → the tokens that are never chosen.

Floor 2 of the road. Pure, given a tokenizer.
"""

from __future__ import annotations

from subvino.errors import OptionError
from subvino.tokenizer import Tokenizer


def suppressed_tokens(tokenizer: Tokenizer, text: str) -> tuple[int, ...]:
    """Ids of the words in `text`, which are parted by white space; sorted.

    A word counts as it stands and with a capital, at the start of a text and after a space.
    Raises OptionError for one that is not a token of its own: to rule out its pieces would rule
    out other words too.
    """
    found = {token for word in text.split() for token in _tokens_of(tokenizer, word)}
    return tuple(sorted(found))


def _tokens_of(tokenizer: Tokenizer, word: str) -> set[int]:
    spellings = {word, word[0].upper() + word[1:]}
    coded = [tokenizer.encode(space + one) for one in spellings for space in ("", " ")]
    tokens = {ids[0] for ids in coded if len(ids) == 1}
    if not tokens:
        raise OptionError(
            f"{word[:40]!r} can't be suppressed: the model spells it with {len(coded[0])} tokens, "
            "which other words need too"
        )
    return tokens
