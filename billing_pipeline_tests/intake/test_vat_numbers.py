import polars as pl
import pytest

from billing_pipeline.intake import vat_numbers
from billing_pipeline.intake.vat_numbers import CheckDigitsUnavailable, check_vat_numbers
from billing_pipeline.vocabulary.problems import ROW
from billing_pipeline_tests.invoicing.builders import TENANT, accounts

DIGITS = TENANT.model_copy(update={"vat_number_check": "digits"})


def numbered(country: str, number: str | None) -> pl.DataFrame:
    return accounts({"country": country, "vat_number": number}).with_row_index(ROW, offset=2)


@pytest.mark.parametrize(
    ("country", "number"),
    [
        pytest.param("DE", "DE 136 695 976", id="with spaces"),
        pytest.param("GR", "EL094259216", id="Greece writes EL"),
        pytest.param("AU", "51824753556", id="a country without prefix"),
        pytest.param("DE", "ATU12345675", id="of another country"),
        pytest.param("DE", None, id="none"),
    ],
)
def test_numbers_that_may_be_right_pass_with_and_without_check_digits(
    country: str, number: str | None
) -> None:
    assert check_vat_numbers(TENANT, numbered(country, number)) == []
    assert check_vat_numbers(DIGITS, numbered(country, number)) == []


def test_a_number_that_its_country_does_not_build_is_refused_by_row() -> None:
    (problem,) = check_vat_numbers(TENANT, numbered("DE", "DE12345678"))

    assert str(problem).startswith("accounts.csv row 2 field vat_number: 'DE12345678' is not built")


def test_wrong_check_digits_are_found_where_wanted() -> None:
    # DE136695976 is the example of the German tax office; its last digit is the check digit.
    assert check_vat_numbers(TENANT, numbered("DE", "DE136695975")) == []
    (problem,) = check_vat_numbers(DIGITS, numbered("DE", "DE136695975"))

    assert "check digits" in problem.message


def test_check_digits_without_the_package_say_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(vat_numbers, "find_spec", lambda _: None)

    with pytest.raises(CheckDigitsUnavailable, match=r"billing-pipeline\[vat\]"):
        check_vat_numbers(DIGITS, numbered("DE", "DE136695976"))
