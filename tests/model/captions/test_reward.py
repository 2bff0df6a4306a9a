from dataclasses import replace
from pathlib import Path

import pytest
import torch

from model.captions.captioner import BOUNDARY, Captioner, build_captioner, pad_sentences
from model.captions.checkpoint import load_captioner, save_captioner, started_captioner
from model.captions.reward import RewardTask, draw_sentences
from model.captions.train import CaptionTrainingConfig
from model.exceptions import CheckpointError, TrainingError
from model.training.trainer import Trainer
from model.vocabulary import Vocabulary
from tests.model.captions.colour_captions import ALONE, CONFIG, SETTINGS, VOCABULARY, colour_photos, make_task

REWARDED = replace(SETTINGS, objective="cider", sentences=4, epochs=2, learning_rate=3e-3)


def make_reward_task(model: Captioner, settings: CaptionTrainingConfig = REWARDED) -> RewardTask:
    return RewardTask(model, VOCABULARY, colour_photos(40, 0), colour_photos(8, 1), settings, ALONE)


@pytest.fixture(scope="module")
def half_trained() -> Captioner:
    pytest.importorskip("pycocoevalcap")
    task = make_task(replace(SETTINGS, epochs=8))
    random = torch.optim.Adam(task.model.parameters(), 1e-2)
    for epoch in range(6):
        for batch in task.batches(epoch):
            random.zero_grad()
            task.loss(batch).backward()
            random.step()
    return task.model


def copied(model: Captioner) -> Captioner:
    made = build_captioner(model.config, len(VOCABULARY))
    made.load_state_dict(model.state_dict())
    return made


def test_drawn_sentences_have_words_and_come_as_often_as_the_captioner_says(half_trained: Captioner) -> None:
    model = half_trained.eval()
    features = colour_photos(3, 2).features([0, 1, 2])
    torch.manual_seed(5)
    drawn = draw_sentences(model, features, 2000)
    assert [len(some) for some in drawn] == [2000] * 3
    assert all(some_words and BOUNDARY not in some_words for some in drawn for some_words in some)
    memory = model.remember(features)
    first, _ = model.logits(torch.full((3, 1, 1), BOUNDARY), memory, model.begin(memory, 1))
    first[..., BOUNDARY] = -torch.inf
    likely = first[:, 0, 0].softmax(dim=-1)  # (3, V + 1)
    for row, some in enumerate(drawn):
        counted = torch.bincount(torch.tensor([words[0] for words in some]), minlength=likely.shape[1]) / 2000
        torch.testing.assert_close(counted, likely[row], rtol=0, atol=0.05)


def test_weights_of_sentences_multiply_the_losses_of_their_words(half_trained: Captioner) -> None:
    model = half_trained.eval()
    features = colour_photos(2, 2).features([0, 1])
    inputs, targets = pad_sentences([[[1, 2], [3]], [[4], [1, 5, 6]]])
    alone = [
        model.losses(features[row : row + 1], *pad_sentences([[sentence]]))[0]
        for row, sentence in ((0, [1, 2]), (0, [3]), (1, [4]), (1, [1, 5, 6]))
    ]
    sums, words = model.losses(features, inputs, targets, weights=torch.tensor([[2.0, -1.0], [0.0, 0.5]]))
    torch.testing.assert_close(sums, torch.cat([2 * alone[0] - alone[1], 0.5 * alone[3]]))
    assert words.tolist() == [5, 6]


def test_training_by_reward_makes_a_captioner_better_and_keeps_what_it_had_learned(
    half_trained: Captioner, tmp_path: Path
) -> None:
    task = make_reward_task(copied(half_trained))
    for name, value in half_trained.state_dict().items():
        torch.testing.assert_close(task.model.state_dict()[name], value, rtol=0, atol=0)
    before = task.measure(copied(half_trained).eval()).score
    trainer = Trainer(task, REWARDED, tmp_path)
    trainer.run()
    after = load_captioner(tmp_path).about["dev"]["cider"]
    assert after > before + 0.2, (before, after)


def test_gradient_makes_the_better_of_two_sentences_likelier(half_trained: Captioner) -> None:
    model = copied(half_trained).train()
    task = make_reward_task(model)
    items = [(item, [0]) for item in range(40)]
    torch.manual_seed(1)
    task.loss(items).backward()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter.sub_(0.05 * parameter.grad)
    assert reward_of(model, task) > reward_of(half_trained, task)


def reward_of(model: Captioner, task: RewardTask) -> float:
    torch.manual_seed(2)
    drawn = draw_sentences(model.eval(), task.train.features(range(40)), 50)
    scores = [task._cider.score(item, words) for item, some in enumerate(drawn) for words in some]
    return sum(scores) / len(scores)


def test_one_sentence_has_nothing_to_be_compared_with(half_trained: Captioner) -> None:
    with pytest.raises(TrainingError, match="2 or more"):
        make_reward_task(copied(half_trained), replace(REWARDED, sentences=1))


def test_captioner_of_another_configuration_or_of_other_words_is_not_trained_further(
    half_trained: Captioner, tmp_path: Path
) -> None:
    save_captioner(tmp_path, half_trained, VOCABULARY, {})
    assert started_captioner(tmp_path, CONFIG, VOCABULARY).training
    with pytest.raises(CheckpointError, match="another configuration"):
        started_captioner(tmp_path, replace(CONFIG, hidden=64), VOCABULARY)
    with pytest.raises(CheckpointError, match="other words"):
        started_captioner(tmp_path, CONFIG, Vocabulary([*VOCABULARY.words, "more"]))
