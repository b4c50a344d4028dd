"""Frozen dicts and lists."""

import collections
import pickle

import pytest

from luigi.freezing import FrozenOrderedDict, recursively_freeze, recursively_unfreeze


def test_a_frozen_dict_is_a_mapping_in_order_that_can_not_be_changed():
    frozen = FrozenOrderedDict([("b", 1), ("a", 2)])
    assert list(frozen) == ["b", "a"]
    assert frozen == {"a": 2, "b": 1}
    assert repr(frozen) == "{'b': 1, 'a': 2}"
    assert frozen.get_wrapped() == collections.OrderedDict(b=1, a=2)
    with pytest.raises(TypeError):
        frozen["c"] = 3


def test_equal_frozen_dicts_have_one_hash():
    one, other = FrozenOrderedDict(a=1, b=2), FrozenOrderedDict(b=2, a=1)
    assert one == other
    assert hash(one) == hash(other)
    assert hash(one) != hash(FrozenOrderedDict(a=2, b=1))
    assert pickle.loads(pickle.dumps(one)) == one


def test_freezing_goes_all_the_way_down_and_back():
    value = {"list": [1, {"x": (2, [3])}], "text": "abc"}
    frozen = recursively_freeze(value)
    hash(frozen)
    assert frozen["list"] == (1, FrozenOrderedDict(x=(2, (3,))))
    assert recursively_unfreeze(frozen) == {"list": [1, {"x": [2, [3]]}], "text": "abc"}
    assert type(recursively_unfreeze(frozen)["list"][1]) is dict
