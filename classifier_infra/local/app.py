"""The local endpoint as a function from request to reply: SageMaker's door, the container's own, and controls."""

import re
from collections.abc import Callable, Sequence

from classifier_infra.local.asgi import App, Reply, Request
from classifier_infra.local.capture import Capture
from classifier_infra.local.container import answer_invocation
from classifier_infra.local.control import Control, refuse_control
from classifier_infra.local.endpoint import Endpoint, Variant
from classifier_infra.local.faults import Fault, Faults
from classifier_infra.local.runtime import FrontDoor, refuse_endpoint

_INVOCATIONS = re.compile(r"/endpoints/([^/]+)/invocations")
_TEXT = ("Content-Type", "text/plain")

Routes = dict[str, dict[str, Callable[[Request], Reply]]]  # by path, then by method


def create_app(
    endpoints: Sequence[Endpoint],
    faults: Sequence[Fault] = (),
    capture: Capture | None = None,
    is_alone: bool = True,
) -> App:
    """Build the application. The container's own door is that of the first endpoint's first variant.

    A process that is not alone in answering (`is_alone`) has no controls.
    """
    active = Faults()
    active.replace(faults)
    routes = _container_routes(next(iter(endpoints[0].variants.values())))
    routes |= _control_routes(Control(endpoints, active)) if is_alone else _refused_control_routes()
    for endpoint in endpoints:
        routes[f"/endpoints/{endpoint.name}/invocations"] = {"POST": FrontDoor(endpoint, active, capture).invoke}

    def app(request: Request) -> Reply:
        methods = routes.get(request.path)
        if methods is None:
            return _answer_unknown_path(request)
        handler = methods.get(request.method)
        return handler(request) if handler else Reply(405, headers=(("Allow", ", ".join(methods)),))

    return app


def _container_routes(variant: Variant) -> Routes:
    def invocations(request: Request) -> Reply:
        answer = answer_invocation(variant.model, request.header(b"content-type") or "", request.body)
        return Reply(answer.status, answer.body, (("Content-Type", answer.content_type),))

    return {"/invocations": {"POST": invocations}, "/ping": {"GET": lambda request: Reply(200)}}


def _control_routes(control: Control) -> Routes:
    return {
        "/faults": {"GET": control.show_faults, "PUT": control.set_faults, "DELETE": control.clear_faults},
        "/counters": {"GET": control.show_counters},
    }


def _refused_control_routes() -> Routes:
    return {
        "/faults": dict.fromkeys(("GET", "PUT", "DELETE"), refuse_control),
        "/counters": {"GET": refuse_control},
    }


def _answer_unknown_path(request: Request) -> Reply:
    invocations = _INVOCATIONS.fullmatch(request.path)
    if invocations and request.method == "POST":
        return refuse_endpoint(invocations[1])
    return Reply(404, b"There is nothing here. Invocations go to POST /endpoints/NAME/invocations.\n", (_TEXT,))
