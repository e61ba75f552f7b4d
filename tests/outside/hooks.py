"""What OpenAPI has no word for: headers that have to agree, a time after another, an end that lies in the future.

Only what is meant to be accepted is touched. What is meant to be refused is sent as it was made.
"""

from datetime import datetime, timezone

import schemathesis
from hypothesis import strategies

FUTURE = (datetime(2100, 1, 1), datetime(9000, 1, 1))

schemathesis.openapi.format(
    "date-time",
    strategies.datetimes(*FUTURE, timezones=strategies.just(timezone.utc)).map(datetime.isoformat),
)


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if case.path == "/authorize":
        agree(case.headers)
    if case.path == "/v1/audit-logs" and {"from", "to"} <= case.query.keys():
        case.query["from"], case.query["to"] = sorted([case.query["from"], case.query["to"]])
    # Values of earlier answers are tried as well, and what is in those is over.
    if case.method in ("POST", "PATCH") and isinstance(case.body, dict):
        end = case.body.get("expires_at")
        if isinstance(end, str) and end < FUTURE[0].isoformat():
            case.body["expires_at"] = FUTURE[1].isoformat() + "Z"


def agree(headers):
    """nginx and Traefik tell of the same call in headers of their own: one pair is needed, and both say the same."""
    for nginx, traefik, usual in [
        ("X-Original-Method", "X-Forwarded-Method", "GET"),
        ("X-Original-URI", "X-Forwarded-Uri", "/v1/contacts"),
    ]:
        told = headers.get(nginx) or headers.get(traefik) or usual
        # The coverage phase leaves the pattern of a header out of account.
        if usual.startswith("/") and not told.startswith("/"):
            told = usual
        headers[nginx] = told
        if traefik in headers:
            headers[traefik] = told
