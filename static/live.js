/* What makes a page live: it hears hints over one WebSocket and re-reads what they are about, through htmx.

   data-live="server:ID"    re-reads itself when that record changed (other records may follow after a space);
                            data-version lets a hint pass that tells nothing new
   data-live-list="server"  re-reads itself when a record of the kind appears that the page does not show, or vanishes
   data-live-any="cloud"    re-reads itself on any change of the kind, "*" of anything

   data-live-often          re-reads itself now and then as well

   Each has an id, hx-get, hx-trigger="live" and hx-swap="outerHTML". No state is kept here that the server does
   not have, but what is open or selected. */
"use strict";
(() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const on = (type, listen) => document.addEventListener(type, listen);
  const pause = (ms) => new Promise((go) => setTimeout(go, ms));
  const page = document.body.dataset;

  // --- the socket: one, that comes back by itself and asks for what it missed --------------------------------
  const SHORTEST = 500, LONGEST = 30_000, SIGNED_OUT = 4401;
  const topics = (page.liveTopics || "").split(" ").filter(Boolean);
  let socket, timer, was_live = false, wait = SHORTEST, seq = Number(page.liveSeq) || 0, newest = 0;

  function connect() {
    clearTimeout(timer);
    if (!topics.length || (socket && socket.readyState < WebSocket.CLOSING)) return;
    socket = new WebSocket(`${location.protocol.replace("http", "ws")}//${location.host}/ws/live`);
    socket.onopen = () => socket.send(JSON.stringify({ subscribe: topics, since: seq }));
    socket.onmessage = ({ data }) => hear(JSON.parse(data));
    socket.onclose = ({ code }) => {
      if (code === SIGNED_OUT && was_live) return location.reload();  // nothing stays in sight of who may not see it
      if (code === SIGNED_OUT) return show("signed out");
      timer = setTimeout(connect, wait * (0.5 + Math.random()));
      show(wait > 4 * SHORTEST ? "offline" : "reconnecting");
      wait = Math.min(wait * 2, LONGEST);
    };
  }

  function hear(message) {
    if ("ready" in message) {
      newest = message.ready;
      was_live = true;
      seq = seq || newest;  // what was missed is still to come: only its hints move `seq` on
      wait = SHORTEST;
      show("live");
    } else if (message.reset) {
      seq = newest;
      all("[data-live-list], [data-live-any], [data-live]").filter((el) => !el.parentElement.closest("[data-live-list]")).forEach(mark);
    } else if (message.refused) {
      document.dispatchEvent(new CustomEvent("toast", { detail: { title: "Not live", detail: message.reason, tone: "error" } }));
    } else if (message.kind) {
      seq = Math.max(seq, message.seq || 0);
      note(message);
    }
  }

  function show(state) {
    const sign = one("#live");
    if (!sign || sign.dataset.state === state) return;
    sign.dataset.state = state;
    one(".live-word", sign).textContent = state;
    one(".live-since", sign).textContent = state === "offline" ? `since ${new Date().toTimeString().slice(0, 5)}` : "";
  }

  const at_once = () => { if (!document.hidden) { wait = SHORTEST; connect(); } };
  addEventListener("online", at_once);
  on("visibilitychange", at_once);
  addEventListener("offline", () => socket && socket.close());

  // --- re-reading: each element at most once at a time, and once more if hinted meanwhile --------------------
  const MANY = 4;              // more changed rows than this are one read of their list
  const PAUSE = 60, REST = 400;  // ms that hints are gathered, and between two reads of a list or a page's part
  const marked = new Set(), reading = new Map(), held = new Set();
  let gathering;

  function note({ kind, id, version }) {
    const key = `${kind}:${id}`;  // without an id it is a crowd of them
    const about = all(id ? `[data-live~="${CSS.escape(key)}"]` : `[data-live^="${CSS.escape(key)}"]`);
    about.filter((el) => !(version && el.dataset.live.startsWith(key) && Number(el.dataset.version) >= version)).forEach(mark);
    if (!id || !about.length) relist(kind);
    all(`[data-live-any~="${CSS.escape(kind)}"], [data-live-any="*"]`).forEach(mark);
  }

  function relist(kind) {
    all(`[data-live-list~="${CSS.escape(kind)}"]`).forEach(mark);
  }

  function mark(el) {
    marked.add(el.id);
    gathering ??= setTimeout(flush, PAUSE);
  }

  function flush() {
    gathering = undefined;
    for (const list of all("[data-live-list]")) {
      const rows = all("[data-live]", list).filter((el) => marked.has(el.id));
      if (rows.length > MANY) marked.add(list.id);
      if (marked.has(list.id)) rows.forEach((el) => marked.delete(el.id));
    }
    marked.forEach(reread);
    marked.clear();
  }

  async function reread(id) {
    const el = document.getElementById(id);
    if (!el?.hasAttribute("hx-get")) return;  // what has that id now may be done with reading
    if (one(".dropdown-menu.show", el)) return held.add(id);
    if (reading.has(id)) return reading.set(id, "again");
    reading.set(id, "once");
    await htmx.ajax("GET", el.getAttribute("hx-get"), { source: el }).catch(() => {});
    if (!el.matches("tr")) await pause(REST);
    const again = reading.get(id) === "again";
    reading.delete(id);
    if (again) reread(id);
  }

  on("hidden.bs.dropdown", () => { const ids = [...held]; held.clear(); ids.forEach(reread); });

  // --- swapping: what was open or selected stays so, what changed flashes -----------------------------------
  const before = new Map();
  const parts = (el) => (el.matches("tr") ? [...el.cells] : all("[data-part]", el));
  const words = (part) => {
    const copy = part.cloneNode(true);
    all(".age, .dropdown, script", copy).forEach((el) => el.remove());
    return copy.textContent.replace(/\s+/g, " ");
  };
  const pieces = (root) => [root, ...all("[data-live]", root)].filter((el) => el.dataset.live);

  on("htmx:beforeSwap", ({ detail, target }) => {
    const status = detail.xhr.status, reader = detail.requestConfig.elt;
    if (new URL(detail.xhr.responseURL || location.href).pathname === page.login) return location.reload();
    if (reader.dataset.live && [204, 404, 410].includes(status)) {
      detail.shouldSwap = detail.isError = false;
      return vanish(reader);
    }
    if (!detail.shouldSwap) return;
    if (one(".dropdown-menu.show", target)) {  // opened while this was on its way
      detail.shouldSwap = false;
      return held.add(target.id);
    }
    before.set(target.id, {
      words: new Map(pieces(target).map((el) => [el.id, parts(el).map(words)])),
      open: all("details[open]", target).map((el) => el.id),
      chosen: all("[data-select]:checked", target).map((el) => el.value),
    });
  });

  on("htmx:afterSwap", ({ target }) => {
    const old = before.get(target.id);
    if (!old) return;
    before.delete(target.id);
    old.open.forEach((id) => { const el = document.getElementById(id); if (el) el.open = true; });
    all("[data-select]", target).forEach((box) => { box.checked = old.chosen.includes(box.value); });
    if (old.words.size) pieces(target).forEach((el) => flash(el, old.words.get(el.id)));
  });

  function flash(el, old) {
    parts(el).filter((part, i) => !old || old[i] !== words(part)).forEach((part) => part.classList.add("flash"));
  }

  function vanish(el) {
    el.classList.add("gone");
    if (el.matches("tr, .card-live")) setTimeout(() => { el.remove(); relist(el.dataset.live.split(":")[0]); }, 400);
  }

  // --- ages: kept true without asking ---------------------------------------------------------------------------
  const OFTEN = 20_000;
  const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  function ages() {
    if (document.hidden) return;
    all("time.age").forEach((el) => {
      const seconds = Math.floor((Date.now() - Date.parse(el.dateTime)) / 1000);
      const unit = UNITS.find(([size]) => seconds >= size);
      const text = unit ? `${Math.floor(seconds / unit[0])} ${unit[1]} ago` : "just now";
      if (el.textContent !== text) el.textContent = text;
    });
  }
  setInterval(ages, 1000);

  // A reading that finds nothing new changes no record: what the clouds' health says makes the rows' ages new.
  setInterval(() => { if (!document.hidden) all("[data-live-often]").forEach(mark); }, OFTEN);
  on("htmx:afterSwap", ({ target }) => {
    if (!("liveOften" in target.dataset)) return;
    const read = new Map(all("time[data-of]", target).map((el) => [el.dataset.of, el.dateTime]));
    all("main time[data-of]").forEach((el) => { if (read.get(el.dataset.of) > el.dateTime) el.dateTime = read.get(el.dataset.of); });
  });

  connect();
})();
