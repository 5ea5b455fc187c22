// Runs before the first paint (a plain script in <head>): chooses light or dark where the user has not, so that no page
// flashes white at night. Served as it stands, hashed name.
(function () {
  var root = document.documentElement;
  var choice = root.getAttribute("data-ym-theme") || "auto";
  var dark = choice === "dark" || (choice === "auto" && window.matchMedia("(prefers-color-scheme: dark)").matches);
  root.setAttribute("data-bs-theme", dark ? "dark" : "light");
})();
