"""Prints as JSON what luigi's modules have: their public names, what functions take, what parameters are.

What is read as JSON are names that are looked up besides those that a module shows.
"""

import contextlib
import importlib
import inspect
import json
import logging
import os
import pkgutil
import sys
import warnings

import luigi
from luigi.parameter import Parameter, _no_value

PLAIN = (bool, int, float, str, bytes, type(None))
PACKAGE = os.path.dirname(luigi.__file__)


def plain(value):
    """A value that two processes can compare."""
    if value is _no_value:
        return "required"
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return repr(value).replace(PACKAGE, "luigi") if isinstance(value, PLAIN) else "an object"


def taken(function):
    """``[name, kind, default]`` of what a function takes, ``None`` if nobody can tell."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    return [
        [each.name, each.kind.name, "required" if each.default is each.empty else plain(each.default)]
        for each in parameters
    ]


def is_luigis(thing):
    return str(getattr(thing, "__module__", "")).split(".")[0] in ("luigi", "condotta")


def kinds(cls):
    return [base.__name__ for base in cls.__mro__ if is_luigis(base)]


def described(thing):
    if isinstance(thing, Parameter):
        facts = {"significant": thing.significant, "positional": thing.positional, "visibility": int(thing.visibility)}
        facts |= {"default": plain(thing._default), "config_path": thing._config_path}
        return {"parameter": {name: str(fact) for name, fact in facts.items()}, "types": kinds(type(thing))}
    if isinstance(thing, (staticmethod, classmethod)):
        thing = thing.__func__
    if inspect.isroutine(thing):
        return {"takes": taken(thing)}
    if isinstance(thing, PLAIN):
        return {"value": plain(thing)}
    return {}


def class_described(cls):
    names = [name for name in dir(cls) if not name.startswith("_")]
    if inspect.isfunction(inspect.getattr_static(cls, "__init__")):
        names.append("__init__")
    homes = {name: base for base in reversed(cls.__mro__) for name in vars(base)}
    members = {name: described(inspect.getattr_static(cls, name)) for name in names if is_luigis(homes.get(name))}
    return {"types": kinds(cls), "members": members}


def module_described(module, names):
    found = {}
    for name in {*vars(module), *names}:
        thing = getattr(module, name, module)
        if name.startswith("_") or thing is module or (inspect.ismodule(thing) and name not in names):
            continue
        named = inspect.isclass(thing) or inspect.isroutine(thing) or type(thing).__module__.startswith("typing")
        found[name] = class_described(thing) if inspect.isclass(thing) else described(thing)
        found[name]["is_own"] = not named or thing.__module__ == module.__name__
    return found


warnings.simplefilter("ignore")
logging.disable()
asked = json.load(sys.stdin)
modules = [module.name for module in pkgutil.walk_packages(luigi.__path__, "luigi.", onerror=lambda name: None)]
told = {}
for name in ["luigi", *modules]:
    if not any(part.startswith("_") for part in name.split(".")):
        # Stock Luigi's wheel lacks a module that some need, and others need packages that are not there.
        with contextlib.suppress(Exception):
            told[name] = module_described(importlib.import_module(name), asked.get(name, ()))
print(json.dumps(told))
