import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { memprofError } from '../base/errors.js';

/** Whether only this machine can reach that address. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '').toLowerCase();
  return name === 'localhost' || name === '::1' || /^(::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name);
}

/** Throws `ERR_MEMPROF_INSECURE`: profiles tell names of functions and files to whoever asks. */
export function checkExposure(host: string, token: string | undefined, insecure: boolean): void {
  if (isLoopback(host) || token !== undefined || insecure) return;
  throw memprofError(
    'ERR_MEMPROF_INSECURE',
    `profiles on ${JSON.stringify(host)} could be read by other machines: give a token, or say insecure: true if the ` +
      'network is to be trusted, or use 127.0.0.1',
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
 * Why a request is not served that carries no token and needs one, unless it is of this machine; undefined if it is. A
 * proxy on this machine stands for others: what it forwards is not of this machine. One that does not say that it is a
 * proxy, and does not pass on the name that it was asked by, cannot be told.
 */
export function refusal(request: IncomingMessage): string | undefined {
  const peer = request.socket?.remoteAddress;
  const reason =
    peer === undefined || !isLoopback(peer)
      ? 'this request is from another machine, or from a socket that does not say'
      : Object.keys(request.headers).some((name) => PROXY_HEADER.test(name))
        ? 'this request came through a proxy'
        : isExpectedHost(request)
          ? undefined
          : 'this request was made to a name that is not of this machine';
  return (
    reason &&
    `profiles are for requests of this machine only, and ${reason}: set a token in the options of memprof's handler() or ` +
      'serve(), or insecure: true if whoever can reach this is to be trusted'
  );
}

/**
 * A web page cannot read from another origin, unless its own name is made to point here. Then it comes with that name:
 * without a token, only addresses and names of this machine are served.
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
