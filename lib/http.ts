export { type Handler, type HandlerOptions, handler } from './http/handler.js';
export { type ServeOptions, type Server, serve } from './http/serve.js';
