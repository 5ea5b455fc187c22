import { csrf, define, h, icon } from "../lib/dom";
import { t } from "../lib/strings";

export interface ToastOptions {
  tone?: "info" | "success" | "warning" | "danger";
  undo?: string;
  seconds?: number;
}

const ICONS = { info: "info-circle", success: "circle-check", warning: "alert-triangle", danger: "alert-circle" };

/** `<ym-toasts>`: the messages of the server and of the islands. Hovering or focusing one stops its clock. */
class Toasts extends HTMLElement {
  connectedCallback(): void {
    for (const toast of this.querySelectorAll<HTMLElement>(".ym-toast")) this.#arm(toast);
    document.body.addEventListener("ym:toast", ((event: CustomEvent<{ text: string } & ToastOptions>) =>
      this.show(event.detail.text, event.detail)) as EventListener);
  }

  show(text: string, { tone = "info", undo, seconds }: ToastOptions = {}): void {
    const element = h(
      "div",
      { class: "ym-toast", "data-tone": tone, role: tone === "danger" ? "alert" : "status" },
      icon(ICONS[tone]),
      h("div", { class: "ym-toast-text" }, text),
    );
    if (undo) {
      element.append(
        h(
          "form",
          { method: "post", action: undo },
          h("input", { type: "hidden", name: "csrfmiddlewaretoken", value: csrf() }),
          h("input", { type: "hidden", name: "next", value: location.pathname + location.search }),
          h("button", { class: "btn btn-sm" }, icon("arrow-back-up"), t("undo")),
        ),
      );
    }
    element.append(
      h("button", { type: "button", class: "btn-close", "data-ym-toast-close": true, "aria-label": t("close") }),
    );
    element.dataset["seconds"] = String(seconds ?? (tone === "danger" ? 0 : undo ? 30 : 8));
    this.append(element);
    this.#arm(element);
  }

  #arm(toast: HTMLElement): void {
    toast.querySelector("[data-ym-toast-close]")?.addEventListener("click", () => toast.remove());
    let left = Number(toast.dataset["seconds"] ?? 8);
    if (left <= 0) return;
    const clock = window.setInterval(() => {
      if (!toast.isConnected) window.clearInterval(clock);
      else if (!toast.matches(":hover, :focus-within") && --left <= 0) toast.remove();
    }, 1000);
  }
}

/** Say something at the corner of the page. */
export function toast(text: string, options: ToastOptions = {}): void {
  (document.querySelector("ym-toasts") as Toasts | null)?.show(text, options);
}

define("ym-toasts", Toasts);
