"""Fixtures of the tests of ``luigi.contrib``."""

from .database_services import mysql_server, postgres_server, redis_server
from .programs import batch_system, hadoop, luigi_log, programs
from .scratch import leftovers

__all__ = [
    "batch_system",
    "hadoop",
    "leftovers",
    "luigi_log",
    "mysql_server",
    "postgres_server",
    "programs",
    "redis_server",
]
