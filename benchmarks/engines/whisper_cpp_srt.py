"""whisper.cpp by its Python wheel, from a media file to SRT, with the wheel's own defaults."""

from pywhispercpp.model import Model
from script import read_options, read_sound, write_srt

options = read_options(__doc__)
model = Model(
    options.model,
    n_threads=options.threads,
    language=options.language or "en",
    print_progress=False,
    redirect_whispercpp_logs_to=None,
)
segments = model.transcribe(read_sound(options.media))
write_srt(options.output, ((s.t0 / 100, s.t1 / 100, s.text) for s in segments))
