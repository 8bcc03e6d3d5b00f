/* Charts of amounts by day, drawn with uPlot from the JSON that the page brings along.

   figure[data-chart="NAME"]  is filled with the list NAME of the JSON in #data-source over its list `days`, in data-unit

   Colours are those of the style sheet and follow the theme; the page's table tells the same in words. */
"use strict";
(() => {
  const HEIGHT = 170, HOUR = 3600, DAY = 24 * HOUR;
  const figures = [...document.querySelectorAll("[data-chart]")];
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

  function draw(figure) {
    drawn.get(figure)?.destroy();
    const source = JSON.parse(document.getElementById(figure.dataset.source).textContent);
    drawn.set(figure, new uPlot(options(figure), [source.days, source[figure.dataset.chart]], figure));
  }

  figures.forEach(draw);
  const sizes = new ResizeObserver((seen) => seen.forEach(({ target }) => drawn.get(target)?.setSize({ width: Math.max(target.clientWidth, 120), height: HEIGHT })));
  figures.forEach((figure) => sizes.observe(figure));
  new MutationObserver(() => figures.forEach(draw)).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
})();
