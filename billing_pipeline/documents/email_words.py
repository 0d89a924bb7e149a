"""What the message for a document says, in the customer's language."""

from dataclasses import dataclass

from billing_pipeline.documents.formats import formats
from billing_pipeline.documents.labels import labels
from billing_pipeline.invoicing.document import InvoiceDocument


@dataclass(frozen=True)
class EmailWords:
    """What a message says, in the customer's language."""

    subject: str
    opening: str
    sum_caption: str
    sum: str
    sentences: tuple[str, ...]


def email_words(document: InvoiceDocument, itemisation_name: str | None) -> EmailWords:
    """What the message for a document says."""
    say, write = labels(document.locale), formats(document.locale)
    total = write.money(document.total_minor, document.currency)
    period = write.period(document.period_from, document.period_to)
    if document.is_credit_note:
        terms = say["credit_note_terms"].format(amount=total)
    elif document.total_minor == 0:
        terms = say["nothing_to_pay"]
    else:
        terms = say["pay_to"].format(amount=total, date=write.date(document.due_date))
    usage = say["email_usage"].format(name=itemisation_name) if itemisation_name else ""
    caption = "amount_credited" if document.is_credit_note else "amount_due"
    return EmailWords(
        # A line break in a name would start another header of the message.
        subject=" ".join(
            f"{document.brand}: {say[document.kind]} {document.invoice_number}".split()
        ),
        opening=say[f"email_{document.kind}"].format(number=document.invoice_number, period=period),
        sum_caption=say[caption],
        sum=total,
        sentences=tuple(filter(None, (terms, usage, say["email_closing"]))),
    )
