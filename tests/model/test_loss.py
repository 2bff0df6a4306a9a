import math

import pytest
import torch

from model.loss import contrastive_loss, hinge_loss


def test_hinge_loss_worked_out_by_hand() -> None:
    scores = torch.tensor([[2.0, 1.5], [0.0, 1.0]])
    # rows: max(0, 1.5 - 2 + 1) = 0.5, max(0, 0 - 1 + 1) = 0; columns: 0 - 2 + 1 < 0, 1.5 - 1 + 1 = 1.5
    assert hinge_loss(scores).item() == pytest.approx(2.0)


def test_contrastive_loss_of_equal_scores_is_the_log_of_the_batch_size() -> None:
    assert contrastive_loss(torch.zeros(8, 8)).item() == pytest.approx(math.log(8))


def test_contrastive_loss_falls_as_true_pairs_win() -> None:
    assert contrastive_loss(torch.eye(4)).item() < contrastive_loss(0.5 * torch.eye(4)).item()
