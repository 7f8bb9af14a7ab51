"""A server: jobs that survive it, and the interfaces through which clients ask for them.

Floor 5 of the road. `subvino serve` runs `create_app` in one process. `job` holds the types,
`store` what survives, `worker` does the work, `jobs` is what every interface talks to;
`jobs_api`, `openai_api` and `asr_api` have a handler for each endpoint, `web` is the page.

What the page and the interfaces build on (keep it as it is):

    from subvino.server import Jobs, JobOptions, ServerSettings, create_app

    jobs = Jobs(ServerSettings(folder))      # `create_app(settings)` makes its own: app.state.jobs
    job = jobs.submit_file(path, JobOptions(model="base", task="transcribe", language="de"),
                           name="talk.mp4")  # -> Job, queued (or done at once, from the store)
    job = jobs.submit_url("https://...", JobOptions())
    for job in jobs.watch(job.id):           # a Job at every change, the last one finished
        job.state                            # queued, running, done, failed, cancelled
        job.progress, job.eta, job.step      # 0..1 or None; seconds or None; "load the model"
        jobs.segments(job.id, since=n)       # Segments heard so far, from the n-th on
    jobs.transcript(job.id)                  # Transcript, or the error the job failed with
    jobs.render(job.id, "srt", OutputOptions(profile="netflix"))      # bytes of a file
    jobs.media(job.id)                       # Path of the media here, to play it; None if gone
    jobs.list(limit=50), jobs.get(id), jobs.cancel(id), jobs.delete(id), jobs.place(id)
    offered_models(settings)                 # names that JobOptions.model may have

All of these may be called from any thread, but they read and write files: not from the event loop.
Errors are `SubvinoError`s whose message can be shown as it is. Without the extra `serve` importing
this raises MissingExtraError.
"""

from __future__ import annotations

from importlib.util import find_spec

from subvino.errors import MissingExtraError

if any(
    find_spec(name) is None for name in ("fastapi", "gradio", "prometheus_client", "sqlalchemy")
):
    raise MissingExtraError("serve", "a server")

from subvino.server.app import create_app
from subvino.server.job import Job, JobOptions, JobState, JobTask
from subvino.server.jobs import Jobs
from subvino.server.loaded import offered_models
from subvino.server.settings import Limits, ServerSettings, default_folder

__all__ = [
    "Job",
    "JobOptions",
    "JobState",
    "JobTask",
    "Jobs",
    "Limits",
    "ServerSettings",
    "create_app",
    "default_folder",
    "offered_models",
]
