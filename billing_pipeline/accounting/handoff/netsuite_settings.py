"""What NetSuite wants to know of the company, for journal and customers."""

from billing_pipeline.vocabulary.configuration import Configuration

NAME = "netsuite_journal"


class NetSuiteSettings(Configuration):
    """Subsidiary (OneWorld only) and the company's date format in strftime letters."""

    subsidiary: str = ""
    date_format: str = "%m/%d/%Y"
