"""Hides what private parameters hold from what leaves the worker; its own terminal shows it, as with Luigi.

Where a task itself is shown, its hidden parameters are hidden, too. A command line shows neither.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from condotta import _engine
from luigi.parameter import ParameterVisibility

if TYPE_CHECKING:
    from luigi.task import Task

_PUBLIC = ParameterVisibility.PUBLIC
_PRIVATE = ParameterVisibility.PRIVATE
_HIDDEN = ParameterVisibility.HIDDEN
# Flags that give a setting which is secret, though its parameter is not.
_SECRET_SETTINGS = ("--core-rpc-token", "--core-smtp-password", "--sendgrid-apikey", "--smtp-password")


def private_of(task: Task) -> _engine.Private | None:
    """What hides the private values of a task, and its hidden ones in its name; ``None`` if it has none."""
    private = list(_texts(task, _PRIVATE))
    hidden = list(_texts(task, _HIDDEN))
    if not private and not hidden:
        return None
    name = ""
    if hidden:
        # A task that cannot say its name is shown nowhere.
        with contextlib.suppress(Exception):
            name = str(task)
    return _engine.Private(private, name, hidden)


def all_params(task: Task) -> dict[str, str]:
    """The parameters as texts, private ones, too: for whoever builds the task anew, and nobody else.

    A private one has its default there if its text does not give its value back, as all of them have in Luigi. Raises
    TypeError where it has none.
    """
    texts = dict(task.to_str_params())
    params = task._params_by_name()
    for name, value in task.param_kwargs.items():
        param = params[name]
        if param.visibility != _PRIVATE:
            continue
        text = _faithful_text(param, value)
        if text is not None:
            texts[name] = text
        elif not param.has_task_value(task.task_family, name):
            raise TypeError(
                f"{task.task_family} cannot be built anew: the value of its private parameter {name} "
                "cannot be told from its text, and there is no default"
            )
    return texts


def _faithful_text(param: Any, value: Any) -> str | None:
    # Such a value may be any object, a connection for example.
    with contextlib.suppress(Exception):
        text = str(param.serialize(value))
        again = param.normalize(param.parse(text))
        if (tuple(again) if isinstance(again, (list, set)) else again) == value:
            return text
    return None


def _texts(task: Task, visibility: ParameterVisibility) -> Iterator[tuple[str, str]]:
    params = task._params_by_name()
    for name, value in task.param_kwargs.items():
        param = params[name]
        if param.visibility == visibility:
            yield name, param.serialize(value)
            yield name, str(value)


def shown_command(task: Task, words: Sequence[str]) -> list[str]:
    """A command line without the hidden and private values of any task, and those of this one wherever they are."""
    public, secret = _flags()
    texts = _engine.Private([*_texts(task, _HIDDEN), *_texts(task, _PRIVATE)])
    command: list[str] = []
    is_value = False
    for word in words:
        flag, equals, _ = word.partition("=")
        if is_value and not word.startswith("--"):
            command.append("***")
            is_value = False
        elif _is_one_of(flag, secret, public):
            command.append(f"{flag}=***" if equals else word)
            is_value = not equals
        else:
            command.append(texts.hide(word))
            is_value = False
    return command


def _flags() -> tuple[set[str], set[str]]:
    """The flags of all tasks: of public parameters, and of others. A root task's need not say its family."""
    from luigi.task_register import Register

    public: set[str] = set()
    secret: set[str] = set()
    for family, _, name, param in Register.get_all_params():
        flags = {"--" + flag.replace("_", "-") for flag in (name, f"{family}_{name}")}
        (public if param.visibility == _PUBLIC else secret).update(flags)
    secret.update(_SECRET_SETTINGS)
    return public, secret


def _is_one_of(word: str, flags: set[str], others: set[str]) -> bool:
    # A flag may be cut short where it is clear all the same.
    is_short = len(word) > 2 and word.startswith("--") and word not in others
    return word in flags or (is_short and any(flag.startswith(word) for flag in flags))


def shown(private: _engine.Private | None, text: Any) -> Any:
    """A text without what is private; anything else as it is."""
    if private is None or not isinstance(text, str):
        return text
    return private.hide(text)


def hide_in_expl(task: Task, expl: Any) -> Any:
    """What a run says of its end, without what is private. That may be anything that JSON has."""
    private = private_of(task)
    if private is None or expl is None:
        return expl
    if isinstance(expl, str):
        return private.hide(expl)
    import json

    text = json.dumps(expl)
    hidden = private.hide(text)
    return expl if hidden == text else hidden
