"""Optimum-Intel's model in transformers' pipeline, from a media file to SRT: chunks in batches."""

from optimum.intel import OVModelForSpeechSeq2Seq
from script import RATE, read_options, read_sound, write_srt
from transformers import AutoProcessor, pipeline

options = read_options(__doc__)
model = OVModelForSpeechSeq2Seq.from_pretrained(
    options.model, ov_config={"INFERENCE_NUM_THREADS": str(options.threads)}
)
processor = AutoProcessor.from_pretrained(options.model)
recognize = pipeline(
    "automatic-speech-recognition",
    model=model,
    tokenizer=processor.tokenizer,
    feature_extractor=processor.feature_extractor,
    chunk_length_s=30,
    batch_size=options.batch or 1,
)
sound = read_sound(options.media)
keywords = {"language": options.language, "task": "transcribe"} if options.language else {}
result = recognize(
    {"raw": sound, "sampling_rate": RATE}, return_timestamps=True, generate_kwargs=keywords
)
length = len(sound) / RATE
chunks = ((*chunk["timestamp"], chunk["text"]) for chunk in result["chunks"])
write_srt(options.output, ((start or 0.0, end or length, text) for start, end, text in chunks))
