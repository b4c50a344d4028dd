"""Plugin for mypy: lets a parameter be annotated with the type of its value, as in ``n: int = luigi.IntParameter()``.

It is switched on by ``plugins = ["luigi.mypy"]``. That the calls of task classes are checked needs no plugin: mypy
makes the constructor of the annotated parameters, because :class:`luigi.Task` is marked as a transform of dataclasses.
"""

from __future__ import annotations

from collections.abc import Callable

from mypy.nodes import TypeInfo
from mypy.plugin import FunctionContext, Plugin
from mypy.types import AnyType, Instance, Type, TypeOfAny, get_proper_type

_PARAMETER = "luigi.parameter.Parameter"
_ONE_OF = ("luigi.parameter.ChoiceParameter", "luigi.parameter.EnumParameter")
_SOME_OF = ("luigi.parameter.ChoiceListParameter", "luigi.parameter.EnumListParameter")


class TaskPlugin(Plugin):
    """Hooks into calls of ``Parameter`` classes."""

    def get_function_hook(self, fullname: str) -> Callable[[FunctionContext], Type] | None:
        found = self.lookup_fully_qualified(fullname)
        if found is not None and isinstance(found.node, TypeInfo) and found.node.has_base(_PARAMETER):
            return _type_of_call
        return None


def _type_of_call(ctx: FunctionContext) -> Type:
    """Returns the type of ``IntParameter(…)`` for where it stands.

    That is the parameter class, except where the type of a value is expected. There it is the type of the default, if
    one is given, so that a default of another type than the annotation's is an error.
    """
    made = ctx.default_return_type
    expected = get_proper_type(ctx.api.type_context[-1]) if ctx.api.type_context else None
    if expected is None or (isinstance(expected, Instance) and expected.type.has_base(_PARAMETER)):
        return made
    if isinstance(made, Instance):
        if made.type.fullname in _ONE_OF:
            return _element_type(ctx, made)
        if made.type.fullname in _SOME_OF:
            return ctx.api.named_generic_type("builtins.tuple", [_element_type(ctx, made)])
    return _argument_type(ctx, "default") or AnyType(TypeOfAny.special_form)


def _element_type(ctx: FunctionContext, made: Instance) -> Type:
    choices = get_proper_type(_argument_type(ctx, "choices"))
    if isinstance(choices, Instance) and choices.args:
        return choices.args[0]
    return made.args[0] if made.args else AnyType(TypeOfAny.unannotated)


def _argument_type(ctx: FunctionContext, name: str) -> Type | None:
    for formal, kinds in zip(ctx.callee_arg_names, ctx.arg_types):
        if formal == name and kinds:
            return kinds[0]
    # What goes into **kwargs is listed there by the names of the call.
    for names, kinds in zip(ctx.arg_names, ctx.arg_types):
        for given, kind in zip(names, kinds):
            if given == name:
                return kind
    return None


def plugin(version: str) -> type[Plugin]:
    """Returns the plugin's class; mypy calls it with its own version."""
    return TaskPlugin
