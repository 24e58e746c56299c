export { type Handler, type HandlerOptions, handler } from './http/handler.js';
export { type LabelRoutesOptions, labelRoutes, type RouteLabeller } from './http/label-routes.js';
export { type ServeOptions, type Server, serve } from './http/serve.js';
