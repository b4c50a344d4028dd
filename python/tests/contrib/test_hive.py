"""luigi.contrib.hive with a stand-in for the `hive` command, for HDFS and for the metastore's bindings."""

from __future__ import annotations

import os
import sys
import types

import pytest

import luigi
from luigi.contrib import hive

# Answers by what the statement asks, and keeps a copy of the files that it is given.
ANSWERS = r"""
case "$2" in
  *'describe formatted orders PARTITION'*) printf 'x\nLocation:\thdfs://n/orders/p\t\n';;
  *'describe formatted orders'*) printf 'x\nLocation:\thdfs://n/orders\t\n';;
  *'describe orders'*) printf 'name\tstring\tNone\nvalue\tint\t\n';;
  *'describe lost'*) printf 'FAILED: Table not found lost'; exit 17;;
  *'describe gone'*) printf 'Table gone does not exist';;
  *'show tables like "ORDERS"'*|*'show tables like "orders"'*) printf 'OK\norders\n';;
  *"show partitions orders partition (\`day\`='1',\`note\`='it\\'s')"*) printf 'day=1/note=its\n';;
  *'show partitions lost'*) echo 'no table' >&2; exit 10;;
  *'show partitions broken'*) echo 'no server' >&2; exit 10;;
  *'show tables like "broken"'*) printf 'broken\n';;
  *'describe formatted'*) printf 'nothing\n';;
esac
if [ "$1" = -f ]; then
  cp "$2" script
  echo "The url to track the job: http://tracker/job_1" >&2
  [ "$(cat script)" != FAIL ] || exit 3
fi
"""


@pytest.fixture
def command(programs):
    """The `hive` command; calls it the folder of programs, which knows with which arguments it was called."""
    programs.add("hive", ANSWERS)
    return programs


@pytest.fixture
def client(command):
    return hive.HiveCommandClient()


def test_the_command_is_configured(configure, programs):
    configure({"hive": {"command": "beeline --silent"}})
    programs.add("beeline", "echo done")
    assert hive.run_hive_cmd("show tables") == "done\n"
    assert programs.calls("beeline") == [["--silent", "-e", "show tables"]]


def test_a_command_that_fails_says_what_it_printed(command):
    with pytest.raises(hive.HiveCommandError, match="failed with error code: 17") as caught:
        hive.run_hive_cmd("describe lost")
    assert (caught.value.out, caught.value.err) == (b"FAILED: Table not found lost", b"")
    assert hive.run_hive_cmd("describe lost", check_return_code=False) == "FAILED: Table not found lost"


def test_a_script(command):
    with open("some.hql", "w") as file:
        file.write("SELECT 1")
    hive.run_hive_script("some.hql")
    assert command.calls("hive") == [["-f", "some.hql"]]
    with pytest.raises(RuntimeError, match="does not exist"):
        hive.run_hive_script("none.hql")


def test_what_the_command_tells_of_tables(client):
    assert client.table_exists("orders") is True
    assert client.table_exists("ORDERS") is True
    assert client.table_exists("other") is False
    assert client.table_location("orders") == "hdfs://n/orders"
    assert client.table_location("orders", partition={"day": 1}) == "hdfs://n/orders/p"
    assert client.table_location("other") is None
    assert client.table_schema("orders") == [("name", "string", "None"), ("value", "int")]
    assert client.table_schema("gone") is None
    assert client.table_schema("nothing") is None


def test_what_the_command_tells_of_partitions(client):
    assert client.table_exists("orders", partition={"note": "it's", "day": 1}) is True
    assert client.table_exists("orders", partition={"day": 2}) is False
    assert client.table_exists("orders", partition={}) is True


def test_apaches_command_fails_for_a_missing_table(command):
    assert hive.ApacheHiveCommandClient().table_schema("lost") is None
    with pytest.raises(hive.HiveCommandError):
        hive.HiveCommandClient().table_schema("lost")


def test_a_missing_table_is_an_error_or_not(client):
    partition = {"day": 1}
    with pytest.raises(hive.HiveCommandError):
        hive.HivePartitionTarget("lost", partition, client=client).exists()
    assert not hive.HivePartitionTarget("lost", partition, fail_missing_table=False, client=client).exists()
    with pytest.raises(hive.HiveCommandError):
        hive.HivePartitionTarget("broken", partition, fail_missing_table=False, client=client).exists()


def test_where_a_target_lies(client):
    assert str(hive.HiveTableTarget("orders", client=client)) == "hdfs://n/orders"
    assert hive.HivePartitionTarget("orders", {"day": 1}, client=client).path == "hdfs://n/orders/p"
    with pytest.raises(Exception, match=r"location for table: default\.other"):
        hive.HiveTableTarget("other", client=client).path  # noqa: B018


class Hdfs:
    """Folders and what is in them."""

    def __init__(self, **folders):
        self.folders = {path.replace("__", "/"): names for path, names in folders.items()}

    def exists(self, path):
        return path.strip("/") in self.folders

    def listdir(self, path):
        return iter(self.folders[path.strip("/")])


def test_a_warehouse_is_folders(configure):
    client = hive.WarehouseHiveClient(Hdfs(**{"w/d.db/orders": [], "w/d.db/orders/b=1/a=2": ["0"]}), "/w")
    assert client.table_exists("orders", "d")
    assert not client.table_exists("other", "d")
    assert client.table_exists("orders", "d", {"b": 1, "a": 2})
    assert not client.table_exists("orders", "d", {"a": 2, "b": 1})
    configure({"hive": {"ignored_file_masks": r"(\.tmp.*|_)"}})
    assert not client.table_exists("orders", "d")
    assert client.table_exists("orders", "d", {"b": 1, "a": 2})
    client.hdfs_client.folders["w/d.db/orders"] = [".tmp1", "_x"]
    assert not client.table_exists("orders", "d")
    assert client.table_schema("orders") is NotImplemented


def test_a_partition_of_the_warehouse_has_an_order(configure):
    client = hive.WarehouseHiveClient(Hdfs(), "/w")

    class External(hive.ExternalHiveTask):
        pass

    task = External(table="orders", partition={"b": "1", "a": "2"})
    assert client.partition_spec(task.partition) == "b=1/a=2"
    with pytest.raises(ValueError, match="location"):
        client.partition_spec([("a", 1), ("b", 2)])


@pytest.fixture
def metastore(monkeypatch, configure):
    """The bindings to the metastore; the client that they give, which notes whether the connection is open."""

    class Missing(Exception):
        pass

    class Client:
        is_open = False

        def get_all_tables(self, database):
            return ["orders"]

        def get_table(self, database, table):
            return types.SimpleNamespace(sd=types.SimpleNamespace(location=f"hdfs://{database}/{table}"))

        def get_partition_by_name(self, database, table, name):
            if name != "a=1/b=2":
                raise Missing
            return self.get_table(database, table + "/" + name)

        def get_partition_names(self, database, table, limit):
            assert limit == -1
            return ["a=1/b=2", "a=10%3A30/b=x%3Dy"]

        def get_schema(self, database, table):
            return [types.SimpleNamespace(name="value", type="int")]

    client = Client()

    class Transport:
        def __init__(self, *address):
            client.address = address

        def open(self):
            client.is_open = True

        def close(self):
            client.is_open = False

    modules = {
        "hive_metastore": types.SimpleNamespace(ThriftHiveMetastore=types.SimpleNamespace(Client=lambda p: client)),
        "hive_metastore.ttypes": types.SimpleNamespace(NoSuchObjectException=Missing),
        "thrift": types.SimpleNamespace(),
        "thrift.protocol": types.SimpleNamespace(
            TBinaryProtocol=types.SimpleNamespace(TBinaryProtocol=lambda transport: transport)
        ),
        "thrift.transport": types.SimpleNamespace(
            TSocket=types.SimpleNamespace(TSocket=Transport),
            TTransport=types.SimpleNamespace(TBufferedTransport=lambda socket: socket),
        ),
    }
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    configure({"hive": {"metastore_host": "meta", "metastore_port": "9083"}})
    return client


def test_what_the_metastore_tells(metastore):
    client = hive.MetastoreClient()
    assert client.table_exists("orders")
    assert not client.table_exists("other")
    assert client.table_exists("orders", partition={"b": 2, "a": 1})
    assert not client.table_exists("orders", partition={"a": 1, "b": 3})
    assert client.table_exists("orders", partition={"a": "10:30", "b": "x=y"})
    assert client.table_exists("orders", partition={"a": "10%3A30", "b": "x%3Dy"})
    assert client.table_location("orders") == "hdfs://default/orders"
    assert client.table_location("orders", partition={"b": 2, "a": 1}) == "hdfs://default/orders/a=1/b=2"
    assert client.table_location("orders", partition={"a": 3}) == ""
    assert client.table_schema("orders") == [("value", "int")]
    assert metastore.address == ("meta", 9083)
    assert not metastore.is_open


def test_the_metastore_needs_its_bindings():
    with pytest.raises(Exception, match="Could not import Hive thrift library"):
        hive.MetastoreClient().table_exists("orders")


@pytest.mark.parametrize(
    ("release", "kind"),
    [
        ("cdh4", hive.HiveCommandClient),
        ("apache", hive.ApacheHiveCommandClient),
        ("metastore", hive.MetastoreClient),
        ("warehouse", hive.WarehouseHiveClient),
        ("whatever", hive.HiveCommandClient),
    ],
)
def test_the_release_picks_the_client(configure, release, kind):
    configure({"hive": {"release": release}})
    assert type(hive.get_default_client()) is kind


class Query(hive.HiveQueryTask):
    text = luigi.Parameter(default="SELECT 1")
    pool = None

    def query(self):
        return self.text

    def output(self):
        return luigi.LocalTarget("made/out")


def ready(task):
    """The task with the call that a worker gives it."""
    task.urls = []
    task.set_tracking_url = task.urls.append
    return task


def test_a_query_is_run(command):
    task = ready(type("Run", (Query,), {"hivevars": lambda self: {"day": "1"}, "hiverc": lambda self: "rc"})())
    task.run()
    with open("script") as file:
        assert file.read() == "SELECT 1"
    (arguments,) = command.calls("hive")
    assert arguments[0] == "-f"
    assert arguments[2:] == ["-i", "rc", "--hiveconf", f"mapred.job.name='{task.task_id}'", "--hivevar", "day=1"]
    assert os.path.isdir("made")
    assert task.urls == ["http://tracker/job_1"]


def test_a_query_that_fails(command):
    with pytest.raises(Exception, match="3"):
        ready(Query(text="FAIL")).run()


def test_settings_of_a_query(configure):
    def settings(**attributes):
        found = type("Settings", (Query,), attributes)().hiveconfs()
        found.pop("mapred.job.name")
        return found

    configure({})
    assert settings() == {}
    assert settings(pool="p", n_reduce_tasks=2, reducers_max=3, bytes_per_reducer=4) == {
        "mapred.fairscheduler.pool": "p",
        "mapred.reduce.tasks": 2,
        "hive.exec.reducers.max": 3,
        "hive.exec.reducers.bytes.per.reducer": 4,
    }
    configure({"hadoop": {"scheduler": "capacity"}, "hive": {"hiverc-location": "common.rc"}})
    assert settings(pool="p") == {"mapred.job.queue.name": "p"}
    assert Query().hiverc() == "common.rc"
    configure({"hadoop": {"scheduler": "other"}})
    assert settings(pool="p") == {}


def test_an_external_task_is_a_table_or_a_partition(client, monkeypatch):
    monkeypatch.setattr(hive, "get_default_client", lambda: client)
    assert hive.ExternalHiveTask(table="orders").complete()
    assert not hive.ExternalHiveTask(table="other").complete()
    assert hive.ExternalHiveTask(table="orders", partition={"day": "1", "note": "it's"}).complete()
    assert not hive.ExternalHiveTask(table="orders", partition={"day": "2"}).complete()
