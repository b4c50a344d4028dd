"""What a Hadoop client says about its job: the ids, the address of its page, and from there why tasks failed."""

from __future__ import annotations

import logging
import random
import re
from typing import Any, Callable

logger = logging.getLogger("luigi-interface")

#: How the clients word the address of a job's page.
TRACKING_RE = re.compile(r"(tracking url|the url to track the job):\s+(?P<url>.+)$", re.IGNORECASE)

_JOB_RE = re.compile(r"(?:running job|submitted hadoop job): (?P<id>.*)$", re.IGNORECASE)
_APPLICATION_RE = re.compile(r"submitted application (?P<id>.*)$", re.IGNORECASE)
_TRACEBACK_RE = re.compile(rb"luigi-exc-hex=([0-9a-f]+)")

_PAGE_TIMEOUT_SECONDS = 3.0
_MOST_FAILURES = 10


class JobReport:
    """Collects what matters from the lines that a client writes on its error stream.

    A job may have several stages, so the last id and the last address count, and every address is told.
    """

    def __init__(self, on_tracking_url: Callable[[str], Any] | None) -> None:
        self._on_tracking_url = on_tracking_url
        self.lines: list[str] = []
        self.tracking_url: str | None = None
        self.job_id: str | None = None
        self.application_id: str | None = None

    def add(self, line: str) -> None:
        """Take in one line and show it in the log."""
        self.lines.append(line)
        text = line.strip()
        if not text:
            return
        logger.info("%s", text)
        if match := TRACKING_RE.search(text):
            self.tracking_url = match["url"]
            self._tell(match["url"])
        if match := _JOB_RE.search(text):
            self.job_id = match["id"]
        if match := _APPLICATION_RE.search(text):
            self.application_id = match["id"]

    def _tell(self, url: str) -> None:
        if self._on_tracking_url is None:
            return
        try:
            self._on_tracking_url(url)
        except Exception as error:
            logger.error("Error in tracking_url_callback, disabling! %s", error)
            self._on_tracking_url = None


def fetch_task_failures(tracking_url: str) -> str:
    """Read tracebacks of failed tasks from the job tracker's pages, which needs the package ``mechanize``.

    A page that does not answer within three seconds is left out. No more than ten tasks are looked at, chosen at
    random so that those that failed early do not stand for all.
    """
    import mechanize

    failures_url = tracking_url.replace("jobdetails.jsp", "jobfailures.jsp") + "&cause=failed"
    logger.debug("Fetching data from %s", failures_url)
    browser = mechanize.Browser()
    browser.open(failures_url, timeout=_PAGE_TIMEOUT_SECONDS)
    links = list(browser.links(text_regex="Last 4KB"))
    texts: list[str] = []
    for link in random.sample(links, min(_MOST_FAILURES, len(links))):
        # The link shows the last 4 KB of a log; a traceback may be longer.
        log_url = getattr(link, "absolute_url", link.url).replace("&start=-4097", "&start=-100000")
        for traceback in _tracebacks_at(mechanize.Browser(), log_url):
            texts += ["---------- %s:" % log_url, traceback]
    return "\n".join(texts)


def _tracebacks_at(browser: Any, url: str) -> list[str]:
    logger.debug("Fetching data from %s", url)
    try:
        data = browser.open(url, timeout=_PAGE_TIMEOUT_SECONDS).read()
    except Exception as error:
        logger.debug("Error fetching data from %s: %s", url, error)
        return []
    return [bytes.fromhex(found.decode()).decode("utf-8", "replace") for found in _TRACEBACK_RE.findall(data)]
