// Draws every element with data-chart from the JSON that the page carries: stacked bars, lines or points over time.
"use strict";

(() => {
  const HEIGHT = 240;
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const shown = (value) => (value == null ? "–" : value.toLocaleString("en", { maximumFractionDigits: 4 }));
  const short = (value) => value.toLocaleString("en", { notation: "compact", maximumFractionDigits: 2 });

  const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const ROUND = [1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 432000, 864000, 8640000];
  const duration = (seconds) => {
    const [unit, name] = UNITS.find(([length]) => Math.abs(seconds) >= length) ?? [1, "s"];
    return `${+(seconds / unit).toFixed(1)} ${name}`;
  };

  // Each series on top of those before it, so that the last one is the outline of all.
  const stacked = (columns) => {
    const sums = new Array(columns[0].length).fill(0);
    return columns.map((column) => column.map((value, i) => (sums[i] += value ?? 0)));
  };

  const dates = (data) => (_plot, splits) =>
    splits.map((at) => {
      const iso = new Date(at * 1000).toISOString();
      if (data.step === "month") return iso.slice(0, 7);
      if (data.step === "day") return iso.slice(5, 10);
      return splits[splits.length - 1] - splits[0] < 86400 ? iso.slice(11, 19) : iso.slice(5, 16).replace("T", " ");
    });

  const moment = (data) => (_plot, at) => {
    if (at == null) return "–";
    const iso = new Date(at * 1000).toISOString();
    return data.step === "month" ? iso.slice(0, 7) : data.step === "day" ? iso.slice(0, 10) : iso.slice(0, 19).replace("T", " ");
  };

  function series(data, index, drawn) {
    const given = data.series[index];
    const colour = css(`--c${given.colour ?? index % 9}`);
    const value = (_plot, _v, _series, i) => (i == null ? "–" : shown(given.values[i]));
    const common = { label: given.name, stroke: colour, value, scale: given.scale ?? "y" };
    if (data.kind === "bars") {
      return { ...common, width: 0, fill: colour, points: { show: false }, paths: uPlot.paths.bars({ size: [0.8, 64] }) };
    }
    const points = { show: data.kind === "points" || drawn < 60, size: 5, fill: colour };
    return { ...common, width: data.kind === "points" ? 0 : 2, points, spanGaps: true, dash: given.dashed ? [6, 4] : undefined };
  }

  function options(data, box) {
    const axis = { stroke: css("--muted"), grid: { stroke: css("--line"), width: 1 }, ticks: { stroke: css("--line"), width: 1 } };
    const order = data.series.map((_, index) => index);
    if (data.kind === "bars") order.reverse(); // the tallest outline first, the others over it
    const scales = { x: { time: true }, y: { range: (_plot, _min, max) => [0, data.max ?? (max > 0 ? max * 1.05 : 1)] } };
    const values = data.format === "duration" ? { values: (_plot, ticks) => ticks.map(duration), incrs: ROUND } : { values: (_plot, ticks) => ticks.map(short) };
    const axes = [{ ...axis, values: dates(data), space: 80 }, { ...axis, ...values, size: 64 }];
    if (data.kind === "bars") {
      const half = (data.step === "month" ? 30 : 1) * 86400 * 0.6;
      scales.x.range = (_plot, min, max) => [min - half, max + half];
    }
    return {
      width: box.clientWidth, height: HEIGHT, scales, axes, tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "UTC"),
      series: [{ label: "UTC", value: moment(data) }, ...order.map((index) => series(data, index, data.x.length))],
      cursor: { drag: { x: true, y: false } }, order,
    };
  }

  function draw(box) {
    const data = JSON.parse(document.getElementById(box.dataset.chart).textContent);
    const wanted = options(data, box);
    const columns = data.series.map((each) => each.values);
    const drawn = data.kind === "bars" ? stacked(columns) : columns;
    box.replaceChildren();
    box.chart = new uPlot(wanted, [data.x, ...wanted.order.map((index) => drawn[index])], box);
    box.values = data;
  }

  const boxes = [...document.querySelectorAll("[data-chart]")];
  boxes.forEach(draw);
  document.documentElement.dataset.charts = boxes.length;

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => boxes.forEach(draw));
  addEventListener("resize", () => boxes.forEach((box) => box.chart.setSize({ width: box.clientWidth, height: HEIGHT })));
})();
