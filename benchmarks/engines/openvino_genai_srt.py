"""openvino-genai's WhisperPipeline, from a media file to SRT: greedy, window after window.

It decodes no media, and it looks for no speech: it hears everything.
"""

from openvino_genai import WhisperPipeline
from script import RATE, read_options, read_sound, write_srt

options = read_options(__doc__)
pipeline = WhisperPipeline(options.model, "CPU", INFERENCE_NUM_THREADS=options.threads)
sound = read_sound(options.media)
keywords = {"language": f"<|{options.language}|>"} if options.language else {}
chunks = pipeline.generate(sound, return_timestamps=True, **keywords).chunks or ()
length = len(sound) / RATE
# An end that it does not know is -1.
rows = ((c.start_ts, c.end_ts if c.end_ts >= 0 else length, c.text) for c in chunks)
write_srt(options.output, rows)
