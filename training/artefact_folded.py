"""The model folder: `model.tar.gz`, which BlazingText hosts as it is, and `manifest.json`.

The same model and manifest always give the same bytes.
"""

import gzip
import io
import tarfile
from pathlib import Path

from classifier_infra.model.artefact import ARCHIVE, MANIFEST, MODEL
from classifier_infra.model.manifest import Manifest
from training.data.atomic_files import write_together


def write_artefact(folder: Path, content: bytes, manifest: Manifest) -> None:
    """Write the model folder. Raises OSError, and then leaves the model that was there before."""
    write_together({folder / ARCHIVE: _archive(content), folder / MANIFEST: manifest.to_json().encode()})


def _archive(content: bytes) -> bytes:
    # Times and owners would change the bytes from run to run.
    file = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        member = tarfile.TarInfo(MODEL)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return file.getvalue()
