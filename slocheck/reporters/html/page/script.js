"use strict";
// The report is complete without this: it adds sorting, a filter, a crosshair, and opens what a link points at.
(function () {
  const SVG = "http://www.w3.org/2000/svg";
  const data = JSON.parse(document.getElementById("timeline").textContent);

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

  function filter(table) {
    const box = document.createElement("p");
    const input = document.createElement("input");
    const label = document.createElement("label");
    const found = document.createElement("span");
    box.className = "filter";
    input.type = "search";
    found.className = "fine";
    found.setAttribute("role", "status");
    label.append("Show endpoints with", input);
    box.append(label, " ", found);
    table.parentElement.before(box);
    input.addEventListener("input", () => {
      const wanted = input.value.toLowerCase();
      let shown = 0;
      const rows = Array.from(table.tBodies[0].rows).filter((row) => !row.classList.contains("total"));
      for (const row of rows) {
        row.hidden = !row.textContent.toLowerCase().includes(wanted);
        shown += !row.hidden;
      }
      found.textContent = wanted ? shown + " of " + rows.length : "";
    });
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    Array.from(table.tHead.rows[0].children).forEach((heading, column) => {
      const button = document.createElement("button");
      button.className = "sort";
      button.textContent = heading.textContent;
      heading.replaceChildren(button);
      button.addEventListener("click", () => sort(table, column, heading));
    });
    if (table.tBodies[0].rows.length > 2) filter(table);
  }

  function time(second) {
    const two = (number) => String(number).padStart(2, "0");
    const elapsed = Math.floor(second / 60) + ":" + two(second % 60);
    if (data.start === null) return elapsed;
    const at = new Date((data.start + second) * 1000);
    return two(at.getUTCHours()) + ":" + two(at.getUTCMinutes()) + ":" + two(at.getUTCSeconds()) + " (" + elapsed + ")";
  }

  function described(name, second) {
    const unit = name === "latency" ? " ms" : "";
    const parts = Object.entries(data[name]).map(([what, column]) => {
      const value = column[second];
      return what + " " + (value === null ? "\u2013" : value.toLocaleString("en") + unit);
    });
    return time(second) + "  " + parts.join("  ");
  }

  function crosshair(svg, seconds) {
    const [from, to] = data.plot;
    const cross = document.createElementNS(SVG, "line");
    cross.setAttribute("class", "cross");
    cross.setAttribute("y1", 34);
    cross.setAttribute("y2", svg.height.baseVal.value - 38);
    const readout = document.createElement("output");
    readout.className = "readout";
    readout.hidden = true;
    svg.closest("figure").append(readout);
    function leave() {
      cross.remove();
      readout.hidden = true;
    }
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const x = (event.clientX - box.left) / box.width;
      const second = Math.floor(((x - from) / (to - from)) * seconds);
      if (second < 0 || second >= seconds) return leave();
      cross.setAttribute("x1", x * 100 + "%");
      cross.setAttribute("x2", x * 100 + "%");
      svg.append(cross);
      readout.hidden = false;
      readout.textContent = described(svg.id, second);
    });
    svg.addEventListener("pointerleave", leave);
  }

  for (const name of ["latency", "load", "statuses", "cache"]) {
    const svg = document.getElementById(name);
    if (svg && data.load) crosshair(svg, data.load.sent.length);
  }

  function open() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === "DETAILS") target.open = true;
  }
  addEventListener("hashchange", open);
  open();
})();
