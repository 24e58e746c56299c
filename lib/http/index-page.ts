export interface IndexEntry {
  name: string;
  href: string;
  count: number;
  description: string;
}

/** The page at `/debug/pprof/`, modelled on Go's. */
export function indexPage(entries: readonly IndexEntry[], status: readonly string[]): string {
  const rows = entries.map(
    ({ name, href, count }) => `<tr><td>${count}</td><td><a href='${href}'>${name}</a></td></tr>`,
  );
  const items = entries.map(
    ({ name, description }) => `<li><div class=profile-name>${name}: </div> ${description}</li>`,
  );
  return `<html>
<head>
<title>/debug/pprof/</title>
<style>
.profile-name{
	display:inline-block;
	width:6rem;
}
</style>
</head>
<body>
/debug/pprof/<br>
<br>
Types of profiles available:
<table>
<thead><td>Count</td><td>Profile</td></thead>
${rows.join('\n')}
</table>
<a href="heap?gc=1">heap after a garbage collection</a>
<br>
<p>
Profile Descriptions:
<ul>
${items.join('\n')}
</ul>
</p>
${status.map((each) => `<p>${each}</p>`).join('\n')}
</body>
</html>
`;
}
