import csv
import io

from subvino.formats.tsv import write
from subvino.subtitles import Cue, Subtitles


def test_a_table_with_whispers_columns() -> None:
    cues = Subtitles((Cue(0, 1500, ("Hello\t", "you")), Cue(1583, 3000, ("a\nb",))))
    table = csv.reader(io.StringIO(write(cues)), delimiter="\t")
    assert list(table) == [
        ["start", "end", "text"],
        ["0", "1500", "Hello you"],
        ["1583", "3000", "a b"],
    ]
