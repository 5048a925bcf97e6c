"use strict";
(() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  function isDark() {
    return root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
  }

  function nameTheme() {
    button.textContent = isDark() ? "Light theme" : "Dark theme";
  }

  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    nameTheme();
  });
  system.addEventListener("change", nameTheme);
  nameTheme();

  function cellValue(row, column) {
    const cell = row.cells[column];
    return cell?.dataset.value ?? cell?.textContent.trim() ?? "";
  }

  function sortBy(table, column, direction) {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const numeric = rows.every((row) => cellValue(row, column) !== "" && !Number.isNaN(Number(cellValue(row, column))));
    rows.sort((a, b) => {
      const [x, y] = [cellValue(a, column), cellValue(b, column)];
      return direction * (numeric ? x - y : x.localeCompare(y, "en", { numeric: true }));
    });
    body.append(...rows);
  }

  function makeSortable(table) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      if ("fixed" in head.dataset) return;
      const control = document.createElement("button");
      control.type = "button";
      control.append(...head.childNodes);
      head.append(control);
      head.setAttribute("aria-sort", "none");
      control.addEventListener("click", () => {
        const direction = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
        heads.forEach((other) => other.hasAttribute("aria-sort") && other.setAttribute("aria-sort", "none"));
        head.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
        sortBy(table, column, direction);
      });
    });
  }

  document.querySelectorAll("table.sortable").forEach(makeSortable);

  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    closed.forEach((one) => { one.open = true; });
  });
  window.addEventListener("afterprint", () => closed.forEach((one) => { one.open = false; }));
})();
