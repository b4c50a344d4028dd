"""Marks and looks for updates with stock Luigi's own targets: `KIND HOST:PORT|FILE DATABASE touch|exists UPDATE_ID`."""

import sys

kind, place, database, action, update_id = sys.argv[1:]
USER, PASSWORD = "loader", "open-sesame"

if kind == "postgresql":
    from luigi.contrib.postgres import PostgresTarget

    target = PostgresTarget(place, database, USER, PASSWORD, "rain", update_id)
elif kind == "mariadb":
    from luigi.contrib.mysqldb import MySqlTarget

    target = MySqlTarget(place, database, USER, PASSWORD, "rain", update_id)
elif kind == "sqlite":
    from luigi.contrib.sqla import SQLAlchemyTarget

    target = SQLAlchemyTarget(f"sqlite:///{place}", "rain", update_id)
else:
    raise SystemExit(f"no such database: {kind}")

if action == "touch":
    target.touch()
print(target.exists())
