"""The 125 columns of a DATEV Buchungsstapel, format version 13, and which of them are text.

Source: DATEV developer portal, "Buchungsstapel" (EXTF 700, category 21, version 13), as two
independent public writers name them column by column.
"""

_INFORMATION = [
    f"Zusatzinformation{kind} {number}"
    for number in range(1, 21)
    for kind in (" - Art", "- Inhalt")
]
_RECEIPT_INFORMATION = [
    f"Beleginfo - {kind} {number}" for number in range(1, 9) for kind in ("Art", "Inhalt")
]

COLUMNS = [
    *"""Umsatz (ohne Soll/Haben-Kz);Soll/Haben-Kennzeichen;WKZ Umsatz;Kurs;Basis-Umsatz
WKZ Basis-Umsatz;Konto;Gegenkonto (ohne BU-Schlüssel);BU-Schlüssel;Belegdatum;Belegfeld 1
Belegfeld 2;Skonto;Buchungstext;Postensperre;Diverse Adressnummer;Geschäftspartnerbank
Sachverhalt;Zinssperre;Beleglink""".replace("\n", ";").split(";"),
    *_RECEIPT_INFORMATION,
    *"""KOST1 - Kostenstelle;KOST2 - Kostenstelle;Kost-Menge;EU-Land u. UStID (Bestimmung)
EU-Steuersatz (Bestimmung);Abw. Versteuerungsart;Sachverhalt L+L;Funktionsergänzung L+L
BU 49 Hauptfunktionstyp;BU 49 Hauptfunktionsnummer;BU 49 Funktionsergänzung""".replace(
        "\n", ";"
    ).split(";"),
    *_INFORMATION,
    *"""Stück;Gewicht;Zahlweise;Forderungsart;Veranlagungsjahr;Zugeordnete Fälligkeit;Skontotyp
Auftragsnummer;Buchungstyp;USt-Schlüssel (Anzahlungen);EU-Land (Anzahlungen)
Sachverhalt L+L (Anzahlungen);EU-Steuersatz (Anzahlungen);Erlöskonto (Anzahlungen);Herkunft-Kz
Buchungs GUID;KOST-Datum;SEPA-Mandatsreferenz;Skontosperre;Gesellschaftername;Beteiligtennummer
Identifikationsnummer;Zeichnernummer;Postensperre bis;Bezeichnung SoBil-Sachverhalt
Kennzeichen SoBil-Buchung;Festschreibung;Leistungsdatum;Datum Zuord. Steuerperiode;Fälligkeit
Generalumkehr (GU);Steuersatz;Land;Abrechnungsreferenz;BVV-Position;EU-Land u. UStID (Ursprung)
EU-Steuersatz (Ursprung);Abw. Skontokonto""".replace("\n", ";").split(";"),
]

_TEXT_POSITIONS = {
    *(2, 3, 6, 9, 11, 12, 14, 16, 20, 40, 42),
    *range(21, 39),
    *range(48, 88),
    *(91, 95, 96, 98, 102, 103, 105, 107, 109, 110, 112, 118, 120, 121, 123),
}

TEXT_COLUMNS = frozenset(COLUMNS[position - 1] for position in _TEXT_POSITIONS)
"""Columns written in quotes, also when empty; all others are written bare."""
