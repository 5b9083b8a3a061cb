// Draws every element with data-chart from the JSON that the page carries: stacked bars, lines or points over time.
"use strict";

(() => {
  const HEIGHT = 240;
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const shown = (value) => (value == null ? "–" : value.toLocaleString("en", { maximumFractionDigits: 4 }));
  const short = (value) => value.toLocaleString("en", { notation: "compact", maximumFractionDigits: 2 });
  const colour = (each, index) => each.colour ?? index % 9;

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

  const text = (data, at) => {
    const iso = new Date(at * 1000).toISOString();
    if (data.step === "month") return iso.slice(0, 7);
    return data.step === "second" ? iso.slice(0, 19).replace("T", " ") : iso.slice(0, 10);
  };

  // A tick for a day, week or month stands where that begins, for as many as there is room for.
  const ticks = (data) => (plot) => {
    const each = Math.max(1, Math.ceil((80 * data.x.length) / Math.max(80, plot.width - 70)));
    return data.x.filter((_at, i) => (data.x.length - 1 - i) % each === 0);
  };

  const dates = (data) => (_plot, splits) =>
    splits.map((at) => {
      const iso = new Date(at * 1000).toISOString();
      if (data.step === "month") return iso.slice(0, 7);
      if (data.step !== "second") return iso.slice(5, 10);
      return splits[splits.length - 1] - splits[0] < 86400 ? iso.slice(11, 19) : iso.slice(5, 16).replace("T", " ");
    });

  function series(data, given, index) {
    const paint = css(`--c${colour(given, index)}`);
    const common = { label: given.name, stroke: paint, scale: "y" };
    if (data.kind === "bars") {
      return { ...common, width: 0, fill: paint, points: { show: false }, paths: uPlot.paths.bars({ size: [0.8, 64] }) };
    }
    const points = { show: data.kind === "points" || data.x.length < 60, size: 5, fill: paint };
    return { ...common, width: data.kind === "points" ? 0 : 2, points, spanGaps: true, dash: given.dashed ? [6, 4] : undefined };
  }

  const STEPS = { month: 30, week: 7, day: 1 };

  function options(data, box, order, tip) {
    const axis = { stroke: css("--muted"), grid: { stroke: css("--line"), width: 1 }, ticks: { stroke: css("--line"), width: 1 } };
    const scales = { x: { time: true }, y: { range: (_plot, min, max) => [Math.min(0, min), data.max ?? (max > 0 ? max * 1.05 : 1)] } };
    const values = data.format === "duration" ? { values: (_plot, splits) => splits.map(duration), incrs: ROUND } : { values: (_plot, splits) => splits.map(short) };
    const axes = [{ ...axis, values: dates(data), space: 80, ...(data.step === "second" ? {} : { splits: ticks(data) }) }, { ...axis, ...values, size: 64 }];
    if (data.kind === "bars") {
      const half = (STEPS[data.step] ?? 1) * 86400 * 0.6;
      scales.x.range = (_plot, min, max) => [min - half, max + half];
    }
    return {
      width: box.clientWidth, height: HEIGHT, scales, axes, tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "UTC"),
      series: [{ label: "UTC" }, ...order.map((index) => series(data, data.series[index], index))],
      legend: { show: false }, cursor: { drag: { x: data.kind !== "bars", y: false }, y: false },
      hooks: { setCursor: [(plot) => tip(plot, plot.cursor.idx)], setSize: [(plot) => place(plot, data)] },
    };
  }

  // What stands at the cursor: the time, each value with its share, and the total. Text only: names are upstream's.
  function fill(tip, data, i) {
    const add = (parent, tag, words, kind) => {
      const made = parent.appendChild(document.createElement(tag));
      if (words) made.textContent = words;
      if (kind) made.className = kind;
      return made;
    };
    tip.replaceChildren();
    const label = data.labels?.[i] ?? text(data, data.x[i]);
    add(tip, "strong", [data.step === "second" ? `${label} UTC` : label, data.marks?.[i]].filter(Boolean).join(", "));
    const table = add(tip, "table");
    const values = data.series.map((each, index) => ({ name: each.name, value: each.values[i], index, each }));
    const total = values.reduce((sum, each) => sum + (each.value ?? 0), 0);
    const isStack = data.kind === "bars";
    const rows = isStack ? values.filter((each) => each.value).sort((a, b) => b.value - a.value) : values;
    for (const one of rows) {
      const row = add(table, "tr");
      add(add(row, "td"), "i", "", one.each.hidden ? "" : `swatch c${colour(one.each, one.index)}`);
      add(row, "td", one.name, "name");
      add(row, "td", shown(one.value), "num");
      if (isStack) add(row, "td", total ? `${((100 * one.value) / total).toFixed(1)} %` : "", "num");
    }
    if (isStack) {
      const row = add(table, "tr", "", "total");
      add(row, "td");
      add(row, "td", ["Total", data.unit].filter(Boolean).join(", "));
      add(row, "td", shown(total), "num");
      add(row, "td");
      if (data.amounts?.[i]) add(tip, "p", data.amounts[i]);
    }
    const here = new Date(data.x[i] * 1000);
    if (here.getTimezoneOffset()) {
      add(tip, "p", `${data.step === "second" ? "" : "from "}${here.toLocaleString("sv")} by your clock`, "muted");
    }
  }

  function tooltip(box, data) {
    const tip = document.createElement("div");
    tip.className = "tip";
    tip.hidden = true;
    tip.setAttribute("aria-hidden", "true");
    return (plot, i) => {
      if (i == null) {
        tip.hidden = true;
        return;
      }
      if (!tip.isConnected) box.append(tip);
      if (tip.dataset.at !== String(i)) fill(tip, data, i);
      tip.dataset.at = i;
      tip.hidden = false;
      const at = plot.over.offsetLeft + plot.valToPos(data.x[i], "x");
      const left = at > box.clientWidth / 2 ? at - tip.offsetWidth - 12 : at + 12;
      tip.style.left = `${Math.max(0, Math.min(left, box.clientWidth - tip.offsetWidth))}px`;
    };
  }

  // Each bar is a link: one of them is reached with Tab, the others from there with the arrows.
  function links(plot, data, tip) {
    const made = data.links.map((href, i) => {
      const link = document.createElement("a");
      const total = data.series.reduce((sum, each) => sum + (each.values[i] ?? 0), 0);
      link.className = "bar";
      link.href = href;
      link.draggable = false;
      link.tabIndex = i === data.links.length - 1 ? 0 : -1;
      link.ariaLabel = [data.labels?.[i] ?? text(data, data.x[i]), data.marks?.[i], `${shown(total)} ${data.unit ?? ""}`].filter(Boolean).join(", ");
      link.addEventListener("focus", () => {
        for (const other of made) other.tabIndex = other === link ? 0 : -1;
        tip(plot, i);
      });
      link.addEventListener("blur", () => tip(plot, null));
      link.addEventListener("mouseenter", () => tip(plot, i));
      link.addEventListener("mouseleave", () => tip(plot, null));
      link.addEventListener("keydown", (event) => {
        const to = { ArrowLeft: i - 1, ArrowRight: i + 1, Home: 0, End: made.length - 1 }[event.key];
        if (to === undefined || !made[to]) return;
        event.preventDefault();
        made[to].focus();
      });
      return link;
    });
    plot.over.append(...made);
    plot.bars = made;
    place(plot, data);
    // An address that names a row of the numbers means its bar, wherever there is one.
    for (const [i, label] of (data.labels ?? []).entries()) {
      const id = `${plot.root.parentElement.id}-${label}`;
      document.getElementById(id)?.removeAttribute("id");
      made[i].id = id;
    }
  }

  function place(plot, data) {
    const width = plot.over.clientWidth / Math.max(1, data.x.length);
    for (const [i, link] of (plot.bars ?? []).entries()) {
      link.style.left = `${plot.valToPos(data.x[i], "x") - width / 2}px`;
      link.style.width = `${width}px`;
    }
  }

  function draw(box) {
    const data = JSON.parse(document.getElementById(box.dataset.chart).textContent);
    const order = data.series.map((_, index) => index).filter((index) => !data.series[index].hidden);
    const columns = order.map((index) => data.series[index].values);
    const drawn = data.kind === "bars" ? stacked(columns) : columns;
    if (data.kind === "bars") {
      order.reverse(); // the tallest outline first, the others over it
      drawn.reverse();
    }
    box.replaceChildren();
    const tip = tooltip(box, data);
    box.chart = new uPlot(options(data, box, order, tip), [data.x, ...drawn], box);
    box.values = data;
    if (data.links) links(box.chart, data, tip);
  }

  // The numbers stand in place of a chart only where none can be drawn; beside one, they wait to be opened.
  for (const numbers of document.querySelectorAll("details.numbers")) numbers.open = false;
  const boxes = [...document.querySelectorAll("[data-chart]")];
  boxes.forEach(draw);
  document.documentElement.dataset.charts = boxes.length;
  addEventListener("load", () => {
    const named = document.getElementById(location.hash.slice(1));
    if (named?.matches(".bar")) named.focus();
  });

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => boxes.forEach(draw));
  addEventListener("resize", () => boxes.forEach((box) => box.chart.setSize({ width: box.clientWidth, height: HEIGHT })));
})();
