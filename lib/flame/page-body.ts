/** What the flame page consists of. `title` and `download` are HTML. */
export function pageBody(title: string, download: string): string {
  return `<header>
<h1>${title}</h1><span id="total"></span>
<select id="types" aria-label="Figures"></select>
<div class="views" role="group" aria-label="View">
<button type="button" data-view="down" title="Callers above what they call (1)">Top down</button>
<button type="button" data-view="up" title="Inverted: what allocates, and its callers below it (2)">Bottom up</button>
<button type="button" data-view="sandwich" title="Callers and callees of one function (3)">Sandwich</button>
</div>
<span class="search"><input id="search" type="search" placeholder="Search: text or regex ( / )" aria-label="Search"
><label><input id="only" type="checkbox"> only its stacks</label></span>
<span id="found" role="status"></span>
<span class="tools">
<button id="reset" type="button" disabled>Reset zoom</button>
<span id="differences" hidden><label>Widths <select id="widths"><option value="now">this profile</option><option value="base">base profile</option></select></label></span>
<span id="live" hidden><label>Reload <select id="reload"><option value="0">never</option><option value="5">every 5 s</option><option value="15">every 15 s</option><option value="60">every minute</option></select></label></span>
${download}
<button id="keys" type="button" aria-label="Keys">?</button>
</span>
</header>
<p id="notes" hidden></p>
<p id="empty" hidden>Nothing to show: all figures of this kind are 0.</p>
<main id="views">
<section id="functions" aria-label="Functions">
<p class="sort"><label>Sorted by <select id="sort"><option value="flat">self</option><option value="cum">total</option><option value="change">change</option><option value="name">name</option></select></label></p>
<div class="rows" tabindex="0" role="region" aria-label="Table of functions"><table>
<thead><tr><th scope="col">Self</th><th scope="col" id="middle">±</th><th scope="col">Total</th><th scope="col">Function</th></tr></thead>
<tbody></tbody>
</table>
<button id="more" type="button" hidden>Show more</button></div>
</section>
<section class="graphs" aria-label="Flame graph">
<ul id="legend" aria-label="Colours"></ul>
<h2 class="half" hidden>Callers</h2>
<div id="callers" class="graph" hidden><div class="space"></div><canvas role="img" aria-label="Callers"></canvas></div>
<h2 class="half" hidden>Callees</h2>
<div id="graph" class="graph"><div class="space"></div><canvas tabindex="0" role="img" aria-label="Flame graph; the table has the same figures"></canvas></div>
</section>
</main>
<footer><p id="details" role="status"></p>
<span><a id="why" class="button" hidden title="A snapshot of the heap, which stops the program for a while">What holds it?</a>
<button id="copy" type="button" disabled title="Copy the place (c)">Copy place</button>
<button id="stack" type="button" disabled>Copy stack</button>
<button id="focus" type="button" disabled title="Callers and callees (f)">Sandwich</button></span></footer>
<dialog id="help" aria-labelledby="keys-title"><h2 id="keys-title">Keys</h2>
<dl><dt>/</dt><dd>search</dd><dt>1 2 3</dt><dd>top down, bottom up, sandwich</dd><dt>arrows, Enter</dt><dd>go from frame to frame, zoom</dd>
<dt>f</dt><dd>callers and callees of the frame</dd><dt>c</dt><dd>copy the place of the frame</dd><dt>Escape</dt><dd>everything as before</dd></dl>
<form method="dialog"><button>Close</button></form></dialog>
<noscript>This page needs JavaScript.</noscript>`;
}
