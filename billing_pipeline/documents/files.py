"""Everything that is made of a document beside its PDF, by the names tenants ask for."""

from collections.abc import Iterable, Iterator
from email.message import EmailMessage
from email.policy import SMTP
from typing import NamedTuple

from billing_pipeline.customers.tenant import DocumentFile
from billing_pipeline.documents.einvoice.cii import cii_invoice
from billing_pipeline.documents.einvoice.facts import why_impossible
from billing_pipeline.documents.einvoice.ubl import ubl_invoice
from billing_pipeline.documents.email import invoice_email
from billing_pipeline.documents.itemisation import itemisation_csv, itemisation_parquet
from billing_pipeline.documents.json_document import invoice_json
from billing_pipeline.documents.template_sets import TemplateSet
from billing_pipeline.invoicing.document import InvoiceDocument

_BOUNDARY = "=-billing-pipeline-="


class MadeFile(NamedTuple):
    """A file of a document: its kind in the books, its file type, its bytes."""

    kind: DocumentFile
    suffix: str
    content: bytes


def document_files(
    document: InvoiceDocument, wanted: Iterable[DocumentFile], templates: TemplateSet
) -> Iterator[MadeFile]:
    """The wanted files in the order asked for, those left out that the document has no matter for.

    Itemisations need usage; an e-invoice needs what EN 16931 can express.
    """
    for kind in dict.fromkeys(wanted):
        made = _made(kind, document, templates)
        if made is not None:
            yield made


def _made(kind: DocumentFile, document: InvoiceDocument, templates: TemplateSet) -> MadeFile | None:
    has_usage = document.itemisation.height > 0
    is_possible = why_impossible(document) is None
    match kind:
        case "itemisation":
            content = itemisation_csv(document.itemisation) if has_usage else None
            suffix = "csv"
        case "itemisation_parquet":
            content = itemisation_parquet(document.itemisation) if has_usage else None
            suffix = "parquet"
        case "ubl":
            content, suffix = (ubl_invoice(document) if is_possible else None), "ubl.xml"
        case "cii":
            content, suffix = (cii_invoice(document) if is_possible else None), "cii.xml"
        case "json":
            content, suffix = invoice_json(document), "json"
        case "email":
            content, suffix = _message(document, templates), "eml"
    return None if content is None else MadeFile(kind, suffix, content)


def _message(document: InvoiceDocument, templates: TemplateSet) -> bytes:
    """The message a document is sent with, both forms of it, ready for attachments."""
    itemisation = f"{document.invoice_number}.csv" if document.itemisation.height else None
    email = invoice_email(document, itemisation, templates)
    message = EmailMessage(policy=SMTP)
    message["Subject"] = email.subject
    message["From"] = document.seller.email
    if email.recipient:
        message["To"] = email.recipient
    message.set_content(email.text)
    message.add_alternative(email.html, subtype="html")
    message.set_boundary(_BOUNDARY)
    return message.as_bytes()
