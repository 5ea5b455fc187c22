import { define } from "../lib/dom";
import { t } from "../lib/strings";

/** `<ym-bulk data-table>`: shows itself with the number of rows picked (`[data-ym-pick]`, head `[data-ym-pick-all]`). */
class Bulk extends HTMLElement {
  connectedCallback(): void {
    const table = document.querySelector(this.dataset["table"] ?? "table");
    if (!table) return;
    const all = table.querySelector<HTMLInputElement>("[data-ym-pick-all]");
    const picks = () => [...table.querySelectorAll<HTMLInputElement>("[data-ym-pick]")];
    const refresh = (): void => {
      const boxes = picks();
      const chosen = boxes.filter((box) => box.checked).length;
      this.hidden = chosen === 0;
      const count = this.querySelector(".ym-bulk-count");
      if (count) count.textContent = t("list.selected", { n: chosen });
      if (all) {
        all.checked = chosen > 0 && chosen === boxes.length;
        all.indeterminate = chosen > 0 && chosen < boxes.length;
      }
    };
    let last = -1;
    table.addEventListener("click", (event) => {
      const box = event.target as HTMLInputElement;
      if (!box.matches("[data-ym-pick]")) return;
      const boxes = picks();
      const at = boxes.indexOf(box);
      if ((event as MouseEvent).shiftKey && last >= 0) {
        for (const other of boxes.slice(Math.min(at, last), Math.max(at, last) + 1)) other.checked = box.checked;
      }
      last = at;
      refresh();
    });
    all?.addEventListener("change", () => {
      for (const box of picks()) box.checked = all.checked;
      refresh();
    });
    refresh();
  }
}

/** `<ym-columns>`: hides and shows a column at once (cells carry `data-col`); "Apply" keeps the choice in the address. */
class Columns extends HTMLElement {
  connectedCallback(): void {
    const table = document.querySelector(this.dataset["table"] ?? "table");
    this.addEventListener("change", (event) => {
      const box = event.target as HTMLInputElement;
      for (const cell of table?.querySelectorAll<HTMLElement>(`[data-col="${CSS.escape(box.value)}"]`) ?? []) {
        cell.hidden = !box.checked;
      }
    });
  }
}

/** Empty fields do not belong into the address of a filtered list. */
export function startFilters(): void {
  document.addEventListener("formdata", (event) => {
    const form = event.target as HTMLFormElement;
    if (!form.matches("[data-ym-filters]")) return;
    for (const [key, value] of [...event.formData.entries()]) if (value === "") event.formData.delete(key);
  });
}

define("ym-bulk", Bulk);
define("ym-columns", Columns);
