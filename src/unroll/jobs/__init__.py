"""Jobs: configurations in roots of their own, each run by a process of its own."""

from unroll.jobs.job import Job

__all__ = ["Job"]
