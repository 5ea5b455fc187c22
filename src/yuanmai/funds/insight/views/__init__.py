"""Pages that look through the bonds: follow the yuan, the repayment calendar, the quota optimiser."""
