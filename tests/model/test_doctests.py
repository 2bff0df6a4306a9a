import doctest
import importlib
import pkgutil

import model


def test_examples_in_docstrings_hold() -> None:
    tried = 0
    for module in pkgutil.walk_packages(model.__path__, "model."):
        result = doctest.testmod(importlib.import_module(module.name))
        assert result.failed == 0, module.name
        tried += result.attempted
    assert tried >= 6
