/**
 * The page that tells what holds the memory of a site, relative to the other pages. It takes a snapshot of the heap, so
 * nothing but a person may follow the link.
 */
export function whyLink(site: string, pid?: number): string {
  return `${whyPage(pid)}site=${encodeURIComponent(`^${escapeRegExp(site)}$`)}`;
}

/** That page up to its parameter `site`. `pid`: that of the process, where one address has the pages of several. */
export function whyPage(pid: number | undefined): string {
  return pid === undefined ? 'why?' : `why?pid=${pid}&`;
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
