"use strict";
// Without this script every link leads to a reason in the list at the end; with it reasons open in a
// dialog beside what was asked, and the arrow keys walk through the matrix.
(() => {
  const dialog = document.getElementById("answer");
  const title = document.getElementById("answer-title");
  const body = document.getElementById("answer-body");
  const table = document.querySelector("table.matrix");

  const element = (name, text) => {
    const made = document.createElement(name);
    made.textContent = text;
    return made;
  };

  const copied = (anchor) => {
    const reason = document.getElementById(anchor);
    if (!reason) return null;
    const copy = reason.cloneNode(true);
    copy.removeAttribute("id");
    return copy;
  };

  const open = (heading, parts) => {
    title.textContent = heading;
    body.replaceChildren(...parts.filter(Boolean));
    dialog.showModal();
    dialog.scrollTop = 0;
  };

  const openReason = (anchor) => {
    const copy = copied(anchor);
    if (!copy) return false;
    const heading = copy.querySelector("h3");
    const text = heading.textContent;
    heading.remove();
    open(text, [copy]);
    return true;
  };

  const views = [...document.querySelectorAll("input[name=view]")]
    .filter((input) => input.value !== "together")
    .map((input) => input.value);

  const openCell = (cell) => {
    const server = cell.parentElement.cells[0].dataset.release;
    const head = table.tHead.rows[0].cells[cell.cellIndex];
    const base = cell.firstElementChild || cell;
    const decides = (base.getAttribute("href") || "").slice(1);
    const said = document.createElement("dl");
    said.className = "said";
    for (const view of views) {
      const mark = element("span", (cell.querySelector(`.${view}`) || base).textContent);
      mark.className = { fits: "y", no: "n" }[mark.textContent] || "u";
      const word = document.createElement("dd");
      word.append(mark);
      said.append(element("dt", view), word);
    }
    const first = [`reason-server-${server}`, `reason-database-${head.dataset.release}`];
    if (decides === first[1]) first.reverse();
    // What contradicts the promises comes before them, what agrees with them after.
    const tried = cell.dataset.measured && `reason-measured-${server}-${cell.dataset.measured}`;
    if (tried) cell.querySelector(".measured") ? first.unshift(tried) : first.push(tried);
    if (cell.querySelector(".packages")) first.unshift(`reason-packages-${server}`);
    const heading = `Server ${server} on a shard at ${head.dataset.release}`
      + ` (schema ${head.dataset.schema}): ${base.textContent}`
      + (cell.classList.contains("broken") ? ", but views differ" : "");
    open(heading, [said, ...first.map(copied)]);
  };

  // A cell of a very long history holds no links; then it is itself what one stops at.
  const stopOf = (cell) => [...cell.querySelectorAll("a")].find((link) => link.offsetParent) || cell;

  document.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    const cell = event.target.closest("table.matrix td");
    if (cell) {
      event.preventDefault();
      settle(stopOf(cell));
      openCell(cell);
      return;
    }
    const link = event.target.closest("a");
    if (!link) return;
    const anchor = (link.getAttribute("href") || "").slice(1);
    if (dialog.contains(link)) dialog.close();
    if (anchor.startsWith("reason-") && openReason(anchor)) {
      event.preventDefault();
    } else {
      const target = document.getElementById(anchor);
      if (target && target.tagName === "DETAILS") target.open = true;
    }
  });
  document.getElementById("answer-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });

  // A long history is shown from its newest end, as soon as it comes into sight.
  const vast = table.classList.contains("vast");
  const region = table.parentElement;
  const toNewest = new IntersectionObserver((seen) => {
    if (!seen.some((one) => one.isIntersecting)) return;
    toNewest.disconnect();
    region.scrollTo(table.offsetWidth, table.offsetHeight);
  });
  if (vast) toNewest.observe(region);

  // One tab stop for all cells; the arrow keys go on from there.
  const ends = table.tBodies[0].rows;
  const corner = vast ? [...ends].at(-1).lastElementChild : ends[0].cells[1];
  let stop = corner.querySelector("a") || corner;
  const settle = (next) => {
    stop.tabIndex = -1;
    stop = next;
    stop.tabIndex = 0;
  };
  settle(stop);
  table.addEventListener("keydown", (event) => {
    const cell = event.target.closest("td");
    if (!cell || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Enter" && event.target === cell) openCell(cell);
    const rows = table.tBodies[0].rows;
    const row = cell.parentElement.sectionRowIndex;
    const last = cell.parentElement.cells.length - 1;
    const moves = {
      ArrowUp: [row - 1, cell.cellIndex],
      ArrowDown: [row + 1, cell.cellIndex],
      ArrowLeft: [row, cell.cellIndex - 1],
      ArrowRight: [row, cell.cellIndex + 1],
      Home: [row, 1],
      End: [row, last],
      PageUp: [0, cell.cellIndex],
      PageDown: [rows.length - 1, cell.cellIndex],
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    const next = rows[move[0]]?.cells[move[1]];
    if (!next || next.tagName !== "TD") return;
    settle(stopOf(next));
    stop.focus();
  });

  // A release that an address or a link names is open when one comes there.
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === "DETAILS") target.open = true;
  };
  window.addEventListener("hashchange", reveal);
  reveal();

  // Older browsers print a closed section closed.
  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    closed.forEach((section) => { section.open = true; });
  });
  window.addEventListener("afterprint", () => {
    closed.forEach((section) => { section.open = false; });
  });
})();
