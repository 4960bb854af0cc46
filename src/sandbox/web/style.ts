/** One sheet for all pages, light and dark by the reader's setting. No fonts, images or scripts from elsewhere. */
export const STYLE = `
:root { color-scheme: light dark;
  --bg:#fff; --soft:#f6f8fa; --line:#d1d9e0; --mark:#818b981f; --text:#1f2328; --dim:#59636e; --link:#0969da;
  --green:#1a7f37; --red:#cf222e; --purple:#8250df; --yellow:#9a6700; --grey:#59636e; --blue:#0969da; }
@media (prefers-color-scheme: dark) { :root {
  --bg:#0d1117; --soft:#151b23; --line:#3d444d; --mark:#656c7633; --text:#f0f6fc; --dim:#9198a1; --link:#4493f8;
  --green:#3fb950; --red:#f85149; --purple:#ab7df8; --yellow:#d29922; --grey:#9198a1; --blue:#4493f8; } }
* { box-sizing: border-box }
body { margin:0; background:var(--bg); color:var(--text); font:14px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif }
a { color:var(--link); text-decoration:none } a:hover { text-decoration:underline }
header { background:var(--soft); border-bottom:1px solid var(--line); padding:12px 24px 0 }
header .crumbs { font-size:16px; display:flex; gap:8px; align-items:center; flex-wrap:wrap }
header .crumbs form { margin-left:auto; color:var(--dim); font-size:12px; display:flex; gap:8px; align-items:center }
nav { display:flex; gap:4px; margin-top:10px; overflow-x:auto }
nav a { color:var(--text); padding:8px 12px; border-bottom:2px solid transparent; white-space:nowrap }
nav a[aria-current] { border-color:#fd8c73; font-weight:600 }
main { max-width:1100px; margin:24px auto; padding:0 16px }
h1 { font-size:24px; font-weight:400; margin:0 0 8px; overflow-wrap:anywhere } h1 small { color:var(--dim); font-weight:300; font-size:inherit }
h2 { font-size:18px; margin:24px 0 8px }
.dim { color:var(--dim) } .mono, code, pre { font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace; font-size:12px }
.badge { display:inline-block; color:#fff; border-radius:2em; padding:3px 12px; font-weight:500; margin-right:6px }
.count { background:var(--line); border-radius:2em; padding:0 7px; font-size:12px; margin-left:4px }
.label { border:1px solid var(--line); border-radius:2em; padding:0 8px; font-size:12px }
.list { border:1px solid var(--line); border-radius:6px; list-style:none; margin:0 0 16px; padding:0 }
.list > li { padding:10px 16px; border-top:1px solid var(--line); display:flex; gap:10px; align-items:baseline; overflow-wrap:anywhere }
.list > li:first-child { border-top:0 } .list > li > .grow { flex:1; min-width:0 }
.list .title { font-weight:600; color:var(--text); font-size:15px }
.dot { display:inline-block; width:1.15em; text-align:center; font-weight:700; flex:none }
.empty { text-align:center; color:var(--dim); border:1px solid var(--line); border-radius:6px; padding:40px 16px }
.columns { display:flex; gap:24px; align-items:flex-start } .columns > .wide { flex:1; min-width:0 } aside { width:200px; flex:none }
aside section { border-bottom:1px solid var(--line); padding:0 0 12px; margin-bottom:12px; font-size:12px } aside h3 { font-size:12px; margin:0 0 4px; color:var(--dim) }
@media (max-width:767px) { .columns { flex-direction:column } .columns > .wide, aside { width:100% } main { margin:16px auto } }
.box { border:1px solid var(--line); border-radius:6px; margin-bottom:16px } .box > .head { background:var(--soft); border-bottom:1px solid var(--line); border-radius:6px 6px 0 0; padding:8px 16px; color:var(--dim); display:flex; gap:8px; flex-wrap:wrap }
.box > .head b { color:var(--text) } .box > .body { padding:16px } .bot { border:1px solid var(--line); border-radius:2em; padding:0 6px; font-size:11px }
.event { padding:6px 0 16px 24px; margin-left:16px; border-left:2px solid var(--line); color:var(--dim) }
.event + .box, .box + .event { margin-top:0 }
button { font:inherit; font-weight:500; border:1px solid var(--line); background:var(--soft); color:var(--text); border-radius:6px; padding:5px 14px; cursor:pointer }
button.primary { background:#1f883d; border-color:#1f883d; color:#fff } header button { padding:1px 8px; font-size:12px }
details.log { border:1px solid var(--line); border-radius:6px; margin-bottom:6px } details.log summary { padding:8px 12px; cursor:pointer } details.log summary .ms { float:right; color:var(--dim) }
pre.log, pre.file { margin:0; padding:12px; background:#0d1117; color:#e6edf3; border-radius:0 0 6px 6px; overflow:auto; max-height:520px; white-space:pre-wrap; overflow-wrap:anywhere }
pre.file { border-radius:6px; max-height:none }
.diff span { display:block; min-height:1.5em } .diff .add { color:#3fb950 } .diff .del { color:#f85149 } .diff .hunk { color:#79c0ff }
.md { overflow-wrap:break-word } .md > :first-child { margin-top:0 } .md > :last-child { margin-bottom:0 }
.md h1,.md h2 { border-bottom:1px solid var(--line); padding-bottom:.3em; font-weight:600 } .md h1 { font-size:1.6em } .md h2 { font-size:1.4em } .md h3 { font-size:1.15em }
.md p,.md ul,.md ol,.md table,.md pre,.md details { margin:0 0 16px } .md table { border-collapse:collapse; display:block; width:max-content; max-width:100%; overflow:auto } .md th,.md td { border:1px solid var(--line); padding:6px 13px } .md td code { white-space:nowrap } .md tr:nth-child(2n) { background:var(--soft) }
.md code { background:var(--mark); padding:.2em .4em; border-radius:6px } .md pre { background:var(--soft); padding:12px; border-radius:6px; overflow:auto } .md pre code { background:none; padding:0 }
.md pre.mermaid { background:none; text-align:center } .md blockquote { margin:0 0 16px; padding:0 1em; color:var(--dim); border-left:.25em solid var(--line) } .md img { max-width:100% }
.md summary { cursor:pointer }
.alert { padding:8px 16px; margin-bottom:16px; border-left:.25em solid var(--line) } .alert > :last-child { margin-bottom:0 } .alert > .alert-title { font-weight:600; margin:0 0 4px }
.alert-note { border-color:var(--blue) } .alert-note > .alert-title { color:var(--blue) } .alert-tip { border-color:var(--green) } .alert-tip > .alert-title { color:var(--green) }
.alert-important { border-color:var(--purple) } .alert-important > .alert-title { color:var(--purple) } .alert-warning { border-color:var(--yellow) } .alert-warning > .alert-title { color:var(--yellow) }
.alert-caution { border-color:var(--red) } .alert-caution > .alert-title { color:var(--red) }
`;
