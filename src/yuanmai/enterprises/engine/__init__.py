"""Pure rules of the enterprises room."""
