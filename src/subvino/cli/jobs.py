"""`subvino jobs`: work that was stopped and can be gone on with."""

from __future__ import annotations

import typer

from subvino.cli.screen import Screen, align, format_size

app = typer.Typer(
    no_args_is_help=True,
    help="Look after work that was stopped: the same command goes on with it.",
)


@app.command("list")
def list_stopped() -> None:
    """List what was stopped: up to which time it was done, and with which model."""
    from subvino.journal import list_jobs
    from subvino.pipeline import jobs_folder

    screen = Screen()
    jobs = list_jobs(jobs_folder())
    if not jobs:
        screen.note("nothing was stopped")
        return
    rows = [(job.media, format_clock(job.position), job.model) for job in jobs]
    for line in align([("INPUT", "DONE TO", "MODEL"), *rows]):
        screen.result(line)


@app.command()
def clean() -> None:
    """Forget all work that was stopped; what is being worked on just now stays."""
    from subvino.journal import clean_jobs
    from subvino.pipeline import jobs_folder

    n_jobs, n_bytes = clean_jobs(jobs_folder())
    what = "1 job" if n_jobs == 1 else f"{n_jobs} jobs"
    Screen().note(f"{what} forgotten, {format_size(n_bytes)} freed")


def format_clock(seconds: float) -> str:
    """As "1:02:03".

    >>> format_clock(3723.9)
    '1:02:03'
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
