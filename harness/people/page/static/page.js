// Counts down by the server's clock, announces a few moments politely, and keeps the page new.
(() => {
  "use strict";
  const POLL = 15000;
  let thresholds = [30, 10, 1]; // minutes before it begins; with begun, late and ended: six at most
  const $ = (id) => document.getElementById(id);
  // The visitor's clock may be hours off: only its pace is believed.
  let offset = document.body.dataset.live === "yes" ? Number(document.body.dataset.now) - Date.now() : 0;
  let state = $("standing").dataset.state;
  let begun = false;

  const spell = (milliseconds) => {
    const seconds = Math.max(Math.floor(milliseconds / 1000), 0);
    const days = Math.floor(seconds / 86400), hours = Math.floor(seconds / 3600) % 24;
    const two = (number) => String(number).padStart(2, "0");
    const minutes = two(Math.floor(seconds / 60) % 60), rest = two(seconds % 60);
    if (days) return `${days} day${days > 1 ? "s" : ""} ${hours} h ${minutes} min`;
    return hours ? `${hours} h ${minutes} min ${rest} s` : `${Number(minutes)} min ${rest} s`;
  };

  const announce = (text) => { $("announcer").textContent = text; };

  const tick = () => {
    const clock = $("countdown");
    if (!clock) return;
    const left = Number(clock.dataset.to) - (Date.now() + offset);
    clock.textContent = left > 0 ? spell(left) : "any moment";
    if (state === "scheduled" || state === "soon") {
      const last = thresholds.filter((m) => left <= m * 60000).pop(); // of several that a sleep skipped, one
      thresholds = thresholds.filter((m) => left > m * 60000); // none comes twice
      if (last && left > 0 && begun) announce(`Maintenance begins in ${last} minute${last > 1 ? "s" : ""}.`);
    }
    begun = true; // what had passed when the page was opened is no news
  };

  const settle = (response, asked) => {
    const said = Date.parse(response.headers.get("Date"));
    // an answer that a sleep delayed tells the time of before, or of after it
    if (Number.isNaN(said) || Date.now() - asked > 5000) return;
    // it has whole seconds: it counts where it contradicts by more than these
    const found = said + 500 - (asked + Date.now()) / 2;
    if (Math.abs(found - offset) > 1500) offset = found;
  };

  const place = (fresh, part) => {
    const next = [...fresh.querySelectorAll("main > *")];
    const following = next.slice(next.indexOf(part) + 1).map((one) => $(one.id)).find(Boolean);
    $("main").insertBefore(document.importNode(part, true), following || null);
  };

  const renew = (fresh) => {
    for (const part of fresh.querySelectorAll("[data-part]")) {
      const old = $(part.id);
      if (!old) place(fresh, part);
      else if (old.outerHTML !== part.outerHTML && !old.contains(document.activeElement)) {
        old.replaceWith(document.importNode(part, true));
      }
    }
    for (const old of document.querySelectorAll("main > [data-part]")) {
      if (!fresh.getElementById(old.id)) old.remove();
    }
    document.title = fresh.title;
    const standing = $("standing").dataset;
    const told = standing.state !== "soon"; // of this one a threshold speaks
    if (standing.state !== state && told) announce(`${standing.headline}.`);
    state = standing.state;
    tick();
  };

  const poll = async () => {
    try {
      const asked = Date.now();
      const response = await fetch(location.href.split("#")[0], { cache: "no-cache" });
      settle(response, asked);
      if (!response.ok) return;
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
      if (fresh.getElementById("standing")) renew(fresh);
    } catch { /* who serves this page is away: what is shown stays, and says of when it is */ }
  };

  tick();
  setInterval(tick, 1000);
  setInterval(() => { if (!document.hidden) poll(); }, POLL);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) poll(); });
  poll();
})();
