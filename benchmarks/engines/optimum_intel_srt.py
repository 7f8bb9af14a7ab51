"""Optimum-Intel's model in transformers' pipeline, from a media file to SRT: window after window.

The pipeline hears long sound as Whisper's authors do when no `chunk_length_s` is given, which is
what it advises for Whisper: with chunks of 30 s in batches of 8, 54 words came twice in a reading
of 8.4 minutes (6.0 % wrong instead of 2.5). It looks for no speech, and decodes no media without a
program `ffmpeg`.

In f32: in bf16, the default of CPUs that have it, OpenVINO 2026.4.1 decodes this export wrongly
after the first window, and ends with SIGSEGV for a batch of more than one.
"""

from optimum.intel import OVModelForSpeechSeq2Seq
from script import RATE, read_options, read_sound, write_srt
from transformers import AutoProcessor, pipeline

options = read_options(__doc__)
settings = {"INFERENCE_NUM_THREADS": str(options.threads), "INFERENCE_PRECISION_HINT": "f32"}
model = OVModelForSpeechSeq2Seq.from_pretrained(options.model, ov_config=settings)
processor = AutoProcessor.from_pretrained(options.model)
recognize = pipeline(
    "automatic-speech-recognition",
    model=model,
    tokenizer=processor.tokenizer,
    feature_extractor=processor.feature_extractor,
)
sound = read_sound(options.media)
keywords = {"language": options.language, "task": "transcribe"} if options.language else {}
result = recognize(
    {"raw": sound, "sampling_rate": RATE},
    return_timestamps=True,
    generate_kwargs={"num_beams": options.beam, **keywords},
)
length = len(sound) / RATE
chunks = ((*chunk["timestamp"], chunk["text"]) for chunk in result["chunks"])
write_srt(options.output, ((start or 0.0, end or length, text) for start, end, text in chunks))
