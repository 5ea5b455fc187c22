// Helpers by attribute: navigation drawer, dialogs, unsaved changes, automatic submit, copy, print.
import { t } from "../lib/strings";
import { toast } from "./toast";

function drawer(): void {
  const set = (open: boolean): void => {
    document.body.classList.toggle("ym-nav-open", open);
    const burger = document.querySelector<HTMLElement>(".ym-burger");
    burger?.setAttribute("aria-expanded", String(open));
    if (open) document.querySelector<HTMLElement>(".ym-side a, .ym-side button")?.focus();
    else if (document.activeElement?.closest(".ym-side")) burger?.focus();
  };
  document.addEventListener("click", (event) => {
    const action = (event.target as Element).closest("[data-ym-nav]")?.getAttribute("data-ym-nav");
    if (action) set(action === "open");
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.body.classList.contains("ym-nav-open")) set(false);
  });
}

function dialogs(): void {
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    const id = target.closest("[data-ym-dialog]")?.getAttribute("data-ym-dialog");
    if (id) (document.getElementById(id) as HTMLDialogElement | null)?.showModal();
    if (target.closest("[data-ym-dialog-close]")) target.closest("dialog")?.close();
    if (target instanceof HTMLDialogElement) target.close(); // the backdrop
    const copy = target.closest("[data-ym-copy]")?.getAttribute("data-ym-copy");
    if (copy) void navigator.clipboard?.writeText(copy);
    if (target.closest("[data-ym-print]")) window.print();
  });
}

/** Guarded forms and islands that hold something unsaved, by who says so. */
const unsaved = new Set<object>();

/** Tell the page that `owner` holds unsaved work (or not any more): leaving then asks first. */
export function markUnsaved(owner: object, dirty: boolean): void {
  if (dirty) unsaved.add(owner);
  else unsaved.delete(owner);
}

function guards(): void {
  document.addEventListener("input", (event) => {
    const form = (event.target as Element).closest?.("form[data-ym-guard]");
    if (form) markUnsaved(form, true);
  });
  document.addEventListener("submit", (event) => markUnsaved(event.target as object, false));
  window.addEventListener("beforeunload", (event) => {
    if (unsaved.size > 0) event.preventDefault();
  });
  document.addEventListener("change", (event) => {
    const form = (event.target as Element).closest?.<HTMLFormElement>("form[data-ym-autosubmit]");
    if (form?.checkValidity()) form.requestSubmit();
  });
}

function connection(): void {
  window.addEventListener("offline", () => toast(t("offline"), { tone: "warning", seconds: 0 }));
  window.addEventListener("online", () => toast(t("online"), { tone: "success" }));
}

/** Tables too wide for the page can be scrolled with the keyboard, wherever a template has not said so itself. */
function scrollable(): void {
  const mark = (): void => {
    for (const box of document.querySelectorAll<HTMLElement>(".table-responsive:not([tabindex])")) {
      if (box.scrollWidth <= box.clientWidth) continue;
      const title = box.querySelector("caption") ?? box.closest("section, .card, fieldset")?.querySelector("h2, h3, legend");
      box.tabIndex = 0;
      box.setAttribute("role", "region");
      box.setAttribute("aria-label", title?.textContent?.trim() || document.title);
    }
  };
  mark();
  window.addEventListener("resize", mark);
  document.addEventListener("htmx:afterSettle", mark);
  void document.fonts?.ready.then(mark);
}

/** Start everything that works by attribute. */
export function startPage(): void {
  drawer();
  dialogs();
  guards();
  connection();
  scrollable();
  document.querySelector<HTMLElement>("[data-ym-focus]")?.focus();
}
