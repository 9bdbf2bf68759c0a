"""What the Array API standard asks of an array besides NumPy's functions."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import fuse.numpy as fnp


def test_the_namespace_is_fuse() -> None:
    array = fnp.arange(10.0)
    namespace = array.__array_namespace__()
    assert namespace is fnp
    assert namespace.asarray(array) is array
    assert namespace.__array_api_version__ == np.__array_api_version__
    assert array.__array_namespace__(api_version="2022.12") is fnp


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(ValueError, match="not supported") as ours:
        fnp.arange(10.0).__array_namespace__(api_version="2000.1")
    with pytest.raises(ValueError, match="not supported") as theirs:
        np.arange(10.0).__array_namespace__(api_version="2000.1")  # type: ignore[arg-type]  # no such version
    assert str(ours.value) == str(theirs.value)


def test_arrays_are_on_the_processor() -> None:
    array = fnp.arange(10_000.0) + 1
    assert array.device == "cpu"
    assert array.to_device("cpu") is array
    for stream in (None, 1):
        with pytest.raises(ValueError, match=r".") as ours:
            array.to_device("gpu", stream=stream)
        with pytest.raises(ValueError, match=r".") as theirs:
            np.arange(3).to_device("gpu", stream=stream)
        assert str(ours.value) == str(theirs.value)


@pytest.mark.parametrize("name", ["arange", "linspace", "eye", "full", "zeros_like", "sum", "concatenate"])
def test_signatures_are_those_of_numpy(name: str) -> None:
    assert inspect.signature(getattr(fnp, name)) == inspect.signature(getattr(np, name))
