"""Write requests and answers to files as SageMaker's data capture does for Model Monitor.

    DIR/<endpoint>/<variant>/yyyy/mm/dd/hh/<minute>-<second>-<uuid>.jsonl

The files hold customers' text, so only their owner can read them.
"""

import json
import logging
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from classifier_infra.local.container import Answer
from classifier_infra.local.endpoint import Rotation

_logger = logging.getLogger(__name__)
_PRIVATE_FOLDER = 0o700
_PRIVATE_FILE = 0o600


@dataclass(slots=True)
class Capture:
    """Write a percentage (over 0, at most 100) of the invocations to a folder, one line each, without buffering."""

    folder: Path
    percentage: float = 100.0
    _rotation: Rotation = field(init=False)
    _files: dict[Path, Path] = field(default_factory=dict)
    _is_paused: bool = False

    def __post_init__(self) -> None:
        self._rotation = Rotation((self.percentage, 100 - self.percentage))

    def record(self, endpoint: str, variant: str, headers: Mapping[str, str], body: bytes, answer: Answer) -> None:
        """Write an invocation if it belongs to the sample. A full disk stops the capture, not the invocation."""
        # Our choice: requests that the container refused are not captured.
        if self._is_paused or answer.status != 200 or self._rotation.next() != 0:
            return
        now = datetime.now(UTC)
        try:
            _append(self._file(Path(endpoint, variant), now), _line(headers, body, answer, now))
        except OSError as error:
            self._is_paused = True
            _logger.warning("Data capture into %s has stopped: %s", self.folder, error.strerror)

    def _file(self, variant: Path, now: datetime) -> Path:
        hour = self.folder / variant / now.strftime("%Y/%m/%d/%H")
        if hour not in self._files:
            self.folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
            hour.mkdir(parents=True, exist_ok=True)
            # Unique, because several processes may capture into the same folder.
            self._files[hour] = hour / f"{now:%M-%S}-{uuid.uuid4()}.jsonl"
        return self._files[hour]


def _append(path: Path, line: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _PRIVATE_FILE)
    try:
        os.write(file, line)
    finally:
        os.close(file)


def _line(headers: Mapping[str, str], body: bytes, answer: Answer, now: datetime) -> bytes:
    metadata = {"eventId": str(uuid.uuid4()), "inferenceTime": now.strftime("%Y-%m-%dT%H:%M:%SZ")}
    if inference_id := headers.get("x-amzn-sagemaker-inference-id"):
        metadata["inferenceId"] = inference_id
    record = {
        "captureData": {
            "endpointInput": _side("INPUT", headers.get("content-type", ""), body),
            "endpointOutput": _side("OUTPUT", answer.content_type, answer.body),
        },
        "eventMetadata": metadata,
        "eventVersion": "0",
    }
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def _side(mode: str, content_type: str, data: bytes) -> dict[str, str]:
    # SageMaker stores the content types that the capture lists as JSON (we list both that are answered) as plain text.
    return {"observedContentType": content_type, "mode": mode, "data": data.decode(), "encoding": "JSON"}
