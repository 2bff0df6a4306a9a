"""Configurations of captioners by name: the product's default, the paper's network, and the LSTM that followed it."""

from model.captions.captioner import CaptionerConfig
from model.captions.train import CaptionTrainingConfig

CONFIGURATIONS: dict[str, tuple[CaptionerConfig, CaptionTrainingConfig]] = {
    "default": (CaptionerConfig(), CaptionTrainingConfig()),
    # Karpathy and Fei-Fei 2015, section 3.2. Open in the paper: learning rate, dropout rates, embedding size.
    "mrnn": (
        CaptionerConfig(decoder="mrnn"),
        CaptionTrainingConfig(optimiser="rmsprop", learning_rate=5e-4, smoothing=0.0),
    ),
    # neuraltalk and neuraltalk2, without finetuning the CNN
    "lstm": (CaptionerConfig(decoder="lstm"), CaptionTrainingConfig(learning_rate=1e-3, smoothing=0.0)),
}
