/* What a job wrote, followed while it runs: each part is asked for once the one before has come, and an operation tells
   when it is there. Without anything new the pauses grow; nothing is asked for while nobody looks.

   [data-file="NAME"]  shows #file-NAME; its [data-tail] is a button that asks for the next part on `follow` */
"use strict";
(() => {
  const SHORTEST = 2000, LONGEST = 30_000;
  const files = document.getElementById("files"), follow = document.getElementById("follow");
  if (!files) return;
  let wait = SHORTEST, timer, owed = false;
  const shown = () => files.querySelector(".file:not([hidden])");
  const tail = () => shown().querySelector("[data-tail]");
  const is_wanted = (button) => button && ("more" in button.dataset || (follow.checked && "grows" in button.dataset && !document.hidden));

  function ask() {
    clearTimeout(timer);
    const button = tail();
    if (button) htmx.trigger(button, "follow");
  }

  function plan() {
    clearTimeout(timer);
    const button = tail();
    if (button && owed) { owed = false; return ask(); }
    if (!is_wanted(button)) return;
    timer = setTimeout(ask, "more" in button.dataset ? 50 : wait);
    wait = Math.min(wait * 1.5, LONGEST);
  }

  function first() {  // what is looked at for the first time
    const button = tail();
    if (button && !shown().querySelector(".part")) ask();
  }

  files.addEventListener("click", ({ target }) => {
    const chosen = target.closest("[data-file]");
    if (!chosen) return;
    files.querySelectorAll("[data-file]").forEach((each) => {
      each.classList.toggle("active", each === chosen);
      each.setAttribute("aria-pressed", String(each === chosen));
      document.getElementById(`file-${each.dataset.file}`).hidden = each !== chosen;
    });
    first();
  });
  follow.addEventListener("change", () => { wait = SHORTEST; plan(); });
  document.addEventListener("visibilitychange", () => { wait = SHORTEST; plan(); });

  document.addEventListener("htmx:afterSwap", ({ target }) => {
    if (target.id === "job") { wait = SHORTEST; ended(); return plan(); }  // something happened to the job
    const place = files.contains(target) ? target.closest(".file") || shown() : null;
    if (!place && !target.classList.contains("tail")) return;
    if (news() && follow.checked) shown().scrollTop = shown().scrollHeight;
    plan();
  });

  let length = 0;
  function news() {  // is there more than there was?
    const now = [...shown().querySelectorAll(".part")].reduce((sum, part) => sum + part.textContent.length, 0);
    const is_more = now > length;
    length = now;
    if (is_more) wait = SHORTEST;
    return is_more;
  }

  function ended() {  // its last part is asked for once more
    const growing = files.querySelectorAll("[data-grows], .tail[data-live]");
    if (!document.querySelector("#job[data-ended]") || !growing.length) return;
    growing.forEach((button) => { delete button.dataset.grows; });
    owed = true;
  }

  first();
})();
