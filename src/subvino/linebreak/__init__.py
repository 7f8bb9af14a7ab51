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

    width            how wide text is
    units            pieces between which a text may break
    function_words   small words of each language that lean on others
    sentences        where sentences end
    bonds            how much two units belong together
    phrases          the bonds of a whole text
    lines            units → lines
"""

from __future__ import annotations

from subvino.linebreak.bonds import FREE, NEUTRAL, NEVER, TIGHT, bond
from subvino.linebreak.function_words import FUNCTION_WORDS
from subvino.linebreak.lines import LineRules, break_cost, break_lines, layout_offset, line_cost
from subvino.linebreak.phrases import bonds
from subvino.linebreak.sentences import ends_sentence, primary_language
from subvino.linebreak.units import join_lines, split_unspaced, split_words
from subvino.linebreak.width import measure, text_width

__all__ = [
    "FREE",
    "FUNCTION_WORDS",
    "NEUTRAL",
    "NEVER",
    "TIGHT",
    "LineRules",
    "bond",
    "bonds",
    "break_cost",
    "break_lines",
    "ends_sentence",
    "join_lines",
    "layout_offset",
    "line_cost",
    "measure",
    "primary_language",
    "split_unspaced",
    "split_words",
    "text_width",
]
