from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from subvino.ahead import Ahead


def test_items_come_in_order_and_some_are_made_before_they_are_wanted() -> None:
    made = threading.Event()

    def items() -> Iterator[int]:
        yield 0
        yield 1
        made.set()
        yield from range(2, 50)

    ahead = Ahead(items(), 2)
    assert made.wait(60)
    assert list(ahead) == list(range(50))
    ahead.close()


def test_no_more_are_made_than_there_is_room_for_and_none_after_it_is_closed() -> None:
    n_made = 0

    def items() -> Iterator[int]:
        nonlocal n_made
        while True:
            n_made += 1
            yield n_made

    ahead = Ahead(items(), 3)
    assert next(iter(ahead)) == 1
    ahead.close()
    after = n_made
    assert after <= 5  # three in the queue, one taken, one in the hand
    assert n_made == after


def test_what_goes_wrong_is_raised_where_the_items_are_taken() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    ahead = Ahead(items(), 5)
    taken: list[int] = []
    with pytest.raises(ValueError, match="broken"):
        taken.extend(ahead)
    ahead.close()
