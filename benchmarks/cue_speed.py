"""How long the cue builder takes, by length of speech, script and profile.

Prints a table and writes it into RESULTS.md.
Made-up speech at an ordinary pace: no model, no media. Run: python benchmarks/cue_speed.py [HOURS]
"""

import os
import random
import resource
import sys
import time

from results import describe_run, put_section

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


def time_cues(transcript: Transcript, language: str, profile: str) -> list[str]:
    """The row of a profile: core seconds tell more than the clock on a machine with other work."""
    rules = rules_for(profile, language)
    begin, busy = time.perf_counter(), time.process_time()
    subtitles = build_cues(transcript, rules)
    seconds, core_seconds = time.perf_counter() - begin, time.process_time() - busy
    share = 100 * len(violations(subtitles, rules)) / len(subtitles.cues)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = f"{share:.1f}", f"{core_seconds:.2f}", f"{seconds:.2f}", f"{peak:.0f}"
    return [str(len(subtitles.cues)), *figures]


def main() -> None:
    hours = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    lines = [
        "| language | profile | hours | units | cues | violations/100 | core s | s | peak MiB |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for language in TEXTS:
        transcript = speak(language, hours)
        n_units = sum(len(segment.words or ()) for segment in transcript.segments)
        for profile in PROFILES:
            row = [language, profile, f"{hours:g}", str(n_units)]
            lines.append(f"| {' | '.join([*row, *time_cues(transcript, language, profile)])} |")
            print(lines[-1], flush=True)
    command = f"python benchmarks/cue_speed.py {hours:g}"
    about = describe_run(command, ("numpy",), f"load of the machine: {os.getloadavg()[0]:.1f}")
    put_section("cue-speed", f"## Speed of the cue builder\n\n{about}\n" + "\n".join(lines))


if __name__ == "__main__":
    main()
