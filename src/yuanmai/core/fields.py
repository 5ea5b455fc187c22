"""Model fields with the house's meaning."""

from typing import Any

from django.db import models


class MoneyField(models.DecimalField[Any, Any]):
    """An amount in yuan, exact to the cent (18 digits)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 18)
        kwargs.setdefault("decimal_places", 2)
        super().__init__(*args, **kwargs)


class AreaField(models.DecimalField[Any, Any]):
    """An area in square metres, exact to 0.01 m²."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 16)
        kwargs.setdefault("decimal_places", 2)
        super().__init__(*args, **kwargs)


class RateField(models.DecimalField[Any, Any]):
    """A rate as a fraction, exact to a hundredth of a basis point: 0.025300 is 2.53 %."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 9)
        kwargs.setdefault("decimal_places", 6)
        super().__init__(*args, **kwargs)
