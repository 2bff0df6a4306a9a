"""Environments of the peers: torch 2.11, which two of them pin, is not this program's."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from engine.exceptions import EngineError


class PeerMissing(EngineError):
    """A peer cannot be installed or does not run here; says why."""


FETCHED_UV = ".venv-tools/bin/uv"  # where `make setup` puts it if it is missing


@dataclass(frozen=True)
class Peer:
    """An engine to compare with.

    Attributes:
        title: for the report.
        module: of this folder that drives it, `module:setting` where it has settings.
        packages: that it needs beside numpy; none: it runs in this program's own environment.
    """

    title: str
    module: str
    packages: tuple[str, ...] = ()


OURS = tuple(Peer(f"dvsa, {effort}", f"dvsa_peer:{effort}") for effort in ("fast", "normal", "thorough"))
IN_PROCESS = (Peer("torch brute force", "torch_exact"), Peer("FAISS flat, 1,000 vectors a word", "faiss_words"))
INSTALLED = (
    Peer("fast-plaid 1.7", "fast_plaid_peer", ("fast-plaid>=1.7,<1.8",)),
    Peer("xtr-warp-rs 2.1", "xtr_warp_peer", ("xtr-warp-rs>=2.1,<2.2",)),
    Peer("Qdrant Edge", "qdrant_peer", ("qdrant-edge-py>=0.9,<0.10",)),
)
PEERS = OURS + IN_PROCESS + INSTALLED


def interpreter(peer: Peer, folder: Path) -> Path:
    """Return the Python that runs a peer, after making its environment below `folder` where it is not there yet.

    Raises:
        PeerMissing: uv is not there, or the packages cannot be installed.
    """
    if not peer.packages:
        return Path(sys.executable)
    place = folder / peer.module
    python = place / "bin" / "python"
    if (place / "installed").exists():
        return python
    uv = shutil.which("uv") or shutil.which(FETCHED_UV)
    if uv is None:
        raise PeerMissing("uv, which makes its environment, is neither on the path nor in .venv-tools")
    _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(place)])
    _run([uv, "pip", "install", "--quiet", "--python", str(python), "numpy", *peer.packages])
    (place / "installed").touch()
    return python


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise PeerMissing(f"{' '.join(command[1:3])} failed: {lines[-1].strip() if lines else done.returncode}")
