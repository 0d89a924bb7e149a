"""What Business Central wants to know of the company, for journal and customers."""

from billing_pipeline.vocabulary.configuration import Configuration

NAME = "business_central_journal"


class BusinessCentralSettings(Configuration):
    """Journal template and batch the lines go into, and the groups new customers get."""

    journal_template: str = "GENERAL"
    journal_batch: str = "BILLING"
    customer_posting_group: str = "DOMESTIC"
    business_posting_group: str = "DOMESTIC"
    vat_business_posting_group: str = "DOMESTIC"
