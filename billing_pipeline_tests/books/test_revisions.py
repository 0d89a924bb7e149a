import datetime as dt
from decimal import Decimal

import polars as pl
import pytest
import sqlalchemy as sa
from polars.testing import assert_frame_equal
from sqlalchemy.exc import DBAPIError

from billing_pipeline.books.catalog import (
    read_accounts,
    read_entries,
    read_guide,
    read_rate_card_prices,
    read_service_identifiers,
    read_subscriptions,
    read_tenant_documents,
    tenant_keys,
)
from billing_pipeline.books.revisions import RevisionRefused, TenantRows, plan_revision
from billing_pipeline.books.scope import installation_scope, tenant_scope
from billing_pipeline_tests.books.builders import (
    NOON,
    account,
    apply,
    entry,
    identifier,
    rate,
    subscription,
    tenant_document,
    tenant_rows,
)

pytestmark = pytest.mark.postgres

LATER = NOON + dt.timedelta(days=10)
SAMPLE = tenant_rows(
    entries=(entry("minutes", '{"unit": "min", "name": "Anruf"}'),),
    accounts=(account("A1", region="", email=None), account("A2", closed_on=dt.date(2026, 9, 1))),
    subscriptions=(subscription("S1"), subscription("S2", account_key="A2", label="")),
    identifiers=(identifier("4930123"), identifier("4930124", "S2")),
    rates=(rate("49"), rate("491", unit_price=None)),
)


def changed(rows: TenantRows, **frames: pl.DataFrame) -> TenantRows:
    return TenantRows(**(vars(rows) | frames))


def revisions(engine: sa.Engine) -> list[tuple[str, int]]:
    with engine.connect() as connection:
        rows = connection.execute(
            sa.text("select tenant_key, revision from catalog_revisions order by 1, 2")
        )
        return [(row.tenant_key, row.revision) for row in rows]


def test_what_was_applied_is_read_back(engine: sa.Engine) -> None:
    apply(engine, SAMPLE)

    with tenant_scope(engine, "acme") as connection:
        assert_frame_equal(read_accounts(connection, "acme"), SAMPLE.accounts)
        assert_frame_equal(read_subscriptions(connection, "acme"), SAMPLE.subscriptions)
        assert_frame_equal(read_service_identifiers(connection, "acme"), SAMPLE.service_identifiers)
        assert_frame_equal(read_rate_card_prices(connection, "acme"), SAMPLE.rate_card_prices)
        entries = read_entries(connection, "acme")
    assert entries.drop("document").equals(SAMPLE.entries.drop("document"))
    assert entries.item(0, "document") == '{"name": "Anruf", "unit": "min"}'


def test_the_first_revision_adds_everything(engine: sa.Engine) -> None:
    (plan,) = apply(engine, SAMPLE)

    assert plan.added == {
        "accounts": ["A1", "A2"],
        "product": ["minutes"],
        "rate_card_prices": ["retail/49/", "retail/491/"],
        "service_identifiers": ["4930123", "4930124"],
        "subscriptions": ["S1", "S2"],
        "tenant": ["acme"],
    }
    assert not plan.changed
    assert not plan.removed


def test_applying_the_same_again_makes_no_revision(engine: sa.Engine) -> None:
    apply(engine, SAMPLE)

    (plan,) = apply(engine, SAMPLE, at=LATER)

    assert plan.is_empty
    assert revisions(engine) == [("acme", 1)]


def test_the_order_of_a_documents_keys_means_nothing(engine: sa.Engine) -> None:
    apply(engine, SAMPLE)
    reordered = tenant_rows(entries=(entry("minutes", '{"name":"Anruf","unit":"min"}'),)).entries

    (plan,) = apply(engine, changed(SAMPLE, entries=reordered), at=LATER)

    assert plan.is_empty


def test_planning_changes_nothing(engine: sa.Engine) -> None:
    with installation_scope(engine) as connection:
        plan = plan_revision(connection, SAMPLE)

    assert plan.count("added") == 10
    assert revisions(engine) == []
    with installation_scope(engine) as connection:
        assert tenant_keys(connection) == []


def test_what_was_known_then_is_still_known_to_have_been(engine: sa.Engine) -> None:
    apply(engine, SAMPLE)
    dearer = tenant_rows(
        rates=(rate("49", unit_price=Decimal("0.07")), rate("44"))
    ).rate_card_prices

    (plan,) = apply(engine, changed(SAMPLE, rate_card_prices=dearer), at=LATER)

    assert plan.changed == {"rate_card_prices": ["retail/49/"]}
    assert plan.added == {"rate_card_prices": ["retail/44/"]}
    assert plan.removed == {"rate_card_prices": ["retail/491/"]}
    with tenant_scope(engine, "acme") as connection:
        before = read_rate_card_prices(
            connection, "acme", known_at=LATER - dt.timedelta(microseconds=1)
        )
        now = read_rate_card_prices(connection, "acme")
        at_once = read_rate_card_prices(connection, "acme", known_at=LATER)
        earliest = read_rate_card_prices(
            connection, "acme", known_at=NOON - dt.timedelta(microseconds=1)
        )
    assert_frame_equal(before, SAMPLE.rate_card_prices)
    assert_frame_equal(now, dearer.sort("prefix"))
    assert_frame_equal(at_once, now)
    assert earliest.is_empty()


def test_a_row_that_comes_back_is_a_new_version(engine: sa.Engine) -> None:
    apply(engine, SAMPLE)
    apply(engine, changed(SAMPLE, accounts=SAMPLE.accounts.head(1)), at=LATER)
    apply(engine, SAMPLE, at=LATER + dt.timedelta(days=1))

    with tenant_scope(engine, "acme") as connection:
        assert read_accounts(connection, "acme").height == 2
        assert read_accounts(connection, "acme", known_at=LATER).height == 1
    assert revisions(engine) == [("acme", 1), ("acme", 2), ("acme", 3)]


def test_the_past_cannot_be_known_differently(engine: sa.Engine) -> None:
    apply(engine, SAMPLE, at=LATER)

    with pytest.raises(RevisionRefused, match="was applied at"):
        apply(engine, tenant_rows(), at=NOON)


def test_a_change_of_the_tenant_itself_is_a_revision(engine: sa.Engine) -> None:
    apply(engine, tenant_rows())
    moved = tenant_rows(document=tenant_document("acme", time_zone="Europe/London"))

    (plan,) = apply(engine, moved, at=LATER)

    assert plan.changed == {"tenant": ["acme"]}
    with installation_scope(engine) as connection:
        documents = read_tenant_documents(connection)
    assert '"Europe/London"' in documents.item(0, "document")


def test_tenants_of_a_company_may_come_in_any_order(engine: sa.Engine) -> None:
    apply(engine, tenant_rows("brand", parent="company"), tenant_rows("company"))

    with installation_scope(engine) as connection:
        assert tenant_keys(connection) == ["brand", "company"]


def test_a_tenant_cannot_stand_above_itself(engine: sa.Engine) -> None:
    with pytest.raises(DBAPIError, match="its own ancestor"):
        apply(engine, tenant_rows("a", parent="b"), tenant_rows("b", parent="a"))


@pytest.mark.parametrize(
    ("second", "is_refused"),
    [
        pytest.param({}, True, id="both open"),
        pytest.param({"valid_from": dt.date(2026, 3, 1)}, True, id="later but the first is open"),
        pytest.param({"prefix": "44"}, False, id="another prefix"),
        pytest.param(
            {"band": "night", "valid_from": dt.date(2026, 3, 1)}, False, id="another band"
        ),
        pytest.param(
            {"valid_from": dt.date(2025, 1, 1), "valid_until": dt.date(2026, 1, 1)},
            False,
            id="ends where the first begins",
        ),
        pytest.param(
            {"valid_from": dt.date(2025, 1, 1), "valid_until": dt.date(2026, 1, 2)},
            True,
            id="ends a day later",
        ),
    ],
)
def test_prices_of_one_prefix_do_not_overlap(
    engine: sa.Engine, second: dict[str, object], *, is_refused: bool
) -> None:
    rows = tenant_rows(rates=(rate("49"), rate("49") | second))

    if is_refused:
        with pytest.raises(DBAPIError):
            apply(engine, rows)
    else:
        apply(engine, rows)


def test_entries_of_one_key_do_not_overlap(engine: sa.Engine) -> None:
    until = entry("vat", valid_until=dt.date(2026, 7, 1))
    after = entry("vat", '{"rate": "16"}', valid_from=dt.date(2026, 7, 1))
    apply(engine, tenant_rows(entries=(until, after)))

    with pytest.raises(DBAPIError, match="overlapping validity of product vat"):
        apply(engine, tenant_rows(entries=(entry("vat"), after)), at=LATER)


def test_an_identifier_has_one_owner_in_the_whole_company(engine: sa.Engine) -> None:
    apply(engine, tenant_rows("company"), tenant_rows("stranger"))
    apply(engine, tenant_rows("a", parent="company", identifiers=(identifier("4930123"),)))
    apply(engine, tenant_rows("stranger", identifiers=(identifier("4930123"),)))

    with pytest.raises(DBAPIError, match="belongs to subscription S1 of tenant a"):
        apply(
            engine, tenant_rows("b", parent="company", identifiers=(identifier("4930123", "S9"),))
        )


def test_an_identifier_can_move_between_brands(engine: sa.Engine) -> None:
    apply(engine, tenant_rows("company"))
    apply(engine, tenant_rows("a", parent="company", identifiers=(identifier("4930123"),)))
    moved = identifier("4930123", "S9", valid_from=LATER)
    left = identifier("4930123", valid_until=LATER)

    apply(
        engine,
        tenant_rows("b", parent="company", identifiers=(moved,)),
        tenant_rows("a", parent="company", identifiers=(left,)),
        at=LATER,
    )

    with tenant_scope(engine, "company") as connection:
        guide = read_guide(connection, "company")
    assert guide.height == 0  # no subscriptions were applied


def test_the_guide_spans_the_company_in_each_tenants_zone(engine: sa.Engine) -> None:
    apply(
        engine,
        tenant_rows("company"),
        tenant_rows(
            "york",
            parent="company",
            document=tenant_document("york", time_zone="America/New_York"),
            subscriptions=(subscription("S1", ended_on=dt.date(2026, 7, 1)),),
            identifiers=(identifier("1"),),
        ),
        tenant_rows(
            "berlin",
            parent="company",
            subscriptions=(subscription("S2"),),
            identifiers=(identifier("2", "S2"), identifier("3", "nobody")),
        ),
        tenant_rows("other", identifiers=(identifier("9"),), subscriptions=(subscription("S1"),)),
    )

    with tenant_scope(engine, "company") as connection:
        guide = read_guide(connection, "company")

    assert guide.select("identifier", "tenant_key", "service_from", "service_until").rows() == [
        (
            "1",
            "york",
            dt.datetime(2026, 1, 1, 5, tzinfo=dt.UTC),  # EST is UTC-5
            dt.datetime(2026, 7, 1, 4, tzinfo=dt.UTC),  # EDT is UTC-4
        ),
        ("2", "berlin", dt.datetime(2025, 12, 31, 23, tzinfo=dt.UTC), None),
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "update accounts set name = 'Other'",
        "update accounts set known_until = known_from, name = 'Other'",
        "update accounts set known_until = null",
        "delete from accounts",
        "truncate accounts",
        "update catalog_revisions set applied_by = 'me'",
    ],
)
def test_versions_cannot_be_rewritten_even_by_the_owner(engine: sa.Engine, statement: str) -> None:
    apply(engine, SAMPLE)

    with (
        pytest.raises(DBAPIError, match=r"keeps its versions|append-only"),
        engine.begin() as owner,
    ):
        owner.execute(sa.text(statement))


def test_revisions_for_a_brand_new_tenant_need_no_owner(engine: sa.Engine) -> None:
    apply(engine, tenant_rows("fresh"))

    with tenant_scope(engine, "fresh") as connection:
        assert tenant_keys(connection) == ["fresh"]


@pytest.mark.postgres
def test_a_subscription_cannot_move_to_another_account(engine: sa.Engine) -> None:
    two = (account("A1"), account("A2"))
    apply(engine, tenant_rows(accounts=two, subscriptions=(subscription("S1"),)))
    moved = tenant_rows(accounts=two, subscriptions=(subscription("S1", account_key="A2"),))

    with pytest.raises(RevisionRefused, match="belongs to account A1 and cannot move to A2"):
        apply(engine, moved, at=NOON + dt.timedelta(days=1))
