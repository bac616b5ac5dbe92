"""What no real endpoint has: `/faults` switches faults on and off, `/counters` shows what was counted."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from classifier_infra.local.asgi import Reply, Request
from classifier_infra.local.endpoint import NAMESPACE, Endpoint
from classifier_infra.local.faults import FaultError, Faults, parse_fault


@dataclass(frozen=True, slots=True)
class Control:
    """Answers the control paths of a server's endpoints."""

    endpoints: Sequence[Endpoint]
    faults: Faults

    def show_faults(self, request: Request) -> Reply:
        return _reply(200, {"faults": self.faults.to_json()})

    def set_faults(self, request: Request) -> Reply:
        """Switch on the faults of the body, one or a list of them, and no others."""
        try:
            data = json.loads(request.body)
            known = known_names(self.endpoints)
            self.faults.replace([parse_fault(fault, known) for fault in (data if isinstance(data, list) else [data])])
        except FaultError as error:
            return _refuse(400, "not_a_fault", str(error))
        except (ValueError, RecursionError):
            return _refuse(400, "not_json", "The body is no JSON.")
        return self.show_faults(request)

    def clear_faults(self, request: Request) -> Reply:
        self.faults.replace([])
        return self.show_faults(request)

    def show_counters(self, request: Request) -> Reply:
        metrics = [
            {"EndpointName": endpoint.name, "VariantName": variant.name} | variant.counters.to_json()
            for endpoint in self.endpoints
            for variant in endpoint.variants.values()
        ]
        return _reply(200, {"Namespace": NAMESPACE, "Metrics": metrics})


def refuse_control(request: Request) -> Reply:
    """Answer the control paths where one process of several would answer for itself alone."""
    return _refuse(409, "several_workers", "Faults and counters belong to one process: serve with --workers 1.")


def known_names(endpoints: Sequence[Endpoint]) -> dict[str, list[str]]:
    """Give the endpoints' names with those of their variants."""
    return {endpoint.name: list(endpoint.variants) for endpoint in endpoints}


def _refuse(status: int, code: str, message: str) -> Reply:
    return _reply(status, {"error": {"code": code, "message": message}})


def _reply(status: int, body: Mapping[str, Any]) -> Reply:
    return Reply(status, json.dumps(body, indent=1).encode() + b"\n", (("Content-Type", "application/json"),))
