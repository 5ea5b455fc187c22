"""How names and numbers on invoices are compared."""

import re
import unicodedata


def invoice_number(number: str) -> str:
    """Return an invoice number as it is compared: half-width, without blanks."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", number)).upper()


def seller_name(name: str) -> str:
    """Return a seller's name as it is compared: half-width, single blanks, and none between Chinese characters."""
    text = " ".join(unicodedata.normalize("NFKC", name).split())
    text = re.sub(r"(?<=[\u4e00-\u9fff)]) (?=[\u4e00-\u9fff(])", "", text)
    if re.search(r"[\u4e00-\u9fff]", text):
        text = text.replace("(", "（").replace(")", "）")
    return text
