"""Each step of the pipeline without Dagster: fetch facts, call a pure stage, keep the result.

Assets, the `billing` command and simulations all call these.
"""
