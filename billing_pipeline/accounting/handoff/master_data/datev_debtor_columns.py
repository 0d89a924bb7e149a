"""The 254 columns of DATEV's Debitoren/Kreditoren, format version 5, in their order.

Source: DATEV developer portal, "Debitoren/Kreditoren" (EXTF 700, category 16, version 5), as
independent public writers name them column by column.
"""


def _bank(number: int, empty: int) -> list[str]:
    """The columns of one bank account; one of them means nothing any more."""
    return [
        *(f"Bankleitzahl {number}", f"Bankbezeichnung {number}", f"Bank-Kontonummer {number}"),
        *(f"Länderkennzeichen {number}", f"IBAN-Nr. {number}", f"Leerfeld {empty}"),
        *(f"SWIFT-Code {number}", f"Abw. Kontoinhaber {number}"),
        *(f"Kennz. Hauptbankverb. {number}", f"Bankverb {number} Gültig von"),
        f"Bankverb {number} Gültig bis",
    ]


def _listed(lines: str) -> list[str]:
    return lines.replace("\n", ";").split(";")


COLUMNS = [
    *_listed(
        """Konto;Name (Adressattyp Unternehmen);Unternehmensgegenstand
Name (Adressattyp natürl. Person);Vorname (Adressattyp natürl. Person)
Name (Adressattyp keine Angabe);Adressattyp;Kurzbezeichnung;EU-Land;EU-UStID;Anrede
Titel/Akad. Grad;Adelstitel;Namensvorsatz;Adressart;Straße;Postfach;Postleitzahl;Ort;Land
Versandzusatz;Adresszusatz;Abweichende Anrede;Abw. Zustellbezeichnung 1
Abw. Zustellbezeichnung 2;Kennz. Korrespondenzadresse;Adresse Gültig von;Adresse Gültig bis
Telefon;Bemerkung (Telefon);Telefon GL;Bemerkung (Telefon GL);E-Mail;Bemerkung (E-Mail)
Internet;Bemerkung (Internet);Fax;Bemerkung (Fax);Sonstige;Bemerkung (Sonstige)"""
    ),
    *(name for number in range(1, 6) for name in _bank(number, number)),
    *_listed(
        """Leerfeld 6;Briefanrede;Grußformel;Kunden-/Lief.-Nr.;Steuernummer;Sprache
Ansprechpartner;Vertreter;Sachbearbeiter;Diverse-Konto;Ausgabeziel;Währungssteuerung
Kreditlimit (Debitor);Zahlungsbedingung;Fälligkeit in Tagen (Debitor)
Skonto in Prozent (Debitor);Kreditoren-Ziel 1 Tg.;Kreditoren-Skonto 1 %;Kreditoren-Ziel 2 Tg.
Kreditoren-Skonto 2 %;Kreditoren-Ziel 3 Brutto Tg.;Kreditoren-Ziel 4 Tg.
Kreditoren-Skonto 4 %;Kreditoren-Ziel 5 Tg.;Kreditoren-Skonto 5 %;Mahnung;Kontoauszug
Mahntext 1;Mahntext 2;Mahntext 3;Kontoauszugstext;Mahnlimit Betrag;Mahnlimit %;Zinsberechnung
Mahnzinssatz 1;Mahnzinssatz 2;Mahnzinssatz 3;Lastschrift;Leerfeld 7;Mandantenbank
Zahlungsträger"""
    ),
    *(f"Indiv. Feld {number}" for number in range(1, 16)),
    *(
        f"{name} (Rechnungsadresse)"
        for name in _listed(
            """Abweichende Anrede;Adressart;Straße;Postfach;Postleitzahl;Ort;Land;Versandzusatz
Adresszusatz;Abw. Zustellbezeichnung 1;Abw. Zustellbezeichnung 2;Adresse Gültig von
Adresse Gültig bis"""
        )
    ),
    *(name for number in range(6, 11) for name in _bank(number, number + 2)),
    *("Nummer Fremdsystem", "Insolvent"),
    *(f"SEPA-Mandatsreferenz {number}" for number in range(1, 11)),
    *_listed(
        """Verknüpftes OPOS-Konto;Mahnsperre bis;Lastschriftsperre bis;Zahlungssperre bis
Gebührenberechnung;Mahngebühr 1;Mahngebühr 2;Mahngebühr 3;Pauschalenberechnung
Verzugspauschale 1;Verzugspauschale 2;Verzugspauschale 3;Alternativer Suchname;Status
Anschrift manuell geändert (Korrespondenzadresse);Anschrift individuell (Korrespondenzadresse)
Anschrift manuell geändert (Rechnungsadresse);Anschrift individuell (Rechnungsadresse)
Fristberechnung bei Debitor;Mahnfrist 1;Mahnfrist 2;Mahnfrist 3;Letzte Frist"""
    ),
]
