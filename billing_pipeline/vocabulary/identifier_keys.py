"""Service identifiers as places on a line, so that prefixes and ranges are intervals of it.

An identifier has up to two places: `p` and its text, where a prefix is the interval of all texts
that begin with it; and, if it is a number or an IP address, a key in which equal lengths sort as
numbers do, where a range is an interval. Keys are text, so any length and IPv6 are exact.
"""

import ipaddress
from typing import Literal, NamedTuple

import polars as pl

Match = Literal["exact", "prefix", "range"]

_LAST = "\U0010ffff"
_LENGTH_DIGITS = 3
_IPV4_DIGITS = 10
_IPV6_DIGITS = 32
_NETWORK = r"^[0-9A-Fa-f.:]+/[0-9]+$"
_IPV4 = r"^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$"
_IPV6 = r"^[0-9a-f]{0,4}(:[0-9a-f]{0,4}){2,7}$"


class Bounds(NamedTuple):
    """Keys from `first` up to before `end`; both null where the text is no prefix or range."""

    first: pl.Series
    end: pl.Series


def prefix_key(identifier: pl.Expr) -> pl.Expr:
    """The place of an identifier among prefixes. Shape: row by row."""
    return pl.concat_str(pl.lit("p"), identifier)


def range_key(identifier: pl.Expr) -> pl.Expr:
    """The place of a number or IP address among ranges; null for any other text.

    Numbers of different lengths are far from each other: 0100 is not in 100-199.
    Shape: row by row.
    """
    length = identifier.str.len_bytes().cast(pl.String).str.zfill(_LENGTH_DIGITS)
    is_number = identifier.str.contains(r"^[0-9]{1,100}$")
    return (
        pl.when(is_number)
        .then(pl.concat_str(pl.lit("n"), length, identifier))
        .otherwise(pl.coalesce(_ipv4_key(identifier), _ipv6_key(identifier)))
    )


def bounds_of(identifiers: pl.Series, matches: pl.Series) -> Bounds:
    """What each prefix (`4416`) and range (`100-199`, `10.0.0.0/24`) takes in.

    Shape: row by row; null for exact identifiers and for what cannot be read.
    """
    rows = pl.DataFrame({"identifier": identifiers, "match": matches}).with_columns(
        first=pl.lit(None, pl.String), end=pl.lit(None, pl.String)
    )
    text, match = pl.col("identifier"), pl.col("match")
    ends = text.str.split_exact("-", 1).struct
    first, last = range_key(ends.field("field_0")), range_key(ends.field("field_1"))
    is_span = (first <= last) & (first.str.slice(0, 4) == last.str.slice(0, 4))
    is_address = ~first.str.starts_with("n") & (first.str.slice(0, 1) == last.str.slice(0, 1))
    is_range = (match == "range") & ~text.str.contains("-.*-")
    fits = is_range & (is_span | (is_address & (first <= last)))
    named = rows.with_columns(
        first=pl.when(match == "prefix").then(prefix_key(text)).when(fits).then(first),
        end=pl.when(match == "prefix")
        .then(pl.concat_str(prefix_key(text), pl.lit(_LAST)))
        .when(fits)
        .then(pl.concat_str(last, pl.lit("\0"))),
    )
    networks = _network_bounds(rows.filter((match == "range") & text.str.contains(_NETWORK)))
    joined = named.join(
        networks, on="identifier", how="left", validate="m:1", maintain_order="left"
    )
    return Bounds(
        joined.select(pl.coalesce("first", "first_of_network")).to_series(),
        joined.select(pl.coalesce("end", "end_of_network")).to_series(),
    )


def numbers_of_prefix(prefix: pl.Expr, length: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """First key and end of the numbers of `length` digits that begin with a prefix.

    Null where the prefix is no number or longer. Shape: row by row.
    """
    fits = prefix.str.contains("^[0-9]+$") & (prefix.str.len_bytes() <= length)
    first, last = (range_key(prefix.str.pad_end(length, digit)) for digit in ("0", "9"))
    return pl.when(fits).then(first), pl.when(fits).then(pl.concat_str(last, pl.lit("\0")))


def _ipv4_key(text: pl.Expr) -> pl.Expr:
    parts = text.str.extract_groups(_IPV4).struct
    octets = [parts.field(str(at)).cast(pl.Int64, strict=False) for at in range(1, 5)]
    value = octets[0]
    for octet in octets[1:]:
        value = value * 256 + octet
    is_address = pl.max_horizontal(octets) < 256  # noqa: PLR2004 - an octet
    key = pl.concat_str(pl.lit("4"), value.cast(pl.String).str.zfill(_IPV4_DIGITS))
    return pl.when(is_address & text.str.contains(_IPV4)).then(key)


def _ipv6_key(text: pl.Expr) -> pl.Expr:
    lower = text.str.to_lowercase()
    halves = lower.str.split_exact("::", 1).struct
    head = _hex_digits(halves.field("field_0").fill_null(""))
    tail = _hex_digits(halves.field("field_1").fill_null(""))
    room = (pl.lit(_IPV6_DIGITS) - tail.str.len_bytes().cast(pl.Int64)).clip(0)
    digits = pl.concat_str(head.str.pad_end(room, "0"), tail)
    is_address = (digits.str.len_bytes() == _IPV6_DIGITS) & ~lower.str.contains("::.*::")
    is_full = lower.str.contains("::", literal=True) | (head.str.len_bytes() == _IPV6_DIGITS)
    return pl.when(lower.str.contains(_IPV6) & is_address & is_full).then(
        pl.concat_str(pl.lit("6"), digits)
    )


def _hex_digits(groups: pl.Expr) -> pl.Expr:
    padded = groups.str.split(":").list.eval(pl.element().str.zfill(4)).list.join("")
    return pl.when(groups != "").then(padded).otherwise(pl.lit(""))


def _network_bounds(rows: pl.DataFrame) -> pl.DataFrame:
    """Bounds of networks as they are written in configuration, one call each; never of events."""
    schema = dict.fromkeys(["identifier", "first_of_network", "end_of_network"], pl.String)
    found = []
    for text in rows["identifier"].unique().sort().to_list():
        try:
            network = ipaddress.ip_network(text)
        except ValueError:
            continue
        found.append((text, _address_key(network[0]), _address_key(network[-1]) + "\0"))
    return pl.DataFrame(found, schema=schema, orient="row")


def _address_key(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    if isinstance(address, ipaddress.IPv4Address):
        return "4" + str(int(address)).zfill(_IPV4_DIGITS)
    return "6" + format(int(address), "032x")
