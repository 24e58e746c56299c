import type { IncomingMessage, ServerResponse } from 'node:http';
import { givenOptions } from '../base/check-options.js';
import { withLabels } from '../sampler/labels.js';

/** Options of `labelRoutes`. */
export interface LabelRoutesOptions {
  /**
   * Names the route of a request; undefined for none. There should be few different ones: see `withLabels`. Default: the
   * route of the framework where it is known (Fastify), otherwise the path, in which `:id` stands for numbers and ids.
   */
  route?: (request: IncomingMessage) => string | undefined;
}

/** What `labelRoutes` returns: a middleware of Express and Connect, and an `onRequest` hook of Fastify. */
export type RouteLabeller = (
  request: IncomingMessage,
  response: ServerResponse | object,
  next: (error?: Error) => void,
) => void;

const MOST_SEGMENTS = 4;
/** Numbers, UUIDs, and other long texts with digits. */
const ID = /^(\d+|[\da-f]{8}-[\da-f-]{27}|(?=.*\d)[\w-]{16,})$/i;

/**
 * Gives the samples of each request a label `route`, such as `GET /cart/:id`, so that a profile can be split by route: `go
 * tool pprof -tags`. See `withLabels` for where labels work.
 *
 * @param options See `LabelRoutesOptions`.
 * @throws `ERR_MEMPROF_INVALID_ARG_TYPE`, `ERR_MEMPROF_UNKNOWN_OPTION` for options.
 * @example
 * app.use(labelRoutes()); // Express, Connect
 * fastify.addHook('onRequest', labelRoutes());
 * const label = labelRoutes();
 * createServer((request, response) => label(request, response, () => answer(request, response)));
 */
export function labelRoutes(options?: LabelRoutesOptions): RouteLabeller {
  const { route = routeOf } = givenOptions('labelRoutes', options);
  return (request, _response, next) => {
    const name = route(request);
    if (name === undefined) next();
    else withLabels({ route: `${request.method ?? 'GET'} ${name}` }, () => next());
  };
}

function routeOf(request: IncomingMessage): string {
  const { routeOptions, originalUrl } = request as { routeOptions?: { url?: string }; originalUrl?: string };
  if (routeOptions?.url !== undefined) return routeOptions.url;
  const [path = '/'] = (originalUrl ?? request.url ?? '/').split('?', 1);
  const segments = path.split('/').slice(1);
  const named = segments.slice(0, MOST_SEGMENTS).map((segment) => (ID.test(segment) ? ':id' : segment));
  return `/${named.join('/')}${segments.length > MOST_SEGMENTS ? '/…' : ''}`;
}
