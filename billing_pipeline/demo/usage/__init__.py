"""Usage files for the demo tenants at any scale, the same bytes for the same seed."""

from billing_pipeline.demo.usage.generate import UsageFile, UsageSummary, generate_usage

__all__ = ["UsageFile", "UsageSummary", "generate_usage"]
