"""The one table of errors: which HTTP status each class has, and back from what a job keeps.

Floor 5 of the road.
"""

from __future__ import annotations

from subvino import errors
from subvino.errors import SubvinoError
from subvino.server.job import Job

STATUSES: tuple[tuple[type[SubvinoError], int], ...] = (
    (errors.UnauthorizedError, 401),
    (errors.ForbiddenError, 403),
    (errors.JobNotFoundError, 404),
    (errors.RequestTimeoutError, 408),
    (errors.JobNotReadyError, 409),
    (errors.JobCancelledError, 409),
    (errors.TooLargeError, 413),
    (errors.TooManyRequestsError, 429),
    (errors.RequestError, 400),
    (errors.OptionError, 400),
    (errors.NotMediaError, 415),
    (errors.InputError, 422),
    (errors.ModelNotFoundError, 404),
    (errors.MissingExtraError, 501),
    (errors.DiskFullError, 507),
    (errors.ModelError, 503),
    (errors.DeviceError, 503),
    (errors.ServerError, 503),
    (errors.OutputError, 500),
)
"""The first row that an error belongs to counts."""


def status_of(error: Exception) -> int:
    """The HTTP status that tells a client of an error."""
    fitting = (status for kind, status in STATUSES if isinstance(error, kind))
    return next(fitting, 500)


def failure_of(job: Job) -> SubvinoError:
    """The error that a job failed with, of the class it had."""
    kind = getattr(errors, job.error_kind or "", None)
    if not isinstance(kind, type) or not issubclass(kind, SubvinoError):
        kind = errors.ServerError
    # Each class is built from data of its own; what is kept is the message they made of it.
    error: SubvinoError = kind.__new__(kind)
    error.args = (job.error or "it failed",)
    return error
