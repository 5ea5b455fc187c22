"""A document with every element, for the tests of all the writers."""

from datetime import UTC, date, datetime
from decimal import Decimal

from yuanmai.core.documents import (
    Attachment,
    Column,
    Document,
    HeadCell,
    Heading,
    Imprint,
    Kind,
    Note,
    Paragraph,
    Row,
    RowKind,
    Run,
    Table,
    simple_head,
)

BODY_TABLE = Table(
    caption="表1  重点项目总体情况",
    unit_note="单位：亿元",
    columns=(
        Column(2),
        Column(1, Kind.INTEGER),
        Column(1, Kind.DECIMAL),
        Column(1, Kind.DECIMAL),
        Column(1, Kind.PERCENT, digits=1),
    ),
    head=(
        (HeadCell("类别", rowspan=2), HeadCell("项目数（个）", rowspan=2), HeadCell("投资", colspan=3)),
        (HeadCell("年度计划"), HeadCell("累计完成"), HeadCell("完成率")),
    ),
    rows=(
        Row(("一、新开工",), RowKind.GROUP),
        Row(("工业投资", 2, Decimal("1.8"), Decimal("0.25"), Decimal("0.25") / Decimal("1.8"))),
        Row(("交通设施", 1, Decimal("0.9"), Decimal("0.18"), Decimal("0.2"))),
        Row(("二、续建",), RowKind.GROUP),
        Row(("工改工", 2, Decimal("2.71"), Decimal("0.86"), None)),
        Row(("合计", 12, Decimal("11.61"), Decimal("2.9"), Decimal("2.9") / Decimal("11.61")), RowKind.TOTAL),
    ),
    notes=("完成率按累计完成投资÷年度计划投资计算。", "“—”表示不适用。"),
)

WIDE_TABLE = Table(
    unit_note="单位：万元",
    columns=(Column(0.6, Kind.INTEGER), Column(4), Column(1.4), *(Column(1.4, Kind.INTEGER),) * 4, Column(3)),
    head=simple_head("序号", "项目名称", "类别", "总投资", "年度计划", "本月完成", "累计完成", "存在问题"),
    rows=tuple(
        Row(
            (
                number,
                f"示例项目{number}：园区道路及配套管网工程",
                "交通设施",
                38500,
                9000,
                600,
                1800,
                "用地手续未完成",
            )
        )
        for number in range(1, 41)
    ),
)


def sample(**changes: object) -> Document:
    """The sample document; ``changes`` replace its fields."""
    fields: dict[str, object] = {
        "title": "关于2022年3月重点项目建设情况的通报",
        "mark": "坦洲镇重点项目建设领导小组办公室文件",
        "number": "坦重点办〔2022〕3号",
        "addressee": "各村（社区），镇属各单位",
        "body": (
            Paragraph("现将截至2022年3月31日全镇重点项目建设情况通报如下。" * 4),
            Heading("总体情况"),
            Heading("投资完成情况", 2),
            Paragraph(
                (
                    Run("一是投资完成超时序。", bold=True),
                    Run("全镇12个重点项目累计完成投资2.90亿元，完成率25.0%，快于时序进度0.3个百分点。"),
                )
            ),
            BODY_TABLE,
            Heading("开工复工情况", 2),
            Heading("新开工项目", 3),
            Paragraph("5个新开工项目中4个已开工，开工率80.0%。" * 6),
            Heading("未开工项目", 4),
            Paragraph("精密制造扩产项目（示例）因用地手续未完成尚未开工。"),
            Heading("存在问题"),
            Paragraph(
                '恶意文本：#eval("1+1") *粗* _斜_ $x$ @ref <label> \\ // [括号] `code` = 标题 𠮷 㐂 堃。'
            ),
        ),
        "signature": "坦洲镇重点项目建设领导小组办公室",
        "signed_on": date(2022, 4, 2),
        "note": "此件公开发布",
        "attachments": (
            Attachment("2022年重点项目投资完成情况表", (WIDE_TABLE, Note("示例数据")), landscape=True),
        ),
        "imprint": Imprint(
            copies_to=("市重点项目工作领导小组办公室", "镇党政班子成员"),
            printed_by="坦洲镇党政办公室",
            printed_on=date(2022, 4, 2),
        ),
        "created": datetime(2022, 4, 2, 1, 0, tzinfo=UTC),
    }
    return Document(**(fields | changes))  # type: ignore[arg-type]
