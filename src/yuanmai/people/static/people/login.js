// Demonstration accounts: one click fills in account and password.
document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-ym-login]") : null;
  if (!(button instanceof HTMLElement)) return;
  const account = document.querySelector("input[name=login]");
  const password = document.querySelector("input[name=password]");
  if (!(account instanceof HTMLInputElement) || !(password instanceof HTMLInputElement)) return;
  account.value = button.dataset.ymLogin ?? "";
  password.value = button.dataset.ymPassword ?? "";
  account.form?.querySelector("button")?.focus();
});
