"""faster-whisper with int8 weights, from a media file to SRT; --batch N: its batched mode."""

from faster_whisper import BatchedInferencePipeline, WhisperModel
from script import read_options, write_srt

options = read_options(__doc__)
model = WhisperModel(options.model, device="cpu", compute_type="int8", cpu_threads=options.threads)
keywords = {"language": options.language, "beam_size": options.beam}
if options.batch:
    pipeline = BatchedInferencePipeline(model)
    segments, _ = pipeline.transcribe(str(options.media), batch_size=options.batch, **keywords)
else:
    segments, _ = model.transcribe(str(options.media), **keywords)
write_srt(options.output, ((s.start, s.end, s.text) for s in segments))
