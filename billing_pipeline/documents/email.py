"""The message a document is sent with: subject, HTML and plain text that say the same."""

from dataclasses import dataclass

from billing_pipeline.documents.email_words import EmailWords, email_words
from billing_pipeline.documents.formats import formats
from billing_pipeline.documents.sandbox import environment
from billing_pipeline.documents.template_sets import TemplateSet, default_template_set
from billing_pipeline.invoicing.document import InvoiceDocument


@dataclass(frozen=True)
class Email:
    """A message ready to be sent, without its attachments."""

    recipient: str | None
    subject: str
    html: str
    text: str


def invoice_email(
    document: InvoiceDocument,
    itemisation_name: str | None = None,
    templates: TemplateSet | None = None,
) -> Email:
    """The message for a document; `itemisation_name` is the usage file that goes with it.

    Raises: jinja2.TemplateError where a tenant's template fails or oversteps the sandbox.
    """
    words = email_words(document, itemisation_name)
    html = (
        environment(templates or default_template_set())
        .get_template("email.html.j2")
        .render(invoice=document, email=words, formats=formats(document.locale))
    )
    return Email(document.buyer.email, words.subject, html, _text(document, words))


def _text(document: InvoiceDocument, words: EmailWords) -> str:
    seller = document.seller
    return "\n\n".join(
        (
            document.brand,
            words.opening,
            f"{words.sum_caption}: {words.sum}",
            *words.sentences,
            f"-- \n{seller.name}\n{seller.street}\n{seller.postal_code} {seller.city}\n",
        )
    )
