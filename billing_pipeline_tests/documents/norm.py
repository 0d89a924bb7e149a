"""Judges of e-invoices that nobody here wrote, and exact arithmetic that they do not check."""

import io
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest
from lxml import etree

_ROOT = Path(__file__).parents[2]
_PLACES = [parent / "shared" / "en16931" for parent in _ROOT.parents[:2]]
_CENT = Decimal("0.01")

_SCHEMAS = {
    "CrossIndustryInvoice": "cii-xsd/uncefact/data/standard/CrossIndustryInvoice_100pD16B.xsd",
    "Invoice": "ubl-xsd/maindoc/UBL-Invoice-2.1.xsd",
    "CreditNote": "ubl-xsd/maindoc/UBL-CreditNote-2.1.xsd",
}


def artefacts() -> Path:
    """The folder with schemas and compiled rules; the test is skipped where it is absent."""
    for place in _PLACES:
        if place.is_dir():
            return place
    pytest.skip("the EN 16931 artefacts are not beside this checkout")


def breaches_of_the_norm(content: bytes) -> list[str]:
    """What XSD and the official EN 16931 rules say against an e-invoice."""
    schema = _schema(_read(content).tag)
    if not schema.validate(etree.parse(io.BytesIO(content))):
        return [f"XSD {schema.error_log}"]
    return _schematron("CII" if b"CrossIndustryInvoice" in content else "UBL", content)


@cache
def _schema(kind: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(artefacts() / _SCHEMAS[kind])))


def _schematron(syntax: str, content: bytes) -> list[str]:
    pytest.importorskip("saxonche")
    processor, rules = _rules(syntax)
    node = processor.parse_xml(xml_text=content.decode("utf-8"))
    report = _read(rules.transform_to_string(xdm_node=node).encode())
    return [
        f"{failed.get('id')} {''.join(failed.itertext()).strip()}"
        for failed in report.iter("failed-assert")
    ]


@cache
def _rules(syntax: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - saxonche has no types
    import saxonche  # noqa: PLC0415 - not everywhere installed

    processor = saxonche.PySaxonProcessor(license=False)
    compiler = processor.new_xslt30_processor()
    path = artefacts() / f"EN16931-{syntax}-validation.xslt"
    return processor, compiler.compile_stylesheet(stylesheet_file=str(path))


def arithmetic_errors(content: bytes) -> list[str]:
    """Every sum and product of an e-invoice that is not exact to the cent.

    The official rules tolerate an error of 1.00 and never multiply quantity by price.
    """
    root = _read(content)
    return _cii_errors(root) if root.tag == "CrossIndustryInvoice" else _ubl_errors(root)


def _read(content: bytes) -> Element:
    """Parse, with the namespaces taken off the names."""
    root = fromstring(content)  # noqa: S314 - our own output
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def _number(node: Element, path: str, default: str = "1") -> Decimal:
    return Decimal(node.findtext(path) or default)


def _cent(number: Decimal) -> Decimal:
    return abs(number).quantize(_CENT, ROUND_HALF_UP) * (-1 if number < 0 else 1)


def _lines_errors(lines: list[dict[str, Decimal]]) -> list[str]:
    return [
        f"line does not multiply: {line}"
        for line in lines
        if line["quantity"] * line["price"] / line["base"] != line["net"]
    ]


def _cii_errors(root: Element) -> list[str]:
    lines = []
    nets: dict[tuple[str, Decimal], Decimal] = {}
    for line in root.iter("IncludedSupplyChainTradeLineItem"):
        price = "SpecifiedLineTradeAgreement/NetPriceProductTradePrice"
        settled = "SpecifiedLineTradeSettlement"
        total = f"{settled}/SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount"
        lines.append(
            {
                "price": _number(line, f"{price}/ChargeAmount"),
                "base": _number(line, f"{price}/BasisQuantity"),
                "quantity": _number(line, "SpecifiedLineTradeDelivery/BilledQuantity"),
                "net": _number(line, total),
            }
        )
        key = (
            line.findtext(f"{settled}/ApplicableTradeTax/CategoryCode") or "",
            _number(line, f"{settled}/ApplicableTradeTax/RateApplicablePercent", "0"),
        )
        nets[key] = nets.get(key, Decimal(0)) + lines[-1]["net"]
    settlement = next(root.iter("ApplicableHeaderTradeSettlement"))
    groups = {
        (group.findtext("CategoryCode") or "", _number(group, "RateApplicablePercent", "0")): (
            _number(group, "BasisAmount"),
            _number(group, "CalculatedAmount"),
        )
        for group in settlement.findall("ApplicableTradeTax")
    }
    names = ("LineTotal", "TaxBasisTotal", "TaxTotal", "GrandTotal", "DuePayable")
    totals = "SpecifiedTradeSettlementHeaderMonetarySummation"
    printed = [_number(settlement, f"{totals}/{name}Amount") for name in names]
    return _lines_errors(lines) + _sum_errors(nets, groups, printed)


def _ubl_errors(root: Element) -> list[str]:
    kind = root.tag
    counted = "CreditedQuantity" if kind == "CreditNote" else "InvoicedQuantity"
    lines = []
    nets: dict[tuple[str, Decimal], Decimal] = {}
    for line in root.findall(f"{kind}Line"):
        lines.append(
            {
                "price": _number(line, "Price/PriceAmount"),
                "base": _number(line, "Price/BaseQuantity"),
                "quantity": _number(line, counted),
                "net": _number(line, "LineExtensionAmount"),
            }
        )
        key = (
            line.findtext("Item/ClassifiedTaxCategory/ID") or "",
            _number(line, "Item/ClassifiedTaxCategory/Percent", "0"),
        )
        nets[key] = nets.get(key, Decimal(0)) + lines[-1]["net"]
    groups = {
        (group.findtext("TaxCategory/ID") or "", _number(group, "TaxCategory/Percent", "0")): (
            _number(group, "TaxableAmount"),
            _number(group, "TaxAmount"),
        )
        for group in root.iter("TaxSubtotal")
    }
    printed = [
        _number(root, path)
        for path in (
            "LegalMonetaryTotal/LineExtensionAmount",
            "LegalMonetaryTotal/TaxExclusiveAmount",
            "TaxTotal/TaxAmount",
            "LegalMonetaryTotal/TaxInclusiveAmount",
            "LegalMonetaryTotal/PayableAmount",
        )
    ]
    return _lines_errors(lines) + _sum_errors(nets, groups, printed)


def _sum_errors(
    nets: dict[tuple[str, Decimal], Decimal],
    groups: dict[tuple[str, Decimal], tuple[Decimal, Decimal]],
    printed: list[Decimal],
) -> list[str]:
    lines, without, tax, including, due = printed
    bases = {key: base for key, (base, _) in groups.items()}
    rounded = {key: _cent(base * key[1] / 100) for key, base in bases.items()}
    checks = {
        "BR-CO-10 lines": (lines, sum(nets.values())),
        "BR-CO-13 without tax": (without, lines),
        "BR-S-08 bases": (bases, nets),
        "BR-CO-17 tax of a group": ({key: paid for key, (_, paid) in groups.items()}, rounded),
        "BR-CO-14 tax": (tax, sum(rounded.values())),
        "BR-CO-15 total": (including, without + tax),
        "BR-CO-16 due": (due, including),
    }
    return [
        f"{name}: {left} is not {right}" for name, (left, right) in checks.items() if left != right
    ]
