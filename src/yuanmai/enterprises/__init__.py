"""The register of enterprises.

Offers the rooms above: who an enterprise is; yearly returns, leases and relations follow.
"""
