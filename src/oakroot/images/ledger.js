// Search in the list of builds, for hashes and for names of inputs. All else on the page works without this.
"use strict";
(() => {
  const builds = JSON.parse(document.getElementById("data").textContent);
  const rows = [...document.querySelectorAll("#builds tbody tr")];
  const form = document.getElementById("search");
  const field = form.querySelector("input"), told = form.querySelector("output");

  function look() {
    const words = field.value.toLowerCase().replace(/sha256:/g, " ").split(/\s+/).filter(Boolean);
    const fits = (line) => words.every((word) => line.toLowerCase().includes(word));
    const found = new Set();
    let shown = 0;
    rows.forEach((row, index) => {
      const lines = builds[index].filter(fits);
      row.hidden = lines.length === 0;
      shown += row.hidden ? 0 : 1;
      lines.forEach((line) => found.add(line));
    });
    const what = [...found].slice(0, 3).join("; ");
    told.textContent = words.length ? `${shown} of ${rows.length} builds${what && ": "}${what}` : "";
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  field.addEventListener("input", look);
  form.hidden = false;
  const asked = /^#q=(.*)$/.exec(location.hash);
  if (asked) {
    field.value = decodeURIComponent(asked[1]);
    look();
  }
})();
