"""Plugin for mypy: checks the calls of task classes, and lets a parameter be annotated with the type of its value.

It is switched on by ``plugins = ["luigi.mypy"]``. A task class whose parameters are all annotated, as in
``n: int = luigi.IntParameter()`` or ``n: luigi.IntParameter = luigi.IntParameter()``, gets a constructor that takes
each of them by name and none of them necessarily: command line and configuration can set them too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from mypy.maptype import map_instance_to_supertype
from mypy.nodes import (
    ARG_NAMED_OPT,
    Argument,
    AssignmentStmt,
    Block,
    CallExpr,
    EllipsisExpr,
    Expression,
    IfStmt,
    IndexExpr,
    NameExpr,
    RefExpr,
    TypeInfo,
    Var,
)
from mypy.plugin import ClassDefContext, FunctionContext, Plugin
from mypy.plugins.common import add_method_to_class, deserialize_and_fixup_type
from mypy.server.trigger import make_wildcard_trigger
from mypy.typeops import map_type_from_supertype
from mypy.types import AnyType, Instance, NoneType, Type, TypeOfAny, UnionType, get_proper_type

_TASK = "luigi.task.Task"
_PARAMETER = "luigi.parameter.Parameter"
_OPTIONAL = "luigi.parameter.OptionalParameterMixin"
_CHOICE_LIST = "luigi.parameter.ChoiceListParameter"
_ONE_OF = ("luigi.parameter.ChoiceParameter", "luigi.parameter.EnumParameter")
_SOME_OF = (_CHOICE_LIST, "luigi.parameter.EnumListParameter")

#: Where a class keeps what its subclasses must know: the serialised type of each parameter by name, or ``None`` for the
#: whole if a parameter has no annotation.
_METADATA = "luigi_parameters"


class TaskPlugin(Plugin):
    """Hooks into subclasses of ``Task`` and into calls of ``Parameter`` classes."""

    def get_base_class_hook(self, fullname: str) -> Callable[[ClassDefContext], None] | None:
        return self._add_constructor if self._is_subclass(fullname, _TASK) else None

    def get_function_hook(self, fullname: str) -> Callable[[FunctionContext], Type] | None:
        return _type_of_call if self._is_subclass(fullname, _PARAMETER) else None

    def _is_subclass(self, fullname: str, base: str) -> bool:
        found = self.lookup_fully_qualified(fullname)
        return found is not None and isinstance(found.node, TypeInfo) and found.node.has_base(base)

    def _add_constructor(self, ctx: ClassDefContext) -> None:
        info = ctx.cls.info
        parameters = self._inherited(ctx)
        if parameters is not None:
            parameters = self._with_own(ctx, parameters)
        info.metadata[_METADATA] = {
            "types": None if parameters is None else {name: kind.serialize() for name, kind in parameters.items()}
        }
        defined = info.names.get("__init__")
        if not parameters or (defined is not None and not defined.plugin_generated):
            return
        arguments = [
            Argument(Var(name, kind), kind, EllipsisExpr(), ARG_NAMED_OPT) for name, kind in parameters.items()
        ]
        add_method_to_class(ctx.api, ctx.cls, "__init__", args=arguments, return_type=NoneType())

    def _inherited(self, ctx: ClassDefContext) -> dict[str, Type] | None:
        info = ctx.cls.info
        parameters: dict[str, Type] = {}
        for base in reversed(info.mro[1:]):
            known = base.metadata.get(_METADATA)
            if known is None:
                continue
            # A change of the base makes mypy's daemon look at this class again.
            ctx.api.add_plugin_dependency(make_wildcard_trigger(base.fullname))
            if known["types"] is None:
                return None
            for name, data in known["types"].items():
                kind = deserialize_and_fixup_type(data, ctx.api)
                parameters[name] = map_type_from_supertype(kind, info, base)
        for name in info.names:
            # What is not declared as a parameter again is none in this class; _with_own adds those that are.
            parameters.pop(name, None)
        return parameters

    def _with_own(self, ctx: ClassDefContext, parameters: dict[str, Type]) -> dict[str, Type] | None:
        for statement in _assignments(ctx.cls.defs):
            name = statement.lvalues[0]
            if not isinstance(name, NameExpr) or not self._makes_parameter(statement.rvalue):
                continue
            symbol = ctx.cls.info.names.get(name.name)
            if symbol is None or not isinstance(symbol.node, Var):
                continue
            if symbol.node.type is None:
                if statement.unanalyzed_type is not None and not ctx.api.final_iteration:
                    ctx.api.defer()
                return None
            parameters[name.name] = _value_type(symbol.node.type, ctx.api)
        return parameters

    def _makes_parameter(self, expression: Expression) -> bool:
        if not isinstance(expression, CallExpr):
            return False
        callee = expression.callee.base if isinstance(expression.callee, IndexExpr) else expression.callee
        return isinstance(callee, RefExpr) and self._is_subclass(callee.fullname, _PARAMETER)


def _assignments(block: Block) -> Iterator[AssignmentStmt]:
    for statement in block.body:
        if isinstance(statement, AssignmentStmt):
            yield statement
        elif isinstance(statement, IfStmt):
            for branch in [*statement.body, *([statement.else_body] if statement.else_body else [])]:
                if not branch.is_unreachable:
                    yield from _assignments(branch)


def _value_type(annotation: Type, api: Any) -> Type:
    """Returns the type that the constructor takes: the annotation, or the type of the values of a parameter class."""
    kind = get_proper_type(annotation)
    if not isinstance(kind, Instance) or not kind.type.has_base(_PARAMETER):
        return annotation
    if kind.type.has_base(_OPTIONAL):
        return UnionType.make_union([_argument_of(kind, _OPTIONAL), NoneType()])
    value = _argument_of(kind, _PARAMETER)
    return api.named_type("builtins.tuple", [value]) if kind.type.has_base(_CHOICE_LIST) else value


def _argument_of(kind: Instance, base: str) -> Type:
    info = next(candidate for candidate in kind.type.mro if candidate.fullname == base)
    arguments = map_instance_to_supertype(kind, info).args
    return arguments[0] if arguments else AnyType(TypeOfAny.unannotated)


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
