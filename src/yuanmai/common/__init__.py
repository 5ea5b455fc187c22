"""Pure helpers without Django: money, working calendar, geometry, coordinates, tables, catalogues of text."""
