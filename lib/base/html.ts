// What the pages have in common.

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character]!);
}

/** A page without scripts, which loads nothing; light and dark. `style` and `body` are HTML, `title` is text. */
export function plainPage(title: string, style: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>
:root { --text: #1d2125; --soft: #57606a; --back: #fff; --line: #d4d8dd; --card: #f4f5f7; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e8ea; --soft: #a5adb5; --back: #16181b; --line: #3a4047; --card: #1f2327; }
}
body { margin: 1.5rem auto; max-width: 52rem; padding: 0 1rem; color: var(--text); background: var(--back); font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.3rem; margin: 0 0 0.75rem; overflow-wrap: anywhere; }
${style}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`;
}
