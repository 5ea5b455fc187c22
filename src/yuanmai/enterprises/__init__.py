"""The register of enterprises.

Offers the rooms above: who an enterprise is (`models.Enterprise`), its check of the unified social credit code
(`engine.credit_code`), the verbs of the register, and search. Yearly returns, leases and relations follow.
"""
