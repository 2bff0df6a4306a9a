import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from model.alignment import AlignmentModel
from model.checkpoint import load_checkpoint
from model.configurations import CONFIGURATIONS
from model.exceptions import CheckpointError, TrainingError
from model.train import Pairs, TrainingConfig
from model.training.optimiser import make_optimiser
from model.training.processes import joined_processes
from model.training.task import Measured
from model.training.trainer import LOG_FOLDER, STATE_FILE, Trainer
from tests.model.colour_training import CONFIG, SETTINGS, StoppedTask, make_task, without_dropout

STEPS = 20  # an epoch: 40 photos with two sentences each, four pairs in a batch


def make_trainer(output: Path, settings: TrainingConfig = SETTINGS) -> Trainer[AlignmentModel, Pairs]:
    return Trainer(make_task(settings), settings, output)


def logged(output: Path, name: str) -> list[tuple[int, float]]:
    """Steps and values of a figure as TensorBoard shows them."""
    events = EventAccumulator(str(output / LOG_FOLDER)).Reload()
    return [(event.step, event.value) for event in events.Scalars(name)]


def wait_for_the_next_second() -> None:
    """TensorBoard orders the files of a log by the second in their names."""
    time.sleep(1 - time.time() % 1)


def assert_same(first: torch.nn.Module, second: torch.nn.Module) -> None:
    for name, value in first.state_dict().items():
        torch.testing.assert_close(value, second.state_dict()[name], rtol=0, atol=0)


def test_training_learns_which_word_goes_with_which_feature(tmp_path: Path) -> None:
    make_trainer(tmp_path, replace(SETTINGS, epochs=12)).run()
    dev = load_checkpoint(tmp_path).about["dev"]
    assert dev["image_to_sentence"]["r1"] == 100.0  # an untrained model finds one in eight
    assert dev["sentence_to_image"]["r1"] == 100.0


@pytest.mark.parametrize("name", sorted(CONFIGURATIONS))
def test_each_configuration_learns(tmp_path: Path, name: str) -> None:
    config, training = CONFIGURATIONS[name]
    sentence = replace(config.sentence, hidden_size=16, dropout=0.0)  # a sentence has but two words to tell it by
    small = replace(config, feature_size=8, dimension=16, dropout=0.1, sentence=sentence)
    rate = {"adamw": 2e-2, "sgd": 4e-3}[training.optimiser]  # for a model this small
    settings = replace(training, epochs=60, batch_size=4, learning_rate=rate, averaging=0.5)
    Trainer(make_task(settings, small), settings, tmp_path).run()
    dev = load_checkpoint(tmp_path).about["dev"]
    assert dev["image_to_sentence"]["r1"] >= 75.0  # chance is one in eight
    assert dev["sentence_to_image"]["r1"] >= 75.0


@pytest.mark.parametrize("steps", range(1, 13))
def test_a_training_may_have_any_number_of_steps(steps: int) -> None:
    optimiser, schedule = make_optimiser(torch.nn.Linear(2, 2), SETTINGS, steps)
    rates = []
    for _ in range(steps - 1):
        optimiser.step()
        schedule.step()
        rates.append(optimiser.param_groups[0]["lr"])
    assert all(0 < rate <= SETTINGS.learning_rate for rate in rates)


@pytest.mark.parametrize("name", sorted(CONFIGURATIONS))
def test_scores_of_a_batch_are_those_of_the_model(name: str) -> None:
    config = without_dropout(replace(CONFIGURATIONS[name][0], feature_size=8, dimension=16))
    task = make_task(config=config)
    pairs = [(5, 1), (2, 0), (7, 0)]
    features = torch.from_numpy(task.train.features[[5, 2, 7]]).float()
    sentences = [task.train.images[row].sentences[number].split() for row, number in pairs]
    numbers = torch.nn.utils.rnn.pad_sequence([torch.tensor(task.vocabulary.numbers(s)) for s in sentences], True)
    torch.testing.assert_close(task.scores(pairs)[0], task.model(features, numbers))


@pytest.mark.parametrize(
    ("step", "number"),
    [(1, signal.SIGINT), (23, signal.SIGTERM), (STEPS, signal.SIGINT), (2 * STEPS, signal.SIGTERM)],
    ids=["first step", "within an epoch", "before an epoch is measured", "before the second is measured"],
)
def test_stopped_and_resumed_training_ends_as_if_undisturbed(tmp_path: Path, step: int, number: signal.Signals) -> None:
    settings = replace(SETTINGS, epochs=3)
    whole = make_trainer(tmp_path / "whole", settings)
    whole.run()
    task = make_task(settings)
    task.countdown, task.number = step, number
    with pytest.raises(KeyboardInterrupt):
        Trainer(task, settings, tmp_path / "resumed").run()
    assert len(logged(tmp_path / "resumed", "train/loss")) == step  # the step under way was finished, no other begun
    wait_for_the_next_second()
    resumed = make_trainer(tmp_path / "resumed", settings)
    torch.manual_seed(99)  # whatever the random state was, the position counts
    resumed.resume()
    resumed.run()
    assert_same(whole.task.model, resumed.task.model)
    assert_same(load_checkpoint(tmp_path / "whole").model, load_checkpoint(tmp_path / "resumed").model)
    for name in ("train/loss", "dev_image_to_sentence/r1"):
        assert logged(tmp_path / "whole", name) == logged(tmp_path / "resumed", name)


def test_log_has_each_step_once_with_loss_rate_norm_and_each_epochs_recalls(tmp_path: Path) -> None:
    settings = replace(SETTINGS, epochs=2)
    task = make_task(settings, without_dropout())
    first_loss = task.loss(next(task.batches(0))).item()
    Trainer(task, settings, tmp_path).run()
    for name in ("train/loss", "train/learning_rate", "train/gradient_norm"):
        assert [step for step, _ in logged(tmp_path, name)] == list(range(2 * STEPS))
    assert logged(tmp_path, "train/loss")[0][1] == pytest.approx(first_loss)
    rates = [value for _, value in logged(tmp_path, "train/learning_rate")]
    assert max(rates) == pytest.approx(SETTINGS.learning_rate)
    assert rates[0] == pytest.approx(SETTINGS.learning_rate / 25)
    dev = load_checkpoint(tmp_path).about
    steps = dict(logged(tmp_path, "dev_sentence_to_image/r1"))
    assert sorted(steps) == [STEPS - 1, 2 * STEPS - 1]
    assert steps[dev["chosen_epoch"] * STEPS - 1] == dev["dev"]["sentence_to_image"]["r1"]


def test_steps_after_the_last_save_are_logged_once_when_a_killed_run_is_resumed(tmp_path: Path) -> None:
    class Killed(StoppedTask):
        def loss(self, batch: Pairs) -> torch.Tensor:
            if self.countdown == 1:
                raise OSError("power cut")
            return super().loss(batch)

    task = make_task()
    task.__class__, task.countdown = Killed, 33
    with pytest.raises(OSError, match="power cut"):
        Trainer(task, SETTINGS, tmp_path).run()
    assert len(logged(tmp_path, "train/loss")) == 32
    wait_for_the_next_second()
    resumed = make_trainer(tmp_path)
    resumed.resume()
    resumed.run()
    assert [step for step, _ in logged(tmp_path, "train/loss")] == list(range(6 * STEPS))


def test_resume_is_refused_without_a_state_and_with_one_that_is_damaged_or_of_another_run(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="holds no interrupted training"):
        make_trainer(tmp_path).resume()
    make_trainer(tmp_path, replace(SETTINGS, epochs=1)).run()
    with pytest.raises(TrainingError, match="other settings"):
        make_trainer(tmp_path).resume()
    settings = replace(SETTINGS, epochs=1)
    wider = make_task(settings, replace(CONFIG, dimension=17))
    with pytest.raises(TrainingError, match="another model"):
        Trainer(wider, settings, tmp_path).resume()
    longer = make_task(settings)
    longer.steps += 1
    with pytest.raises(TrainingError, match="other data"):
        Trainer(longer, settings, tmp_path).resume()
    state = tmp_path / STATE_FILE
    for content in (state.read_bytes()[:5000], b"", b"not a state"):
        state.write_bytes(content)
        with pytest.raises(TrainingError, match="damaged or cut short"):
            make_trainer(tmp_path).resume()


def test_training_stops_when_dev_gets_no_better_and_keeps_the_best_epoch(tmp_path: Path) -> None:
    class Scripted(StoppedTask):
        found = iter((0.0, 0.0, 0.0, 1.0, 3.0, 2.0, 3.0, 9.0))  # nothing yet is no standstill; nor is the best a gain

        def measure(self, model: AlignmentModel) -> Measured:
            return replace(super().measure(model), score=next(self.found))

    settings = replace(SETTINGS, epochs=20, patience=2)
    task = make_task(settings)
    task.__class__ = Scripted
    Trainer(task, settings, tmp_path).run()
    assert [step for step, _ in logged(tmp_path, "train/loss")] == list(range(7 * STEPS))
    assert load_checkpoint(tmp_path).about["chosen_epoch"] == 5
    again = make_trainer(tmp_path, settings)
    again.resume()
    again.run()  # it is over: no epoch is trained
    assert load_checkpoint(tmp_path).about["chosen_epoch"] == 5
    assert_same(again.task.model, task.model)


def test_loss_that_is_not_a_number_stops_and_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    make_trainer(tmp_path, replace(SETTINGS, epochs=1)).run()
    before = [(tmp_path / name).read_bytes() for name in ("weights.safetensors", STATE_FILE)]
    broken = make_trainer(tmp_path)
    with torch.no_grad():
        next(broken.task.model.image_encoder.parameters()).fill_(float("nan"))
    with pytest.raises(TrainingError, match="not a number"):
        broken.run()
    assert [(tmp_path / name).read_bytes() for name in ("weights.safetensors", STATE_FILE)] == before


def test_gradient_that_is_not_a_number_stops_before_it_reaches_the_weights(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path)
    weight = next(trainer.task.model.image_encoder.parameters())
    before = weight.detach().clone()
    weight.register_hook(lambda gradient: gradient * float("nan"))
    with pytest.raises(TrainingError, match="not a number"):
        trainer.run()
    assert torch.equal(weight, before)


def test_temperature_divides_the_scores_of_the_contrastive_loss() -> None:
    pairs = [(0, 0), (1, 0), (2, 0)]
    warm = make_task(replace(SETTINGS, temperature=1.0), without_dropout())
    (scores,) = warm.scores(pairs)
    expected = -(scores.log_softmax(0).diagonal().mean() + scores.log_softmax(1).diagonal().mean()) / 2
    torch.testing.assert_close(warm.loss(pairs), expected)
    cold = make_task(SETTINGS, without_dropout())
    assert SETTINGS.temperature == 0.05
    expected = -((scores * 20).log_softmax(0).diagonal().mean() + (scores * 20).log_softmax(1).diagonal().mean()) / 2
    torch.testing.assert_close(cold.loss(pairs), expected)


def test_no_photo_is_twice_in_a_batch_and_every_sentence_comes_once_an_epoch() -> None:
    pairs = list(make_task().batches(0))
    assert all(len({image for image, _ in batch}) == len(batch) for batch in pairs)
    assert sorted(pair for batch in pairs for pair in batch) == [
        (row, number) for row in range(40) for number in (0, 1)
    ]


@pytest.mark.gpu
def test_training_on_a_gpu_learns_and_its_state_is_resumed_on_a_cpu(tmp_path: Path) -> None:
    settings = replace(SETTINGS, epochs=12)
    with joined_processes() as processes:
        task = make_task(settings, processes=processes)
        assert next(task.model.parameters()).is_cuda
        task.countdown = 7 * STEPS + 3
        with pytest.raises(KeyboardInterrupt):
            Trainer(task, settings, tmp_path).run()
    wait_for_the_next_second()
    resumed = make_trainer(tmp_path, settings)
    resumed.resume()
    resumed.run()
    assert [step for step, _ in logged(tmp_path, "train/loss")] == list(range(12 * STEPS))
    assert load_checkpoint(tmp_path).about["dev"]["image_to_sentence"]["r1"] == 100.0


@pytest.mark.gpu
def test_mixed_precision_gives_the_scores_of_single_precision_within_its_noise() -> None:
    pairs = [(row, 0) for row in range(8)]
    with joined_processes() as processes:
        (mixed,) = make_task(config=without_dropout(CONFIG), processes=processes).scores(pairs)
    assert mixed.dtype == torch.float32
    (single,) = make_task(config=without_dropout(CONFIG)).scores(pairs)
    torch.testing.assert_close(mixed.cpu(), single, atol=5e-3, rtol=0)


def test_damaged_checkpoints_are_refused(tmp_path: Path) -> None:
    make_trainer(tmp_path, replace(SETTINGS, epochs=1)).run()
    loaded = load_checkpoint(tmp_path)
    assert load_checkpoint(tmp_path).model_hash == loaded.model_hash
    weights, description = tmp_path / "weights.safetensors", tmp_path / "checkpoint.json"
    good = weights.read_bytes()
    weights.write_bytes(good[:-10])
    with pytest.raises(CheckpointError, match="cut short"):
        load_checkpoint(tmp_path)
    weights.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    with pytest.raises(CheckpointError, match="are not those"):
        load_checkpoint(tmp_path)
    weights.write_bytes(good)
    text = description.read_text()
    description.write_text(text.replace('"format_version": 2', '"format_version": 99'))
    with pytest.raises(CheckpointError, match="format 99"):
        load_checkpoint(tmp_path)
    description.write_text(text.replace('"proposer"', '"proposal"'))
    with pytest.raises(CheckpointError, match="another version"):
        load_checkpoint(tmp_path)
    description.write_text(text[:100])
    with pytest.raises(CheckpointError, match="cut short"):
        load_checkpoint(tmp_path)
    with pytest.raises(CheckpointError, match="holds no checkpoint"):
        load_checkpoint(tmp_path / "nowhere")
