// The rules of the bulk-entry sheet without the DOM: what a typed cell means, and how a paste is cut into cells.
import { dateText, decimalText } from "../lib/number";

export interface Column {
  key: string;
  label: string;
  type?: "text" | "number" | "percent" | "date" | "choice";
  unit?: string;
  readonly?: boolean;
  required?: boolean;
  decimals?: number;
  min?: number;
  max?: number;
  /** Another column of the row whose value this one must not exceed. */
  max_key?: string;
  /** Warn when the value is under the previous one. */
  not_less?: boolean;
  choices?: { value: string; label: string }[];
  width?: number;
}
export interface Row {
  id: string | number;
  url?: string;
  values: Record<string, string | number | null>;
  previous?: Record<string, string | number | null>;
}
export interface Verdict {
  /** What travels to the server: decimal text, ISO date, a choice's value, or the text; "" is empty. */
  value: string;
  /** Key into the dictionary, with its values; null is fine. */
  error: [string, Record<string, string | number>] | null;
  warning: [string, Record<string, string | number>] | null;
}

/** Judge what stands in a cell. `row` holds the other cells of the row as they are now. */
export function judge(column: Column, typed: string, row: Record<string, string>, previous?: string | number | null): Verdict {
  const text = typed.trim();
  const fine = (value: string): Verdict => ({ value, error: null, warning: null });
  const fault = (key: string, values: Record<string, string | number> = {}): Verdict => ({
    value: text,
    error: [key, values],
    warning: null,
  });
  if (text === "") return column.required ? { value: "", error: ["sheet.required", {}], warning: null } : fine("");
  switch (column.type) {
    case "number":
    case "percent": {
      const value = decimalText(text);
      if (value === null) return fault("sheet.number");
      const number = Number(value);
      const min = column.min ?? 0;
      if (number < min) return min === 0 ? fault("sheet.negative") : fault("sheet.number");
      const max = column.max ?? (column.type === "percent" ? 100 : undefined);
      if (max !== undefined && number > max) return fault("sheet.max", { max });
      const other = column.max_key ? decimalText(row[column.max_key] ?? "") : null;
      if (other !== null && number > Number(other)) return fault("sheet.max", { max: other });
      const before = previous === null || previous === undefined ? null : decimalText(String(previous));
      if (column.not_less && before !== null && number < Number(before)) {
        return { value, error: null, warning: ["sheet.less", { prev: before }] };
      }
      return fine(value);
    }
    case "date": {
      const value = dateText(text);
      return value === null ? fault("sheet.date") : fine(value);
    }
    case "choice": {
      const wanted = text.toLowerCase();
      const hit = column.choices?.find((c) => c.value.toLowerCase() === wanted || c.label.toLowerCase() === wanted);
      return hit ? fine(hit.value) : fault("sheet.choice", { list: (column.choices ?? []).map((c) => c.label).join(" / ") });
    }
    default:
      return fine(text);
  }
}

/** Cut what Excel puts on the clipboard into rows of cells: tabs, lines, quoted cells with line breaks. */
export function cells(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let quoted = false;
  const source = text.replace(/\r\n?/g, "\n").replace(/\n$/, "");
  for (let at = 0; at < source.length; at += 1) {
    const c = source[at] as string;
    if (quoted) {
      if (c === '"' && source[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else if (c === '"') quoted = false;
      else cell += c;
    } else if (c === '"' && cell === "") quoted = true;
    else if (c === "\t") {
      row.push(cell);
      cell = "";
    } else if (c === "\n") {
      row.push(cell);
      rows.push(row);
      row = [];
      cell = "";
    } else cell += c;
  }
  row.push(cell);
  rows.push(row);
  return rows;
}
