"""How long the cue builder takes, by length of speech, script and profile; prints a table.

Made-up speech at an ordinary pace: no model, no media. Run: python benchmarks/cue_speed.py [HOURS]
"""

import random
import resource
import sys
import time

from subvino.cues import PROFILES, build_cues, rules_for, violations
from subvino.linebreak import split_words
from subvino.transcript import Segment, Transcript, Word

TEXTS = {
    "en": "The old house, which stood at the end of the lane, had been empty for years. "
    "Nobody in the village knew who owned it or why it was never sold. On Sunday we went in.",
    "de": "Das alte Haus, das am Ende der Gasse stand, war seit vielen Jahren leer. Niemand im "
    "Dorf wusste, wem es gehörte oder warum es nie verkauft wurde. Am Sonntag gingen wir hinein.",
    "zh": "村子尽头的老房子已经空了很多年。没有人知道它属于谁，也没有人知道为什么一直没有卖掉。",
}


def speak(language: str, hours: float) -> Transcript:
    """Words at about 14 characters a second (Chinese: 4) with pauses after punctuation."""
    draw = random.Random(1)
    pace = 4.0 if language == "zh" else 14.0
    units = split_words(TEXTS[language])
    now, segments, words = 0.0, list[Segment](), list[Word]()
    while now < hours * 3600:
        for unit in units:
            end = now + len(unit) / pace * draw.uniform(0.7, 1.3)
            words.append(Word(unit, now, end, 1.0))
            now = end + (draw.uniform(0.1, 1.0) if unit[-1] in ".,。，" else 0.0)
        text = "".join(word.text for word in words)
        segments.append(Segment(text, words[0].start, words[-1].end, tuple(words)))
        words = []
    return Transcript(tuple(segments), language, 1.0, now)


def main() -> None:
    hours = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    print("| language | profile | hours | units | cues | violations/100 | s | peak MiB |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for language in TEXTS:
        transcript = speak(language, hours)
        n_units = sum(len(segment.words or ()) for segment in transcript.segments)
        for profile in PROFILES:
            rules = rules_for(profile, language)
            begin = time.perf_counter()
            subtitles = build_cues(transcript, rules)
            seconds = time.perf_counter() - begin
            share = 100 * len(violations(subtitles, rules)) / len(subtitles.cues)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"| {language} | {profile} | {hours:g} | {n_units} | {len(subtitles.cues)} "
                f"| {share:.1f} | {seconds:.2f} | {peak:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
