/* What a page does by itself: dialogs, toasts, selection, the palette and the `cm` commands to copy.

   data-confirm="Delete a?"  asks before its htmx request; …-detail, …-verb, …-cm with …-name say more; …-chosen: the ticked
   data-select, data-bulk    a box of a table; the bar that shows while some are ticked
   data-copy, data-close, data-unselect, data-palette   buttons
   data-changed-only         of its form's fields with data-default only those are sent that differ from it
   form[data-cm]             spells its `cm` command from fields with data-option and data-default

   A server answers what it did with the header HX-Trigger: {"toast": {"title", "detail", "tone", "url"}}, and what it
   did not do with problem+json. */
"use strict";
(() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const on = (type, listen) => document.addEventListener(type, listen);
  const make = (tag, css, text = "") => Object.assign(document.createElement(tag), { className: css, textContent: text });
  const quoted = (word) => (/^[\w.@%+=:,/-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`);
  const page = document.body.dataset;

  // --- requests: the token of the session, no empty filters, failures in words --------------------------------
  on("htmx:configRequest", ({ detail }) => {
    detail.headers["X-CSRFToken"] = page.csrf;
    if (detail.verb !== "get") return;
    if ("changedOnly" in detail.elt.dataset) {
      all("[data-default]", detail.elt.closest("form")).filter((el) => el.value === el.dataset.default).forEach((el) => detail.formData.delete(el.name));
    }
    for (const [name, value] of [...detail.formData.entries()]) if (value === "") detail.formData.delete(name);
  });

  on("htmx:responseError", ({ detail }) => {
    let problem = {};
    try { problem = JSON.parse(detail.xhr.responseText); } catch { /* a page, not a problem: the status has to do */ }
    const form = detail.requestConfig.elt.closest("form");
    all("[aria-invalid] + .form-error", form || document).forEach((note) => note.remove());
    if (blame(form, problem)) return;
    const fields = Object.entries(problem.errors || {}).map(([name, why]) => `${name}: ${[].concat(why).join(" ")}`);
    const text = fields.join(" ") || problem.detail || "Try again; if it stays so, tell the administrator of the portal.";
    complain(detail.requestConfig.elt, problem.title || `The portal answered ${detail.xhr.status}`, text);
  });
  on("htmx:sendError", ({ detail }) => {
    if (detail.requestConfig.triggeringEvent) complain(detail.requestConfig.elt, "The portal cannot be reached", "Nothing was done. Try again when you are online.");
  });

  function blame(form, { field, detail }) {  // at the field that it is about; it goes when that is typed in
    const input = field && form && form.elements[field];
    if (!input || input.type === "hidden" || input.length) return false;
    const note = make("div", "form-error", detail);
    note.setAttribute("role", "alert");
    input.closest("details")?.setAttribute("open", "");
    input.setAttribute("aria-invalid", "true");
    input.after(note);
    input.focus();
    input.addEventListener("input", () => { note.remove(); input.removeAttribute("aria-invalid"); }, { once: true });
    return true;
  }

  function complain(el, title, detail) {
    const place = one("[data-form-error]", el.closest("form") || el);
    if (!place) return toast({ title, detail, tone: "error" });
    place.textContent = `${title}. ${detail}`;
    place.hidden = false;
  }

  function toast({ title, detail = "", tone = "success", url }) {
    const note = make("div", `toast-note tone-${tone}`);
    const head = note.appendChild(make(url ? "a" : "strong", "", title));
    if (url) head.href = url;
    if (detail) note.append(make("span", "", detail));
    one("#toasts").append(note);
    linger(note);
  }

  function linger(note) {
    const close = note.appendChild(make("button", "btn-close"));
    close.setAttribute("aria-label", "Dismiss");
    close.onclick = () => note.remove();
    if (!note.matches(".tone-error")) setTimeout(() => note.remove(), 8000);
  }

  on("toast", ({ detail }) => toast(detail));
  all(".toast-note").forEach(linger);

  // --- dialogs: one that asks before what cannot be undone, one for forms -------------------------------------
  const chosen = () => all("[data-select]:checked");

  on("htmx:confirm", (event) => {
    const { elt, issueRequest } = event.detail, ask = elt.dataset;
    if (!ask.confirm) return;
    event.preventDefault();
    const names = "confirmChosen" in ask ? chosen().map((box) => box.dataset.name) : [];
    one("#confirm-title").textContent = ask.confirm.replace("%d", names.length);
    one("#confirm-detail").textContent = ask.confirmDetail || "";
    one("#confirm-names").replaceChildren(...names.map((name) => make("li", "", name)));
    const whom = ask.confirmName || names.join(",");
    one("#confirm-cm code").textContent = whom ? `${ask.confirmCm} ${quoted(whom)}` : ask.confirmCm;
    one("#confirm-cm").hidden = !ask.confirmCm;
    one("#confirm-yes").textContent = ask.confirmVerb || "Delete";
    const dialog = one("#confirm");
    dialog.returnValue = "";
    dialog.showModal();
    dialog.addEventListener("close", () => dialog.returnValue === "yes" && issueRequest(true), { once: true });
  });

  on("htmx:afterSwap", ({ target }) => {
    if (target.id !== "dialog" || !target.childElementCount || target.open) return;
    target.showModal();
    target.scrollTop = 0;  // focus is on what confirms, at its end
  });

  on("htmx:afterRequest", ({ detail }) => {
    if (detail.successful && detail.requestConfig.verb !== "get") detail.requestConfig.elt.closest("dialog[open]")?.close();
  });

  // --- selection: the boxes of a table, and the bar that acts on them -----------------------------------------
  let last;
  function selection() {
    const count = chosen().length, boxes = all("[data-select]").length;
    all("[data-bulk]").forEach((bar) => { bar.hidden = !count; one("[data-count]", bar).textContent = `${count} selected`; });
    all("[data-select-all]").forEach((box) => { box.checked = count > 0 && count === boxes; box.indeterminate = count > 0 && count < boxes; });
  }

  on("click", (event) => {
    const box = event.target.closest("[data-select]");
    if (!box) return;
    const boxes = all("[data-select]"), from = boxes.indexOf(last), to = boxes.indexOf(box);
    if (event.shiftKey && from >= 0) boxes.slice(Math.min(from, to), Math.max(from, to)).forEach((each) => { each.checked = box.checked; });
    last = box;
    selection();
  });

  on("htmx:afterSwap", selection);

  on("change", ({ target }) => {
    if (target.matches("[data-select-all]")) all("[data-select]").forEach((box) => { box.checked = target.checked; });
    selection();
  });

  // --- the `cm` command: copied, and spelled from a form whose fields name their option -------------------------
  async function copy(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const field = document.body.appendChild(make("textarea", "visually-hidden", text));  // no clipboard over plain http
    field.select();
    document.execCommand("copy");
    field.remove();
  }

  on("click", async ({ target }) => {
    if (target.closest("[data-close]")) target.closest("dialog").close();
    if (target.closest("[data-palette]")) open_palette();
    if (target.closest("[data-unselect]")) { chosen().forEach((box) => { box.checked = false; }); selection(); }
    const button = target.closest("[data-copy]");
    if (!button) return;
    await copy(button.dataset.copy || one("code, pre", button.parentElement).textContent);
    button.classList.add("copied");
    setTimeout(() => button.classList.remove("copied"), 1500);
  });

  function spell(form) {
    const options = all("[data-option]", form).map((el) => {
      if (el.type === "checkbox") return el.checked ? el.dataset.option : "";
      return el.value && el.value !== el.dataset.default ? `${el.dataset.option} ${quoted(el.value)}`.trim() : "";
    });
    one(".cm code", form).textContent = [form.dataset.cm, ...options.filter(Boolean)].join(" ");
  }

  on("input", ({ target }) => { const form = target.closest("form[data-cm]"); if (form) spell(form); });
  on("htmx:afterSwap", ({ target }) => { const form = target.closest("form[data-cm]") || one("form[data-cm]", target); if (form) spell(form); });

  on("change", async ({ target }) => {  // a file's text, where it can be looked at before it is sent
    const into = target.dataset.into && one(target.dataset.into), file = into && target.files[0];
    if (!file) return;
    into.value = await file.text();
    target.value = "";
    into.dispatchEvent(new Event("input", { bubbles: true }));
  });

  // --- the palette: pages from the sidebar, everything else from the server -------------------------------------
  const palette = one("#palette"), field = one("input", palette), results = one("ul", palette);
  let finding, asked, at = 0;

  function open_palette() {
    field.value = "";
    if (!palette.open) palette.showModal();
    asked = find();
  }

  async function find() {
    const q = field.value.trim();
    const pages = all("[data-find]").filter((a) => a.dataset.find.includes(q.toLowerCase()))
      .map((a) => ({ title: a.textContent.trim(), group: "page", url: a.href }));
    finding?.abort();
    finding = new AbortController();
    if (!q || !results.childElementCount) offer(pages);
    const found = await fetch(`${page.search}?q=${encodeURIComponent(q)}`, { signal: finding.signal })
      .then((answer) => (answer.ok ? answer.json() : { results: [] })).catch(() => null);  // typed on, or offline
    if (found) offer([...found.results, ...pages]);
  }

  function offer(items) {
    results.replaceChildren(...items.map((item, i) => {
      const option = Object.assign(make("li", "palette-item"), { id: `find-${i}`, role: "option", item });
      option.append(make("span", "", item.title), make("small", "", item.detail), make("em", "", item.group));
      return option;
    }));
    if (!items.length) results.append(make("li", "palette-none", "Nothing of that name. Try part of a name, or: boot"));
    choose(0);
  }

  function choose(index) {
    const options = all("[role=option]", results);
    at = Math.max(0, Math.min(index, options.length - 1));
    options.forEach((option, i) => option.setAttribute("aria-selected", String(i === at)));
    field.setAttribute("aria-activedescendant", options[at]?.id || "");
    options[at]?.scrollIntoView({ block: "nearest" });
  }

  function run(option) {
    if (!option) return;
    palette.close();
    const { url, post, values } = option.item;
    if (post) htmx.ajax("POST", post, { source: document.body, swap: "none", values });
    else location.assign(url);
  }

  on("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); open_palette(); }
  });
  field.addEventListener("input", () => { asked = find(); });
  field.addEventListener("keydown", async (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) { event.preventDefault(); choose(at + step); }
    if (event.key !== "Enter") return;
    event.preventDefault();
    await asked;  // whoever types fast means what the words find, not what was there before
    run(all("[role=option]", results)[at]);
  });
  results.addEventListener("click", ({ target }) => run(target.closest("[role=option]")));
})();
