import doctest
import importlib
import pkgutil

import api
import engine
import indexer
import model

PACKAGES = (api, engine, indexer, model)


def test_examples_in_docstrings_hold() -> None:
    tried = 0
    for package in PACKAGES:
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if module.name.endswith("__main__") or ".migrations." in module.name:  # they run when they are imported
                continue
            result = doctest.testmod(importlib.import_module(module.name))
            assert result.failed == 0, module.name
            tried += result.attempted
    assert tried >= 31
