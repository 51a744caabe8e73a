"""Jobs: configurations in roots of their own, each run by a process of its own."""

from unroll.jobs.job import Job, JobFolder

__all__ = ["Job", "JobFolder"]
