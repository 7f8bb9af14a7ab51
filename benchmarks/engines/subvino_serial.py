"""Files of a folder to SRT one after the other in one process, with the library: FOLDER OUT."""

from __future__ import annotations

import argparse
from pathlib import Path

from subvino.outputs import OutputPlace
from subvino.pipeline import EngineOptions, FileWriter, decoding_options, load_transcriber


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", default="base")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--language")
    options = parser.parse_args()
    transcriber = load_transcriber(options.model, EngineOptions(threads=options.threads))
    writer = FileWriter()
    for path in sorted(options.folder.iterdir()):
        stream = transcriber.open(path, decoding_options(options.language))
        for _ in stream:
            pass
        writer.write(stream.transcript(), OutputPlace(options.out, path.stem))


if __name__ == "__main__":
    main()
