/* Light or dark before the first paint: what the person chose, else what the system says. */
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const choice = localStorage.getItem("theme") || "system";
    const dark = choice === "dark" || (choice === "system" && system.matches);
    document.documentElement.dataset.bsTheme = dark ? "dark" : "light";
    for (const button of document.querySelectorAll("[data-set-theme]")) {
      button.setAttribute("aria-pressed", String(button.dataset.setTheme === choice));
    }
  };
  system.addEventListener("change", apply);
  addEventListener("storage", apply);
  addEventListener("DOMContentLoaded", apply);
  addEventListener("click", (event) => {
    const button = event.target.closest("[data-set-theme]");
    if (!button) return;
    localStorage.setItem("theme", button.dataset.setTheme);
    apply();
  });
  apply();
})();
