import json
from pathlib import Path

import numpy as np
import pytest
import torch

from model.alignment import AlignmentConfig, build_alignment_model
from model.boxes import GEOMETRY
from model.dataset import DatasetImage
from model.entities import Phrase, read_entities
from model.exceptions import DatasetError
from model.grounding import grounded, measure_grounding, phrase_places, summary
from model.vocabulary import Vocabulary

ENTRY = {
    "size": [100, 100],
    "sentences": ["A dog and a cat ."],
    "phrases": [
        {"sentence": 0, "phrase": "A dog", "type": "animals", "entity": 1},
        {"sentence": 0, "phrase": "a cat", "type": "animals", "entity": 2},
        {"sentence": 0, "phrase": "nobody", "type": "people", "entity": 3},
    ],
    "boxes": {"1": [[0, 0, 50, 50]], "2": [[50, 50, 100, 100], [0, 50, 50, 100]]},
}


def broken(**changes: object) -> str:
    return json.dumps({"a.jpg": ENTRY | changes})


IMAGE = DatasetImage(Path("a.jpg"), "dev", ("A dog and a cat .",))


def test_phrases_without_a_box_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "entities.json"
    path.write_text(json.dumps({"a.jpg": ENTRY}))
    ((dog, cat),) = read_entities(path, [IMAGE])
    assert (dog.text, dog.boxes.tolist()) == ("A dog", [[0, 0, 50, 50]])
    assert len(cat.boxes) == 2
    assert dog.type == "animals"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("{", "Invalid JSON: EOF"),
        ("[]", "should be an object"),
        ("{}", r"of other photos: a\.jpg is not among them, the first of 1"),
        (
            '{"a.jpg": {"sentences": [], "phrases": [{}], "boxes": {}}}',
            r"malformed at a\.jpg\.phrases\.0\.sentence: Fie",
        ),
        (broken(phrases=[{"sentence": 1, "phrase": "A dog", "entity": 1}]), r"photo a\.jpg: no sentence 1"),
        (broken(phrases=[{"sentence": -1, "phrase": "A dog", "entity": 1}]), r"malformed at a\.jpg\.phrases\.0\.sent"),
        (broken(boxes={"1": [[0, 0, 50]]}), r"malformed at a\.jpg\.boxes\.1\.0"),
        (broken(boxes={"1": [[0, 0, 50, 50], [9, 9, 9, 20]]}), r"photo a\.jpg: a box ends before it begins"),
    ],
)
def test_bad_entities_are_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "entities.json"
    path.write_text(text)
    with pytest.raises(DatasetError, match=message):
        read_entities(path, [IMAGE])


def test_places_of_a_phrase_that_is_not_in_the_sentence() -> None:
    assert phrase_places(["a", "dog"], ["two", "dogs"]) == []
    assert phrase_places(["a"], ["a", "dog"]) == []


def test_grounding_of_a_hand_made_model() -> None:
    """Words and regions are one-hot: "dog" goes to region 0, "cat" to region 1, whatever stands beside them."""
    vocabulary = Vocabulary(["dog", "cat"])
    config = AlignmentConfig(
        features=("pooled",), streams=1, feature_size=3, dimension=3, unit=False, context=False, rank_prior=0.0
    )
    model = build_alignment_model(config, vocabulary).eval()
    with torch.no_grad():
        weight, bias = model.image_encoder.project.parameters()
        weight.copy_(torch.eye(3, 3 + GEOMETRY))
        bias.zero_()
    vectors = {1: torch.tensor([1.0, 0, 0]), 2: torch.tensor([0, 1.0, 0])}

    class OneHot(torch.nn.Module):
        def forward(self, numbers: torch.Tensor) -> torch.Tensor:
            return torch.stack([torch.stack([vectors[int(number)] for number in row]) for row in numbers])

    model.sentence_encoder = OneHot()  # type: ignore[assignment]
    sentence = "a dog and a cat"
    phrases = [
        Phrase(sentence, "a dog", np.array([[0, 0, 10, 10]], dtype=np.float32)),  # right
        Phrase(sentence, "a cat", np.array([[12, 12, 100, 100]], dtype=np.float32)),  # its region only points into it
        Phrase(sentence, "and a", np.array([[0, 0, 100, 100]], dtype=np.float32)),  # unknown: the whole photo is right
        Phrase(sentence, "a dog", np.array([[60, 0, 70, 10]], dtype=np.float32)),  # wrong, and no region would be right
    ]
    boxes = np.array([[[0, 0, 10, 10], [40, 40, 60, 60], [0, 0, 100, 100]]], dtype=np.float32)
    found = measure_grounding(model, vocabulary, [phrases], np.eye(3, 3 + GEOMETRY, dtype=np.float16)[None], boxes)
    assert (found.phrases, found.iou50, found.pointing, found.proposal_recall) == (4, 50.0, 75.0, 75.0)


def test_each_phrase_says_what_it_chose_and_what_it_could() -> None:
    regions = np.array([[0, 0, 10, 10], [40, 40, 60, 60], [0, 0, 100, 100]], dtype=np.float32)
    phrase = Phrase("a dog", "a dog", np.array([[45, 45, 58, 58], [0, 0, 9, 9]], dtype=np.float32), "animals")
    near = grounded(0, phrase, regions, 1)  # IoU 169 / 400 with one box, and its centre lies in it
    assert (near.hit, near.pointed, near.possible) == (False, True, True)
    right = grounded(0, phrase, regions, 0)  # IoU 81 / 100 with the other
    assert (right.hit, right.pointed, right.possible) == (True, True, True)
    assert summary([near, right]).iou50 == 50.0
    assert summary([]).phrases == 0
