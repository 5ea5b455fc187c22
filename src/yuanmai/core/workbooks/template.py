"""An empty workbook of a kind, for those who have no sheet of their own yet."""

import io

import xlsxwriter
from django.utils.translation import gettext as _

from yuanmai.core.workbooks.engine.spec import Field
from yuanmai.core.workbooks.kinds import ImportKind
from yuanmai.core.workbooks.wording import field_label

# A name by which the reading knows that the sheet holds no rows to be taken over.
GUIDE = "填表说明"
WORDS = 8  # other heads shown per column


def columns_of(kind: ImportKind) -> list[Field]:
    """Return the fields that a template offers, in order; what follows from others or says it a second time is left out."""
    fields = kind.spec.fields.values()
    return [field for field in fields if field.check is None and field.type != "date_range"]


def template_workbook(kind: ImportKind) -> bytes:
    """Return an .xlsx with the heads of a kind and a second sheet that says what belongs below each."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    head = book.add_format(
        {"bold": True, "bg_color": "#DCE6F2", "border": 1, "text_wrap": True, "valign": "vcenter"}
    )
    must = book.add_format(
        {"bold": True, "bg_color": "#F8E3B0", "border": 1, "text_wrap": True, "valign": "vcenter"}
    )
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    text = book.add_format({"num_format": "@"})
    fields = columns_of(kind)
    page = book.add_worksheet(kind.spec.label_zh[:31])
    for column, field in enumerate(fields):
        unit = f"（{kind.spec.default_unit}）" if field.type == "money" else ""
        page.write_string(0, column, f"{field.label_zh}{unit}", must if field.required else head)
        width = 6 if field.type == "index" else 34 if field.long or field.required else 18
        # As text, so that Excel does not turn long codes and phone numbers into figures.
        page.set_column(column, column, width, text if field.type in ("text", "code") else None)
        if field.values:
            words = [words[0] for code, words in field.values.items() if words and not code.startswith("~")]
            page.data_validation(
                1, column, 5000, column, {"validate": "list", "source": words, "error_type": "warning"}
            )
    page.set_row(0, 32)
    page.freeze_panes(1, 2)
    guide = book.add_worksheet(GUIDE)
    heads = (_("Column"), _("Meaning"), _("Needed"), _("Example"), _("Also understood"))
    guide.write_row(0, 0, heads, head)
    for number, field in enumerate(fields, 1):
        words = [word for word in field.synonyms if word != field.label_zh][:WORDS]
        needed = _("yes") if field.required else _("no")
        for column, value in enumerate(
            (field.label_zh, field_label(kind.spec, field.code), needed, _example(field), "、".join(words))
        ):
            guide.write_string(number, column, value, wrap)
    guide.set_column(0, 1, 24)
    guide.set_column(2, 2, 10)
    guide.set_column(3, 3, 26)
    guide.set_column(4, 4, 70)
    guide.freeze_panes(1, 0)
    book.close()
    return out.getvalue()


def _example(field: Field) -> str:
    if field.example:
        return field.example
    if field.values:
        return "、".join(
            words[0] for code, words in field.values.items() if words and not code.startswith("~")
        )
    return {"money": "3500", "date": "2022-03", "percent": "25%", "index": "1"}.get(field.type, "")
