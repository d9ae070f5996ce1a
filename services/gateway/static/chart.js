// Draws progress against the pace needed. Colours come from the style sheet, figures as whole numbers of a scale.
"use strict";

(() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const drawn = new Map();

  const draw = (place) => {
    const data = JSON.parse(place.dataset.chart);
    const width = Math.max(240, Math.floor(place.getBoundingClientRect().width));
    const scaled = (values) => values.map((each) => (each === null ? null : each / data.scale * (data.percent ? 100 : 1)));
    const write = (value) => (value === null || value === undefined ? "–" : Number(value.toFixed(1)).toLocaleString() + (data.percent ? " %" : ""));
    const label = (at) => data.labels[data.x.indexOf(at)] ?? "";
    const last = data.x.length;
    const step = Math.max(1, Math.ceil(last / Math.max(2, Math.floor(width / 72))));
    // A bar stands around its point: half a step more on either side, or the first and last are cut.
    const half = last > 1 ? (data.x[1] - data.x[0]) / 2 : 1;
    const chart = new uPlot({
      width,
      height: 180,
      padding: [12, 12, 0, 0],
      cursor: { y: false, points: { size: 6 } },
      legend: { show: true, live: false, markers: { dash: (_self, index) => (index === 2 ? "dashed" : "solid") } },
      scales: { x: { time: false, ...(data.bars ? { range: (_self, low, high) => [low - half, high + half] } : {}) }, y: { range: (_self, _low, high) => [0, Math.max(1, high * 1.1)] } },
      axes: [
        { stroke: colour("--quiet"), grid: { show: false }, ticks: { stroke: colour("--line") }, font: "12px sans-serif",
          splits: () => data.x.filter((_each, index) => index % step === 0), values: (_self, splits) => splits.map(label) },
        { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px sans-serif", size: 44,
          values: (_self, splits) => splits.map(write) },
      ],
      series: [
        { label: "" },
        { label: data.words.done, stroke: colour("--accent"), width: data.bars ? 0 : 2.5, points: { show: false },
          ...(data.bars ? { fill: colour("--accent"), paths: uPlot.paths.bars({ size: [0.6, 48] }) } : {}) },
        { label: data.words.pace, stroke: colour("--quiet"), width: 1.5, dash: [5, 4], points: { show: false } },
      ],
    }, [data.x, scaled(data.done), scaled(data.pace)], place);
    drawn.set(place, chart);
  };

  const redraw = () => {
    for (const [place, chart] of drawn) {
      chart.destroy();
      drawn.delete(place);
    }
    document.querySelectorAll("[data-chart]").forEach(draw);
  };

  const drawNew = () => {
    for (const [place, chart] of drawn) {
      if (!place.isConnected) { chart.destroy(); drawn.delete(place); }
    }
    document.querySelectorAll("[data-chart]").forEach((place) => { if (!drawn.has(place)) draw(place); });
  };

  drawNew();
  document.body.addEventListener("htmx:afterSettle", drawNew);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    clearTimeout(redraw.timer);
    redraw.timer = setTimeout(redraw, 150);
  });
})();
