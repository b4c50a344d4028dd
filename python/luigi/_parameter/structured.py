"""Parameters of JSON values: dicts, lists and tuples, frozen so that they can be hashed."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from luigi._parameter.base import OptionalParameterMixin, Parameter, _no_value, facade, warn
from luigi.freezing import FrozenOrderedDict, recursively_freeze, recursively_unfreeze

JsonT = TypeVar("JsonT")
DictT = TypeVar("DictT", bound=dict)
ListT = TypeVar("ListT", bound=tuple)


class _DictParamEncoder(json.JSONEncoder):
    """Writes frozen dicts as JSON objects."""

    def default(self, obj: Any) -> Any:
        if isinstance(obj, FrozenOrderedDict):
            return obj.get_wrapped()
        return super().default(obj)


_encode = _DictParamEncoder().encode


def _usable_schema(schema: Any) -> Any:
    if schema is not None and not facade()._JSONSCHEMA_ENABLED:
        warn(
            "The 'jsonschema' package is not installed so the parameter can not be validated "
            "even though a schema is given."
        )
        return None
    return schema


def _validated(value: Any, schema: Any) -> Any:
    """Returns the thawed value if it fits; a validator object may also have changed it, for example by defaults."""
    thawed = recursively_unfreeze(value)
    try:
        schema.validate(thawed)
    except AttributeError:
        facade().jsonschema.validate(instance=thawed, schema=schema)
        return value
    return thawed


class _JsonParameter(Parameter[JsonT]):
    """A value that is written as JSON, and that may have to fit a schema."""

    def __init__(self, default: Any = _no_value, *, schema: Any = None, **kwargs: Any) -> None:
        self.schema = _usable_schema(schema)
        super().__init__(default=default, **kwargs)

    def normalize(self, x: Any) -> Any:
        """Checks the schema and freezes the value."""
        return recursively_freeze(x if self.schema is None else _validated(x, self.schema))

    def serialize(self, x: Any) -> str:
        return _encode(x)


class DictParameter(_JsonParameter[DictT]):
    """A dict, written as a JSON object: ``--tags '{"role": "web"}'``. The task sees a ``FrozenOrderedDict``.

    The order of the keys is kept and is part of the task's id.

    :param schema: a JSON schema, or a validator of the package ``jsonschema``, that each value must fit.
    """

    def parse(self, x: Any) -> Any:
        """Reads JSON. What is no string comes from a TOML file and is a value already."""
        return json.loads(x, object_pairs_hook=FrozenOrderedDict) if isinstance(x, str) else x


class OptionalDictParameter(OptionalParameterMixin[FrozenOrderedDict], DictParameter):
    """A dict or ``None``."""

    expected_type = FrozenOrderedDict


class ListParameter(_JsonParameter[ListT]):
    """A list, written as a JSON array: ``--grades '[100, 70]'``. The task sees a tuple.

    :param schema: a JSON schema, or a validator of the package ``jsonschema``, that each value must fit.
    """

    def parse(self, x: Any) -> Any:
        """Reads a JSON array; ``null`` is ``None``."""
        value = json.loads(x, object_pairs_hook=FrozenOrderedDict)
        return None if value is None else list(value)


class OptionalListParameter(OptionalParameterMixin[ListT], ListParameter):
    """A list or ``None``."""

    expected_type = tuple


class TupleParameter(ListParameter[ListT]):
    """A tuple, of tuples or of plain values, written as JSON or as in Python: ``'((12, 3), (4, 15))'``."""

    def parse(self, x: Any) -> tuple:
        try:
            return tuple(map(self._convert_iterable_to_tuple, json.loads(x, object_pairs_hook=FrozenOrderedDict)))
        except (ValueError, TypeError):
            # No JSON, or JSON with numbers in it, which can not become tuples.
            from ast import literal_eval

            value = literal_eval(x)
        if isinstance(value, str):
            raise ValueError("Parsed result cannot be a string")
        return tuple(value)

    def _convert_iterable_to_tuple(self, x: Any) -> Any:
        return x if isinstance(x, str) else tuple(x)


class OptionalTupleParameter(OptionalParameterMixin[ListT], TupleParameter):
    """A tuple or ``None``."""

    expected_type = tuple
