// A banner for any page: <script src="https://status.example.com/banner.js" defer></script>
// It polls the feed beside it, asks for nothing else, and is dismissed one notice at a time.
(() => {
  "use strict";
  const script = document.currentScript;
  const feed = new URL(script?.dataset.feed || "api/v2/summary.json", script?.src || location.href);
  const EVERY = Math.max(Number(script?.dataset.every) || 60, 5) * 1000;
  const KEY = "harness-banner";
  const STYLE = `
    :host{all:initial;display:block;color-scheme:light dark}
    section{font:16px/1.5 system-ui,sans-serif;background:#e9f0fb;color:#16243c;border-bottom:2px solid #2f4f8f}
    section.late{background:#fff3e0;color:#3d2400;border-color:#8a4b00}
    section.done{background:#e7f5ec;color:#0f3320;border-color:#1b6b3a}
    div{display:flex;gap:4px 16px;align-items:center;justify-content:space-between;max-width:72rem;margin:0 auto;padding:8px 16px;overflow-wrap:anywhere}
    p{margin:0}strong{font-weight:700}a{color:inherit;text-underline-offset:2px}
    button{font:inherit;background:none;color:inherit;border:1px solid;border-radius:4px;padding:2px 10px;cursor:pointer;flex:none}
    a:focus-visible,button:focus-visible{outline:3px solid;outline-offset:2px}
    @media (prefers-color-scheme:dark){
      section{background:#1a2740;color:#dce7fb;border-color:#9db8ee}
      section.late{background:#3a2710;color:#ffe2b8;border-color:#f3b562}
      section.done{background:#123322;color:#cdf0db;border-color:#7fd6a0}}
    @media print{:host{display:none}}`;

  const memory = new Set(); // for a page that may store nothing
  const stored = () => { try { return JSON.parse(localStorage.getItem(KEY)) || {}; } catch { return {}; } };
  const dismissed = (id) => memory.has(id) || id in stored();
  const dismiss = (id) => {
    memory.add(id);
    try { localStorage.setItem(KEY, JSON.stringify({ ...stored(), [id]: 1 })); } catch { /* likewise */ }
  };

  const times = (migration) => {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const span = (timeZone) => {
      const spell = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short", timeZone });
      return `${spell.formatRange(new Date(migration.starts), new Date(migration.ends))} (${timeZone})`;
    };
    return zone === "UTC" ? span("UTC") : `${span(zone)}, ${span("UTC")}`;
  };

  // The maintenance while it matters; once it is done, each change by itself.
  const notices = (migration) => {
    const { id, revision, state, headline, page_url: link } = migration;
    if (state === "done") {
      return migration.changes.map((one) => ({ ...one, id: `${id}/change/${one.id}`, kind: "done" }));
    }
    const over = state === "rolled_back" || state === "cancelled";
    const text = over ? migration.announcement : times(migration);
    const kind = state === "late" ? "late" : "";
    return [{ id: `${id}/${revision}/${state}`, kind, title: headline, text, link }];
  };

  const host = document.createElement("div");
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet(); // a page whose policy bars inline styles allows it
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  let shown = "", wait = EVERY;

  const make = (parent, name, text, label) => {
    const made = parent.appendChild(document.createElement(name));
    if (text) made.textContent = text;
    if (label) made.setAttribute("aria-label", label);
    return made;
  };

  const draw = (notice) => {
    const section = document.createElement("section");
    section.className = notice.kind;
    section.setAttribute("aria-label", `Notice: ${notice.title}`);
    const row = make(section, "div");
    const text = make(row, "p");
    make(text, "strong", notice.title);
    text.append(` ${notice.text} `);
    if (/^https?:\/\//i.test(notice.link)) make(text, "a", "More", `More: ${notice.title}`).href = notice.link;
    const button = make(row, "button", "Dismiss", `Dismiss: ${notice.title}`);
    button.type = "button";
    button.addEventListener("click", () => {
      const next = section.nextElementSibling || section.previousElementSibling;
      dismiss(notice.id);
      section.remove();
      next?.querySelector("button").focus();
    });
    return section;
  };

  const show = (migration) => {
    const now = notices(migration).filter((one) => !dismissed(one.id));
    const said = JSON.stringify(now);
    if (said === shown || root.activeElement) return; // nobody's focus is taken away
    shown = said;
    root.replaceChildren(...now.map(draw));
    if (!host.isConnected) document.body.prepend(host);
  };

  const poll = async () => {
    try {
      const response = await fetch(feed, { credentials: "omit", cache: "no-cache" });
      if (!response.ok) throw new Error(response.status);
      show((await response.json()).migration);
      wait = EVERY;
    } catch {
      wait = Math.min(wait * 2, 900000); // the feed is away: what is shown stays
    }
    setTimeout(poll, wait * (0.9 + Math.random() / 5));
  };
  poll();
})();
