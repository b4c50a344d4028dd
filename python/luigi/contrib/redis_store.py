"""Redis: a target that is a marker key, which may expire. The client is redis-py."""

from __future__ import annotations

import datetime
import logging

from luigi import configuration
from luigi.target import Target

logger = logging.getLogger("luigi-interface")

try:
    import redis
except ImportError:
    logger.warning(
        "Loading redis_store module without redis installed. "
        "Will crash at runtime if redis_store functionality is used."
    )


class RedisTarget(Target):
    """An update that is done as soon as Redis has a key for it."""

    #: How the marker keys begin: `[redis] marker-prefix`.
    marker_prefix = configuration.get_config().get("redis", "marker-prefix", "luigi")

    def __init__(
        self,
        host: str,
        port: int,
        db: int,
        update_id: str,
        password: str | None = None,
        socket_timeout: float | None = None,
        expire: int | None = None,
    ) -> None:
        """
        :param db: the number of the database.
        :param update_id: tells this update from others.
        :param socket_timeout: how long an answer may take, in seconds; None waits for ever.
        :param expire: after how many seconds the target is gone again; None keeps it.
        """
        self.host = host
        self.port = port
        self.db = db
        self.password = password
        self.socket_timeout = socket_timeout
        self.update_id = update_id
        self.expire = expire
        self.redis_client = redis.StrictRedis(
            host=host, port=port, password=password, db=db, socket_timeout=socket_timeout
        )

    def __str__(self) -> str:
        return self.marker_key()

    def marker_key(self) -> str:
        """The key of the marker, which is a hash of the update's id and the time."""
        return f"{self.marker_prefix}:{self.update_id}"

    def touch(self) -> None:
        """Marks the update as done. Marker and time of expiry are set together."""
        key = self.marker_key()
        steps = self.redis_client.pipeline(transaction=True)
        steps.hset(key, "update_id", self.update_id)
        steps.hset(key, "date", datetime.datetime.now().isoformat())
        if self.expire is not None:
            steps.expire(key, self.expire)
        steps.execute()

    def exists(self) -> bool:
        """Whether the update is marked as done."""
        return self.redis_client.exists(self.marker_key()) == 1
