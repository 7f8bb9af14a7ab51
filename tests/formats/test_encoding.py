import pytest
from hypothesis import given
from hypothesis import strategies as st

from subvino.formats.encoding import decode_text, encode_text

ENGLISH = "1\n00:00:01,000 --> 00:00:02,000\nHello there, you.\n"
RUSSIAN = "1\n00:00:01,000 --> 00:00:02,000\nДобро пожаловать в директорию.\n"
GERMAN = "1\n00:00:01,000 --> 00:00:02,000\nÜber die „Straße“ – größer.\n"


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        (ENGLISH, "utf-8", "utf-8"),
        (RUSSIAN, "utf-8", "utf-8"),
        (RUSSIAN, "utf-8-sig", "utf-8-sig"),
        (RUSSIAN, "utf-16", "utf-16"),
        (ENGLISH, "utf-16-le", "utf-16-le"),
        (ENGLISH, "utf-16-be", "utf-16-be"),
        (GERMAN, "utf-32", "utf-32"),
        (GERMAN, "cp1252", "cp1252"),
        (RUSSIAN, "cp1251", "cp1251"),
    ],
)
def test_the_encoding_is_found(text: str, encoding: str, found: str) -> None:
    assert decode_text(text.encode(encoding)) == (text, found)


@given(st.binary())
def test_any_bytes_become_text(data: bytes) -> None:
    assert isinstance(decode_text(data)[0], str)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff\0")))
def test_utf_8_reads_back_with_and_without_a_byte_order_mark(text: str) -> None:
    assert decode_text(encode_text(text))[0] == text
    assert decode_text(encode_text(text, bom=True))[0] == text


SENTENCES = {
    "cp932": "おはようございます。今日はとても寒いですね。\n昨日、駅で友達に会いました。",
    "euc_jp": "おはようございます。今日はとても寒いですね。\n昨日、駅で友達に会いました。",
    "iso2022_jp": "おはようございます。今日はとても寒いですね。",
    "gb18030": "你好，今天天气很好。\n我们一起去公园散步吧，好吗？",
    "big5": "你好，今天天氣很好。\n我們一起去公園散步吧，好嗎？",
    "cp949": "안녕하세요. 오늘은 날씨가 아주 좋네요.\n같이 산책하러 갈까요?",
    "cp1253": "Καλημέρα σας. Ο καιρός είναι πολύ ωραίος σήμερα.\nΠάμε μια βόλτα;",
    "koi8_r": "Доброе утро. Сегодня очень хорошая погода.\nПойдём погуляем?",
    "cp1251": "Доброе утро. Сегодня очень хорошая погода.\nПойдём погуляем?",
    "cp1255": "בוקר טוב. מזג האוויר יפה מאוד היום.\nבוא נלך לטייל.",
    "cp1256": "صباح الخير. الطقس جميل جدا اليوم.\nهيا نذهب في نزهة.",
    "cp874": "สวัสดีครับ วันนี้อากาศดีมาก\nไปเดินเล่นกันไหม",
    "cp1254": "Günaydın. Bugün hava çok güzel.\nYürüyüşe çıkalım mı, ağabey?",
    "cp1250": "Dobré ráno. Dnes je velmi pěkné počasí.\nPůjdeme na procházku, příšerně daleko.",
    "cp1252": "Bonjour. Il fait très beau aujourd’hui.\nAllons à la forêt, ça va être génial.",
    "cp1257": "Labas rytas. Šiandien labai gražus oras.\nEikime pasivaikščioti, mėlynė.",
}
"""Python's codecs are the reference."""


def as_srt(text: str) -> str:
    return "".join(
        f"{number}\n00:00:0{number},000 --> 00:00:0{number},900\n{text}\n\n"
        for number in range(1, 4)
    )


@pytest.mark.parametrize(("encoding", "text"), SENTENCES.items())
def test_files_from_before_unicode_are_read(encoding: str, text: str) -> None:
    written = as_srt(text)
    assert decode_text(written.encode(encoding)) == (written, encoding)
    assert decode_text(text.encode("utf-8")) == (text, "utf-8")


def test_polish_is_not_taken_for_french() -> None:
    text = as_srt("Dzień dobry. Chodźmy na spacer, zażółć gęślą jaźń.")
    assert decode_text(text.encode("cp1250"))[0] == text


def test_a_long_file_is_told_by_its_start() -> None:
    text = as_srt(SENTENCES["cp932"]) * 1000
    assert decode_text(text.encode("cp932"))[0] == text
