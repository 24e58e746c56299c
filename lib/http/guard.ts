import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { memprofError } from '../base/errors.js';

/** Whether only this machine can reach the address. */
function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '').toLowerCase();
  return name === 'localhost' || name === '::1' || /^(::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name);
}

/** Throws `ERR_MEMPROF_INSECURE` if other machines could read profiles, which contain names of functions and files. */
export function checkExposure(host: string, token: string | undefined, insecure: boolean): void {
  if (isLoopback(host) || token !== undefined || insecure) return;
  throw memprofError(
    'ERR_MEMPROF_INSECURE',
    `other machines could read profiles on ${JSON.stringify(host)}: give a token (MEMPROF_TOKEN), or listen on 127.0.0.1, or, ` +
      'if you trust the network, set insecure: true',
  );
}

const digest = (text: string) => createHash('sha256').update(text).digest();

/** `Authorization: Bearer TOKEN`, or the password of `http://any:TOKEN@host/`, which is all `go tool pprof` can send. */
export function isAuthorized(request: IncomingMessage, token: string): boolean {
  const header = request.headers.authorization ?? '';
  const [, scheme = '', value = ''] = /^(\w+) +(\S+) *$/.exec(header) ?? [];
  let given = '';
  if (scheme.toLowerCase() === 'bearer') given = value;
  else if (scheme.toLowerCase() === 'basic') {
    const decoded = Buffer.from(value, 'base64').toString('utf8');
    given = decoded.slice(decoded.indexOf(':') + 1);
  }
  return timingSafeEqual(digest(given), digest(token));
}

const PROXY_HEADER = /^(x-forwarded-.*|forwarded|via|x-real-ip)$/;

/**
 * Says why a request without a token is refused; undefined if it comes from this machine and is served. What a proxy on
 * this machine forwards counts as coming from elsewhere. A proxy that sends none of its usual headers and replaces `Host`
 * cannot be recognised.
 */
export function refusal(request: IncomingMessage): string | undefined {
  const peer = request.socket?.remoteAddress;
  const reason =
    peer === undefined || !isLoopback(peer)
      ? 'this request is from another machine, or its socket has no address'
      : Object.keys(request.headers).some((name) => PROXY_HEADER.test(name))
        ? 'this request came through a proxy'
        : isExpectedHost(request)
          ? undefined
          : 'its Host header names another machine';
  return (
    reason &&
    `profiles are only served to requests from this machine, and ${reason}: set a token in the options of memprof's ` +
      'handler() or serve(), or insecure: true if you trust everyone who can reach this server'
  );
}

/**
 * Prevents DNS rebinding: a web page could read profiles if its own host name were made to point to this machine. Such a
 * request has that name as `Host`, so without a token only addresses and names of this machine are served.
 */
function isExpectedHost(request: IncomingMessage): boolean {
  const header = request.headers.host ?? (request.headers[':authority'] as string | undefined);
  if (header === undefined) return true;
  const name = header
    .replace(/:\d*$/, '')
    .replace(/^\[|\]$/g, '')
    .toLowerCase();
  return isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost');
}
