from __future__ import annotations

import json
from pathlib import Path

import pytest

from subvino.evaluate import (
    ClipResult,
    ErrorCounts,
    Invention,
    Report,
    Table,
    TimingErrors,
    draw_plots,
    render_page,
)


def result(
    manifest: str,
    engine: str,
    language: str | None,
    errors: ErrorCounts | None,
    heard_language: str | None = None,
    invented: Invention | None = None,
    words: TimingErrors | None = None,
) -> ClipResult:
    return ClipResult(
        manifest, "clip", engine, language, 60.0, 4.0, "<said>", "<script>heard</script>",
        heard_language, errors, invented, words,
    )  # fmt: skip


@pytest.fixture
def report() -> Report:
    """Two engines; German, Chinese, and a file in which nobody speaks."""
    return Report(
        (
            result("one", "x", "de", ErrorCounts(8, 1, 1, 0), "de"),
            result("one", "y", "de", ErrorCounts(9, 1, 0, 0), "nl"),
            result("one", "x", "zh", ErrorCounts(10, 0, 0, 5), "zh"),
            result("one", "y", "zh", ErrorCounts(10, 0, 0, 0), "zh"),
            result("<b>", "x", None, None, invented=Invention(3, 2.5)),
            result("<b>", "y", None, None, invented=Invention(0, 0.0)),
            result("two", "x", "de", ErrorCounts(4), words=TimingErrors((0.06, -0.01), (), 2)),
            result("two", "y", "de", ErrorCounts(4), words=TimingErrors((0.3,), (), 2)),
        )
    )


def figures(report: Report) -> dict[tuple[str, str], tuple[float | None, str]]:
    return {
        (s.group, s.engine): (s.errors.rate if s.errors else None, s.unit)
        for s in report.summaries()
    }


def test_errors_are_summed_by_set_by_language_and_over_everything(report: Report) -> None:
    found = figures(report)
    assert found["one", "x"] == (7 / 20, "words and characters")
    assert found["zh", "x"] == (5 / 10, "characters")
    assert found["de", "y"] == (1 / 14, "words")
    assert found["all", "x"] == (7 / 24, "words and characters")
    assert found["<b>", "x"] == (None, "words")


def test_language_invention_and_speed_are_summed_too(report: Report) -> None:
    by_group = {(s.group, s.engine): s for s in report.summaries()}
    assert by_group["one", "x"].language_accuracy == 1.0
    assert by_group["one", "y"].language_accuracy == 0.5
    assert by_group["two", "y"].language_accuracy is None
    assert by_group["all", "x"].invented == Invention(3, 2.5)
    assert by_group["one", "x"].invented is None
    assert by_group["all", "x"].real_time_factor == pytest.approx(15)
    onsets = by_group["all", "x"].word_onsets
    assert onsets is not None
    assert onsets.median_ms == pytest.approx(35)
    assert onsets.within == (0.5, 1.0, 1.0)


def test_tables_show_only_what_was_measured(report: Report) -> None:
    assert [table.title for table in report.tables()] == ["Words", "Word onset", "No speech"]
    words = report.tables()[0]
    assert [row[0] for row in words.rows] == [
        name for name in ("one", "two", "language de", "language zh", "all") for _ in "xy"
    ]
    assert dict(zip(words.head, words.rows[0], strict=True)) == {
        "set or language": "one",
        "engine": "x",
        "clips": "2",
        "minutes": "2.0",
        "unit": "W+C",
        "in reference": "20",
        "error %": "35.00",
        "sub": "1",
        "del": "1",
        "ins": "5",
        "language right %": "100.00",
        "x real time": "15.0",
    }


def test_a_table_reads_as_markdown() -> None:
    table = Table("Words", ("set", "engine", "n"), (("a|b", "x", "10"),))
    assert table.to_markdown() == (
        "**Words**\n\n| set  | engine |   n |\n| ---- | ------ | --: |\n| a\\|b | x      |  10 |\n"
    )


def test_json_has_every_figure(report: Report) -> None:
    read = json.loads(report.to_json())
    assert read["engines"] == ["x", "y"]
    assert len(read["clips"]) == 8
    assert read["clips"][0]["errors"] == {
        "hits": 8, "substitutions": 1, "deletions": 1, "insertions": 0, "rate": 0.2,
    }  # fmt: skip
    total = next(s for s in read["summaries"] if (s["kind"], s["engine"]) == ("all", "x"))
    assert total["word_onsets"]["median_ms"] == 35
    assert "language_accuracy" not in read["clips"][0]


def test_plots_are_drawn_of_what_was_measured(report: Report) -> None:
    plots = draw_plots(report)
    assert set(plots) == {"errors", "timing"}
    for png in plots.values():
        assert png.startswith(b"\x89PNG\r\n\x1a\n")
        width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
        assert (width, height) == (1080, 540)
    assert draw_plots(report) == plots
    assert not draw_plots(Report(report.results[4:6]))


def test_the_page_stands_alone_and_escapes_what_it_shows(report: Report, tmp_path: Path) -> None:
    page = render_page(report, {"errors": b"png"}, "<Evaluation>")
    assert "<title>&lt;Evaluation&gt;</title>" in page
    assert "&lt;script&gt;heard&lt;/script&gt;" in page
    assert "<script" not in page
    assert "<b>" not in page
    assert 'src="data:image/png;base64,cG5n"' in page
    assert "http" not in page
