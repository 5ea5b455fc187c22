import { csrf, define } from "../lib/dom";
import { t } from "../lib/strings";

interface JobState {
  state: "waiting" | "running" | "done" | "failed" | "cancelled";
  done?: number | null;
  total?: number | null;
  text?: string;
  eta_seconds?: number | null;
  url?: string | null;
  cancellable?: boolean;
}

/** Seconds in words: "about 40 s left", from the dictionary. */
export function etaText(seconds: number): string {
  const time = seconds < 90 ? t("job.seconds", { n: Math.ceil(seconds) }) : t("job.minutes", { n: Math.ceil(seconds / 60) });
  return t("job.eta", { time });
}

/** `<ym-job data-url>`: the progress of a job; the page may be left, the job goes on. */
class Job extends HTMLElement {
  #timer = 0;
  #polls = 0;

  connectedCallback(): void {
    this.#part("cancel")?.addEventListener("click", () => void this.#cancel());
    void this.#poll();
  }

  disconnectedCallback(): void {
    window.clearTimeout(this.#timer);
  }

  #part(name: string): HTMLElement | null {
    return this.querySelector(`[data-part="${name}"]`);
  }

  #say(name: string, text: string): void {
    const part = this.#part(name);
    if (part && part.textContent !== text) part.textContent = text;
  }

  async #poll(): Promise<void> {
    this.#polls += 1;
    // Quick at first, calmer for long jobs.
    const next = this.#polls < 30 ? 1000 : 3000;
    try {
      const answer = await fetch(this.dataset["url"] ?? "", { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      if (this.#show((await answer.json()) as JobState)) return;
    } catch {
      this.#say("text", t("job.lost"));
    }
    if (this.isConnected) this.#timer = window.setTimeout(() => void this.#poll(), next);
  }

  /** Draw the state; true when nothing more will happen. */
  #show(job: JobState): boolean {
    this.dataset["state"] = job.state;
    const bar = this.querySelector("progress");
    if (bar) {
      if (job.state === "done") bar.value = bar.max = 100;
      else if (job.total) {
        bar.max = job.total;
        bar.value = job.done ?? 0;
      } else bar.removeAttribute("value");
    }
    const share = job.total && job.state === "running" ? ` ${Math.floor((100 * (job.done ?? 0)) / job.total)} %` : "";
    this.#say("state", t(`job.${job.state}`) + share);
    this.#say("text", job.text ?? "");
    this.#say("eta", job.state === "running" && job.eta_seconds != null ? etaText(job.eta_seconds) : "");
    const over = job.state === "done" || job.state === "failed" || job.state === "cancelled";
    const cancel = this.#part("cancel");
    if (cancel) cancel.hidden = over || job.cancellable === false || !this.dataset["cancelUrl"];
    if (over) {
      this.dispatchEvent(new CustomEvent("ym:job", { bubbles: true, detail: job }));
      const goal = job.url ?? this.dataset["doneUrl"];
      if (job.state === "done" && goal && this.#polls > 1) location.assign(goal);
    }
    return over;
  }

  async #cancel(): Promise<void> {
    this.#say("state", t("job.cancelling"));
    await fetch(this.dataset["cancelUrl"] ?? "", { method: "POST", headers: { "X-CSRFToken": csrf() } }).catch(() => null);
  }
}

define("ym-job", Job);
