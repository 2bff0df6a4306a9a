"""Files of network weights that the user names, for networks whose weights come with no package."""

from dataclasses import dataclass
from pathlib import Path

BACKBONE_VARIABLE = "DVSA_BACKBONE_WEIGHTS"  # the settings that engine.settings reads these files from
PROPOSER_VARIABLE = "DVSA_PROPOSER_WEIGHTS"


@dataclass(frozen=True)
class WeightFiles:
    """Where weights are, as PyTorch's `.pth` or as safetensors; None: in a package, or where torchvision keeps them.

    Attributes:
        backbone: of the CNN.
        proposer: of the region proposer.
    """

    backbone: Path | None = None
    proposer: Path | None = None


NO_FILES = WeightFiles()
