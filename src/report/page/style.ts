/**
 * Colours by role, light and dark. Text has a contrast of at least 4.5 to what it stands on, lines and marks of 3; what
 * tells series apart is Okabe and Ito's palette (Color Universal Design, 2008), which most colour-blind people can read.
 */
export const PALETTE = {
  light: {
    ink: "#1f2328",
    dim: "#59636e",
    paper: "#ffffff",
    tint: "#f6f8fa",
    line: "#d1d9e0",
    axis: "#818b98",
    shade: "#8c959f66",
    good: "#1a7f37",
    bad: "#cf222e",
    warn: "#9a6700",
    note: "#0969da",
    base: "#c45500",
    head: "#0072b2",
    c0: "#0072b2",
    c1: "#c45500",
    c2: "#00805c",
    c3: "#b4588f",
    c4: "#8a6d00",
    c5: "#2f7fb5",
    c6: "#000000",
    c7: "#6e7781",
  },
  dark: {
    ink: "#f0f6fc",
    dim: "#9198a1",
    paper: "#0d1117",
    tint: "#151b23",
    line: "#2f353d",
    axis: "#656c76",
    shade: "#000000cc",
    good: "#3fb950",
    bad: "#ff7b72",
    warn: "#d29922",
    note: "#4493f8",
    base: "#e69f00",
    head: "#56b4e9",
    c0: "#56b4e9",
    c1: "#e69f00",
    c2: "#00b386",
    c3: "#d992bd",
    c4: "#f0e442",
    c5: "#5c9fd6",
    c6: "#ffffff",
    c7: "#9198a1",
  },
};

const variables = (colours: Readonly<Record<string, string>>): string =>
  Object.entries(colours)
    .map(([name, value]) => `--${name}:${value}`)
    .join(";");

/** Shades at the edges of a box beyond which there is more: those of the box stay, what hides them moves along. */
const shade = (side: "left" | "right"): string =>
  `linear-gradient(to ${side === "left" ? "right" : "left"},var(--shade),transparent) ${side}/12px 100% no-repeat scroll`;
const cover = (side: "left" | "right"): string =>
  `linear-gradient(to ${side === "left" ? "right" : "left"},var(--paper) 40%,transparent) ${side}/36px 100% no-repeat local`;
const SHADES = `background:${[cover("left"), cover("right"), shade("left"), shade("right")].join(",")}`;

/** The palette as variables, in light and dark. */
export const SCHEMES = `:root{color-scheme:light dark;${variables(PALETTE.light)}}
@media (prefers-color-scheme:dark){:root{${variables(PALETTE.dark)}}}
`;

export const STYLE = `
${SCHEMES}*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
.skip{position:absolute;left:-999px}.skip:focus{left:8px;top:8px;background:var(--paper);padding:8px;z-index:1}
:focus-visible{outline:2px solid var(--note);outline-offset:2px}
header,main,footer{max-width:1120px;margin:0 auto;padding:0 20px}
header{padding-top:28px}
.verdict{border:1px solid var(--line);border-left:6px solid var(--note);border-radius:8px;background:var(--tint);padding:16px 20px}
.verdict.good{border-left-color:var(--good)}.verdict.bad{border-left-color:var(--bad)}.verdict.warn{border-left-color:var(--warn)}
.verdict p{margin:6px 0 0;overflow-wrap:anywhere}
.about{color:var(--dim);font-size:14px;margin:0 0 10px;overflow-wrap:anywhere}
h1{font-size:26px;line-height:1.25;margin:0}
h2{font-size:20px;margin:40px 0 12px;overflow-wrap:anywhere}
h3{font-size:16px;margin:28px 0 8px}h3 .dim{font-weight:400}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:4px 18px;margin:14px 0 0;padding:0;font-size:14px}
a{color:var(--note)}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:8px;${SHADES}}
table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}
th,td{padding:7px 12px;text-align:left;vertical-align:middle}
tbody tr{border-top:1px solid var(--line)}
thead th{color:var(--dim);background:color-mix(in srgb,var(--dim) 7%,transparent);font-weight:600;font-size:13px;white-space:nowrap}
tbody th{font-weight:400;min-width:10ch}
.number{text-align:right;white-space:nowrap}.prose{min-width:26ch}.narrow{display:none}
.wide{text-align:center}
code{font:13px ui-monospace,SFMono-Regular,Menlo,monospace;overflow-wrap:anywhere}
table code{display:inline-block;max-width:36ch;overflow-wrap:break-word}td,th{max-width:70ch}
p code,li code,th code,summary code{background:var(--tint);padding:2px 5px;border-radius:4px}
pre{background:var(--tint);border:1px solid var(--line);padding:12px 16px;border-radius:8px;overflow-x:auto;font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,monospace}
.dim{color:var(--dim)}.way{display:block;font-size:12px;white-space:nowrap}
.badge{white-space:nowrap}.badge.good{color:var(--good);font-weight:600}.badge.bad{color:var(--bad);font-weight:600}.badge.plain{color:var(--dim)}
.interval{display:block;margin:0 auto}
.interval .zero{stroke:var(--axis);stroke-dasharray:2 2}.interval .bar{stroke:var(--dim);stroke-width:2}.interval circle{fill:var(--dim)}
.interval.better .bar{stroke:var(--good)}.interval.better circle{fill:var(--good)}.interval.worse .bar{stroke:var(--bad)}.interval.worse circle{fill:var(--bad)}
.notes{padding-left:20px;font-size:14px;overflow-wrap:anywhere}.files{list-style:none;padding-left:16px;margin:4px 0}
details{margin-top:12px;font-size:14px}summary{cursor:pointer;padding:4px 0}details>.scroll{margin-top:8px}
main p.dim{font-size:14px}
.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,440px),1fr));gap:20px;align-items:start}
figure{margin:0;border:1px solid var(--line);border-radius:8px;padding:14px 16px;min-width:0}
.whole{grid-column:1/-1}
figcaption{font-weight:600;font-size:14px;margin-bottom:8px;overflow-wrap:anywhere}
figure p{font-size:13px;margin:8px 0 0}
.chart{display:block;width:100%;height:auto;font-family:system-ui,-apple-system,"Segoe UI",sans-serif}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:2px 18px;padding:0;margin:8px 0 0;font-size:13px}.legend svg{vertical-align:-1px}
.sides{display:flex;align-items:flex-start;flex-wrap:wrap;gap:16px}.sides>*{min-width:0;max-width:100%}.sides img{max-width:100%}
.matrix{width:auto}.matrix caption{text-align:left;padding:6px 10px;font-size:13px}
.matrix th,.matrix td{padding:4px 9px;text-align:right;font-size:13px}.matrix thead td{background:color-mix(in srgb,var(--dim) 7%,transparent)}.matrix .none{color:var(--dim)}
.heat{background:color-mix(in srgb,var(--base) calc(var(--share)*100%),transparent)}.heat.right{background:color-mix(in srgb,var(--head) calc(var(--share)*100%),transparent);font-weight:600}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
footer{color:var(--dim);font-size:13px;margin-top:40px;padding-bottom:40px;overflow-wrap:anywhere}
@media (max-width:640px){body{font-size:15px}header,main,footer{padding-left:14px;padding-right:14px}h1{font-size:22px}.wide{display:none}.narrow{display:block;font-size:13px}.way:has(+.narrow){position:absolute;clip-path:inset(50%)}thead th{white-space:normal}table{font-size:13px}code{font-size:12px}th,td{padding:6px 7px}.matrix th,.matrix td{padding:4px 6px}figure{padding:12px}}
@media print{:root{${variables(PALETTE.light)}}body{font-size:11pt}.skip,nav{display:none}.scroll{overflow:visible;background:none}details::details-content{content-visibility:visible;block-size:auto}figure,tr,.verdict{break-inside:avoid}thead{display:table-header-group}h2,h3{break-after:avoid}}
`;
