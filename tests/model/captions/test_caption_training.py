from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from model.captions.beam import BeamConfig
from model.captions.caption import caption_features
from model.captions.captioner import BOUNDARY, build_captioner, pad_sentences
from model.captions.checkpoint import load_captioner
from model.captions.configurations import CONFIGURATIONS
from model.captions.described import Described, described_photos
from model.captions.train import CaptionTask, CaptionTrainingConfig
from model.dataset import DatasetImage
from model.exceptions import CaptionError, TrainingError
from model.train import SplitFeatures
from model.training.optimiser import make_optimiser
from model.training.trainer import LOG_FOLDER, Trainer
from tests.model.captions.colour_captions import (
    ALONE,
    CONFIG,
    SETTINGS,
    VOCABULARY,
    colour_photos,
    make_task,
)

STEPS = 6  # an epoch: 40 photos, seven in a batch

pytest.importorskip("pycocoevalcap")  # the best epoch is that of the best CIDEr


def steps(output: Path) -> list[int]:
    events = EventAccumulator(str(output / LOG_FOLDER)).Reload()
    return [event.step for event in events.Scalars("train/loss")]


def with_sentences(described: Described, sentences: tuple[str, ...]) -> Described:
    images = [DatasetImage(image.path, image.split, sentences) for image in described.split.images]
    return described_photos(SplitFeatures(images, described.split.features, described.split.boxes))


def assert_same(first: torch.nn.Module, second: torch.nn.Module) -> None:
    for name, value in first.state_dict().items():
        torch.testing.assert_close(value, second.state_dict()[name], rtol=0, atol=0)


@pytest.mark.parametrize("name", sorted(CONFIGURATIONS))
def test_each_configuration_learns_to_say_what_is_there_and_stops_when_it_gets_no_better(
    name: str, tmp_path: Path
) -> None:
    config, training = CONFIGURATIONS[name]
    small = replace(config, row_size=CONFIG.row_size, embedding=16, hidden=32, dropout=0.1)
    settings = replace(training, epochs=90, batch_size=8, learning_rate=1e-2, averaging=0.5, patience=15)
    task = make_task(settings, small)
    Trainer(task, settings, tmp_path).run()
    found = load_captioner(tmp_path)
    captions = list(caption_features(found.model, found.vocabulary, task.dev.parts(), BeamConfig()))
    right = [list(caption.words) in sentences for caption, sentences in zip(captions, task.dev.sentences, strict=True)]
    assert sum(right) >= 7  # of 8
    dev = found.about["dev"]
    assert dev["cider"] > 4  # 10 is the most, where all references are alike
    assert len(steps(tmp_path)) == 5 * (found.about["chosen_epoch"] + 15) < 5 * 90


def test_untrained_captioner_does_not_know_what_is_there() -> None:
    task = make_task()
    measured = task.measure(task.model.eval())
    assert measured.score < 0.5
    assert measured.figures["dev_caption/cider"] == measured.score


@pytest.mark.parametrize("step", [1, 4, STEPS + 1, 2 * STEPS])
def test_interrupted_and_resumed_training_ends_as_if_undisturbed(tmp_path: Path, step: int) -> None:
    settings = replace(SETTINGS, sentences=1)  # others are chosen in each epoch
    whole = Trainer(make_task(settings), settings, tmp_path / "whole")
    whole.run()
    task = make_task(settings)
    stopped = Trainer(task, settings, tmp_path / "resumed")
    task.countdown = step
    with pytest.raises(KeyboardInterrupt):
        stopped.run()
    stopped.save()
    resumed = Trainer(make_task(settings), settings, tmp_path / "resumed")
    torch.manual_seed(99)  # whatever the random state was, the position counts
    resumed.resume()
    resumed.run()
    assert_same(whole.task.model, resumed.task.model)
    first, second = load_captioner(tmp_path / "whole"), load_captioner(tmp_path / "resumed")
    assert_same(first.model, second.model)
    assert first.about == second.about
    assert first.model_hash == second.model_hash


def test_the_papers_network_is_trained_by_rmsprop_and_the_others_by_adamw() -> None:
    model = make_task().model
    for name, expected in {"mrnn": torch.optim.RMSprop, "default": torch.optim.AdamW}.items():
        optimiser, _ = make_optimiser(model, CONFIGURATIONS[name][1], steps=10)
        assert type(optimiser) is expected


def test_every_item_comes_once_an_epoch_with_no_more_sentences_than_a_batch_takes() -> None:
    for sentences, expected in ((1, 40), (5, 80)):
        task = make_task(replace(SETTINGS, sentences=sentences))
        batches = list(task.batches(0))
        assert len(batches) == task.steps == STEPS
        pairs = [(item, number) for batch in batches for item, some in batch for number in some]
        assert sorted({item for item, _ in pairs}) == list(range(40))
        assert len(pairs) == len(set(pairs)) == expected
        assert list(task.batches(0)) == batches
    one = make_task(replace(SETTINGS, sentences=1))
    assert len({(item, *some) for epoch in range(9) for batch in one.batches(epoch) for item, some in batch}) == 80


def test_loss_is_the_mean_over_the_words_of_the_batch() -> None:
    task = make_task(config=replace(CONFIG, dropout=0.0))
    batch = next(task.batches(0))
    alone = [task.model.losses(*_given(task, [pair])) for pair in batch]
    expected = sum(sums.sum() for sums, _ in alone) / sum(words.sum() for _, words in alone)
    torch.testing.assert_close(task.loss(batch), torch.as_tensor(expected))


def _given(task: CaptionTask, batch: list[tuple[int, list[int]]]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    sentences = [[VOCABULARY.numbers(task.train.sentences[item][number]) for number in some] for item, some in batch]
    return task.train.features([item for item, _ in batch]), *pad_sentences(sentences)


def test_bias_starts_at_the_frequency_of_the_training_words() -> None:
    bias = make_task().model.bias.detach()
    counts = torch.ones(len(VOCABULARY) + 1)
    for sentences in colour_photos(40, 0).sentences:
        for sentence in sentences:
            counts[[BOUNDARY, *VOCABULARY.numbers(sentence)]] += 1
            counts[VOCABULARY.numbers(["very"])] += max(sentence.count("very") - 1, 0)  # an index counts once
    torch.testing.assert_close(bias, (counts / counts.sum()).log())


def task_of(train: Described, dev: Described, settings: CaptionTrainingConfig = SETTINGS) -> CaptionTask:
    torch.manual_seed(0)
    return CaptionTask(build_captioner(CONFIG, len(VOCABULARY)), VOCABULARY, train, dev, settings, ALONE)


def test_words_that_the_vocabulary_lacks_are_read_and_never_said(tmp_path: Path) -> None:
    train = with_sentences(colour_photos(24, 0), ("a zebra thing", "zebra zebra is a thing"))
    task = task_of(train, colour_photos(8, 1))
    Trainer(task, SETTINGS, tmp_path).run()
    found = load_captioner(tmp_path)
    captions = list(caption_features(found.model, found.vocabulary, task.dev.parts(), BeamConfig()))
    assert len(captions) == 8
    assert all(caption.words and set(caption.words) <= set(VOCABULARY.words) for caption in captions)
    assert "zebra" not in found.vocabulary


def test_data_without_a_word_to_learn_or_to_measure_is_refused() -> None:
    train, dev = colour_photos(8, 0), colour_photos(8, 1)
    with pytest.raises(TrainingError, match="the train split has no sentence with a word of the vocabulary"):
        task_of(with_sentences(train, ("zebra crossing",)), dev)
    with pytest.raises(TrainingError, match="the dev split has no sentence with a word"):
        task_of(train, with_sentences(dev, ("!", "?")))
    with pytest.raises(CaptionError, match="the beam must be 1 or wider, not 0"):
        task_of(train, dev, replace(SETTINGS, beam=0))


def test_photos_whose_sentences_have_no_words_are_left_out() -> None:
    plain = colour_photos(3, 0)
    images = [
        DatasetImage(Path("x.jpg"), "train", sentences) for sentences in (("a red thing",), ("...",), ("!", "the blue"))
    ]
    described = described_photos(SplitFeatures(images, plain.split.features, plain.split.boxes))
    assert described.photos.tolist() == [0, 2]
    assert described.sentences == [[["a", "red", "thing"]], [["the", "blue"]]]
    torch.testing.assert_close(described.features([1])[0], torch.from_numpy(plain.split.features[2]).float())
    assert [len(part) for part in described.parts(size=1)] == [1, 1]
