import pytest

from model.configurations import CONFIGURATIONS, changed
from model.exceptions import TrainingError


def test_settings_change_what_they_name_and_nothing_else() -> None:
    config, training = changed(
        *CONFIGURATIONS["default"],
        ["features=pooled", "streams=1", "sentence.hidden_size=64", "epochs=3", "context=false"],
    )
    assert (config.features, config.streams, config.sentence.hidden_size) == (("pooled",), 1, 64)
    assert (training.epochs, config.context) == (3, False)
    before, _ = CONFIGURATIONS["default"]
    assert (config.dimension, config.sentence.dropout) == (before.dimension, before.sentence.dropout)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("epoch=3", "no setting 'epoch'"),
        ("sentence.cells=gru", "no setting 'cells'"),
        ("epochs=many", "'many' does not fit the setting 'epochs'"),
        ("loss=triplet", "'triplet' does not fit the setting 'loss'"),
        ("epochs", "'' does not fit the setting 'epochs'"),
    ],
)
def test_settings_that_are_none_are_named(setting: str, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        changed(*CONFIGURATIONS["default"], [setting])
