// The addresses of running programs, as they are given to the command.
import { printable } from '../base/text.js';
import { Failure } from './profile-file.js';

export function isUrl(operand: string): boolean {
  return /^https?:\/\//i.test(operand);
}

/** For messages: without `user:password@`. */
export function shownUrl(url: URL): string {
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  return printable(shown.href);
}

function parseUrl(address: string): URL {
  if (!URL.canParse(address)) throw new Failure(`${printable(address)}: not a valid URL`);
  return new URL(address);
}

/** The URL of one of memprof's pages, in the program (or that of its family, `?pid=`) any of whose pages is given. */
export function pageUrl(address: string, page: string, parameters: Readonly<Record<string, string>>): URL {
  const url = parseUrl(address);
  const prefix = /^(.*)\/debug\/pprof(?:\/.*)?$/s.exec(url.pathname)?.[1] ?? url.pathname.replace(/\/+$/, '');
  url.pathname = `${prefix}/debug/pprof/${page}`;
  const pid = url.searchParams.get('pid');
  url.search = String(new URLSearchParams({ ...(pid === null ? {} : { pid }), ...parameters }));
  url.hash = '';
  return url;
}

/** Whether this is the address of all of memprof's pages: `http://HOST:6060`, or what ends in `/debug/pprof/`. */
export function isOfPages(address: string): boolean {
  return /^\/?$|\/debug\/pprof\/?$/.test(parseUrl(address).pathname);
}

/** The URL from which to fetch a profile: that of the pages stands for the heap profile among them. */
export function profileUrl(address: string): URL {
  const url = parseUrl(address);
  if (isOfPages(address)) url.pathname = pageUrl(address, 'heap', {}).pathname;
  return url;
}
