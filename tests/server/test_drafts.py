from __future__ import annotations

from pathlib import Path

import pytest

from subvino.errors import OptionError
from subvino.server.drafts import MAX_STEPS, Draft, Drafts
from subvino.transcript import Segment, Transcript, Word

WORDS = tuple(
    Word(f" word{number}" if number else "word0", number / 2, number / 2 + 0.4, 0.5)
    for number in range(12)
)
TRANSCRIPT = Transcript(
    (Segment("".join(word.text for word in WORDS), 0.0, 6.0, WORDS),), "en", 1.0, 6.0
)


@pytest.fixture
def drafts(tmp_path: Path) -> Drafts:
    return Drafts(tmp_path / "drafts")


def write(drafts: Drafts, draft: Draft, text: str) -> Draft:
    change = {"do": "text", "cue": 0, "text": text}
    return drafts.change("a", TRANSCRIPT, draft.revision, change)


def test_a_draft_begins_as_its_profile_cuts_it(drafts: Drafts) -> None:
    drafts.begin("a", "social-vertical")
    draft = drafts.open("a", TRANSCRIPT)
    assert (draft.profile, draft.edited, draft.can_undo) == ("social-vertical", False, False)
    assert len(draft.cues) > len(drafts.open("b", TRANSCRIPT).cues)


def test_changes_outlive_the_process_and_can_be_undone_and_done_again(tmp_path: Path) -> None:
    first = Drafts(tmp_path)
    before = first.open("a", TRANSCRIPT)
    changed = write(first, before, "Changed.")
    assert changed.cues[0].text == "Changed."
    again = Drafts(tmp_path)
    assert again.open("a", TRANSCRIPT) == changed
    undone = again.change("a", TRANSCRIPT, changed.revision, {"do": "undo"})
    assert undone.cues == before.cues
    assert (undone.edited, undone.can_undo, undone.can_redo) == (False, False, True)
    redone = again.change("a", TRANSCRIPT, undone.revision, {"do": "redo"})
    assert redone == changed


def test_a_change_after_undo_forgets_what_was_undone(drafts: Drafts) -> None:
    one = write(drafts, drafts.open("a", TRANSCRIPT), "One.")
    two = write(drafts, one, "Two.")
    back = drafts.change("a", TRANSCRIPT, two.revision, {"do": "undo"})
    other = write(drafts, back, "Other.")
    assert (other.cues[0].text, other.can_redo) == ("Other.", False)
    with pytest.raises(OptionError, match="nothing to redo"):
        drafts.change("a", TRANSCRIPT, other.revision, {"do": "redo"})


def test_a_change_of_an_older_draft_is_refused_and_changes_nothing(drafts: Drafts) -> None:
    old = drafts.open("a", TRANSCRIPT)
    new = write(drafts, old, "New.")
    with pytest.raises(OptionError, match="on another page"):
        write(drafts, old, "Late.")
    assert drafts.open("a", TRANSCRIPT) == new


def test_another_profile_cuts_anew_and_undo_brings_the_edits_back(drafts: Drafts) -> None:
    edited = write(drafts, drafts.open("a", TRANSCRIPT), "Mine.")
    cut = drafts.change("a", TRANSCRIPT, edited.revision, {"do": "profile", "profile": "bbc"})
    assert (cut.profile, cut.edited) == ("bbc", False)
    back = drafts.change("a", TRANSCRIPT, cut.revision, {"do": "undo"})
    assert (back.profile, back.cues) == (edited.profile, edited.cues)
    with pytest.raises(OptionError, match="no profile"):
        drafts.change("a", TRANSCRIPT, back.revision, {"do": "profile", "profile": "../x"})


def test_what_changes_nothing_makes_no_step(drafts: Drafts) -> None:
    draft = drafts.open("a", TRANSCRIPT)
    assert write(drafts, draft, draft.cues[0].text) == draft


def test_steps_are_kept_up_to_a_number(drafts: Drafts, tmp_path: Path) -> None:
    draft = drafts.open("a", TRANSCRIPT)
    for number in range(MAX_STEPS + 5):
        draft = write(drafts, draft, f"Text {number}.")
    assert len(list((tmp_path / "drafts" / "a").glob("*.json"))) == MAX_STEPS


def test_drafts_of_jobs_that_are_gone_are_forgotten(drafts: Drafts, tmp_path: Path) -> None:
    write(drafts, drafts.open("a", TRANSCRIPT), "A.")
    drafts.begin("b", "bbc")
    drafts.keep_only({"b"})
    assert [path.name for path in (tmp_path / "drafts").iterdir()] == ["b"]
    assert not drafts.open("a", TRANSCRIPT).edited
