"""The units that readings are kept in, as they are written; templates use no others."""

UNITS: frozenset[str] = frozenset(
    {
        "",  # numbers without a unit: pH, power factor, counts
        "%", "°C", "K", "°", "s", "min", "h", "d", "ms",
        "V", "A", "mA", "kW", "W", "MW", "kvar", "kVA", "kWh", "MWh", "kvarh", "kVAh", "Hz",
        "L", "L/s", "L/h", "m³", "m³/h", "m³/s", "t", "t/h", "kg", "g",
        "mg/L", "μg/L", "NTU", "μS/cm", "mg/m³", "μg/m³", "ng/m³", "ppm", "ppb", "%LEL",
        "Pa", "kPa", "MPa", "hPa", "bar", "m", "mm", "cm", "km", "m/s", "km/h", "m²", "mm/h",
        "dB", "dBm", "lx", "W/m²", "GJ", "MJ", "kJ", "J", "GJ/h", "pcs", "r/min", "m/s²",
    }
)  # fmt: skip
# How the standards write them → as they are kept.
WRITTEN: dict[str, str] = {
    "毫克/升": "mg/L", "微克/升": "μg/L", "升/秒": "L/s", "立方米": "m³", "千克": "kg", "克": "g", "摄氏度": "°C", "无量纲": "",
    "毫克/立方米": "mg/m³", "微克/立方米": "μg/m³", "纳克/立方米": "ng/m³", "立方米/秒": "m³/s", "米/秒": "m/s", "千帕": "kPa",
    "帕": "Pa", "兆帕": "MPa", "分贝": "dB", "度": "°", "[角]度": "°", "毫米": "mm", "微西[门子]/厘米": "μS/cm", "升": "L",
    "m3": "m³", "m3/h": "m³/h", "m3/s": "m³/s", "mg/m3": "mg/m³", "ug/m3": "μg/m³", "℃": "°C", "dBA": "dB", "dB(A)": "dB",
    "ug/L": "μg/L", "度电": "kWh", "千瓦时": "kWh", "吨": "t", "小时": "h",
}  # fmt: skip


def unit_of(text: str) -> str:
    """Return a unit as it is kept; an unknown one as it was written, without blanks at its ends."""
    text = text.strip()
    return WRITTEN.get(text, text)
