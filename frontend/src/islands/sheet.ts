import { csrf, define, h, icon, jsonOf } from "../lib/dom";
import { t } from "../lib/strings";
import { markUnsaved } from "./page";
import { cells, judge, type Column, type Row, type Verdict } from "./sheet-model";
import { toast } from "./toast";

interface Sheet {
  columns: Column[];
  rows: Row[];
}
interface Cell {
  row: Row;
  column: Column;
  field: HTMLInputElement | HTMLSelectElement;
  td: HTMLTableCellElement;
  note: HTMLElement;
  before: string;
  verdict: Verdict;
  served: string | null;
}

/** `<ym-sheet data-post>`: bulk entry in a table; see docs/frontend.md for its data and what it sends. */
class SheetElement extends HTMLElement {
  #sheet: Sheet = { columns: [], rows: [] };
  #grid: Cell[][] = [];
  #status!: HTMLElement;
  #save!: HTMLButtonElement;

  connectedCallback(): void {
    const sheet = jsonOf<Sheet>(this);
    if (!sheet || this.#grid.length) return;
    this.#sheet = sheet;
    this.#build();
    this.addEventListener("input", (event) => this.#changed(event.target as HTMLElement));
    this.addEventListener("keydown", (event) => this.#key(event));
    this.addEventListener("paste", (event) => this.#paste(event));
    this.#refresh();
  }

  disconnectedCallback(): void {
    markUnsaved(this, false);
  }

  #build(): void {
    const head = h("tr", {}, h("th", { scope: "col", class: "ym-sheet-no" }, "#"));
    for (const column of this.#sheet.columns) {
      const cell = h("th", { scope: "col" }, column.label, column.required ? h("span", { class: "ym-req" }, "*") : null, column.unit ? h("small", {}, column.unit) : null);
      if (column.width) cell.style.minWidth = `${column.width}px`;
      head.append(cell);
    }
    const body = h("tbody");
    this.#sheet.rows.forEach((row, index) => {
      const line: Cell[] = [];
      const tr = h("tr", {}, h("td", { class: "ym-sheet-no num" }, String(index + 1)));
      for (const column of this.#sheet.columns) {
        if (column.readonly) tr.append(this.#fixed(row, column));
        else {
          const cell = this.#cell(row, column, index);
          line.push(cell);
          tr.append(cell.td);
        }
      }
      this.#grid.push(line);
      body.append(tr);
    });
    this.#status = h("span", { role: "status", class: "ym-sheet-status" });
    this.#save = h("button", { type: "button", class: "btn btn-primary", onclick: () => void this.#send() }, icon("device-floppy"), t("sheet.save"));
    this.append(
      h("div", { class: "table-responsive ym-sheet-scroll" }, h("table", { class: "table ym-table ym-sheet-table" }, h("thead", {}, head), body)),
      h("div", { class: "ym-sheet-foot" }, this.#save, this.#status, h("span", { class: "ym-grow" }), h("span", { class: "text-secondary" }, t("sheet.paste"))),
    );
  }

  #fixed(row: Row, column: Column): HTMLElement {
    const text = String(row.values[column.key] ?? "");
    const number = column.type === "number" || column.type === "percent";
    const first = this.#sheet.columns[0] === column;
    const inner = first && row.url ? h("a", { href: row.url }, text) : text;
    return first ? h("th", { scope: "row" }, inner) : h("td", { class: number ? "num" : null }, inner);
  }

  #cell(row: Row, column: Column, index: number): Cell {
    const before = String(row.values[column.key] ?? "");
    const label = `${String(row.values[this.#sheet.columns[0]?.key ?? ""] ?? index + 1)}, ${column.label}`;
    const number = column.type === "number" || column.type === "percent";
    const field =
      column.type === "choice"
        ? h("select", { "aria-label": label }, h("option", { value: "" }, ""), ...(column.choices ?? []).map((c) => h("option", { value: c.value }, c.label)))
        : h("input", { type: "text", "aria-label": label, inputmode: number ? "decimal" : null, class: number ? "num" : null, autocomplete: "off" });
    field.value = before;
    const previous = row.previous?.[column.key];
    const note = h("div", { class: "ym-sheet-note", id: `ym-sheet-${index}-${column.key}` });
    field.setAttribute("aria-describedby", note.id);
    const hint = previous === null || previous === undefined || previous === "" ? null : h("small", { class: "ym-sheet-prev num" }, t("sheet.previous", { prev: this.#choiceText(column, String(previous)) }));
    const td = h("td", {}, field, hint, note);
    return { row, column, field, td, note, before, served: null, verdict: { value: before, error: null, warning: null } };
  }

  #choiceText(column: Column, value: string): string {
    return column.choices?.find((choice) => choice.value === value)?.label ?? value;
  }

  #dirty(cell: Cell): boolean {
    return cell.field.value.trim() !== cell.before;
  }

  #changed(target: HTMLElement): void {
    for (const line of this.#grid) {
      const cell = line.find((one) => one.field === target);
      if (!cell) continue;
      cell.served = null;
      this.#refresh(line);
      return;
    }
  }

  /** Judge again (one row, or all) and count. */
  #refresh(only?: Cell[]): void {
    for (const line of only ? [only] : this.#grid) {
      const values: Record<string, string> = {};
      for (const [key, value] of Object.entries(line[0]?.row.values ?? {})) values[key] = String(value ?? "");
      for (const cell of line) values[cell.column.key] = cell.field.value;
      const touched = line.some((cell) => this.#dirty(cell));
      for (const cell of line) {
        cell.verdict = judge(cell.column, cell.field.value, values, cell.row.previous?.[cell.column.key]);
        // An untouched row asks for nothing: a required cell is only missed once its row is being filled in.
        this.#mark(cell, touched);
      }
    }
    const lines = this.#changedLines();
    const bad = lines.flat().filter((cell) => cell.verdict.error ?? cell.served).length;
    const warned = lines.flat().filter((cell) => cell.verdict.warning).length;
    const parts = [lines.length ? t("sheet.changed", { n: lines.length }) : t("sheet.unchanged")];
    if (bad) parts.push(t("sheet.errors", { n: bad }));
    if (warned) parts.push(t("sheet.warnings", { n: warned }));
    this.#status.textContent = parts.join(" · ");
    this.#save.disabled = lines.length === 0 || bad > 0;
    markUnsaved(this, lines.length > 0);
  }

  #mark(cell: Cell, touched: boolean): void {
    const { error, warning } = cell.verdict;
    const text = !touched ? "" : cell.served ?? (error ? t(...error) : warning ? t(...warning) : "");
    const kind = !text ? "" : (cell.served ?? error) ? "error" : "warning";
    if (kind) cell.td.dataset["mark"] = kind;
    else delete cell.td.dataset["mark"];
    cell.td.classList.toggle("is-dirty", this.#dirty(cell));
    cell.field.setAttribute("aria-invalid", String(kind === "error"));
    cell.note.textContent = text;
  }

  #changedLines(): Cell[][] {
    return this.#grid.filter((line) => line.some((cell) => this.#dirty(cell)));
  }

  #at(target: EventTarget | null): [number, number] | null {
    for (let y = 0; y < this.#grid.length; y += 1) {
      const x = this.#grid[y]?.findIndex((cell) => cell.field === target) ?? -1;
      if (x >= 0) return [y, x];
    }
    return null;
  }

  #key(event: KeyboardEvent): void {
    const at = this.#at(event.target);
    if (!at || event.isComposing) return;
    const [y, x] = at;
    const field = event.target as HTMLInputElement;
    const isSelect = field.tagName === "SELECT";
    const step: Record<string, [number, number]> = { Enter: [event.shiftKey ? -1 : 1, 0], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
    if (!isSelect && field.selectionStart === field.selectionEnd) {
      if (field.selectionStart === 0) step["ArrowLeft"] = [0, -1];
      if (field.selectionEnd === field.value.length) step["ArrowRight"] = [0, 1];
    }
    if (event.key === "Escape") {
      const cell = this.#grid[y]?.[x];
      if (cell) cell.field.value = cell.before;
      this.#changed(field);
      return;
    }
    const move = step[event.key];
    if (!move || (isSelect && event.key !== "Enter") || event.altKey || event.ctrlKey) return;
    const goal = this.#grid[y + move[0]]?.[x + move[1]]?.field;
    if (goal) {
      event.preventDefault();
      goal.focus();
      if (goal instanceof HTMLInputElement) goal.select();
    }
  }

  #paste(event: ClipboardEvent): void {
    const at = this.#at(event.target);
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (!at || !/[\t\n]/.test(text.replace(/\n$/, ""))) return;
    event.preventDefault();
    const block = cells(text);
    block.forEach((values, dy) =>
      values.forEach((value, dx) => {
        const cell = this.#grid[at[0] + dy]?.[at[1] + dx];
        if (!cell) return;
        cell.served = null;
        if (cell.field instanceof HTMLSelectElement) {
          const verdict = judge(cell.column, value, {});
          if (!verdict.error) cell.field.value = verdict.value;
        } else cell.field.value = value.trim();
      }),
    );
    const over = at[0] + block.length - this.#grid.length;
    if (over > 0) toast(t("sheet.toolong", { n: over }), { tone: "warning" });
    this.#refresh();
  }

  async #send(): Promise<void> {
    const lines = this.#changedLines();
    const rows = lines.map((line) => ({
      id: line[0]?.row.id,
      values: Object.fromEntries(line.map((cell) => [cell.column.key, cell.verdict.value])),
    }));
    this.#save.disabled = true;
    this.#status.textContent = t("sheet.saving");
    try {
      const answer = await fetch(this.dataset["post"] ?? location.href, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrf() },
        body: JSON.stringify({ rows }),
      });
      const body = (await answer.json()) as {
        saved?: number; url?: string; message?: string; detail?: string;
        errors?: { id: string | number; key: string; message: string }[];
      };
      if (answer.ok) {
        for (const cell of lines.flat()) cell.before = cell.field.value.trim();
        this.#refresh();
        const goal = body.url ?? this.dataset["done"];
        if (goal) location.assign(goal);
        else toast(body.message ?? t("sheet.saved", { n: body.saved ?? rows.length }), { tone: "success" });
        return;
      }
      let first: Cell | undefined;
      for (const fault of body.errors ?? []) {
        const cell = this.#grid.flat().find((one) => String(one.row.id) === String(fault.id) && one.column.key === fault.key);
        if (cell) {
          cell.served = fault.message;
          first ??= cell;
        } else toast(fault.message, { tone: "danger" });
      }
      this.#refresh();
      first?.field.focus();
      if (!body.errors?.length) toast(body.detail ?? t("failed"), { tone: "danger" });
    } catch {
      this.#refresh();
      toast(t("failed"), { tone: "danger" });
    }
  }
}

define("ym-sheet", SheetElement);
