"""Home, search, wall chart and bulletins: reads everything, owns nothing but layouts."""
