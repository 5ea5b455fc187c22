"""The demonstration: five places with synthetic single records whose figures come out as published."""
