"""A misspelt key is an error, and a secret is never shown."""

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, SecretStr

from chassis.settings import SettingsError, load

STRICT = ConfigDict(frozen=True, extra="forbid")


class Oven(BaseModel):
    model_config = STRICT
    degrees: int = 180
    key: SecretStr | None = None
    key_label: str = ""


class Bakery(BaseModel):
    model_config = STRICT
    name: str = "corner"
    oven: Oven = Oven()
    ovens: dict[str, Oven] = {}
    sorts: list[str] = []
    plan_file: Path | None = None


def test_the_environment_is_over_the_later_file_is_over_the_earlier(tmp_path: Path) -> None:
    first, second = tmp_path / "1.toml", tmp_path / "2.toml"
    first.write_text('name = "first"\n[oven]\ndegrees = 1\nkey_label = "kept"\n')
    second.write_text('name = "second"\n[oven]\ndegrees = 2\n')
    bakery = load(Bakery, [first, second], {"FOOTHOLD_OVEN__DEGREES": "3", "PATH": "/bin"})
    assert (bakery.name, bakery.oven.degrees, bakery.oven.key_label) == ("second", 3, "kept")


def test_lists_tables_and_names_that_end_in_file() -> None:
    bakery = load(
        Bakery,
        environ={
            "FOOTHOLD_SORTS": '["rye", "oat"]',
            "FOOTHOLD_OVENS__SMALL__DEGREES": "90",
            "FOOTHOLD_PLAN_FILE": "plan.txt",
        },
    )
    assert bakery.sorts == ["rye", "oat"]
    assert bakery.ovens["small"].degrees == 90
    assert bakery.plan_file == Path("plan.txt")


def test_a_secret_comes_from_the_environment_or_a_named_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("{open sesame}\n")
    for environ in ({"FOOTHOLD_OVEN__KEY": "{open sesame}"}, {"FOOTHOLD_OVEN__KEY_FILE": str(file)}):
        bakery = load(Bakery, environ=environ)
        assert bakery.oven.key is not None
        assert bakery.oven.key.get_secret_value() == "{open sesame}"
        assert "sesame" not in repr(bakery)
        assert "sesame" not in bakery.model_dump_json()


def test_every_problem_is_told_at_once_and_no_value(tmp_path: Path) -> None:
    file = tmp_path / "bakery.toml"
    file.write_text('nmae = "x"\n[oven]\nkey = "sesame"\ndegrees = "sesame"\n')
    with pytest.raises(SettingsError) as refused:
        load(
            Bakery,
            [file, tmp_path / "missing.toml"],
            {
                "FOOTHOLD_OVEN__DEGREE": "sesame",
                "FOOTHOLD_SORTS": "[sesame",
                "FOOTHOLD_OVEN__KEY_FILE": "/no/where",
            },
        )
    told = str(refused.value)
    for part in (
        "nmae",
        "oven.key is a secret",
        "oven.degrees",
        "FOOTHOLD_OVEN__DEGREE: there is no",
        "FOOTHOLD_SORTS",
        "missing.toml",
        "KEY_FILE: the file",
    ):
        assert part in told, part
    assert "sesame" not in told


def test_a_secret_given_twice_and_a_broken_file_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("a")
    with pytest.raises(SettingsError, match="set one of them"):
        load(Bakery, environ={"FOOTHOLD_OVEN__KEY": "b", "FOOTHOLD_OVEN__KEY_FILE": str(file)})
    with pytest.raises(SettingsError, match="not valid TOML"):
        load(Bakery, [file], {})


def test_somebody_elses_variable_can_be_named() -> None:
    assert load(Bakery, environ={"FOOTHOLD_DATA": "x"}, ignore=["FOOTHOLD_DATA"]).name == "corner"


def test_a_model_that_would_swallow_unknown_keys_is_refused() -> None:
    class Loose(BaseModel):
        name: str = ""

    with pytest.raises(TypeError, match="forbid"):
        load(Loose, environ={})
