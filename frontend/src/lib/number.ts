const FULL = "0123456789.,-+%()";

/** Full-width digits and signs as the keyboard of a Chinese input method writes them, made plain; spaces removed. */
export function halfWidth(text: string): string {
  return text
    .replace(/[！-～]/g, (c) => {
      const plain = String.fromCharCode(c.charCodeAt(0) - 0xfee0);
      return FULL.includes(plain) ? plain : c;
    })
    .replace(/[　\s]/g, (c) => (c === "\n" ? "\n" : " "))
    .trim();
}

/**
 * The decimal text of what somebody typed: "１，２３４．５" → "1234.5". Null when it is not a number.
 * Text, not a float: what was typed reaches the server without rounding.
 */
export function decimalText(typed: string): string | null {
  let text = halfWidth(typed).replace(/[,\s]/g, "").replace(/^约/, "").replace(/%$/, "");
  if (/^\(\d.*\)$/.test(text)) text = `-${text.slice(1, -1)}`;
  text = text.replace(/^\+/, "");
  return /^-?(\d+(\.\d*)?|\.\d+)$/.test(text) ? text.replace(/\.$/, "") : null;
}

/** "2022/3/5", "2022.3.5", "2022年3月5日" → "2022-03-05"; null when it is no day of the calendar. */
export function dateText(typed: string): string | null {
  const match = /^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?$/.exec(halfWidth(typed));
  if (!match) return null;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const date = new Date(Date.UTC(year, month - 1, day));
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  return date.toISOString().slice(0, 10);
}

/** A number for reading, in the reader's digits grouping, with at most `decimals` digits behind the point. */
export function shown(value: number, decimals = 2): string {
  return value.toLocaleString(document.documentElement.lang || "zh-Hans", { maximumFractionDigits: decimals });
}
