"""What is seen only when everything stands in one ledger: follow the yuan, repayment calendar, proposals for the quota."""
