"""The measures of GB/T 9704-2012 (党政机关公文格式) that both writers and the self-check use.

Clause numbers are those of the standard. Lengths are millimetres unless the name says points.
"""

PAGE_WIDTH, PAGE_HEIGHT = 210.0, 297.0
# 5.2.1: 天头 37 ± 1, 订口 28 ± 1, type area 156 × 225; the other two margins follow.
MARGIN_TOP, MARGIN_LEFT, MARGIN_BOTTOM, MARGIN_RIGHT = 37.0, 28.0, 35.0, 26.0
TEXT_WIDTH, TEXT_HEIGHT = 156.0, 225.0
# 5.2.3: 22 lines of 28 characters.
LINES, CHARACTERS = 22, 28
# 7.4: a landscape table is bound at the head, so the page is the portrait page turned clockwise.
LANDSCAPE_TOP, LANDSCAPE_RIGHT, LANDSCAPE_BOTTOM, LANDSCAPE_LEFT = 28.0, 37.0, 26.0, 35.0

POINTS_PER_MM = 72 / 25.4
TWIPS_PER_MM = 20 * POINTS_PER_MM

SIZE_TITLE = 22.0  # 2号
SIZE_BODY = 16.0  # 3号
SIZE_SMALL = 14.0  # 4号: page numbers and imprint
SIZE_TABLE = 10.5  # 5号
LINE_PITCH = TEXT_HEIGHT / LINES * POINTS_PER_MM  # 28.99 pt
CHARACTER_PITCH = TEXT_WIDTH / CHARACTERS * POINTS_PER_MM  # 15.79 pt
TITLE_PITCH = 36.0
TABLE_PITCH = 17.0

MARK_DROP = 35.0  # 7.2.4: from the type area's upper edge to the mark
RED_LINE_GAP = 4.0  # 7.2.5: the red line stands 4 mm below the number
PAGE_NUMBER_DROP = 7.0  # 7.5: the dash of the page number stands 7 mm below the type area
RED = "FF0000"

# The names under which office software knows the fonts that the standard asks for; the second name is its usual stand-in.
FONT_TITLE = "方正小标宋简体"
FONT_BODY = "仿宋_GB2312"
FONT_HEI = "黑体"
FONT_KAI = "楷体_GB2312"
FONT_SONG = "宋体"
FONT_LATIN = "Times New Roman"
STAND_INS = {FONT_TITLE: "宋体", FONT_BODY: "仿宋", FONT_KAI: "楷体"}


def mark_size(mark: str) -> float:
    """The size in points at which the 发文机关标志 fits on one line of the type area, at most 44 points."""
    return min(44.0, round(TEXT_WIDTH * POINTS_PER_MM * 0.98 / max(len(mark), 1), 1))
