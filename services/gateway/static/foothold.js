// What the pages need beyond HTMX: hearing what changed, marking it, the "why" dialog. No inline code anywhere.
"use strict";

(() => {
  const body = document.body;
  const token = document.querySelector('meta[name="csrf-token"]')?.content;
  const toast = document.getElementById("toast");
  const freshness = document.getElementById("freshness");
  let offline = false;
  let late = false;

  // Every unsafe request of HTMX carries the form token.
  body.addEventListener("htmx:configRequest", (event) => {
    if (token) event.detail.headers["X-CSRFToken"] = token;
  });

  const showFreshness = () => {
    if (freshness) freshness.hidden = !(offline || late);
  };

  const say = (text, seconds) => {
    if (!toast) return;
    toast.textContent = text;
    toast.hidden = !text;
    clearTimeout(say.timer);
    if (text && seconds) say.timer = setTimeout(() => { toast.hidden = true; }, seconds * 1000);
  };

  // --- live updates -------------------------------------------------------------------------------
  const tell = (topic) => body.dispatchEvent(new CustomEvent("live-" + topic, { bubbles: false }));
  // Boards change for many pages at once; they ask a little apart from each other.
  const slow = new Set(["boards", "team", "people"]);
  const waiting = new Set();

  const heard = (topic) => {
    if (!slow.has(topic)) return tell(topic);
    if (waiting.has(topic)) return undefined;
    waiting.add(topic);
    setTimeout(() => { waiting.delete(topic); tell(topic); }, Math.random() * 600);
    return undefined;
  };

  const listen = () => {
    const source = new EventSource("/live?watch=" + encodeURIComponent(body.dataset.watch));
    source.addEventListener("open", () => {
      if (offline) { offline = false; say(""); tell("all"); }
      showFreshness();
      body.dataset.live = "open";
    });
    source.addEventListener("changed", (event) => event.data.split(" ").forEach(heard));
    source.addEventListener("late", () => { late = true; showFreshness(); });
    source.addEventListener("fresh", () => { late = false; showFreshness(); });
    source.addEventListener("ended", () => { source.close(); window.location.assign("/sign-in"); });
    // What this page shows is no longer all for its reader: load it again with what is left.
    source.addEventListener("narrowed", () => { source.close(); window.location.reload(); });
    source.addEventListener("error", () => {
      body.dataset.live = "lost";
      clearTimeout(listen.timer);
      listen.timer = setTimeout(() => {
        if (source.readyState === EventSource.OPEN) return;
        offline = true;
        showFreshness();
        // A refusal closes the source for good; try again by hand, but not in a hurry.
        if (source.readyState === EventSource.CLOSED) setTimeout(listen, 5000 + Math.random() * 5000);
      }, 3000);
    });
    window.addEventListener("pagehide", () => source.close(), { once: true });
  };
  if (body.dataset.watch && "EventSource" in window) listen();
  // A page that comes back from the browser's cache may be old.
  window.addEventListener("pageshow", (event) => { if (event.persisted) window.location.reload(); });
  window.addEventListener("offline", () => { offline = true; showFreshness(); if (toast) say(toast.dataset.offline); });
  window.addEventListener("online", () => { offline = false; showFreshness(); say(""); tell("all"); });

  // --- marking what changed, and keeping what is open ---------------------------------------------
  const texts = (root) => new Map([...root.querySelectorAll("[data-key]")].map((each) => [each.dataset.key, each.textContent.trim()]));
  const openDetails = (root) => [...root.querySelectorAll("details")].map((each) => each.open);

  body.addEventListener("htmx:beforeSwap", (event) => {
    const target = event.detail.target;
    if (!target?.hasAttribute?.("data-live") || event.detail.xhr.status >= 400) return;
    // Nobody's typing or reading of an explanation is swept away by news.
    if (target.contains(document.activeElement) && /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) {
      event.detail.shouldSwap = false;
      return;
    }
    const focused = target.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    beforeSwap = { id: target.id, texts: texts(target), open: openDetails(target), focused };
  });
  let beforeSwap = null;
  body.addEventListener("htmx:afterSwap", () => {
    if (!beforeSwap) return;
    const { id, texts: before, open, focused } = beforeSwap;
    beforeSwap = null;
    const now = document.getElementById(id);
    if (!now) return;
    const details = [...now.querySelectorAll("details")];
    if (details.length === open.length) details.forEach((each, index) => { each.open = open[index]; });
    if (focused) [...now.querySelectorAll("a[href]")].find((each) => each.getAttribute("href") === focused)?.focus();
    now.querySelectorAll("[data-key]").forEach((each) => {
      const old = before.get(each.dataset.key);
      if (old === undefined || old === each.textContent.trim()) return;
      each.classList.add("changed");
      setTimeout(() => each.classList.remove("changed"), 2500);
    });
  });

  // --- why this number? ---------------------------------------------------------------------------
  const why = document.getElementById("why");
  body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target?.id === "why-body" && why && !why.open) why.showModal();
    if (event.detail.target?.id === "why-body") why.scrollTop = 0;
  });
  why?.addEventListener("click", (event) => { if (event.target === why) why.close(); });

  // --- sliders: the number beside one is what is sent; without scripts there is only the number ------
  document.querySelectorAll("[data-sets]").forEach((slider) => { slider.hidden = false; });
  body.addEventListener("input", ({ target }) => {
    if (target.dataset.sets) document.getElementById(target.dataset.sets).value = target.value;
    const slider = target.id && document.querySelector(`[data-sets="${CSS.escape(target.id)}"]`);
    if (slider) slider.value = target.value;
  });

  // --- when something fails -----------------------------------------------------------------------
  body.addEventListener("htmx:sendError", () => { if (toast) say(toast.dataset.offline, 6); });
  body.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    if (status === 401) return;
    const section = event.detail.elt;
    if (section?.hasAttribute?.("data-live")) { late = true; showFreshness(); return; }
    // Doors and forms without scripts still work: follow the link the plain way.
    if (section?.matches?.("a[href]")) { window.location.assign(section.href); return; }
    if (toast) say(toast.dataset.failed, 6);
  });
})();
