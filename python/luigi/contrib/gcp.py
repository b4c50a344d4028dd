"""How the Google Cloud modules log in."""

from __future__ import annotations

import logging
from typing import Any

logger = logging.getLogger("luigi-interface")

try:
    import google.auth
    import google.auth.exceptions
    import httplib2
except ImportError:
    logger.warning(
        "Loading GCP module without the python packages httplib2, google-auth. "
        "This *could* crash at runtime if no other credentials are provided."
    )


def get_authenticate_kwargs(oauth_credentials: Any = None, http_: Any = None) -> dict[str, Any]:
    """The arguments by which `googleapiclient.discovery.build` logs in.

    Credentials that are given come first, then an HTTP client that is given, then the machine's default credentials.
    Without any of them an HTTP client that does not log in is used.
    """
    if oauth_credentials:
        return {"credentials": oauth_credentials}
    if http_:
        return {"http": http_}
    try:
        return {"credentials": google.auth.default()[0]}
    except google.auth.exceptions.DefaultCredentialsError:
        return {"http": httplib2.Http()}
