"""The EU VAT area: who is in it, and the words its law puts on an invoice."""

import polars as pl

EU_MEMBERS = (
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
    "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
)  # fmt: skip
"""Member states, ISO 3166. Source: directive 2006/112/EC, articles 5 to 8, as of 2020-02."""

_PREFIXES = {"GR": "EL"}
"""VAT numbers begin with the ISO country but for Greece. Source: 2006/112/EC article 215."""

_REVERSE_CHARGE = {
    "bg": "обратно начисляване",
    "cs": "daň odvede zákazník",
    "da": "omvendt betalingspligt",
    "de": "Steuerschuldnerschaft des Leistungsempfängers",
    "el": "Αντίστροφη επιβάρυνση",
    "en": "Reverse charge",
    "es": "inversión del sujeto pasivo",
    "fi": "käännetty verovelvollisuus",
    "fr": "Autoliquidation",
    "hu": "fordított adózás",
    "it": "inversione contabile",
    "nl": "Btw verlegd",
    "pl": "odwrotne obciążenie",
    "pt": "Autoliquidação",
    "ro": "taxare inversă",
    "sv": "omvänd betalningsskyldighet",
}
"""Source: directive 2006/112/EC article 226 (11a) in each language."""

_WORDS = {
    "AE": _REVERSE_CHARGE,
    "K": {
        "en": "Intra-Community supply, exempt from VAT",
        "de": "Steuerfreie innergemeinschaftliche Lieferung",
        "fr": "Livraison intracommunautaire, exonérée de TVA",
    },
    "G": {
        "en": "Export outside the EU, exempt from VAT",
        "de": "Steuerfreie Ausfuhrlieferung",
        "fr": "Exportation hors UE, exonérée de TVA",
    },
    "E": {"en": "Exempt from tax", "de": "Umsatzsteuerfrei", "fr": "Exonéré de TVA"},
    "O": {
        "en": "Outside the scope of tax",
        "de": "Nicht steuerbar",
        "fr": "Hors champ d'application de la TVA",
    },
}


def lawful_words(tax_code: str, language: str) -> str | None:
    """Words the law asks for beside a tax category, in `language` (a locale), else English.

    None where a category needs no words. English stands behind the customer's language,
    because the seller's tax office reads the document too.
    """
    words = _WORDS.get(tax_code)
    if words is None:
        return None
    spoken = words.get(language.partition("_")[0].lower(), words["en"])
    return spoken if spoken == words["en"] else f"{spoken} ({words['en']})"


def is_in_eu(country: pl.Expr) -> pl.Expr:
    """Whether a country belongs to the EU VAT area. Shape: row by row."""
    return country.is_in(list(EU_MEMBERS))


def is_registered_in(vat_number: pl.Expr, country: pl.Expr) -> pl.Expr:
    """Whether a VAT number carries the prefix of `country`. Shape: row by row; null is false."""
    prefix = country.replace(_PREFIXES)
    return (
        vat_number.str.strip_chars()
        .str.to_uppercase()
        .str.starts_with(prefix)
        .fill_null(value=False)
    )
