"""Shipped feeds of clouds, switches and networks: small records with figures worked by hand."""

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.intake.shipped_feeds import shipped_feeds
from billing_pipeline.mediation.mediate import mediate
from billing_pipeline.mediation.reach import far_reaching
from billing_pipeline.mediation.schema import GUIDE
from billing_pipeline.mediation.usage_days import records_of_day
from billing_pipeline_tests.mediation.reading import decoded, reasons


def test_invite_and_bye_become_one_call_with_the_seconds_between() -> None:
    text = (
        "INVITE|a|b|call1|200|OK|1772445600||1001|+4930123456||x\n"
        "BYE|b|a|call1|200|OK|1772445665|||||x\n"
        "INVITE|a|b|call2|486|Busy here|1772445700||1001|+4930123456||x\n"
        "ACK|a|b|call1|200|OK|1772445601|||||x\n"
    )

    outcome = decoded(shipped_feeds()["kamailio_acc"], text)
    day = mediate(outcome.accepted, GUIDE.empty())

    assert outcome.filtered["reason"].to_list() == ["not_answered", "control_record"]
    assert day.suspended.select("service_identifier", "quantity", "reason").rows() == [
        ("1001", Decimal(65), "unknown_identifier"),
    ]
    assert day.filtered["reason"].to_list() == ["assembled"]


CASES = [
    (
        "radius_detail",
        ('Mon Mar  2 10:00:00 2026\n\tAcct-Session-Id = "s1"\n\tAcct-Status-Type = Start\n'
        '\tUser-Name = "bob"\n\tNAS-IP-Address = 10.0.0.1\n\tTimestamp = 1772445600\n\n'
        'Mon Mar  2 11:00:00 2026\n\tAcct-Session-Id = "s1"\n\tAcct-Status-Type = Stop\n'
        '\tUser-Name = "bob"\n\tNAS-IP-Address = 10.0.0.1\n\tAcct-Input-Octets = 100\n'
        "\tAcct-Output-Octets = 50\n\tAcct-Output-Gigawords = 1\n\tTimestamp = 1772449200\n\n"),
        ("bob", Decimal(100 + 50 + 2**32), None),
    ),
    (
        "aws_cur",
        ("identity/LineItemId,identity/TimeInterval,lineItem/UsageStartDate,"
        "lineItem/UsageAccountId,lineItem/UsageAmount,lineItem/UnblendedCost\n"
        "l1,2026-03-01/2026-03-02,2026-03-01T00:00:00Z,111122223333,2.5,0.0000012345\n"),
        ("111122223333", Decimal("2.5"), Decimal("0.0000012345")),
    ),
    (
        "microsoft_csp",
        ("CustomerId,SkuId,ChargeType,ChargeStartDate,BillableQuantity,Quantity,Subtotal,Currency\n"
        "cust1,0001,New,3/1/2026,12,10,240.00,EUR\n"),
        ("cust1", Decimal(12), Decimal(240)),
    ),
    (
        "cisco_cucm",
        ('"cdrRecordType","pkid","dateTimeOrigination","dateTimeConnect","callingPartyNumber",'
        '"finalCalledPartyNumber","duration"\nINTEGER,UNIQUEIDENTIFIER,INTEGER,INTEGER,'
        "VARCHAR(50),VARCHAR(50),INTEGER\n1,p1,1772445600,1772445605,2125550100,913015550199,60\n"
        "1,p2,1772445600,0,2125550100,913015550199,0\n"),
        ("12125550100", Decimal(60), None),
    ),
    (
        "kamailio_cdrs",
        ("id,start_time,duration,src_user,dst_user\n"
        "1,2026-03-02 10:00:00,61.250000,alice,+4930123456\n"),
        ("alice", Decimal("61.25"), None),
    ),
    (
        "threecx",
        ("Call 1,c1,00:01:05,2026/03/02 10:00:00,2026/03/02 10:00:05,2026/03/02 10:01:10,x,Ext.101,"
        "#442079460001,d,d,n,,f,f,,,,,Chain: a\n"
        "Chat 9,c2,,,,,,,,,,,,,,,,,,\n"),
        ("101", Decimal(65), None),
    ),
    (
        "twilio_calls",
        ('{"sid":"CA1","account_sid":"AC1","status":"completed","direction":"inbound",'
        '"start_time":"Mon, 02 Mar 2026 10:00:00 +0000","duration":"61","price":"-0.0085",'
        '"from":"+12125550100","to":"+13015550199"}\n'
        '{"sid":"CA2","account_sid":"AC1","status":"busy","direction":"inbound",'
        '"start_time":null,"duration":null,"price":null,"from":"x","to":"y"}\n'),
        ("AC1", Decimal(61), Decimal("0.0085")),
    ),
    (
        "twilio_usage",
        ('{"account_sid":"AC1","category":"sms-outbound","usage":"3","usage_unit":"segments",'
        '"count":"2","count_unit":"messages","price":"0.0237","price_unit":"usd",'
        '"start_date":"2026-03-02","as_of":"2026-03-03T00:10:00+00:00"}\n'
        '{"account_sid":"AC1","category":"totalprice","usage":"1","price":"0.0237",'
        '"start_date":"2026-03-02","as_of":"2026-03-03T00:10:00+00:00"}\n'),
        ("AC1", Decimal(3), Decimal("0.0237")),
    ),
    (
        "broadsoft_csv",
        ("recordId,type,userNumber,groupNumber,direction,callingNumber,calledNumber,startTime,"
        "answerIndicator,answerTime,releaseTime\n"
        "r1,Normal,+12125550100,a\\,b,Originating,+12125550100,+13015550199,20260302100000.000,"
        "Yes,20260302100005.250,20260302100105.750\n"
        "r2,Start,,,,,,20260302100000.000,,,\n"),
        ("+12125550100", Decimal("60.5"), None),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("key", "text", "expected"), CASES, ids=[case[0] for case in CASES])
def test_a_record_of_each_feed_gives_the_expected_event(
    key: str, text: str, expected: tuple[str, Decimal, Decimal | None]
) -> None:
    outcome = decoded(shipped_feeds()[key], text)

    assert reasons(outcome) == {}
    shown = outcome.accepted.select("service_identifier", "quantity", "carried_amount")
    assert shown.rows() == [expected]
    assert outcome.accepted.select(pl.col("started_at").dt.year()).item() == 2026


def test_a_later_twilio_count_of_the_same_day_stands() -> None:
    line = (
        '{{"account_sid":"AC1","category":"calls","usage":"{}","usage_unit":"minutes",'
        '"start_date":"2026-03-02","as_of":"2026-03-0{}T00:10:00+00:00"}}\n'
    )
    outcome = decoded(shipped_feeds()["twilio_usage"], line.format(7, 2) + line.format(9, 3))

    day = mediate(outcome.accepted, GUIDE.empty())

    assert day.suspended["quantity"].to_list() == [Decimal(9)]
    assert day.duplicates["reason"].to_list() == ["superseded"]


def test_octet_counters_become_rates_between_readings() -> None:
    shipped = shipped_feeds()["interface_octets"].model_dump(mode="json")
    shipped["assemble"]["wraps_at"] = 8 * 2**32
    feed = Feed.model_validate(shipped)
    text = (
        "device,interface,direction,timestamp,octets,uptime_s\n"
        "r1,ge0,in,1772445300,1000,90000\n"
        "r1,ge0,in,1772445600,31000,90300\n"  # 30,000 octets in 300 s: 800 bit/s
        "r1,ge0,in,1772445900,4294967295,90600\n"
        "r1,ge0,in,1772446200,37499,90900\n"  # 37,500 octets past the wrap: 1,000 bit/s
        "r1,ge0,in,1772446500,15000,60\n"  # restarted: 15,000 octets since: 400 bit/s
    )
    outcome = decoded(feed, text)
    day = outcome.accepted["started_at"][0].date()
    reach = far_reaching([feed])

    readings = records_of_day(outcome.accepted, outcome.accepted.clear(), day, reach)
    mediated = mediate(readings, GUIDE.empty())

    rates = mediated.suspended.sort("started_at")["quantity"].to_list()
    assert [rates[0], rates[2], rates[3]] == [Decimal(800), Decimal(1000), Decimal(400)]
    assert mediated.filtered["reason"].to_list() == ["first_reading"]


def test_every_shipped_feed_has_a_sample_with_its_expected_result() -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))

    assert [key for key in shipped_feeds() if f'"{key}"' not in tests] == []
