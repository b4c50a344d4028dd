"""Configuration files: their values, interpolation, defaults, old names, and the two parsers."""

import subprocess
import sys

import pytest

import luigi
from luigi.configuration import LuigiConfigParser, LuigiTomlParser, add_config_path, get_config
from luigi.configuration.cfg_parser import CombinedInterpolation, InterpolationMissingEnvvarError
from luigi.freezing import FrozenOrderedDict


@pytest.fixture
def toml(monkeypatch):
    """The TOML parser in force, with no files and no data."""
    monkeypatch.setenv("LUIGI_CONFIG_PARSER", "toml")
    monkeypatch.setattr(LuigiTomlParser, "_config_paths", [])
    monkeypatch.setattr(LuigiTomlParser, "_instance", None)
    return get_config()


def test_getters_convert_and_default(configure):
    config = configure({"s": {"i": "12", "f": "1.5", "b": "yes", "t": "x"}})
    assert config.get("s", "t") == "x"
    assert config.getint("s", "i") == 12
    assert config.getfloat("s", "f") == 1.5
    assert config.getboolean("s", "b") is True
    assert config.get("s", "missing", "fallback") == "fallback"
    assert config.getint("nowhere", "i", None) is None
    with pytest.raises(Exception, match="No option 'missing' in section: 's'"):
        config.get("s", "missing")
    with pytest.raises(Exception, match="No section: 'nowhere'"):
        config.get("nowhere", "i")


def test_a_default_of_the_wrong_type_is_refused(configure):
    config = configure({"s": {"x": "1"}})
    with pytest.raises(Exception, match="No option 'i' in section: 's'"):
        config.getint("s", "i", "text")
    assert config.getboolean("s", "b", False) is False


def test_names_with_dashes_are_found_with_a_warning(configure):
    config = configure({"s": {"some-name": "1"}})
    with pytest.warns(
        DeprecationWarning, match="some-name .with dashes. should be avoided. Please use underscores: so"
    ):
        assert config.getint("s", "some_name") == 1
    with pytest.warns(DeprecationWarning, match="with dashes"):
        assert config.has_option("s", "some_name")
    assert not config.has_option("s", "other_name")
    assert not config.has_option("nowhere", "other_name")


def test_names_are_case_sensitive(configure):
    assert configure({"s": {"Name": "1"}}).get("s", "name", None) is None


def test_values_may_refer_to_values_and_to_the_environment(configure, monkeypatch):
    monkeypatch.setenv("PLACE", "%(other)s")
    config = configure({"s": {"x": "${PLACE}/%(y)s/${PLACE}", "y": "here"}})
    assert config.get("s", "x") == "%(other)s/here/%(other)s"
    monkeypatch.delenv("PLACE")
    with pytest.raises(InterpolationMissingEnvvarError, match=r"nonexisting environment variable PLACE. Section \[s\]"):
        config.get("s", "x")
    assert config.get("s", "x", raw=True) == "${PLACE}/%(y)s/${PLACE}"


def test_interpolations_are_chained_in_every_direction():
    class Suffix:
        def __init__(self, suffix):
            self.suffix = suffix

        def before_read(self, parser, section, option, value):
            return value + self.suffix

        before_set = before_write = before_read

    both = CombinedInterpolation([Suffix("a"), Suffix("b")])
    assert both.before_read(None, "s", "o", "-") == "-ab"
    assert both.before_set(None, "s", "o", "-") == "-ab"
    assert both.before_write(None, "s", "o", "-") == "-ab"


def test_a_section_of_ints_leaves_out_what_all_sections_have(configure):
    config = configure({"resources": {"db": "2", "cpu": "8"}})
    config.read_string("[DEFAULT]\ntext = x\n")
    assert config.getintdict("resources") == {"db": 2, "cpu": 8}
    assert config.getintdict("nowhere") == {}


def test_files_are_read_in_their_order(monkeypatch, folder_of_its_own):
    (folder_of_its_own / "one.cfg").write_text("[s]\na = 1\nb = 1\n")
    (folder_of_its_own / "two.cfg").write_text("[s]\nb = 2\n")
    monkeypatch.setattr(LuigiConfigParser, "_config_paths", ["one.cfg", "missing.cfg"])
    monkeypatch.setattr(LuigiConfigParser, "_instance", None)
    assert get_config().get("s", "b") == "1"
    assert add_config_path("two.cfg") is True
    assert (get_config().get("s", "a"), get_config().get("s", "b")) == ("1", "2")
    with pytest.warns(UserWarning, match="Config file does not exist: three.cfg"):
        assert add_config_path("three.cfg") is False


def test_the_old_name_of_the_file_is_read_with_a_warning(monkeypatch, folder_of_its_own):
    (folder_of_its_own / "client.cfg").write_text("[s]\na = 1\n")
    monkeypatch.setattr(LuigiConfigParser, "_instance", None)
    with pytest.warns(
        DeprecationWarning, match=r"named 'client.cfg' are deprecated if favor of 'luigi.cfg'. Found: \['"
    ):
        assert get_config().get("s", "a") == "1"


def test_toml_values_have_their_types(toml, folder_of_its_own):
    (folder_of_its_own / "a.toml").write_text('[T]\nn = 3\nlist = [1, 2]\n[T.table]\nx = "y"\n[s]\nb = true\n')
    (folder_of_its_own / "b.toml").write_text("[T]\nn = 4\n")
    assert add_config_path("a.toml")
    assert add_config_path("b.toml")
    assert get_config() is LuigiTomlParser.instance()
    assert toml.get("T", "n") == 4
    assert toml.getboolean("s", "b") is True
    assert toml["T"]["list"] == [1, 2]
    assert isinstance(toml.get("T", "table"), FrozenOrderedDict)
    assert toml.getintdict("nowhere") == {}
    assert (toml.has_option("T", "n"), toml.has_option("T", "m"), toml.has_option("U", "n")) == (True, False, False)
    assert toml.getint("T", "m", 9) == 9
    with pytest.raises(KeyError):
        toml.get("T", "m")

    class T(luigi.Task):
        n = luigi.IntParameter()
        table = luigi.DictParameter()

    assert (T().n, dict(T().table)) == (4, {"x": "y"})


def test_toml_takes_values(toml):
    toml.set("new", "x", 1.5)
    assert toml.getfloat("new", "x") == 1.5


def test_a_file_of_the_parser_that_is_not_in_use_is_warned_about(monkeypatch, folder_of_its_own):
    (folder_of_its_own / "a.toml").write_text("[s]\na = 1\n")
    monkeypatch.setattr(LuigiTomlParser, "_config_paths", [])
    monkeypatch.setattr(LuigiTomlParser, "_instance", None)
    with pytest.warns(UserWarning, match="Config for toml parser added, but used cfg parser. Set up right parser via"):
        add_config_path("a.toml")
    assert get_config("toml").get("s", "a") == 1


def test_a_parser_that_can_not_be_used(monkeypatch):
    monkeypatch.setenv("LUIGI_CONFIG_PARSER", "yaml")
    with pytest.warns(UserWarning, match="Invalid parser: cfg"):
        assert isinstance(get_config(), LuigiConfigParser)
    monkeypatch.setattr(LuigiTomlParser, "enabled", False)
    with pytest.raises(
        ImportError, match=r"Parser not installed yet. Please, install luigi with required parser:\npip"
    ):
        get_config("toml")


def test_the_environment_names_a_file(folder_of_its_own):
    (folder_of_its_own / "mine.cfg").write_text("[core]\nautoload_range = false\n[s]\na = 1\n")
    program = "import luigi.configuration as c; print(c.get_config().get('s', 'a'))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"LUIGI_CONFIG_PATH": "mine.cfg", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "1\n", done.stderr
