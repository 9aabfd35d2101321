from __future__ import annotations

from pathlib import Path

import pytest
import trustme

from faces.config import Settings, environment_without_secrets
from faces.errors import SettingError
from tests.support.settings_table import table


def test_defaults_are_those_of_the_contract() -> None:
    settings = Settings.read({})
    assert (settings.redis_host, settings.rabbitmq_host, settings.rest_port) == (
        "localhost",
        "localhost",
        5000,
    )
    assert settings.match_tolerance == 0.5


def test_the_environment_is_read_and_an_empty_variable_counts_as_absent() -> None:
    settings = Settings.read(
        {"REDIS_HOST": "redis", "REDIS_PORT": "", "PICTURE_FORMATS": "JPEG, PNG", "OTHER": "x"}
    )
    assert (settings.redis_host, settings.redis_port) == ("redis", 6379)
    assert settings.picture_formats == ("JPEG", "PNG")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_PORT", "seven"),
        ("REDIS_PORT", "70000"),
        ("MATCH_TOLERANCE", "0"),
        ("MATCH_TOLERANCE", "nan"),
        ("BATCH_SIZE", "0"),
        ("FETCH_TIMEOUT", "inf"),
        ("LOG_LEVEL", "loud"),
        ("API_KEYS", "yes"),
        ("KEY_PER_DAY", "-1"),
        ("REDIS_CERT", "/nowhere/cert.pem"),
        ("MODEL", "dlib-resnet-v2"),
        ("MODEL", "/nowhere/theirs.dat"),
        ("RABBITMQ_CA", "/dev/null"),
        ("AGE_GENDER_MODEL", "/dev/null,/nowhere/age.dat"),
    ],
)
def test_a_bad_value_is_named_with_its_variable(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"{name} is '{value}': "):
        Settings.read({name: value})


@pytest.mark.parametrize("suffix", ["", "-mirror"])
def test_a_model_may_be_a_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "theirs.dat"
    path.touch()
    assert Settings.read({"MODEL": f" {path}{suffix}"}).model == f"{path}{suffix}"


def test_files_are_separated_by_commas() -> None:
    assert Settings.read({"AGE_GENDER_MODEL": f"{__file__}, /dev/null"}).age_gender_model == (
        __file__,
        "/dev/null",
    )


def test_certificates_without_tls_are_refused(tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    given = {"RABBITMQ_CA": str(tmp_path / "ca.pem")}
    with pytest.raises(SettingError, match="RABBITMQ_TLS=yes"):
        Settings.read(given)
    assert Settings.read({**given, "RABBITMQ_TLS": "yes"}).rabbitmq_tls


def test_secrets_show_nowhere() -> None:
    settings = Settings.read({"REDIS_PASSWORD": "hunter2", "RABBITMQ_PASSWORD": "hunter3"})
    assert "hunter" not in repr(settings)
    assert settings.redis_password == "hunter2"  # noqa: S105 -- made up


def test_every_setting_is_a_row_with_its_help() -> None:
    rows = {row.name: row for row in table()}
    assert rows["MATCH_TOLERANCE"].default == "0.5"
    assert rows["PICTURE_FORMATS"].default == "JPEG,PNG,GIF,BMP,WEBP"
    assert rows["RABBITMQ_PASSWORD"].default == "set"
    assert all(row.help for row in rows.values())


def test_settings_are_shown_with_secrets_masked() -> None:
    settings = Settings.read(
        {
            "REDIS_PASSWORD": "canary",
            "INDEX_URL": "https://root:canary@milvus:19530",
            "PICTURE_FORMATS": "JPEG,PNG",
            "REDIS_TLS": "yes",
        }
    )
    shown = settings.shown()
    assert set(shown) == {row.name for row in table()}
    assert shown["REDIS_PASSWORD"] == "***"  # noqa: S105 -- made up
    assert shown["API_KEY"] == ""
    assert shown["INDEX_URL"] == "https://***@milvus:19530"
    assert (shown["PICTURE_FORMATS"], shown["REDIS_TLS"], shown["REDIS_PORT"]) == ("JPEG,PNG", "yes", "6379")
    assert "canary" not in str(shown)


def test_a_process_without_secrets_has_the_other_settings() -> None:
    environ = {"REDIS_PASSWORD": "canary", "REDIS_PORT": "7000", "PATH": "/bin"}
    assert environment_without_secrets(environ) == {"REDIS_PORT": "7000", "PATH": "/bin"}
    without = Settings.read(environ).without_secrets()
    assert (without.redis_port, without.redis_password) == (7000, "")
