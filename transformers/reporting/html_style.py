"""The page's looks: quiet paper by day, quiet slate by night, and plain black on white in print."""

STYLE = """
:root{color-scheme:light dark;--paper:#faf9f6;--card:#fff;--ink:#22272e;--soft:#6a7280;--line:#e6e3dc;
--accent:#2f6f8f;--tint:#e9f0f3;--light:#a9c6d3;--plus:#2f6f8f;--minus:#b8653a;
--critical:#a3211b;--high:#c2562a;--medium:#a77a12;--low:#4d7d62;--info:#5f6f85;--good:#3d7a58;--warning:#a77a12;--bad:#a3211b}
@media (prefers-color-scheme:dark){:root{--paper:#14171b;--card:#1c2026;--ink:#e4e6e9;--soft:#98a1ad;--line:#2c323a;
--accent:#7fb6d0;--tint:#232c34;--light:#45697b;--plus:#7fb6d0;--minus:#e0976c;
--critical:#f08078;--high:#ee9a6f;--medium:#dcb65a;--low:#86bb9b;--info:#9fb0c6;--good:#86bb9b;--warning:#dcb65a;--bad:#f08078}}
*{box-sizing:border-box}
html{scroll-behavior:smooth}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif;
font-variant-numeric:tabular-nums;overflow-wrap:break-word}
main{max-width:1120px;margin:0 auto;padding:40px 24px 80px}
header p{margin:4px 0 0;color:var(--soft)}
h3,dd,.card b,code{overflow-wrap:anywhere}
h1{font-size:28px;font-weight:650;letter-spacing:-.01em;margin:0;line-height:1.25}
h2{font-size:19px;font-weight:650;margin:44px 0 14px}
h3{font-size:15px;font-weight:650;margin:22px 0 6px}
a{color:var(--accent);text-decoration:none}
nav{margin:18px 0 0;display:flex;flex-wrap:wrap;gap:6px 18px;font-size:14px}
.quiet{color:var(--soft);font-size:13.5px}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(190px,1fr));gap:12px;margin-top:26px}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 16px}
.card b{display:block;font-size:22px;font-weight:620;letter-spacing:-.01em;line-height:1.3}
.card span{color:var(--soft);font-size:13px}
.card.good b{color:var(--good)}.card.warning b{color:var(--warning)}.card.bad b{color:var(--bad)}
.panel{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:18px 20px}
.panel h3:first-child{margin-top:0}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,460px),1fr));gap:14px;align-items:start}
.prose p,.prose li{max-width:100ch}.prose p{margin:8px 0}
.prose ul,.prose ol{margin:8px 0;padding-left:22px}.prose li{margin:3px 0}
.tag{display:inline-block;border-radius:99px;padding:0 9px;font-size:12px;line-height:20px;font-weight:600;
background:var(--tint);color:var(--soft);white-space:nowrap}
.critical,.high,.medium,.low,.info{color:var(--info)}
.tag.critical{color:var(--critical)}.tag.high{color:var(--high)}.tag.medium{color:var(--medium)}
.tag.low{color:var(--low)}.tag.info{color:var(--info)}
.tag.status-success{color:var(--good)}.tag.status-partial{color:var(--warning)}.tag.status-failed{color:var(--bad)}
.tablewrap{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:10px}
table{border-collapse:collapse;width:100%;font-size:13.5px}
th{text-align:left;font-weight:600;color:var(--soft);background:var(--tint)}
td{min-width:72px}
th,td{padding:7px 12px;border-bottom:1px solid var(--line);vertical-align:top}
tr:last-child td{border-bottom:0}
td.n,th.n{text-align:right;white-space:nowrap}
.columns{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,340px),1fr));gap:14px}
.column{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 16px;break-inside:avoid}
.column h3{margin:0 0 2px;display:flex;justify-content:space-between;gap:10px}
.column dl{display:grid;grid-template-columns:repeat(3,1fr);gap:6px 10px;margin:10px 0;font-size:13px}
.column dt{color:var(--soft);font-size:12px}.column dd{margin:0}
.column p{margin:6px 0 0;font-size:12.5px;color:var(--soft)}
.chart{width:100%;display:block}.bars{height:64px;margin-top:8px}
.bars rect{fill:var(--accent)}.heat text{fill:var(--soft);font-size:11px}
.heat .plus{fill:var(--plus)}.heat .minus{fill:var(--minus)}.heat .none{fill:var(--line)}
.values{list-style:none;margin:8px 0 0;padding:0;font-size:12.5px}
.values li{display:grid;grid-template-columns:minmax(60px,1.2fr) 1fr minmax(58px,max-content);
gap:8px;align-items:center;line-height:20px}
.values .label{white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.values .track{background:var(--tint);border-radius:3px;height:8px;display:flex;overflow:hidden}
.values .track span{background:var(--accent);height:8px}.values .track .light{background:var(--light)}
h4{font-size:12.5px;font-weight:600;color:var(--soft);margin:14px 0 0}
.values .n{white-space:nowrap;text-align:right;color:var(--soft)}
.axis{display:flex;justify-content:space-between;color:var(--soft);font-size:11.5px}
code{font:12px/1.5 ui-monospace,Menlo,Consolas,monospace;background:var(--tint);border-radius:4px;padding:1px 5px}
details summary{cursor:pointer;color:var(--accent);font-size:14px}
footer{margin-top:56px;color:var(--soft);font-size:13px}
@media (max-width:480px){main{padding:24px 16px 48px}.cards{grid-template-columns:1fr 1fr;gap:8px}
.card{padding:10px 12px}.card b{font-size:18px}}
@media print{@page{margin:14mm 12mm}
:root{color-scheme:light;--paper:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#ccc;--tint:#f1f1f1;--light:#a9c6d3;
--accent:#2f6f8f;--plus:#2f6f8f;--minus:#b8653a;--critical:#a3211b;--high:#c2562a;--medium:#8a6410;--low:#4d7d62;
--info:#5f6f85;--good:#3d7a58;--warning:#8a6410;--bad:#a3211b}
html{scroll-behavior:auto}body{font-size:10px;line-height:1.4}main{max-width:none;padding:0}nav,footer{display:none}
h1{font-size:20px}
h2{font-size:14px;margin:20px 0 8px;break-after:avoid}h3{font-size:11px;margin:12px 0 4px}
h3,h4,summary{break-after:avoid}h4,.quiet,.card span,.column dt,.column dl,.values,code{font-size:9px}
p,li{orphans:3;widows:3}
.prose p,.prose li{max-width:none}.prose p{margin:4px 0}.tag{font-size:9px;line-height:14px;padding:0 6px}
.cards{grid-template-columns:repeat(5,1fr);gap:6px;margin-top:12px}.card{padding:6px 9px;border-radius:6px}
.card b{font-size:13px}.panel,.column{padding:8px 10px;border-radius:6px}.two{grid-template-columns:1fr 1fr;gap:8px}
table{font-size:9px}
th,td{padding:3px 6px;overflow-wrap:anywhere}td{min-width:80px}th{overflow-wrap:normal}
.tablewrap{overflow:visible;border-radius:0;border-width:1px 0 0}thead{display:table-header-group}
.columns{grid-template-columns:repeat(3,1fr);gap:8px}.column h3{font-size:10px}.column dl{margin:4px 0;gap:2px 6px}
.bars{height:32px;margin-top:4px}.values{margin-top:4px}.values li{line-height:14px;gap:5px}
.axis,.column p{font-size:8.5px}
.values .track,.values .track span{height:5px}summary{list-style:none}
tr,.card,.column,.chart,.values li{break-inside:avoid}details::details-content{content-visibility:visible;display:block}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
"""
