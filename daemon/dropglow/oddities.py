"""Say what is odd about a result that is whole: another size than was asked for, or no new picture at all. Pure.

It is paid for and delivered all the same; that nobody is surprised is all that can be done about it.
"""

from __future__ import annotations

from dropglow.model import Artifact, Job


def oddities(job: Job, artifact: Artifact) -> tuple[str, ...]:
    """Return what is odd about *artifact*, a result of *job*, each as a sentence about it; mostly nothing."""
    said = (_size(job, artifact), _sent(job, artifact), _twin(job, artifact))
    return tuple(each for each in said if each)


def _size(job: Job, artifact: Artifact) -> str:
    found = f"{artifact.width}x{artifact.height}"
    if not job.order.size or artifact.width is None or found == job.order.size:
        return ""
    return f"it is {found} pixels, and {job.order.size} was asked for"


def _sent(job: Job, artifact: Artifact) -> str:
    """Compare with what was sent; its digest may be followed by how it was prepared, and where it lies."""
    sent = any(upload.sha256.startswith(artifact.sha256) for upload in job.uploads)
    return "it is the very picture that was sent" if sent else ""


def _twin(job: Job, artifact: Artifact) -> str:
    others = [
        each for each in job.artifacts if each.sha256 == artifact.sha256 and each.index < artifact.index
    ]
    return f"it is the same as result {others[0].index + 1}" if others else ""
