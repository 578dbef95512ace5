"""Getting files whole over HTTP, and out of zips: resumable, checked, never half in place."""

from asdcli.fetch.archive import Member, unzip
from asdcli.fetch.client import client, require_address
from asdcli.fetch.disk import DiskError, guard_disk, megabytes, require_space
from asdcli.fetch.jobs import Job, run_jobs
from asdcli.fetch.part_file import Source, md5_of
from asdcli.fetch.retry import Retry
from asdcli.fetch.small import Unreachable, get_bytes, head_size
from asdcli.fetch.transfer import NotFound, Stopped, Watcher, transfer

__all__ = [
    "DiskError",
    "Job",
    "Member",
    "NotFound",
    "Retry",
    "Source",
    "Stopped",
    "Unreachable",
    "Watcher",
    "client",
    "get_bytes",
    "guard_disk",
    "head_size",
    "md5_of",
    "megabytes",
    "require_address",
    "require_space",
    "run_jobs",
    "transfer",
    "unzip",
]
