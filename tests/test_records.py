from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subvino.records import RecordFile, read_records

RECORDS: list[dict[str, object]] = [
    {"text": "Grüße\n \x00", "start": 0.1},
    {},
    {"n": 1e-300, "rows": [[None, True, "x" * 300]]},
    {"end": 1 / 3},
]


def fill(path: Path, records: list[dict[str, object]] = RECORDS) -> bytes:
    path.unlink(missing_ok=True)
    file = RecordFile(path)
    for record in records:
        file.add(record)
    file.close()
    return path.read_bytes()


def read(path: Path) -> list[object]:
    file = RecordFile(path)
    records = [dict(record) for _, record in file.read()]
    file.close()
    return list(records)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("records") / "a.journal"


def test_records_come_back_as_they_were_to_the_last_bit_of_a_number(path: Path) -> None:
    fill(path)
    assert read(path) == RECORDS


@settings(deadline=None, max_examples=40)  # each writes to the disk
@given(st.data())
def test_cut_off_anywhere_it_holds_the_whole_records_before_and_goes_on(
    path: Path, data: st.DataObject
) -> None:
    content = fill(path)
    n_bytes = data.draw(st.integers(0, len(content)))
    path.write_bytes(content[:n_bytes])
    n_whole = content[:n_bytes].count(b"\n")
    assert read(path) == RECORDS[:n_whole]
    file = RecordFile(path)
    file.add({"new": 1})
    file.close()
    assert read(path) == [*RECORDS[:n_whole], {"new": 1}]


@settings(deadline=None, max_examples=40)  # each writes to the disk
@given(st.data())
def test_a_damaged_byte_costs_its_record_and_those_behind_and_gives_nothing_wrong(
    path: Path, data: st.DataObject
) -> None:
    content = bytearray(fill(path))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    n_whole = bytes(content[:place]).count(b"\n")
    assert read(path) == RECORDS[:n_whole]


@settings(deadline=None, max_examples=40)
@given(st.binary(max_size=300))
def test_any_other_file_holds_no_records(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert [record for _, record in read_records(path)] == []


def test_what_stands_behind_an_offset_can_be_cut_off(path: Path) -> None:
    fill(path)
    file = RecordFile(path)
    offsets = [offset for offset, _ in file.read()]
    file.cut(offsets[2])
    file.add({"other": 2})
    file.close()
    assert read(path) == [*RECORDS[:2], {"other": 2}]
