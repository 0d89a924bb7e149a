"""`billing extract`: what the books and the lake hold, for finance and for comparison."""

from pathlib import Path

import click


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
def extract(out: Path) -> None:
    """Write events, suspense, rated usage, charges, invoices, lines and journal to OUT.

    OUT is a folder for sorted CSV files, or a file that ends in .xlsx for one workbook.
    """
    from billing_pipeline.documents.workbook import workbook
    from billing_pipeline.orchestration.clock import utc_now
    from billing_pipeline.orchestration.extracts import read_extracts, write_extracts
    from billing_pipeline.orchestration.installation import Installation

    installation = Installation.from_environment()
    if out.suffix == ".xlsx":
        sheets = {extract.name: extract.rows for extract in read_extracts(installation)}
        out.write_bytes(workbook(sheets, utc_now()))
    else:
        write_extracts(installation, out)
    click.echo(f"wrote {out}")
