"""What people keep of lists: saved views (filters, columns, order under a name) and the columns they chose last."""
