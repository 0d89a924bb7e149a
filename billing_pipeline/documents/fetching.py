"""What a document may fetch while it is laid out: nothing outside itself.

Apart from `sandbox.py`, so that templates can be filled in without loading WeasyPrint.
"""

from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse


# weasyprint has no types, so its classes are Any to mypy.
class FetchRefused(FatalURLFetchingError):  # type: ignore[misc]
    """The one kind of error that WeasyPrint does not swallow; `render` turns it into ours."""


class NoFetching(URLFetcher):  # type: ignore[misc]
    """Fetches nothing but `data:` pictures and fonts that stand in the document itself."""

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        """Decode a `data:` address of a picture or font. Raises: FetchRefused for any other."""
        if not url.startswith(("data:image/", "data:font/")):
            raise FetchRefused(f"a document may not fetch {url[:80]!r}")
        return super().fetch(url, headers)
