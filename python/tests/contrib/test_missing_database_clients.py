"""Each database module can be imported without its client library, and says so; it fails when it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Makes the import of some packages fail, imports the module, and then uses it.
PROGRAM = """
import importlib, logging, sys
for name in {blocked!r}:
    sys.modules[name] = None
logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s", level=logging.WARNING)
module = importlib.import_module("luigi.contrib.{module}")
print("imported")
try:
    {use}
except (NameError, AttributeError, ImportError) as error:
    print("unusable:", type(error).__name__)
"""


@pytest.mark.parametrize(
    ("module", "blocked", "warning", "use"),
    [
        (
            "postgres",
            ["psycopg2", "pg8000"],
            "Loading postgres module without psycopg2 nor pg8000 installed.",
            "module.PostgresTarget('h', 'd', 'u', 'p', 't', 'i').exists()",
        ),
        (
            "mysqldb",
            ["mysql"],
            "Loading MySQL module without the python package mysql-connector-python.",
            "module.MySqlTarget('h', 'd', 'u', 'p', 't', 'i').exists()",
        ),
        (
            "mssqldb",
            ["pymssql"],
            "Loading MSSQL module without the python package pymssql.",
            "module.MSSqlTarget('h', 'd', 'u', 'p', 't', 'i').exists()",
        ),
        (
            "redshift",
            ["psycopg2"],
            "Loading postgres module without psycopg2 installed.",
            "module.psycopg2",
        ),
        ("presto", ["pyhive"], "pyhive[presto] is not installed.", "module.Connection()"),
        (
            "redis_store",
            ["redis"],
            "Loading redis_store module without redis installed.",
            "module.RedisTarget('h', 1, 2, 'i')",
        ),
        (
            "esindex",
            ["elasticsearch"],
            "Loading esindex module without elasticsearch installed.",
            "module.ElasticsearchTarget('h', 1, 'i', 't', 'u')",
        ),
        (
            "salesforce",
            ["requests"],
            "This module requires the python package 'requests'.",
            "module.SalesforceAPI('u', 'p', 't').start_session()",
        ),
        (
            "bigquery",
            ["googleapiclient", "httplib2", "google"],
            "BigQuery module imported, but google-api-python-client is not installed.",
            "module.BigQueryClient('credentials')",
        ),
        (
            "gcp",
            ["google", "httplib2"],
            "Loading GCP module without the python packages httplib2, google-auth.",
            "module.get_authenticate_kwargs()",
        ),
        (
            "bigquery_avro",
            ["avro"],
            "bigquery_avro module imported, but avro is not installed.",
            "module.avro.datafile",
        ),
        ("mongodb", ["pymongo"], "", "module.MongoRangeTarget({}, 'i', 'c', ['d'], 'f').write({'d': 1})"),
        ("sqla", ["sqlalchemy"], None, ""),
    ],
)
def test_a_module_without_its_client(module, blocked, warning, use):
    program = PROGRAM.format(module=module, blocked=blocked, use=use or "pass")
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    if warning is None:
        # As in Luigi, this module is nothing without its client.
        assert "ModuleNotFoundError" in run.stderr or "ImportError" in run.stderr
        return
    assert "imported" in run.stdout, run.stderr
    assert "unusable:" in run.stdout
    assert warning in run.stdout + run.stderr
