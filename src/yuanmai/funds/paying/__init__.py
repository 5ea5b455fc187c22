"""Contracts, certificates, invoices, disbursement, payment, physical work, change of use."""
