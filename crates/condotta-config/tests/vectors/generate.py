"""Writes vectors.json: what stock Luigi's configuration parsers answer.

Run with the Python of an environment that has luigi 3.8.1 (Python 3.11 or later).
"""

import json
import os
import sys
import tempfile
import tomllib
import types
import warnings

# Luigi's TOML parser wants the package `toml`; tomllib reads the same language.
toml = types.ModuleType("toml")
toml.load = lambda path: tomllib.load(open(path, "rb"))
sys.modules["toml"] = toml

from luigi.configuration import LuigiConfigParser, LuigiTomlParser  # noqa: E402

ENV = {"HOME_DIR": "/home/x", "EMPTY": "", "PERCENT": "100%", "NESTED": "${HOME_DIR}", "a${b": "odd"}

FILES = [
    ["[core]\nworkers = 4\nlog_level: DEBUG\n"],
    ["[core]\nworkers=4\n", "[core]\nworkers=5\nno_lock=true\n", "[other]\nx=1\n"],
    ["[DEFAULT]\nbase = /data\nx = 0\n[a]\nx = 1\ny = %(base)s/y\n[b]\n[c]\nbase=/c\ny=%(base)s\n"],
    ["[a]\nKey = upper\nkey = lower\n"],
    ["# comment\n; comment\n[a]\n  # indented comment\nx = 1 # no comment\ny = 1 ; no comment\n"],
    ["[a]\nx = one\n  two\n\n  three\n\ny = z\n"],
    ["[a]\nx = one\n  # comment inside\n  two\n  ; another\n\n\nz = 1\n"],
    ["[a]\nx =\n  one\n  two\ny=\n"],
    ["[a]\n  x = 1\n  y = 2\n    z = 3\n w = 4\n"],
    ["[a]\nx = 100%%\ny = %(x)s\nz = %%(x)s\n"],
    ["[a]\nx = 100%\n"],
    ["[a]\nx = %(y)\n"],
    ["[a]\nx = %()s\n"],
    ["[a]\nx = %(missing)s\n"],
    ["[a]\nx = %(y)s\ny = %(x)s\n"],
    ["[a]\n" + "".join(f"k{i} = %(k{i + 1})s\n" for i in range(9)) + "k9 = %%end\n"],
    ["[a]\n" + "".join(f"k{i} = %(k{i + 1})s\n" for i in range(10)) + "k10 = end\n"],
    ["[a]\n" + "".join(f"k{i} = %(k{i + 1})s\n" for i in range(10)) + "k10 = %%end\n"],
    ["[a]\n" + "".join(f"k{i} = %(k{i + 1})s\n" for i in range(12)) + "k12 = end\n"],
    ["[a]\nx = ${HOME_DIR}/data\ny = ${EMPTY}\nz = ${NESTED}\nw = ${PERCENT}\n"],
    ["[a]\nx = ${NO_SUCH}\n"],
    ["[a]\nx = ${}\ny = ${\nz = $HOME_DIR\nw = ${a${b}\nv = ${} ${HOME_DIR}}\n"],
    ["[a]\nname = HOME_DIR\nx = ${%(name)s}\n"],
    ["[a]\nx-y = dashed\np_q = underscored\nm_n = 1\nm-n = 2\nmix_a-b = 3\n"],
    ["[DEFAULT]\nx_y = default\n[a]\nx-y = own\n"],
    ["x = 1\n"],
    ["[a]\nx\n"],
    ["[a]\n= 1\n"],
    ["[a]\nx = 1\nx = 2\n"],
    ["[a]\n[b]\n[a]\n"],
    ["[DEFAULT]\nx = 1\n[a]\n[DEFAULT]\ny = 2\n"],
    ["[DEFAULT]\nx = 1\n[DEFAULT]\nx = 2\n"],
    ["[a]]\nx = 1\n[b] trailing\ny = 2\n[ c ]\nz = 3\n"],
    ["[]\nx = 1\n"],
    ["[a]\nx = a = b : c\ny : a = b\nz=:\n : = 1\n"],
    ["[a]\nkey with spaces = 1\nk\u00e9y = \u00fcml\u00e4ut \u4e16\u754c\n"],
    ["[a]\r\nx = 1\r\ny = 2\r\n  more\r\n"],
    ["[a]\rx = 1\ry = 2\r"],
    ["[a]\nx = \u00a0 padded \u00a0\ny = \x1cpadded\x1f\n"],
    ["[a]\nx = \"quoted\"\ny = 'single'\n"],
    ["[a]\nx = 1\n   [b]\ny = 2\n"],
    ["[a]\n   [b]\ny = 2\n"],
    ["[a]\nx = 1\n\t y = 2\n"],
    [""],
    ["\n\n# only comments\n"],
    ["[resources]\ngpu = 2\ndb = 1\n[DEFAULT]\nname = text\ndb = 7\n"],
    ["[resources]\ngpu = many\n"],
    ["[resources]\ngpu = 1_000\ncpu = +3\nram = -2\n"],
    ["[core]\nb = YES\nc = off\nd = 2\ne = true \n[n]\ni = 12\nj = 1.5\nk = 1e3\nl = inf\nm = _1\nn = 1__0\no = 0x10\np =\nq = .5\nr = -nan\n"],
]

TOML = [
    ["[core]\nworkers = 4\nno_lock = true\nratio = 1.5\nname = \"x\"\n"],
    ["[core]\nworkers = 4\nkeep = 1\n", "[core]\nworkers = 5\n[new]\nx = [1, 2]\n"],
    ["[core]\nx = \"%(y)s ${HOME_DIR} 100%\"\n[DEFAULT]\nz = 1\n"],
    ["[core]\nkeep-alive = true\n"],
    ["[resources]\ngpu = 2\ndb = 1\n"],
    ["[core\n"],
    ["[a]\nx = 1\nx = 2\n"],
]


def plain(value):
    return value if isinstance(value, (str, int, float, bool, list)) else repr(value)


def answer(question):
    try:
        value = question()
    except KeyError:
        return {"none": True}
    except Exception as error:
        name = type(error).__name__
        return {"none": True} if name in ("NoOptionError", "NoSectionError") else {"error": name}
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return {"value": str(value)}
    return {"value": plain(value)}


def case(make, texts, probe_dashes):
    out = {"files": texts}
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for index, text in enumerate(texts):
            paths.append(os.path.join(folder, f"{index}.cfg"))
            with open(paths[-1], "w", newline="") as file:
                file.write(text)
        parser = make()
        try:
            parser.read(paths)
        except Exception as error:
            out["error"] = type(error).__name__
            return out
    toml = isinstance(parser, LuigiTomlParser)
    sections = list(parser.data) if toml else parser.sections()
    out["sections"] = sections
    out["gets"] = []
    for section in [*sections, *([] if "DEFAULT" in sections else ["DEFAULT"]), "absent"]:
        if toml:
            keys = list(parser.data.get(section, {}))
        elif section in sections:
            keys = list(dict(parser.items(section, raw=True)))
        else:
            keys = list(parser.defaults())
        probes = dict.fromkeys(["absent", *keys])
        if probe_dashes:
            for key in keys:
                probes[key.replace("_", "-")] = None
                probes[key.replace("-", "_")] = None
        for key in probes:
            got = {"section": section, "key": key, "text": answer(lambda: parser.get(section, key))}
            if not toml:
                got["bool"] = answer(lambda: parser.getboolean(section, key))
                got["int"] = answer(lambda: parser.getint(section, key))
                got["float"] = answer(lambda: parser.getfloat(section, key))
            out["gets"].append(got)
    out["order"] = {s: list(dict(parser.items(s, raw=True))) for s in sections} if not toml else {}
    out["int_dicts"] = {}
    for section in [*sections, "absent"]:
        try:
            out["int_dicts"][section] = [[k, v] for k, v in parser.getintdict(section).items()]
        except Exception as error:
            out["int_dicts"][section] = {"error": type(error).__name__}
    return out


def main():
    warnings.simplefilter("ignore")
    os.environ.update(ENV)
    os.environ.pop("NO_SUCH", None)
    vectors = {
        "environment": ENV,
        "ini": [case(LuigiConfigParser, texts, True) for texts in FILES],
        "toml": [case(LuigiTomlParser, texts, True) for texts in TOML],
    }
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "vectors.json")
    with open(path, "w") as file:
        json.dump(vectors, file, indent=1)
        file.write("\n")


main()
