"""Types that documents of the API are made of."""

from decimal import Decimal
from typing import Annotated, Any

from ninja import Schema as NinjaSchema
from pydantic import ConfigDict, Field, PlainSerializer
from pydantic.json_schema import WithJsonSchema

from yuanmai.common.plain import number


def _number(value: Decimal) -> Any:
    return number(value)


# Yuan; a JSON number on the way out, a number or its decimal text on the way in. Bounded as the database's column is.
Amount = Annotated[
    Decimal,
    Field(max_digits=18, decimal_places=2, allow_inf_nan=False),
    PlainSerializer(_number, return_type=float, when_used="unless-none"),
    WithJsonSchema({"type": "number", "description": "yuan"}, mode="serialization"),
]
# An unrounded value (a rate as a fraction); a JSON number.
Exact = Annotated[
    Decimal,
    PlainSerializer(_number, return_type=float, when_used="unless-none"),
    WithJsonSchema({"type": "number"}, mode="serialization"),
]


class Schema(NinjaSchema):
    """Base of request and answer documents: a field that nobody declared is a fault, not silence."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)
