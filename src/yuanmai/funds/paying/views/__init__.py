"""Pages of contracts, papers, disbursement, payment, physical work and change of use."""
