"""All views of flows' data, declared by being imported, in the two blueprints that carry them."""

from __future__ import annotations

from admin.flows import data, testing, trials, walk
from admin.flows.data import DATA, flows_api, flows_data

__all__ = ["DATA", "data", "flows_api", "flows_data", "testing", "trials", "walk"]
