/* Charts of amounts by day and of lines over time, drawn with uPlot from the JSON that the page brings along.

   figure[data-lines="A B"]   is filled with the lists A and B over its list `at` of seconds, from `from` to `to`
   figure[data-chart="NAME"]  is filled with the list NAME of the JSON in #data-source over its list `days`, in data-unit

   Colours are those of the style sheet and follow the theme; the page's table tells the same in words. */
"use strict";
(() => {
  const HEIGHT = 170, HOUR = 3600, DAY = 24 * HOUR;
  const COLOURS = ["accent", "wait"];
  let figures = [];
  const drawn = new Map();
  const colour = (name) => {
    const probe = document.createElement("i");  // light-dark() is resolved where it is used, not where it is defined
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    const seen = getComputedStyle(probe).color;
    probe.remove();
    return seen;
  };
  const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
  const exact = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
  const day = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 10);

  function options(figure) {
    const axis = { stroke: colour("muted"), grid: { stroke: colour("line-soft"), width: 1 }, ticks: { show: false }, font: "11px sans-serif" };
    return {
      width: Math.max(figure.clientWidth, 120), height: HEIGHT, tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      scales: { x: { range: (_, least, most) => [least - DAY / 2, most + DAY / 2] }, y: { range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1] } },
      axes: [
        { ...axis, size: 26, space: 70, incrs: [1, 2, 7, 14, 28, 56, 112, 224].map((days) => days * DAY), values: (_, splits) => splits.map((each) => day(each).slice(5)) },
        { ...axis, size: 48, values: (_, splits) => splits.map((each) => short.format(each)) },
      ],
      series: [
        { label: "Day", value: (_, seconds) => (seconds === null ? "" : day(seconds)) },
        {
          label: figure.dataset.unit, stroke: colour("accent"), fill: colour("accent"), width: 0, points: { show: false },
          paths: uPlot.paths.bars({ size: [0.7, 40], radius: 0.15 }), value: (_, amount) => (amount === null ? "" : exact.format(amount)),
        },
      ],
    };
  }

  const time = (seconds, from) => new Date(seconds * 1000).toISOString().slice(from, 16).replace("T", " ");

  function lines(figure, source) {  // over time
    const usual = options(figure), is_long = source.to - source.from > 2 * DAY;
    const [x, y] = usual.axes;
    return {
      ...usual, scales: { x: { time: true, range: () => [source.from, source.to] }, y: usual.scales.y },
      axes: [{ ...x, incrs: undefined, space: 80, values: (_, splits) => splits.map((each) => (is_long ? time(each, 5).slice(0, 5) : time(each, 11))) }, y],
      series: [
        { label: "UTC", value: (_, seconds) => (seconds === null ? "" : time(seconds, 0)) },
        ...figure.dataset.lines.split(" ").map((name, i) => ({ label: name, stroke: colour(COLOURS[i]), width: 1.5, points: { show: source.at.length < 3 }, paths: uPlot.paths.stepped({ align: 1 }) })),
      ],
    };
  }

  function draw(figure) {
    drawn.get(figure)?.destroy();
    const source = JSON.parse(document.getElementById(figure.dataset.source).textContent), names = figure.dataset.lines;
    const chart = names ? new uPlot(lines(figure, source), [source.at, ...names.split(" ").map((name) => source[name])], figure)
      : new uPlot(options(figure), [source.days, source[figure.dataset.chart]], figure);
    drawn.set(figure, chart);
  }

  function begin() {
    drawn.forEach((chart, figure) => { if (!figure.isConnected) { chart.destroy(); drawn.delete(figure); } });
    figures = [...document.querySelectorAll("[data-chart], [data-lines]")];
    figures.filter((figure) => !drawn.has(figure)).forEach((figure) => { draw(figure); sizes.observe(figure); });
  }

  const sizes = new ResizeObserver((seen) => seen.forEach(({ target }) => drawn.get(target)?.setSize({ width: Math.max(target.clientWidth, 120), height: HEIGHT })));
  begin();
  document.addEventListener("htmx:afterSwap", begin);  // read again, with what came meanwhile
  new MutationObserver(() => figures.forEach(draw)).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
})();
