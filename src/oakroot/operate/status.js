// Redraws the two plots of the status page every five seconds. All else on it works without this.
"use strict";
(() => {
  const WIDTH = 600, HEIGHT = 120, SPAN = 900;

  function draw(figure, points, now) {
    const values = points.map((point) => point[1]);
    const top = Math.max(...values, 0) || 1;
    const line = points
      .map(([moment, value]) => `${(WIDTH * (1 - (now - moment) / SPAN)).toFixed(1)},${(HEIGHT * (1 - value / top)).toFixed(1)}`)
      .join(" ");
    figure.querySelector("polyline").setAttribute("points", line);
  }

  async function renew() {
    let live;
    try {
      live = await (await fetch("live.json")).json();
    } catch {
      document.getElementById("live").textContent = "the server does not answer";
      return;
    }
    for (const [name, plot] of Object.entries(live.plots)) {
      const figure = document.getElementById(name);
      draw(figure, plot.points, live.moment);
      figure.querySelector("output").textContent = plot.text;
    }
    document.getElementById("live").textContent = "live";
  }

  renew();
  setInterval(renew, 5000);
})();
