// What looking.py asks of a page, in the page itself. An open dialog is all there is while it is open.
window.looking = (() => {
  const inside = () => document.querySelector("dialog[open]") ?? document.body;
  const told = (each, what) => {
    const name = `${each.tagName}.${each.className.baseVal ?? each.className}`;
    return `${what}: ${name}: ${each.textContent.trim().slice(0, 40)}`;
  };

  const tooWide = (each) => each.getBoundingClientRect().right > innerWidth + 1 && !each.closest(".scroll, pre");

  const cut = (each) => {
    const style = getComputedStyle(each);
    if (each.matches("input, textarea")) return false; // what is typed may be longer than its field
    const clips = ["hidden", "clip"].includes(style.overflowX) || each.matches("dialog");
    const below = style.overflowY === "hidden" && each.scrollHeight > each.clientHeight + 1;
    return (clips && each.scrollWidth > each.clientWidth + 1) || below;
  };

  const pen = document.createElement("canvas").getContext("2d");
  const ARROW = 20;
  const choiceCut = (each) => {
    const style = getComputedStyle(each);
    pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    const text = each.matches("select") ? each.selectedOptions[0]?.text.trim() ?? "" : each.placeholder;
    const room = each.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    return pen.measureText(text).width > room - (each.matches("select") ? ARROW : 0) + 1;
  };

  // A number that begins on one line and ends on the next is read as another number.
  const brokenNumbers = (root) => {
    const found = [];
    const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
      const parent = text.parentElement;
      if (!parent.checkVisibility() || parent.closest(".unseen, pre, code, .token, option")) continue;
      for (const number of text.data.matchAll(/[¥$€]?\d[\d,.]*\d(?:\u202f%)?/g)) {
        const range = document.createRange();
        range.setStart(text, number.index);
        range.setEnd(text, number.index + number[0].length);
        const boxes = [...range.getClientRects()].filter((each) => each.width > 0);
        if (new Set(boxes.map((each) => Math.round(each.top))).size > 1) found.push(told(parent, "broken number"));
      }
    }
    return found;
  };

  const tooSmall = (each) => {
    const tick = ["checkbox", "radio"].includes(each.type);
    return !tick && !each.closest(".option") && (each.closest("label") ?? each).getBoundingClientRect().height < 43.5;
  };
  const TARGETS = "nav a, main button, main input:not([type=hidden]), main select, summary";

  const layout = () => {
    const wide = document.documentElement.scrollWidth - innerWidth;
    const shown = [...inside().querySelectorAll("*")].filter(
      (each) => each.checkVisibility() && !each.closest(".unseen, .skip, .plot, svg"),
    );
    return [
      ...(wide > 0 ? [`scrolls sideways by ${wide}`] : []),
      ...shown.filter(tooWide).map((each) => told(each, "too wide")),
      ...shown.filter(cut).map((each) => told(each, "cut")),
      ...shown.filter((each) => each.matches("select, input[placeholder]") && choiceCut(each)).map((each) => told(each, "cut")),
      ...brokenNumbers(inside()),
      ...shown.filter((each) => each.matches(TARGETS) && tooSmall(each)).map((each) => told(each, "too small")),
    ];
  };

  // --- the keyboard --------------------------------------------------------------------------------
  let listening = new AbortController();
  let expected = [];
  let reached = new Set();
  let unseen = new Set();

  // Only one of a group of radio buttons is a stop; the arrows do the rest.
  const stop = (each) => {
    const named = `[name="${each.name}"]`;
    const first = () => document.querySelector(`${named}:checked`) ?? document.querySelector(named);
    return each.tabIndex >= 0 && !each.disabled && (each.type !== "radio" || each === first());
  };

  const hidden = (each) => {
    const style = getComputedStyle(each);
    if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) return true;
    if (each.closest("dialog, .top, .rooms")) return false;
    const box = each.getBoundingClientRect();
    return [...document.querySelectorAll(".top, .rooms")].map((bar) => bar.getBoundingClientRect()).some(
      (bar) => box.top >= bar.top && box.bottom <= bar.bottom && box.left >= bar.left && box.right <= bar.right,
    );
  };

  // A stop is judged at the key's release: by then it has been scrolled into sight.
  const arrived = () => {
    const now = document.activeElement;
    if (now === document.body || reached.has(now)) return;
    reached.add(now);
    if (hidden(now)) unseen.add(now);
  };

  // Begin at the top; how often Tab must be pressed. A date has three fields and a button, a moment six.
  const watchTabs = () => {
    const every = inside().querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]');
    expected = [...every].filter((each) => each.checkVisibility() && stop(each));
    reached = new Set();
    unseen = new Set();
    listening.abort();
    listening = new AbortController();
    document.addEventListener("keyup", arrived, { signal: listening.signal });
    document.activeElement?.blur();
    (inside().querySelector(".skip, .close") ?? expected[0]).focus();
    reached.add(document.activeElement);
    const fields = expected.map((each) => ({ date: 3, "datetime-local": 6 })[each.type] ?? 0);
    return expected.length + fields.reduce((sum, each) => sum + each, 0) + 4;
  };

  const tabsSeen = () => {
    document.activeElement?.blur();
    return [
      ...expected.filter((each) => !reached.has(each)).map((each) => told(each, "not reached with Tab")),
      ...[...unseen].map((each) => told(each, "focus cannot be seen")),
    ];
  };

  // Whether a live update has put others in the place of what was to be reached.
  const replaced = () => expected.some((each) => !each.isConnected);

  return { layout, watchTabs, tabsSeen, replaced };
})();
