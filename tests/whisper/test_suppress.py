from __future__ import annotations

import pytest

from subvino.errors import OptionError
from subvino.tokenizer import Tokenizer
from subvino.whisper.suppress import suppressed_tokens
from tests.installed_weights import base_folders

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer(base_folders()[0] / "tokenizer.json")


def test_a_word_is_ruled_out_after_a_space_and_with_a_capital_too(tokenizer: Tokenizer) -> None:
    tokens = suppressed_tokens(tokenizer, "the")
    assert {tokenizer.decode([token]) for token in tokens} == {"the", " the", "The", " The"}


def test_words_are_parted_by_white_space(tokenizer: Tokenizer) -> None:
    both = {*suppressed_tokens(tokenizer, "the"), *suppressed_tokens(tokenizer, ",")}
    assert set(suppressed_tokens(tokenizer, " the\t, the ")) == both
    assert suppressed_tokens(tokenizer, " ") == ()


def test_a_word_of_several_tokens_is_refused(tokenizer: Tokenizer) -> None:
    with pytest.raises(OptionError, match="'Xyzzyfoo' can't be suppressed"):
        suppressed_tokens(tokenizer, "the Xyzzyfoo")
