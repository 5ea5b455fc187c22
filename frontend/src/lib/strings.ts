// The words of the islands come from the page (ui_strings.py, translated on the server), never from here.
let dictionary: Record<string, string> | null = null;

function load(): Record<string, string> {
  const source = document.getElementById("ym-strings")?.textContent;
  try {
    return source ? (JSON.parse(source) as Record<string, string>) : {};
  } catch {
    return {};
  }
}

/** The text of `key` in the reader's language; `{name}` is replaced by `values.name`. A missing key shows itself. */
export function t(key: string, values: Record<string, string | number> = {}): string {
  dictionary ??= load();
  const text = dictionary[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
}

/** For tests: forget what was read. */
export function forget(): void {
  dictionary = null;
}
