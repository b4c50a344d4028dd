"""Fixtures of the tests of ``luigi.contrib``."""

from .database_services import mysql_server, postgres_server, redis_server

__all__ = ["mysql_server", "postgres_server", "redis_server"]
