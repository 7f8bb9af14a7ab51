"""Rules by name and language, each with its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from subvino.cues.rules import CueRules
from subvino.errors import OptionError
from subvino.linebreak import primary_language


@dataclass(frozen=True, slots=True)
class Profile:
    """Rules by name: `rules` for most languages, `by_language` where a language has its own.

    source: where the numbers come from. A profile follows a guide as it was read; guides change.
    """

    rules: CueRules
    source: str
    by_language: Mapping[str, CueRules] = field(default_factory=dict)


_NETFLIX_SOURCE = (
    "Netflix Timed Text Style Guide, General Requirements and language guides, as Subtitle Edit "
    "checks them; reading speeds of adult programmes, SDH (subtitles in the language spoken)"
)
_NETFLIX = CueRules(max_linger_ms=500)


def _netflix_languages(rules: CueRules) -> Mapping[str, CueRules]:
    return MappingProxyType(
        {
            "ar": replace(rules, max_cps=23),
            "hi": replace(rules, max_cps=25),
            "ja": replace(rules, max_chars=13, max_cps=7, min_duration_ms=500, narrow_width=0.5),
            "ko": replace(rules, max_chars=16, max_cps=14, narrow_width=0.5),
            "th": replace(rules, max_chars=35),
            "yue": replace(rules, max_chars=16, max_cps=11),
            "zh": replace(rules, max_chars=16, max_cps=11),
        }
    )


# BBC: 160-180 words a minute, no gap or at least 1 s, out-time at most 1.5 s late; 0.3 s a word
# is its least duration, which a word on its own would flash by with, so half a second here. It
# names no longest duration; 10 s is Arte's.
_BBC = CueRules(
    max_chars=37,
    max_cps=20,
    max_wpm=180,
    min_duration_ms=500,
    max_duration_ms=10_000,
    min_gap_frames=0,
    chain_gap_ms=1000,
    max_linger_ms=1500,
)
_BBC_SOURCE = "BBC Subtitle Guidelines, www.bbc.co.uk/accessibility/forproducts/guides/subtitles"
_SOCIAL = CueRules(
    max_chars=24,
    max_cps=25,
    min_duration_ms=700,
    max_duration_ms=5000,
    min_gap_frames=0,
    chain_gap_ms=500,
)
_ARTE = CueRules(max_chars=40, min_duration_ms=1000, max_duration_ms=10_000, min_gap_frames=5)


def _east_asian(rules: CueRules, max_chars: float) -> Mapping[str, CueRules]:
    """Guides that speak of Latin letters only: wide characters at the speeds of Netflix."""
    netflix = _netflix_languages(rules)
    narrow = {
        code: replace(netflix[code], max_chars=max_chars, max_wpm=None, narrow_width=0.5)
        for code in ("ja", "ko", "yue", "zh")
    }
    return MappingProxyType({**narrow, "th": replace(rules, max_wpm=None)})


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        "default": Profile(
            CueRules(),
            _NETFLIX_SOURCE + "; out-times may linger longer",
            _netflix_languages(CueRules()),
        ),
        "netflix": Profile(_NETFLIX, _NETFLIX_SOURCE, _netflix_languages(_NETFLIX)),
        "bbc": Profile(_BBC, _BBC_SOURCE, _east_asian(_BBC, 18)),
        "bbc-vertical": Profile(
            replace(_BBC, max_chars=25, max_lines=3),
            _BBC_SOURCE + ": 90 % of the width of 9:16 video, three lines",
            _east_asian(replace(_BBC, max_lines=3), 12),
        ),
        "arte": Profile(_ARTE, "Subtitle Edit, profile Arte (gap 200 ms)", _east_asian(_ARTE, 18)),
        "social-vertical": Profile(
            _SOCIAL, "Subtitle Edit, profile TikTok (9:16)", _east_asian(_SOCIAL, 11)
        ),
    }
)
"""Rules by the name of a profile.

To add one: a row with its source; tests/cues/test_cues.py runs every row over every script.
"""


def rules_for(profile: str = "default", language: str = "") -> CueRules:
    """The rules of a profile for a language; raises OptionError for an unknown name.

    >>> rules_for("netflix", "ko").max_chars, rules_for("bbc", "en").max_wpm
    (16, 180)
    """
    if profile not in PROFILES:
        raise OptionError(f"no profile {profile!r}; use one of: {', '.join(PROFILES)}")
    found = PROFILES[profile]
    return found.by_language.get(primary_language(language), found.rules)
