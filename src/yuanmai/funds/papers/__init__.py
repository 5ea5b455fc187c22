"""Documents, open data and workbooks of special bonds."""
