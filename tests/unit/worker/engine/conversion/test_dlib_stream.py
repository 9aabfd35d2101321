import numpy as np
import pytest

from worker.engine.conversion.dlib_stream import Stream


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("0100", 0),
        ("0105", 5),
        ("8105", -5),
        ("020001", 256),
        ("08ffffffffffffffff", 2**64 - 1),
        ("8200ff", -0xFF00),
    ],
)
def test_an_integer_is_sign_and_width_then_magnitude(data: str, value: int) -> None:
    stream = Stream(bytes.fromhex(data))
    assert stream.integer() == value
    stream.end()


@pytest.mark.parametrize("data", ["", "00", "0900", "1100", "0201"])
def test_what_is_no_integer_is_refused(data: str) -> None:
    with pytest.raises(ValueError, match="byte"):
        Stream(bytes.fromhex(data)).integer()


@pytest.mark.parametrize(("data", "value"), [("01108104", 1.0), ("81038101", -1.5), ("01000100", 0.0)])
def test_a_float_is_mantissa_and_exponent(data: str, value: float) -> None:
    assert Stream(bytes.fromhex(data)).floating() == value


@pytest.mark.parametrize("exponent", ["02007d", "02017d", "02027d"])
def test_infinity_and_nan_are_refused(exponent: str) -> None:
    with pytest.raises(ValueError, match="not finite"):
        Stream(bytes.fromhex("0100" + exponent)).floating()


def test_booleans_and_texts_are_ascii() -> None:
    stream = Stream(b"10" + b"\x01\x05relu_")
    assert [stream.boolean(), stream.boolean(), stream.text()] == [True, False, "relu_"]


def test_what_is_no_boolean_is_refused() -> None:
    with pytest.raises(ValueError, match="neither true nor false"):
        Stream(b"\x01").boolean()


def test_a_tensor_is_a_shape_and_float32() -> None:
    values = np.arange(6, dtype="<f4")
    data = bytes.fromhex("0102" + "0101" + "0101" + "0102" + "0103") + values.tobytes()
    tensor = Stream(data).tensor()
    assert tensor.shape == (1, 1, 2, 3)
    assert tensor.ravel().tolist() == values.tolist()


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(ValueError, match="version 3"):
        Stream(bytes.fromhex("0103")).tensor()


def test_bytes_left_over_are_refused() -> None:
    with pytest.raises(ValueError, match="2 bytes are left over"):
        Stream(b"ab").end()
