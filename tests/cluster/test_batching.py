"""A worker's decoder, asked by many at once."""

from __future__ import annotations

import numpy as np
import pytest

from subvino.audio import SpeechSegment, Window, WindowSound
from subvino.cluster.batching import BatchingRecognizer
from subvino.recognizer import DecodingOptions
from subvino.whisper import WhisperRecognizer
from tests.whisper.tiny_recognizer import make_recognizer

OPTIONS = DecodingOptions(language="de", temperatures=(0.0,), beam_size=1, batch_size=3)


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> WhisperRecognizer:
    return make_recognizer(tmp_path_factory.mktemp("tiny"), seed=1)


def sounds(seed: int, n_windows: int) -> list[WindowSound]:
    rng = np.random.default_rng(seed)
    samples = rng.normal(scale=0.1, size=(n_windows, 16_000)).astype(np.float32)
    return [WindowSound(Window((SpeechSegment(n, n + 1.0),)), one) for n, one in enumerate(samples)]


def test_each_gets_what_it_would_get_alone_whatever_the_others_want(
    recognizer: WhisperRecognizer,
) -> None:
    other = DecodingOptions(language="en", temperatures=(0.0,), beam_size=1)
    wanted = [(sounds(n, 1 + n % 3), other if n == 5 else OPTIONS) for n in range(9)]
    batching = BatchingRecognizer(recognizer)
    answers = [batching.recognize(*one, None) for one in wanted]
    told = batching.detect_language(sounds(1, 2)).result(60)
    found = [answer.result(60) for answer in answers]
    assert told == recognizer.detect_language(sounds(1, 2))
    assert found == [list(recognizer.recognize(*one)) for one in wanted]


def test_what_goes_wrong_concerns_who_asked_and_nobody_later(
    recognizer: WhisperRecognizer,
) -> None:
    batching = BatchingRecognizer(recognizer)
    unknown = DecodingOptions(language="xx", temperatures=(0.0,))
    with pytest.raises(Exception, match="xx"):
        batching.recognize(sounds(1, 1), unknown, None).result(60)
    assert len(batching.recognize(sounds(1, 1), OPTIONS, None).result(60)) == 1
