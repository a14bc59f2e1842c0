"use strict";
// The report is complete without this: it adds sorting, a crosshair, and opens what a link points at.
(function () {
  const SVG = "http://www.w3.org/2000/svg";
  const LEFT = 72, RIGHT = 848, TOP = 34, BOTTOM = 40;
  const data = JSON.parse(document.getElementById("timeline").textContent);
  const seconds = data.sent ? data.sent.length : 0;

  function key(row, column) {
    const cell = row.children[column];
    return cell.dataset.key === undefined ? cell.textContent : Number(cell.dataset.key);
  }

  function sort(table, column, heading) {
    const descending = heading.getAttribute("aria-sort") !== "descending";
    for (const other of table.tHead.rows[0].children) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const body = table.tBodies[0];
    const rows = Array.from(body.rows).filter((row) => !row.classList.contains("total"));
    rows.sort((one, two) => {
      const a = key(one, column), b = key(two, column);
      const order = typeof a === "number" ? a - b : a.localeCompare(b);
      return descending ? -order : order;
    });
    body.append(...rows);
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    Array.from(table.tHead.rows[0].children).forEach((heading, column) => {
      const button = document.createElement("button");
      button.className = "sort";
      button.textContent = heading.textContent;
      heading.replaceChildren(button);
      button.addEventListener("click", () => sort(table, column, heading));
    });
  }

  function described(chart, second) {
    const at = Math.floor(second / 60) + ":" + String(second % 60).padStart(2, "0");
    const ms = (value) => (value === null ? "\u2013" : value + " ms");
    if (chart === "latency")
      return at + "  p50 " + ms(data.p50[second]) + "  p95 " + ms(data.p95[second]) + "  p99 " + ms(data.p99[second]);
    if (chart === "load") return at + "  sent " + data.sent[second] + "  failed " + data.failed[second];
    return at + "  hits " + data.hits[second] + "  misses " + data.misses[second];
  }

  function crosshair(svg) {
    const height = svg.viewBox.baseVal.height;
    const cross = document.createElementNS(SVG, "line");
    cross.setAttribute("class", "cross");
    cross.setAttribute("y1", TOP);
    cross.setAttribute("y2", height - BOTTOM);
    const readout = document.createElement("output");
    readout.className = "readout";
    readout.hidden = true;
    svg.closest("figure").append(readout);
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
      const second = Math.floor(((x - LEFT) / (RIGHT - LEFT)) * seconds);
      if (second < 0 || second >= seconds) return leave();
      cross.setAttribute("x1", x);
      cross.setAttribute("x2", x);
      svg.append(cross);
      readout.hidden = false;
      readout.textContent = described(svg.id, second);
    });
    function leave() {
      cross.remove();
      readout.hidden = true;
    }
    svg.addEventListener("pointerleave", leave);
  }

  if (seconds)
    for (const name of ["latency", "load", "cache"]) {
      const svg = document.getElementById(name);
      if (svg) crosshair(svg);
    }

  function open() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === "DETAILS") target.open = true;
  }
  addEventListener("hashchange", open);
  open();
})();
