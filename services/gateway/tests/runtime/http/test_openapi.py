"""The service keeps to its own OpenAPI document, whatever is sent."""

from uuid import uuid4

import httpx
import schemathesis
from gameshelf.devstack.pytest_plugin import sized
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import checks as every_check
from schemathesis.specs.openapi import checks as openapi_checks

# Random requests have to be answered as the document says, and never with a failure of ours.
CHECKS = (
    every_check.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_schema_conformance,
)


# Headers of HTTP itself, and those that do not depend on the call.
OF_HTTP = {
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "server",
    "transfer-encoding",
    "x-content-type-options",
}


def undescribed_headers(call, response, document):
    """The headers of a response that its description lacks."""
    described = call["responses"][str(response.status_code)]
    if "$ref" in described:
        described = document["components"]["responses"][described["$ref"].rpartition("/")[2]]
    return {name.lower() for name in response.headers} - {name.lower() for name in described["headers"]} - OF_HTTP


def test_random_requests_are_answered_as_the_document_says(platform, service):
    document = httpx.get(service.url + "/api/v1/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    headers = {"Authorization": f"Bearer {platform.token(uuid4())}"}
    tried = 0
    for result in schema.get_all_operations():
        operation = result.ok()

        @given(case=operation.as_strategy())
        @settings(
            max_examples=sized(1, 16),
            deadline=None,
            derandomize=True,
            database=None,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        )
        def ask(case):
            response = case.call(base_url=service.url, headers=headers)
            case.validate_response(response, checks=CHECKS)
            call = document["paths"][case.operation.path][case.operation.method]
            assert undescribed_headers(call, response, document) == set()

        ask()
        tried += 1
    assert tried == len([call for path in document["paths"].values() for call in path])
