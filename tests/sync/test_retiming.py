from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subvino.subtitles import RawCue
from subvino.sync import Piece, Retiming, describe, to_json


@given(st.lists(st.integers(0, 100_000), unique=True, min_size=1), st.integers(-5000, 5000))
def test_one_piece_moves_every_cue_alike(starts: list[int], shift: int) -> None:
    cues = [RawCue(start, start + 6000, "x") for start in starts]
    times = Retiming(1.0, (Piece(0, shift),)).times(cues)
    for cue, new in zip(cues, times, strict=True):
        assert new == (max(cue.start_ms + shift, 0), cue.end_ms + shift)


@given(
    st.lists(st.integers(0, 100_000), min_size=2, unique=True).map(sorted),
    st.integers(1, 99_999),
    st.integers(-80_000, 80_000),
)
def test_what_has_a_place_stays_in_order(starts: list[int], at: int, jump: int) -> None:
    cues = [RawCue(start, start + 1, "x") for start in starts]
    times = Retiming(1.0, (Piece(0, 0), Piece(at, jump))).times(cues)
    placed = [new[0] for new in times if new is not None]
    assert placed == sorted(placed)


def test_what_would_lie_before_the_beginning_is_left_out_and_what_reaches_in_is_cut() -> None:
    cues = [RawCue(0, 1000, "gone"), RawCue(1500, 3000, "half"), RawCue(4000, 5000, "whole")]
    assert Retiming(1.0, (Piece(0, -2000),)).times(cues) == [None, (0, 1000), (2000, 3000)]


def test_what_is_done_is_told_in_a_line_and_in_json() -> None:
    pieces = (Piece(0, -1500, 71), Piece(258_013, -9000, 69))
    assert describe(Retiming(1.0, pieces)) == (
        "moved in 2 pieces: -1.500 s from 0:00, -9.000 s from 4:18"
    )
    assert describe(Retiming(1.0, (Piece(0, 0),))) == "moved by +0.000 s"
    assert describe(Retiming(1.01, (Piece(0, 0),))) == "stretched by 1.0100"
    row = json.loads(to_json(Retiming(25 / 24, pieces, 5.123), file="x.srt"))
    assert row == {
        "file": "x.srt",
        "rate": 1.041667,
        "certainty": 5.12,
        "pieces": [
            {"start_ms": 0, "shift_ms": -1500, "n_cues": 71},
            {"start_ms": 258_013, "shift_ms": -9000, "n_cues": 69},
        ],
    }


@pytest.mark.parametrize("pieces", [(), (Piece(5, 0), Piece(5, 1)), (Piece(5, 0), Piece(0, 1))])
def test_pieces_come_in_order(pieces: tuple[Piece, ...]) -> None:
    with pytest.raises(ValueError, match="piece"):
        Retiming(1.0, pieces)
